// Sliced windows give the output of the operator without slices, add each element once, and leave
// no state behind.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { aggregator, sliding, type Stream } from '../../index.ts';
import { SlicedWindowOperator } from '../../windows/sliced-window-operator.ts';
import { Slice } from '../../windows/slices.ts';
import { windowsOf } from '../../windows/assigner.ts';
import { WindowOperator } from '../../windows/window-operator.ts';
import { harness } from '../../testing/index.ts';
import { canonical, Driven, Program, run, type Schedule, type Step, type Timed } from '../operators/drive.ts';

interface Element {
  readonly k: string;
  readonly v: number;
}
const listed = {
  name: 'aggregator',
  create: () => [] as number[],
  add(all: number[], { v }: Element) {
    all.push(v);
    return all;
  },
  merge(a: number[], b: number[]) {
    // All changes that a merge may make to its arguments.
    b.push(...a.splice(0));
    return b;
  },
  result: (all: number[]) => all.sort((a, b) => a - b),
};
/** In any order, in parts: all but one keep something that must not depend on it. */
const aggregates = {
  n: { name: 'count' },
  total: { name: 'sum', value: { field: 'v' } },
  least: { name: 'min', value: { field: 'v' } },
  best: { name: 'maxBy', value: { field: 'v' } },
  from: { name: 'first', value: { field: 'v' } },
  to: { name: 'last', value: { field: 'v' } },
  top: { name: 'topN', n: 2, value: { field: 'v' } },
  seen: { name: 'collect', value: { field: 'v' } },
  different: { name: 'countDistinct', approximate: false, value: { field: 'v' } },
  median: { name: 'quantile', p: 0.5, value: { field: 'v' } },
  listed,
};
const unmergeable = { ...listed, merge: undefined };
type Window = readonly [size: number, slide: number, offset: number];
const program = (
  [sizeMillis, slideMillis, offsetMillis]: Window,
  allowedLatenessMillis: number,
  kept: object,
  key: object = { fields: ['k'] },
): Program =>
  new Program(
    'windowAggregate',
    {
      window: { kind: 'sliding', sizeMillis, slideMillis, offsetMillis, time: 'event' },
      allowedLatenessMillis,
      aggregates: Object.fromEntries(
        Object.entries(kept).map(([name, spec]) => [
          name,
          Object.fromEntries(Object.entries(spec as object).filter(([, value]) => value !== undefined)),
        ]),
      ),
    },
    [key as never],
  );

const anyWindow: fc.Arbitrary<Window> = fc
  .tuple(fc.integer({ min: 2, max: 24 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: -11, max: 11 }))
  .map(([size, slide, offset]): Window => {
    const shorter = Math.min(slide, size - 1);
    return [size, shorter, offset % shorter];
  });
const timed: fc.Arbitrary<Timed> = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 5 }), fc.integer({ min: -30, max: 30 }))
  .map(([k, v, timestamp]) => [{ k, v }, timestamp]);
const anySteps = fc
  .array(
    fc.oneof(
      fc.array(timed, { maxLength: 8 }).map((records): Step => ({ records })),
      fc.integer({ min: -35, max: 35 }).map((watermark): Step => ({ watermark })),
    ),
    { maxLength: 20 },
  )
  .map((steps): Step[] => {
    let watermark = -Infinity;
    const rising = steps.map((step): Step => {
      if (!('watermark' in step)) return step;
      watermark = Math.max(watermark, step.watermark);
      return { watermark };
    });
    return [...rising, { watermark: Infinity }];
  });
const anySchedule: fc.Arbitrary<Schedule> = fc
  .record({
    room: fc.constantFrom(1, 2, 3, Infinity),
    batch: fc.constantFrom(1, 2, 100),
    replace: fc.array(fc.boolean(), { minLength: 21, maxLength: 21 }),
    snapshot: fc.array(fc.boolean(), { minLength: 21, maxLength: 21 }),
  })
  .map(({ room, batch, replace, snapshot }) => ({
    room,
    batch,
    replaceBefore: (step) => replace[step] ?? false,
    snapshotBefore: (step) => snapshot[step] ?? false,
    freeze: true,
  }));
const anyLateness = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 }));
const anyKey = fc.constantFrom<object>(
  { fields: ['k'] },
  { fields: ['k', 'v'] },
  { constant: true },
  { fn: ({ k }: Element) => ({ k }) },
  { fn: ({ v }: Element) => new Date(v) },
);

test('law: sliced is unsliced, whatever comes late, is interrupted or restored', () => {
  fc.assert(
    fc.property(anyWindow, anyLateness, anyKey, anySteps, anySchedule, (window, lateness, key, steps, schedule) => {
      const byKey =
        'fields' in key && (key as { fields: string[] }).fields.length === 2 ? { ...aggregates } : aggregates;
      const sliced = new Driven(program(window, lateness, byKey, key), schedule);
      // One that cannot merge keeps all of them from being sliced.
      const unsliced = program(window, lateness, { ...byKey, listed: unmergeable }, key);
      assert.ok(sliced.operator instanceof SlicedWindowOperator);
      assert.ok(new Driven(unsliced).operator instanceof WindowOperator);
      assert.deepEqual(canonical(sliced.steps(steps)), canonical(run(unsliced, steps)));
      assert.equal(sliced.entries, 0);
      sliced.snapshot();
      assert.deepEqual(sliced.groupsKept, [], 'the snapshot after the last window holds no group');
    }),
    { numRuns: 150 },
  );
});

test('law: with many slices in a window, what is merged on and on is what is merged each time', () => {
  const { n, total, best, from, to, top } = aggregates;
  const sum = {
    name: 'aggregator',
    create: () => ({ sum: 0 }),
    add(all: { sum: number }, { v }: Element) {
      all.sum += v;
      return all;
    },
    merge(a: { sum: number }, b: { sum: number }) {
      a.sum += b.sum;
      return a;
    },
    result: (all: { sum: number }) => all,
  };
  const small = { n, total, best, from, to, top, sum };
  const anyStream = fc
    .array(
      fc.record({
        k: fc.constantFrom('a', 'b'),
        v: fc.integer({ min: 0, max: 5 }),
        step: fc.integer({ min: 0, max: 2 }),
        back: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 20 }) }),
        mark: fc.boolean(),
      }),
      { minLength: 40, maxLength: 150, size: 'max' },
    )
    .map((given): Step[] => {
      let now = 0;
      const steps = given.flatMap(({ k, v, step, back, mark }): Step[] => {
        now += step;
        const record: Timed = [{ k, v }, now - back];
        return [{ records: [record] }, ...(mark ? [{ watermark: now }] : [])];
      });
      return [...steps, { watermark: Infinity }];
    });
  const wide = fc
    .tuple(fc.integer({ min: 12, max: 40 }), fc.integer({ min: 1, max: 3 }))
    .map(([size, slide]): Window => [size, slide, 0]);
  fc.assert(
    fc.property(wide, anyLateness, anyStream, fc.nat(), (window, lateness, steps, restoredAt) => {
      const unsliced = program(window, lateness, { ...small, sum: { ...sum, merge: undefined } });
      const at = restoredAt % steps.length;
      const sliced = new Driven(program(window, lateness, small), {
        freeze: true,
        replaceBefore: (step) => step === at,
      });
      assert.deepEqual(canonical(sliced.steps(steps)), canonical(run(unsliced, steps)));
      assert.equal(sliced.entries, 0);
    }),
    { numRuns: 150 },
  );
});

test('law: windows fire in the order of time, and of late elements the newest window first', () => {
  fc.assert(
    fc.property(anyWindow, anyLateness, anySteps, (window, lateness, steps) => {
      const inOrder = (given: ReturnType<typeof run>) =>
        given.map(({ rows }) => rows.map(([, timestamp]) => timestamp));
      assert.deepEqual(
        inOrder(run(program(window, lateness, { n: aggregates.n }, { constant: true }), steps)),
        inOrder(run(program(window, lateness, { n: aggregates.n, listed: unmergeable }, { constant: true }), steps)),
      );
    }),
  );
});

test('law: a slice belongs to the windows between its first and its last end, wherever in it one looks', () => {
  fc.assert(
    fc.property(anyWindow, fc.integer({ min: -100, max: 100 }), ([sizeMillis, slideMillis, offsetMillis], time) => {
      const assigner = { sizeMillis, slideMillis, offsetMillis };
      const { start, end, firstEnd, lastEnd } = new Slice(time, assigner);
      assert.ok(start <= time && time < end);
      for (const inside of [start, end - 1]) {
        const windows = windowsOf(inside, assigner);
        assert.deepEqual([windows.at(-1)!.end, windows[0]!.end], [firstEnd, lastEnd]);
      }
      for (const outside of [start - 1, end])
        assert.notDeepEqual(windowsOf(outside, assigner), windowsOf(start, assigner));
    }),
  );
});

describe('an aggregate with merge', () => {
  /** Counts the calls. */
  const counting = (withMerge: boolean) => {
    const calls = { create: 0, add: 0, merge: 0 };
    const counted = aggregator<Element, number, number>({
      create() {
        calls.create++;
        return 0;
      },
      add(n) {
        calls.add++;
        return n + 1;
      },
      ...(withMerge && {
        merge(a: number, b: number) {
          calls.merge++;
          return a + b;
        },
      }),
      result: (n) => n,
    });
    return { calls, counted };
  };
  const elements = 6000;
  const play = (withMerge: boolean) => {
    const { calls, counted } = counting(withMerge);
    const it = harness((input: Stream<Element>) =>
      input.keyBy('k').window(sliding('1h', '1m')).aggregate({ n: counted }),
    );
    for (let n = 0; n < elements; n++) it.element({ k: 'a', v: 1 }, n * 1000);
    it.watermark(Infinity);
    const rows = it.output();
    assert.equal(it.entries(), 0);
    it.close();
    return { calls, rows };
  };
  test('sees one add for every element at size / slide = 60; without merge it sees sixty', () => {
    const sliced = play(true);
    assert.equal(sliced.calls.add, elements);
    const unsliced = play(false);
    assert.equal(unsliced.calls.add, elements * 60);
    assert.deepEqual(sliced.rows, unsliced.rows);
  });
});

describe('sliced windows', () => {
  const element = (v: number, timestamp: number): Timed => [{ k: 'ann', v }, timestamp];
  const counts = (window: Window, lateness: number, steps: readonly Step[]) =>
    run(program(window, lateness, { n: aggregates.n, total: aggregates.total }), steps).map(({ rows }) =>
      rows.map(([row, timestamp]) => [(row as { n: number }).n, (row as { total: number }).total, timestamp]),
    );
  test('skip the stretches in which nothing is, however long', () => {
    const year = 365 * 86_400_000;
    const [, fired] = counts([2, 1, 0], 0, [{ records: [element(1, 0), element(2, year)] }, { watermark: Infinity }]);
    assert.deepEqual(fired, [
      [1, 1, 0],
      [1, 1, 1],
      [1, 2, year],
      [1, 2, year + 1],
    ]);
  });
  test('hold one entry for each key and slice, not for each window', () => {
    const driven = new Driven(program([3600, 1, 0], 0, { n: aggregates.n }));
    driven.step({ records: [element(1, 0), element(1, 0), element(1, 1), [{ k: 'bob', v: 1 }, 1]] });
    assert.equal(driven.entries, 3);
    assert.deepEqual(driven.operator.status!().nextWindow, { start: -3599, end: 1 });
  });
  test('merge a few times for each window, however many slices it has', () => {
    let merges = 0;
    const counted = {
      name: 'aggregator',
      create: () => 0,
      add: (n: number) => n + 1,
      merge(a: number, b: number) {
        merges++;
        return a + b;
      },
      result: (n: number) => n,
    };
    const driven = new Driven(program([1000, 1, 0], 0, { counted }, { constant: true }));
    const length = 5000;
    for (let time = 0; time < length; time++) {
      driven.step({ records: [element(1, time)] });
      driven.step({ watermark: time });
    }
    assert.ok(merges < 3.5 * length, `${merges} merges for ${length} windows of 1,000 slices`);
  });
  test('name the key and the window in which a merge throws', () => {
    const failing = {
      ...listed,
      merge() {
        throw new Error('no');
      },
    };
    const driven = new Driven(program([2000, 1000, 0], 0, { failing }));
    driven.step({ records: [element(1, 0), element(1, 1000)] });
    assert.throws(() => driven.step({ watermark: Infinity }), /^Error: no$/);
    assert.equal(driven.operator.working, 'k "ann", window 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:02.000Z');
  });
  test('name the record at which an add throws, and the accumulator that is none', () => {
    const adding = (add: unknown) => new Driven(program([2000, 1000, 0], 0, { it: { ...listed, add } }));
    const steps: Step = { records: [element(1, 0), element(2, 0)] };
    const thrown = adding((all: number[], { v }: Element) => {
      if (v === 2) throw new Error('two');
      return all;
    });
    assert.throws(() => thrown.step(steps), /^Error: two$/);
    assert.equal(thrown.operator.at, 1);
    assert.throws(() => adding(() => undefined).step(steps), {
      code: 'bad-accumulator',
      message: /add\(\) of aggregate "it" gave undefined. Return the accumulator/,
    });
    class Sum {
      readonly total = 0;
    }
    assert.throws(() => adding(() => new Sum()).step(steps), {
      code: 'not-storable',
      message: /The accumulator of aggregate "it" is an object of class Sum/,
    });
    const growing = adding((all: unknown[]) => {
      all.push(all.length === 1 ? new Sum() : 0);
      return all;
    });
    assert.throws(() => growing.step(steps), { code: 'not-storable', message: /at \[1\], is an object of class Sum/ });
  });
  test('write to a snapshot only the key groups that changed, and forget those that went', () => {
    const driven = new Driven(program([4, 2, 0], 0, { n: aggregates.n }));
    driven.step({ records: [[{ k: 'a', v: 1 }, 0]] });
    driven.snapshot();
    const [a] = driven.groupsKept;
    driven.step({ records: [[{ k: 'b', v: 1 }, 4]] });
    driven.snapshot();
    assert.equal(driven.groupsKept.length, 2);
    driven.step({ watermark: 5 });
    driven.snapshot();
    assert.equal(driven.groupsKept.length, 1);
    assert.ok(!driven.groupsKept.includes(a!));
  });
  test('are not used where windows do not overlap', () => {
    for (const window of [
      [5, 5, 0],
      [5, 7, 0],
    ] as const) {
      const made = program(window, 0, { n: aggregates.n });
      assert.ok(made.operator() instanceof WindowOperator);
    }
  });
});
