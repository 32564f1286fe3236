// Aggregates as plan data. Tests the plan, the shape of their state, and the errors at their
// declaration.
import type { NodeOf } from '../../graph/plan.ts';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as sluice from '../../index.ts';
import { evaluate } from './evaluate.ts';

const { aggregator, collect, countDistinct, from, maxBy, minBy, quantile, stddev, sum, topN, variance } = sluice;
const row = { k: 'a', n: 1 };
type Aggregates = Record<string, ReturnType<typeof sluice.count>>;
const nodeOf = (aggregates: unknown) =>
  evaluate(
    () =>
      void from([row])
        .keyBy('k')
        .aggregate(aggregates as Aggregates),
  ).nodes.at(-1)! as NodeOf<'aggregate'>;

test('the options of an aggregate are in the plan', () => {
  const { aggregates } = nodeOf({
    p95: quantile(0.95, 'n'),
    ids: countDistinct('n', { approximate: true }),
    all: countDistinct('n'),
    top: topN(3, 'n'),
    everything: collect(),
  }).parameters;
  assert.deepEqual(aggregates, {
    p95: { name: 'quantile', p: 0.95, value: { field: 'n' } },
    ids: { name: 'countDistinct', approximate: true, value: { field: 'n' } },
    all: { name: 'countDistinct', approximate: false, value: { field: 'n' } },
    top: { name: 'topN', n: 3, value: { field: 'n' } },
    everything: { name: 'collect' },
  });
});

test('functions of an own aggregate are references, each of its own', () => {
  const { aggregates } = nodeOf({
    total: aggregator({ create: () => 0, add: (a: number) => a, result: (a) => a }),
  }).parameters;
  const { total } = aggregates;
  assert.ok(total?.name === 'aggregator');
  assert.deepEqual(Object.keys(total), ['name', 'create', 'add', 'result']);
  assert.equal(total.add.slot, 'aggregates.total.add');
});

test('what is kept is the shape, what is read from it is not', () => {
  const shapeOf = (aggregate: unknown) => nodeOf({ it: aggregate }).shape;
  const same = (a: unknown, b: unknown) => assert.equal(shapeOf(a), shapeOf(b));
  const other = (a: unknown, b: unknown) => assert.notEqual(shapeOf(a), shapeOf(b));
  same(quantile(0.5, 'n'), quantile(0.9, 'n'));
  other(countDistinct('n'), countDistinct('n', { approximate: true }));
  other(topN(3, 'n'), topN(4, 'n'));
  other(minBy('n'), maxBy('n'));
  other(variance('n'), stddev('n'));
  const own = (add: (a: number, b: { n: number }) => number) =>
    aggregator({ create: () => 0, add, result: (a: number) => a });
  other(
    own((a, { n }) => a + n),
    aggregator({ create: () => 0, add: (a, b: { n: number }) => a + b.n, merge: (a, b) => a + b, result: (a) => a }),
  );
  same(
    own((a, { n }) => a + n),
    own((a, { n }) => a * n),
  );
});

test('what cannot be an aggregate is refused when it is declared', () => {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- wrong on purpose
  const any: any = sluice;
  /* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access -- as above */
  const refused: readonly (readonly [() => unknown, RegExp])[] = [
    [() => any.quantile(95, 'n'), /quantile\(\) takes a share from 0 to 1, not 95: 0.95 is the 95th percentile/],
    [() => any.quantile(NaN, 'n'), /not NaN/],
    [() => any.quantile(0.5), /quantile\(\) takes the name of a field or a function, not undefined/],
    [() => any.topN(0, 'n'), /topN\(\) takes a whole number from 1 on, not 0/],
    [() => any.topN(1.5, 'n'), /not 1.5/],
    [() => any.minBy(), /minBy\(\) takes the name of a field or a function, not undefined/],
    [() => any.collect(5), /collect\(\) takes the name of a field or a function, not 5/],
    [() => any.countDistinct('n', { aproximate: true }), /has no option "aproximate". Closest: "approximate"/],
    [() => any.countDistinct('n', { approximate: 1 }), /approximate of countDistinct\(\) is true or false, not 1/],
    [() => any.aggregator(), /aggregator\(\) takes \{ create, add, merge\?, subtract\?, result \}, not undefined/],
    [() => any.aggregator({ create: () => 0, result: () => 0 }), /aggregator\(\) needs a function add, not undefined/],
    [
      () => any.aggregator({ create: () => 0, add: () => 0, merge: 5, result: () => 0 }),
      /aggregator\(\) needs a function merge, not 5/,
    ],
    [() => nodeOf({ n: 5 }), /Aggregate "n" is 5. It must be made by count\(\), sum\(\)/],
    [() => nodeOf({ k: sum('n') }), /Aggregate "k" has the name of the key field "k"/],
  ];
  /* eslint-enable */
  for (const [declare, message] of refused) assert.throws(declare, { name: 'SluiceError', message });
});
