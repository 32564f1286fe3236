// Laws of groupBy of a table: after any changes the groups equal a batch over the rows that are
// there, and the changes fit together.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  aggregator,
  avg,
  collect,
  count,
  countDistinct,
  max,
  min,
  type Stream,
  sum,
  type TableChange,
  topN,
} from '../../index.ts';
import { addTo, emptySum, meanOfSum, subtractFrom, totalOf } from '../../aggregates/subtractable/exact-sum.ts';
import { harness } from '../../testing/index.ts';

interface Row {
  readonly k: number;
  readonly g: string | null;
  readonly v: number | bigint | null;
}
/** Exact in any order. */
const value = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 53n + 3n }).map((n) => n * 2n),
  fc.constant(null),
);
const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record(
    {
      k: fc.integer({ min: 0, max: 5 }),
      g: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null }),
      v: value,
    },
    { noNullPrototype: true },
  ),
  { maxLength: 60 },
);
const build = (stream: Stream<Row>) =>
  stream
    .keyBy('k')
    .toTable()
    .filter((row) => row.g !== null)
    .groupBy('g')
    .aggregate({
      n: count(),
      sum: sum('v'),
      avg: avg('v'),
      min: min('v'),
      max: max('v'),
      distinct: countDistinct('v'),
      top: topN(2, 'v'),
      all: collect(),
      own: aggregator({
        create: () => new Map<string, number>(),
        add: (kept, row: Row) => kept.set(String(row.v), (kept.get(String(row.v)) ?? 0) + 1),
        subtract(kept, row) {
          const left = kept.get(String(row.v))! - 1;
          if (left > 0) kept.set(String(row.v), left);
          else kept.delete(String(row.v));
          return kept;
        },
        result: (kept) => [...kept.keys()].sort(),
      }),
    })
    .toStream();

/** The aggregates of the rows, in the order of their last change. */
function batch(present: readonly Row[]): Map<string, unknown> {
  const groups = Map.groupBy(present, ({ g }) => g!);
  return new Map(
    [...groups].map(([g, members]) => {
      const values = members.flatMap(({ v }) => (v === null ? [] : [v]));
      const total = Number(values.reduce<bigint>((sum, v) => sum + BigInt(Number(v)), 0n));
      const least = (sign: 1 | -1) =>
        values.reduce<number | bigint | null>(
          (best, v) => (best === null || (sign === 1 ? v < best : v > best) ? v : best),
          null,
        );
      const ranked = members.filter(({ v }) => v !== null).toSorted((a, b) => Number(b.v) - Number(a.v));
      const result = {
        g,
        n: members.length,
        sum: values.length > 0 ? total : null,
        avg: values.length > 0 ? total / values.length : null,
        min: least(1),
        max: least(-1),
        distinct: new Set(values).size,
        top: ranked.slice(0, 2),
        all: members,
        own: [...new Set(members.map(({ v }) => String(v)))].sort(),
      };
      return [g, result];
    }),
  );
}

test("law: a table's grouped aggregate equals a batch over its rows, and restores change nothing", () => {
  fc.assert(
    fc.property(rows, fc.array(fc.nat(60), { maxLength: 4 }), (log, restores) => {
      let driven = harness(build);
      const present = new Map<number, Row>();
      const groups = new Map<string, unknown>();
      log.forEach((row, index) => {
        if (restores.includes(index)) {
          const snapshot = driven.snapshot();
          driven.close();
          driven = harness(build, { restore: snapshot });
        }
        present.delete(row.k);
        if (row.g !== null) present.set(row.k, row);
        driven.element(row, index);
        for (const item of driven.output()) if ('element' in item) apply(groups, item.element);
        assert.deepEqual(groups, batch([...present.values()]));
      });
      driven.close();
    }),
    { numRuns: 300 },
  );
});
function apply(groups: Map<string, unknown>, { kind, row, former }: TableChange<{ g: string | null }>): void {
  const g = row.g!;
  assert.deepEqual(groups.get(g), former, 'the former row is the one that was there');
  assert.equal(groups.has(g), kind !== 'insert');
  if (kind === 'delete') groups.delete(g);
  else groups.set(g, row);
}

/** Whole multiples of 2^-100, so that the oracle can add them as bigints. */
const double = fc
  .tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), fc.integer({ min: -100, max: 300 }))
  .map(([n, e]) => n * 2 ** e);

test('law: a sum from which values were taken out is the exact sum of the others, rounded once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(double, fc.boolean())), (values) => {
      const kept = emptySum();
      for (const [v] of values) addTo(kept, v);
      for (const [v, leaves] of values) if (leaves) subtractFrom(kept, v);
      const left = values.flatMap(([v, leaves]) => (leaves ? [] : [v]));
      const exact = left.reduce((total, v) => total + BigInt(v * 2 ** 100), 0n);
      // A bigint becomes the nearest double, as a sum should. −0 is 0.
      const expected = left.length === 0 ? null : Number(exact) / 2 ** 100;
      assert.equal(totalOf(kept), expected);
      assert.equal(meanOfSum(kept), expected === null ? null : expected / left.length);
    }),
    { numRuns: 500 },
  );
});

test('sums of large and of infinite values come back when these leave', () => {
  const kept = emptySum();
  for (const v of [0.1, Number.MAX_VALUE, Number.MAX_VALUE, 0.2]) addTo(kept, v);
  assert.equal(totalOf(kept), Infinity, 'too large for a double');
  assert.equal(meanOfSum(kept), Number.MAX_VALUE / 2, 'the mean does not overflow');
  for (const v of [Number.MAX_VALUE, Number.MAX_VALUE, 0.2]) subtractFrom(kept, v);
  assert.equal(totalOf(kept), 0.1, 'nothing remains of what has left');
  addTo(kept, Infinity);
  addTo(kept, -Infinity);
  assert.ok(Number.isNaN(totalOf(kept)));
  subtractFrom(kept, Infinity);
  assert.equal(totalOf(kept), -Infinity);
  subtractFrom(kept, -Infinity);
  assert.equal(totalOf(kept), 0.1);
});
