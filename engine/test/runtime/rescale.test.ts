// Law: from one instance to two that share the key groups, and back, at any moments: the rows are
// those of one instance that nobody disturbed.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { pattern, sliding, type Stream, sum, tumbling, valueState } from '../../index.ts';
import { keyGroups } from '../../state/key-group.ts';
import { instanceOf, rescale } from '../../runtime/rescale.ts';
import { readSnapshot, SnapshotWriter, type TaskSnapshot } from '../../runtime/snapshot.ts';
import { type DrivenHarness, harnessOf } from '../../testing/harness.ts';
import type { TwoInputHarness } from '../../testing/index.ts';
import { rescaledSnapshots } from '../../testing/key-share.ts';
import { Driven, Program } from '../operators/drive.ts';
import { builds, type Kind } from './random-program.ts';

interface Sale {
  readonly shop: string;
  readonly amount: number;
}
type Build = (left: Stream<Sale>, right: Stream<Sale>) => unknown;
type Instance = TwoInputHarness<unknown, unknown, unknown> & DrivenHarness<unknown>;

const small = pattern<Sale>('small').where(({ amount }) => amount < 5);
const programs: Readonly<Record<string, Build>> = {
  'a rolling aggregate': (left) => left.keyBy('shop').aggregate({ total: sum('amount') }),
  windows: (left) =>
    left
      .keyBy('shop')
      .window(tumbling('10ms'))
      .aggregate({ total: sum('amount') }),
  'sliding windows': (left) =>
    left
      .keyBy('shop')
      .window(sliding('20ms', '5ms'))
      .aggregate({ total: sum('amount') }),
  'process with timers': (left) =>
    left.keyBy('shop').process({
      state: { seen: valueState<number>() },
      *onElement({ shop, amount }, { state, timers, timestamp }) {
        state.seen.set((state.seen.get() ?? 0) + amount);
        timers.eventTime(timestamp + 7);
        yield `${shop} ${state.seen.get()}`;
      },
      *onTimer(due, { key, state }) {
        yield `${JSON.stringify(key)} ${due} ${state.seen.get()}`;
      },
    }),
  'a window join': (left, right) =>
    left
      .keyBy('shop')
      .join(right.keyBy('shop'), 'outer')
      .window(tumbling('10ms'))
      .select((l, r) => [l, r]),
  'an interval join': (left, right) =>
    left
      .keyBy('shop')
      .intervalJoin(right.keyBy('shop'))
      .between('-4ms', '4ms')
      .select((l, r) => [l, r]),
  patterns: (left) =>
    left
      .keyBy('shop')
      .pattern(small.followedBy('large').where(({ amount }) => amount >= 5))
      .select((match) => match),
};

const step = fc.record({
  input: fc.constantFrom('left' as const, 'right' as const),
  shop: fc.nat(12).map((n) => `shop ${n}`),
  amount: fc.nat(9),
  at: fc.nat(6),
  watermark: fc.boolean(),
  /** Before the step, the number of instances changes. */
  changes: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
});
type Given = typeof step extends fc.Arbitrary<infer T> ? T : never;

function rowsOf(instance: Instance): string[] {
  return instance
    .output()
    .flatMap((item) => ('element' in item ? [JSON.stringify([item.element, item.timestamp])] : []));
}
/** The rows after each step, in any order. `scale`: milliseconds for each of the steps' times. */
function run(build: Build, steps: readonly Given[], mayChange: boolean, scale = 1): string[][] {
  const start = (count: number, states: readonly Uint8Array[]): Instance[] =>
    Array.from({ length: count }, (_, own) =>
      harnessOf(2, build as never, {
        ...(count > 1 && { share: (group: number) => instanceOf(group, count) === own }),
        ...(states[own] && { restore: states[own] }),
      }),
    );
  let instances = start(1, []);
  let time = 0;
  const rows = steps.map(({ input, shop, amount, at, watermark, changes }) => {
    const given: string[] = [];
    if (mayChange && changes) {
      const count = 3 - instances.length;
      const states = rescaledSnapshots(
        instances.map((one) => one.snapshot()),
        count,
      );
      instances = start(count, states);
    }
    time += watermark ? at * scale : 0;
    for (const one of instances) {
      one[input]({ shop, amount }, time + at * scale);
      if (watermark) {
        one.leftWatermark(time);
        one.rightWatermark(time);
      }
      given.push(...rowsOf(one));
    }
    return given.toSorted();
  });
  for (const one of instances) {
    one.leftWatermark(time + 100 * scale);
    one.rightWatermark(time + 100 * scale);
  }
  return [...rows, instances.flatMap(rowsOf).toSorted()];
}

for (const [name, build] of Object.entries(programs))
  test(`law: ${name}: one instance, two, and one again give the rows of one`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25, size: 'max' }), (steps) => {
        assert.deepEqual(run(build, steps, true), run(build, steps, false));
      }),
      { numRuns: 30 },
    );
  });

/** Kinds of random programs whose operator has a key. */
const keyedKinds = [
  ...(['window', 'windowFunction', 'intervalJoin', 'windowJoin', 'timers', 'connected', 'rolling'] as const),
  ...(['reduce', 'pairwise', 'process', 'countWindow', 'pattern', 'table'] as const),
] satisfies readonly Kind[];
/** What is before and behind it: any of these, in any number. */
const withoutState = fc.array(
  fc.record({ kind: fc.constantFrom('map' as const, 'filter' as const, 'flatMap' as const), size: fc.nat(4) }),
  { maxLength: 2 },
);
const around = fc.record({ before: withoutState, size: fc.integer({ min: 1, max: 6 }), behind: withoutState });
for (const kind of keyedKinds)
  test(`law: random programs with ${kind}: one instance, two, and one again give the rows of one`, () => {
    let changed = 0;
    fc.assert(
      fc.property(around, fc.array(step, { maxLength: 25, size: 'max' }), ({ before, size, behind }, steps) => {
        const answered = (): never => assert.fail('no call is made');
        const build: Build = (...inputs) => {
          const [left, right] = inputs.map((input) =>
            before.reduce(
              (stream, one) => builds[one.kind](stream, stream, one.size, answered).stream,
              input.map(({ shop, amount }) => ({ k: shop, v: amount })),
            ),
          );
          const { stream } = builds[kind](left!, right!, size, answered);
          return behind.reduce((all, one) => builds[one.kind](all, all, one.size, answered).stream, stream);
        };
        assert.deepEqual(run(build, steps, true, 40), run(build, steps, false, 40));
        if (steps.some(({ changes }) => changes)) changed++;
      }),
      { numRuns: 20 },
    );
    assert.ok(changed > 5, 'the number of instances changes');
  });

/** The first key group of an instance, and the one behind its last. */
function keyGroupsOf(instance: number, parallelism: number): { readonly from: number; readonly to: number } {
  const first = (of: number): number => Math.ceil((of * keyGroups) / parallelism);
  return { from: first(instance), to: first(instance + 1) };
}

test('key groups are in ranges, as Flink divides them', () => {
  for (let parallelism = 1; parallelism <= 128; parallelism++)
    for (let instance = 0; instance < parallelism; instance++) {
      const { from, to } = keyGroupsOf(instance, parallelism);
      for (let group = 0; group < 128; group++)
        assert.equal(instanceOf(group, parallelism) === instance, group >= from && group < to);
    }
  // Flink's computeKeyGroupRangeForOperatorIndex(128, 3, …): [0, 42], [43, 85], [86, 127].
  assert.deepEqual(
    [0, 1, 2].map((instance) => keyGroupsOf(instance, 3)),
    [
      { from: 0, to: 43 },
      { from: 43, to: 86 },
      { from: 86, to: 128 },
    ],
  );
});

test('each kind of state is divided in its way, and comes together again', () => {
  const written = (write: (writer: SnapshotWriter) => void): TaskSnapshot => {
    const writer = new SnapshotWriter(true);
    write(writer);
    return writer.done(40);
  };
  const one = written((writer) => {
    writer.splits(new Map([...'dbac'].map((name) => [name, { offset: name.charCodeAt(0) }])));
    writer.list(Array.from({ length: 1000 }, (_, n) => n));
    writer.broadcast(['x', 'y']);
    writer.minimum(30);
    writer.value('own');
  });
  const [left, right] = rescale([one], 2, 'it').map(readSnapshot);
  assert.deepEqual(
    [left!, right!].map((reader) => [...reader.splits()!.keys()].toSorted()),
    [
      ['a', 'c'],
      ['b', 'd'],
    ],
  );
  assert.deepEqual(
    [left!, right!].map((reader) => reader.list()!.slice(0, 2)),
    [
      [0, 2],
      [1, 3],
    ],
  );
  for (const reader of [left!, right!])
    assert.deepEqual([reader.broadcast(), reader.minimum(), reader.value()], [['x', 'y'], 30, 'own']);
  const two = rescale([one], 2, 'it').map((each, at) => ({ ...each, minimum: 30 - at, watermark: 40 - at }));
  const [again] = rescale(two, 1, 'it');
  const reader = readSnapshot(again!);
  assert.deepEqual([reader.minimum(), again!.watermark], [29, 39]);
  assert.deepEqual([...reader.splits()!.keys()].toSorted(), ['a', 'b', 'c', 'd']);
  assert.deepEqual(
    reader.list()!.toSorted((a, b) => (a as number) - (b as number)),
    Array.from({ length: 1000 }, (_, n) => n),
  );
});

test('a list whose order counts is not dealt out: mapAsync with calls in flight is refused, with the way out', () => {
  const written = (write: (writer: SnapshotWriter) => void): TaskSnapshot => {
    const writer = new SnapshotWriter(true);
    write(writer);
    return writer.done(40);
  };
  // As mapAsync writes it: the elements of a key in their order, and a watermark between them.
  const options = { capacity: 8, ordered: true, timeoutMillis: 60_000, retries: 0, onError: 'fail' };
  const calls = new Driven(new Program('mapAsync', { fn: () => new Promise(() => undefined), ...options }));
  calls.step({
    records: [
      [{ k: 1, n: 1 }, 5],
      [{ k: 1, n: 2 }, 6],
    ],
  });
  calls.snapshot();
  const inFlight = calls.saved;
  calls.operator.close!();
  assert.equal(readSnapshot(inFlight).list()!.length, 2);
  for (const [snapshots, parallelism] of [
    [[inFlight], 2],
    [[inFlight, inFlight], 1],
  ] as const)
    assert.throws(() => rescale(snapshots, parallelism, 'calls'), {
      code: 'ordered-state',
      message: /"calls" has (2|4) elements in flight whose order counts.*Keep the number of its instances, or take/,
    });
  // The same number keeps each list with its instance.
  const [left, right] = [[1, 2], [3]].map((items) => written((writer) => writer.orderedList(items)));
  const same = rescale([left!, right!], 2, 'calls');
  assert.deepEqual(
    same.map((one) => [readSnapshot(one).list(), one.isOrdered]),
    [
      [[1, 2], true],
      [[3], true],
    ],
  );
  // Nothing in flight is divided.
  const [none, more] = rescale([written((writer) => writer.orderedList([]))], 2, 'calls');
  assert.deepEqual([readSnapshot(none!).list(), readSnapshot(more!).list()], [[], []]);
});
