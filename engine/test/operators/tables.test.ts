// Laws of tables: for any changes on both sides, the output so far equals the batch join of the
// input so far.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Stream } from '../../index.ts';
import { harness2 } from '../../testing/index.ts';

interface Row {
  readonly k: number;
  readonly v: number | null;
}
interface Said {
  readonly side: 'left' | 'right';
  readonly row: Row;
  readonly time: number;
}
const said: fc.Arbitrary<Said[]> = fc.array(
  fc.record({
    side: fc.constantFrom('left' as const, 'right' as const),
    row: fc.record({ k: fc.integer({ min: 0, max: 3 }), v: fc.option(fc.integer({ min: 0, max: 9 }), { nil: null }) }),
    time: fc.integer({ min: 0, max: 50 }),
  }),
  { maxLength: 60 },
);
const tableOf = (rows: Stream<Row>) =>
  rows
    .keyBy('k')
    .toTable()
    .map((row) => row.v);

/**
 * The rows that a reader of the changes has at the end. Each change must fit the rows before it.
 */
function replay(changes: readonly { readonly kind: string; readonly row: string }[]): Map<string, string> {
  const rows = new Map<string, string>();
  for (const { kind, row } of changes) {
    const key = row.split(':')[0]!;
    assert.equal(rows.has(key), kind !== 'insert', `${kind} of ${row}`);
    if (kind === 'delete') {
      assert.equal(rows.get(key), row, 'the row that is deleted is the last one');
      rows.delete(key);
    } else rows.set(key, row);
  }
  return rows;
}
function latest(log: readonly Said[], side: string): Map<number, number> {
  const rows = new Map<number, number>();
  for (const { row } of log.filter((one) => one.side === side))
    if (row.v === null) rows.delete(row.k);
    else rows.set(row.k, row.v);
  return rows;
}
function batchJoin(kind: string, left: Map<number, number>, right: Map<number, number>): Map<string, string> {
  const keys = [...new Set([...left.keys(), ...right.keys()])].filter((key) => {
    if (kind === 'inner') return left.has(key) && right.has(key);
    return kind === 'outer' || left.has(key);
  });
  return new Map(keys.map((key) => [String(key), `${key}:${left.get(key)}/${right.get(key)}`]));
}

for (const kind of ['inner', 'left', 'outer'] as const)
  test(`the changes of a table-table join (${kind}) add up to the join of the final tables`, () => {
    fc.assert(
      fc.property(said, fc.integer({ min: 0, max: 60 }), (log, restoreAt) => {
        const build = (left: Stream<Row>, right: Stream<Row>) =>
          left
            .keyBy('k')
            .toTable()
            .filter((row) => row.v !== null)
            .join(tableOf(right), kind)
            // The key is in the row of the left side only.
            .select((l, r) => ({ k: l?.k, text: `${l?.v ?? undefined}/${r}` }))
            .toStream();
        let driven = harness2(build);
        const changes: { kind: string; row: string }[] = [];
        log.forEach(({ side, row, time }, index) => {
          if (index === restoreAt) {
            const snapshot = driven.snapshot();
            driven.close();
            driven = harness2(build, { restore: snapshot });
          }
          driven[side](row, time);
          for (const item of driven.output())
            if ('element' in item)
              changes.push({ kind: item.element.kind, row: `${item.element.row.k ?? row.k}:${item.element.row.text}` });
        });
        driven.close();
        const [left, right] = [latest(log, 'left'), latest(log, 'right')];
        assert.deepEqual(replay(changes), batchJoin(kind, left, right));
      }),
      { numRuns: 150 },
    );
  });

test('the time of a joined row is the later one of its two sides', () => {
  fc.assert(
    fc.property(said, (log) => {
      const driven = harness2((left: Stream<Row>, right: Stream<Row>) =>
        tableOf(left)
          .join(tableOf(right))
          .select((l, r) => `${l}/${r}`)
          .toStream(),
      );
      const times = { left: new Map<number, number>(), right: new Map<number, number>() };
      for (const { side, row, time } of log) {
        driven[side](row, time);
        const other = times[side === 'left' ? 'right' : 'left'].get(row.k);
        for (const item of driven.output()) assert.equal('timestamp' in item && item.timestamp, Math.max(time, other!));
        if (row.v === null) times[side].delete(row.k);
        else times[side].set(row.k, time);
      }
      driven.close();
    }),
    { numRuns: 100 },
  );
});

test('by event time an element gets the version of its time, in whatever order elements and versions come before the watermark', () => {
  fc.assert(
    fc.property(said, fc.integer({ min: 1, max: 20 }), (log, every) => {
      const build = (left: Stream<Row>, right: Stream<Row>) =>
        left
          .keyBy('k')
          .temporalJoin(tableOf(right))
          .select((l, r) => ({ ...l, r }));
      let driven = harness2(build);
      // Times run on from batch to batch, so that nothing is late.
      const at = ({ time }: Said, index: number): number => Math.floor(index / every) * 100 + time;
      const got: unknown[] = [];
      const take = (): void => {
        for (const item of driven.output()) if ('element' in item) got.push({ ...item.element, time: item.timestamp });
      };
      log.forEach((one, index) => {
        if (index % every === 0) {
          driven.leftWatermark(Math.floor(index / every) * 100 - 1);
          driven.rightWatermark(Math.floor(index / every) * 100 - 1);
          take();
          // Of all past versions of a key only one is left.
          assert.ok(driven.entries() <= 4 + 4, 'old versions are dropped');
          const snapshot = driven.snapshot();
          driven.close();
          driven = harness2(build, { restore: snapshot });
        }
        driven[one.side](one.row, at(one, index));
      });
      driven.leftWatermark(Infinity);
      driven.rightWatermark(Infinity);
      take();
      driven.close();
      const expected = log.flatMap((one, index) => {
        if (one.side === 'right') return [];
        const time = at(one, index);
        let version: { time: number; v: number | null } | undefined;
        log.forEach((other, i) => {
          const when = at(other, i);
          if (other.side === 'right' && other.row.k === one.row.k && when <= time && when >= (version?.time ?? -1))
            version = { time: when, v: other.row.v };
        });
        return [{ ...one.row, r: version?.v ?? undefined, time }];
      });
      const text = (row: unknown): string => JSON.stringify(row);
      assert.deepEqual(got.map(text).sort(), expected.map(text).sort());
    }),
    { numRuns: 150 },
  );
});
