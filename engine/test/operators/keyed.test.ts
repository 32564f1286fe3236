// Keyed operators without windows, in one file: rolling reduce and aggregate, process functions
// with state and timers, on one input and on two.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { ProcessContext } from '../../process/keyed-process.ts';
import { canonical, Driven, type Given, Program, run, type Schedule, type Step, type Timed } from './drive.ts';

type Element = { readonly k: string; readonly v: number };
type State = { get(): unknown; set(value: unknown): void; clear(): void };
type Ctx = Omit<ProcessContext, 'state'> & { readonly state: Record<string, State> };

const byKey = { fields: ['k'] };
const of = (k: string, v: number, timestamp = 0): Timed => [{ k, v }, timestamp];
const rowsOf = (given: readonly Given[]): Timed[] => given.flatMap(({ rows }) => rows);

// ----------------------------------------------------------------------------------------- rolling

test('reduce gives what has been accumulated, with every element', () => {
  const program = new Program('reduce', { fn: (a: Element, b: Element) => ({ k: a.k, v: a.v + b.v }) }, [byKey]);
  const steps: Step[] = [{ records: [of('a', 1, 5), of('b', 10, 6), of('a', 2, 4)] }];
  assert.deepEqual(rowsOf(run(program, steps)), [of('a', 1, 5), of('b', 10, 6), of('a', 3, 4)]);
  const driven = new Driven(program);
  driven.steps(steps);
  assert.equal(driven.entries, 2);
});
test('a rolling aggregate gives a row of key and results with every element', () => {
  const aggregates = { n: { name: 'count' }, most: { name: 'max', value: { field: 'v' } } };
  const program = new Program('aggregate', { aggregates }, [byKey]);
  assert.deepEqual(rowsOf(run(program, [{ records: [of('a', 5, 1), of('a', 3, 2), of('b', 1, 3)] }])), [
    [{ k: 'a', n: 1, most: 5 }, 1],
    [{ k: 'a', n: 2, most: 5 }, 2],
    [{ k: 'b', n: 1, most: 1 }, 3],
  ]);
});

// ----------------------------------------------------------------------------------------- process

const value = { kind: 'value' };
const processing = (functions: object, state: object = {}): Program =>
  new Program('process', { state, ...functions }, [byKey]);

describe('a process function', () => {
  test('keeps a value per key and name', () => {
    const program = processing(
      {
        onElement({ v }: Element, { key, state }: Ctx) {
          const sum = ((state.sum!.get() as number | undefined) ?? 0) + v;
          if (v === 0) {
            state.sum!.clear();
            state.count!.clear();
            return undefined;
          }
          state.sum!.set(sum);
          state.count!.set(((state.count!.get() as number | undefined) ?? 0) + 1);
          return [{ ...key, sum, n: state.count!.get() }];
        },
      },
      { sum: value, count: value },
    );
    const driven = new Driven(program);
    const { rows } = driven.step({ records: [of('a', 1), of('b', 10), of('a', 2), of('a', 0), of('a', 4)] });
    assert.deepEqual(
      rows.map(([row]) => row),
      [
        { k: 'a', sum: 1, n: 1 },
        { k: 'b', sum: 10, n: 1 },
        { k: 'a', sum: 3, n: 2 },
        { k: 'a', sum: 4, n: 1 },
      ],
    );
    assert.equal(driven.entries, 4);
    driven.step({ records: [of('a', 0), of('b', 0)] });
    assert.equal(driven.entries, 0, 'a key with nothing to remember is forgotten');
  });
  test('sees timestamp and watermark, and its rows carry the element’s time', () => {
    const program = processing({ onElement: (_: Element, { timestamp, watermark }: Ctx) => [[timestamp, watermark]] });
    const given = run(program, [{ records: [of('a', 1, 7)] }, { watermark: 5 }, { records: [of('a', 1, 3)] }]);
    assert.deepEqual(rowsOf(given), [
      [[7, -Infinity], 7],
      [[3, 5], 3],
    ]);
  });
  test('may be an endless generator: its state and key stay its own while it is interrupted', () => {
    const program = processing(
      {
        *onElement({ v }: Element, { key, state }: Ctx) {
          for (let n = 0; n < v; n++) {
            state.n!.set(n);
            yield [(key as { k: string }).k, state.n!.get()];
          }
        },
      },
      { n: value },
    );
    const steps: Step[] = [{ records: [of('a', 3), of('b', 2)] }];
    const expected = [
      [['a', 0], 0],
      [['a', 1], 0],
      [['a', 2], 0],
      [['b', 0], 0],
      [['b', 1], 0],
    ];
    assert.deepEqual(rowsOf(run(program, steps, { room: 1 })), expected);
    assert.deepEqual(rowsOf(run(program, steps)), expected);
  });
  test('cannot keep what would not survive a snapshot', () => {
    class Point {}
    const keeping = (kept: unknown) => () =>
      run(processing({ onElement: (_: Element, { state }: Ctx) => state.last!.set(kept) }, { last: value }), [
        { records: [of('a', 1)] },
      ]);
    assert.throws(keeping(new Point()), {
      code: 'not-storable',
      message: /State "last" of "it" is an object of class Point/,
    });
    assert.throws(keeping({ at: [new Point()] }), /State "last" of "it", at at\[0\], is an object of class Point/);
    assert.throws(keeping({ f: () => 1 }), /at f, is the function f/);
    assert.throws(keeping(Symbol('x')), { code: 'not-storable' });
    const endless: Record<string, unknown> = {};
    endless.self = endless;
    assert.throws(keeping(endless), /contains itself/);
    keeping({ a: [1n, null, new Date(), new Map([[1, new Set([Uint8Array.of(1)])]])], b: undefined })();
  });
  test('gets frozen elements, keys and state in the test kit', () => {
    const changing = (change: (element: { v: number }, ctx: Ctx) => void) => () =>
      run(
        processing(
          {
            onElement(element: { v: number }, ctx: Ctx) {
              if (!ctx.state.last!.get()) ctx.state.last!.set({ inner: [1] });
              change(element, ctx);
            },
          },
          { last: value },
        ),
        [{ records: [of('a', 1)] }],
        { freeze: true },
      );
    assert.throws(
      changing((element) => element.v++),
      TypeError,
    );
    assert.throws(
      changing((_, { state }) => (state.last!.get() as { inner: number[] }).inner.push(2)),
      TypeError,
    );
    assert.throws(
      changing((_, { key }) => ((key as { k: string }).k = 'b')),
      TypeError,
    );
  });
  test('must give an iterable or nothing', () => {
    assert.throws(() => run(processing({ onElement: () => 5 }), [{ records: [of('a', 1)] }]), {
      code: 'not-iterable',
      message: /^process of "it" gave 5\./,
    });
  });
});

describe('a state with a time to live', () => {
  const program = (refresh?: string) =>
    processing(
      {
        onElement({ v }: Element, { state }: Ctx) {
          if (v > 0) state.last!.set(v);
          return [state.last!.get() ?? 'none'];
        },
      },
      { last: { ...value, ttlMillis: 100, ...(refresh && { refresh }) } },
    );
  const read = (driven: Driven) => driven.step({ records: [of('a', 0)] }).rows[0]![0];

  test('expires when its time to live since the last write has passed, not a millisecond earlier', () => {
    const driven = new Driven(program());
    driven.step({ records: [of('a', 7)] });
    driven.step({ clock: 99 });
    assert.equal(read(driven), 7);
    driven.step({ clock: 100 });
    assert.equal(read(driven), 'none');
    assert.equal(driven.entries, 0);
  });
  test('is renewed by a read if its options say so', () => {
    const driven = new Driven(program('read-write'));
    driven.step({ records: [of('a', 7)] });
    driven.step({ clock: 99 });
    assert.equal(read(driven), 7);
    driven.step({ clock: 198 });
    assert.equal(read(driven), 7);
    driven.replace();
    driven.step({ clock: 298 });
    assert.equal(read(driven), 'none');
  });
  test('that has expired is not in the next snapshot', () => {
    const driven = new Driven(program());
    driven.step({ records: [of('a', 7), of('b', 7)] });
    driven.snapshot();
    assert.ok(driven.groupsKept.length > 0);
    driven.step({ clock: 100 });
    driven.snapshot();
    assert.deepEqual([driven.groupsKept, driven.entries], [[], 0]);
  });
});

describe('a timer of event time', () => {
  /** Sets a timer v after the element's time, and emits the time at which it fires. */
  const program = processing({
    onElement({ v }: Element, { timers, timestamp }: Ctx) {
      timers.eventTime(timestamp + v);
    },
    onTimer: (at: number, { key, timestamp, watermark, domain }: Ctx) => [{ ...key, at, timestamp, watermark, domain }],
  });
  const fired = (given: Given): unknown[] =>
    given.rows.map(([row, timestamp]) => [(row as { k: string }).k, timestamp]);

  test('fires when the watermark reaches it, and its rows carry its time', () => {
    const driven = new Driven(program);
    driven.step({ records: [of('a', 10, 0)] });
    assert.equal(driven.entries, 1);
    assert.deepEqual(driven.step({ watermark: 9 }).rows, []);
    assert.deepEqual(driven.step({ watermark: 12 }).rows, [
      [{ k: 'a', at: 10, timestamp: 10, watermark: 12, domain: 'event' }, 10],
    ]);
    assert.equal(driven.entries, 0);
  });
  test('fires once per key and time, in the order of time', () => {
    const driven = new Driven(program);
    driven.step({ records: [of('a', 30), of('b', 10), of('a', 20), of('a', 30), of('a', 10)] });
    assert.equal(driven.entries, 4);
    assert.deepEqual(fired(driven.step({ watermark: Infinity })), [
      ['b', 10],
      ['a', 10],
      ['a', 20],
      ['a', 30],
    ]);
  });
  test('set at or before the watermark fires at the next watermark', () => {
    const driven = new Driven(program);
    driven.step({ watermark: 100 });
    assert.deepEqual(driven.step({ records: [of('a', 0, 100), of('b', 0, 50)] }).rows, []);
    assert.deepEqual(driven.step({ watermark: 100 }).rows, [], 'the same watermark is none');
    assert.deepEqual(fired(driven.step({ watermark: 101 })), [
      ['b', 50],
      ['a', 100],
    ]);
  });
  test('can be deleted, and set again', () => {
    const toggling = processing({
      onElement({ v }: Element, { timers }: Ctx) {
        if (v > 0) timers.eventTime(v);
        else timers.deleteEventTime(-v);
      },
      onTimer: (at: number) => [at],
    });
    const driven = new Driven(toggling);
    driven.step({ records: [of('a', 5), of('a', -5), of('a', 6), of('a', -6), of('a', 6), of('a', -7)] });
    assert.equal(driven.entries, 1);
    assert.deepEqual(driven.step({ watermark: 10 }).rows, [[6, 6]]);
    assert.equal(driven.entries, 0);
  });
  test('that is deleted again and again does not pile up', () => {
    const driven = new Driven(
      processing({
        onElement({ v }: Element, { timers }: Ctx) {
          timers.deleteEventTime(1000 + v - 1);
          timers.eventTime(1000 + v);
        },
        onTimer: (at: number) => [at],
      }),
    );
    driven.step({ records: Array.from({ length: 5000 }, (_, v) => of('a', v)) });
    assert.equal(driven.entries, 1);
    assert.deepEqual(driven.step({ watermark: Infinity }).rows, [[5999, 5999]]);
  });
  test('that sets a later one fires it in the same step if the watermark has reached it, and one at its own time in the next', () => {
    const repeating = processing({
      onElement(_: Element, { timers }: Ctx) {
        timers.eventTime(10);
      },
      onTimer(at: number, { timers, watermark }: Ctx) {
        if (at < 40) timers.eventTime(at + 10);
        if (watermark < 50) timers.eventTime(at);
        return [at];
      },
    });
    const driven = new Driven(repeating);
    driven.step({ records: [of('a', 0)] });
    const times = (watermark: number) => driven.step({ watermark }).rows.map(([at]) => at);
    assert.deepEqual(times(25), [10, 20]);
    assert.deepEqual(times(26), [10, 20], 'they had set themselves again');
    assert.deepEqual(times(60), [10, 20, 30, 40]);
    assert.equal(driven.entries, 0);
  });
  test('that was deleted and set again fires once, even if it sets itself again', () => {
    const program = processing({
      onElement(_: Element, { timers }: Ctx) {
        timers.eventTime(10);
        timers.deleteEventTime(10);
        timers.eventTime(10);
      },
      onTimer(at: number, { timers }: Ctx) {
        timers.eventTime(at);
        return [at];
      },
    });
    const driven = new Driven(program);
    driven.step({ records: [of('a', 0)] });
    for (const watermark of [10, 11, 12]) assert.deepEqual(driven.step({ watermark }).rows, [[10, 10]]);
    assert.equal(driven.entries, 1);
  });
  test('needs an onTimer and a whole number', () => {
    const setting = (at: unknown, onTimer?: () => void) => () =>
      run(
        processing({
          onElement: (_: Element, { timers }: Ctx) => timers.eventTime(at as number),
          ...(onTimer && { onTimer }),
        }),
        [{ records: [of('a', 0)] }],
      );
    assert.throws(setting(5), { code: 'no-on-timer' });
    assert.throws(
      setting(5.5, () => {}),
      { code: 'bad-timer', message: /at 5\.5\. A timer is set at a whole number/ },
    );
    assert.throws(
      setting(undefined, () => {}),
      { code: 'bad-timer' },
    );
  });
  test('that throws is an error with key and time', () => {
    const driven = new Driven(
      processing({
        onElement: (_: Element, { timers }: Ctx) => timers.eventTime(5),
        onTimer() {
          throw new Error('no');
        },
      }),
    );
    driven.step({ records: [of('a', 0)] });
    assert.throws(() => driven.step({ watermark: 5 }), /^Error: no$/);
    assert.equal(driven.operator.working, 'k "a", event-time timer at 1970-01-01T00:00:00.005Z');
  });
});

describe('a timer of processing time', () => {
  const program = processing({
    onElement: ({ v }: Element, { timers }: Ctx) => timers.processingTime(v),
    onTimer: (at: number, { key, domain }: Ctx) => [{ ...key, at, domain }],
  });
  test('fires when the clock reaches it, and asks to be woken for the next', () => {
    const driven = new Driven(program);
    driven.step({ records: [of('a', 300), of('b', 100)] });
    assert.equal(driven.wakeAt, 100);
    assert.deepEqual(driven.step({ clock: 200 }).rows, [[{ k: 'b', at: 100, domain: 'processing' }, 100]]);
    assert.equal(driven.wakeAt, 300);
    assert.equal(driven.entries, 1);
    driven.step({ watermark: Infinity });
    assert.deepEqual(driven.step({ clock: 300 }).rows.length, 1);
    assert.equal(driven.entries, 0);
  });
  test('is armed again after a restore', () => {
    const driven = new Driven(program);
    driven.step({ records: [of('a', 300)] });
    driven.replace();
    assert.equal(driven.wakeAt, 300);
    assert.equal(driven.step({ clock: 300 }).rows.length, 1);
  });
});

test('connect-process sees one state per key from both sides, whatever the key fields are called', () => {
  const program = new Program(
    'connectProcess',
    {
      state: { name: value },
      onLeft: ({ name }: { name: string }, { state }: Ctx) => state.name!.set(name),
      onRight: ({ amount }: { amount: number }, { key, state }: Ctx) => [
        { ...key, name: state.name!.get() ?? '?', amount },
      ],
    },
    [{ fields: ['id'] }, { fn: ({ customer }: { customer: number }) => ({ customer }) }],
  );
  const steps: Step[] = [
    { records: [[{ customer: 1, amount: 5 }, 10]], input: 1 },
    { records: [[{ id: 1, name: 'ann' }, 11]], input: 0 },
    {
      records: [
        [{ customer: 1, amount: 6 }, 12],
        [{ customer: 2, amount: 7 }, 13],
      ],
      input: 1,
    },
  ];
  const expected = [
    [{ customer: 1, name: '?', amount: 5 }, 10],
    [{ id: 1, name: 'ann', amount: 6 }, 12],
    [{ customer: 2, name: '?', amount: 7 }, 13],
  ];
  assert.deepEqual(rowsOf(run(program, steps)), expected);
  assert.deepEqual(rowsOf(run(program, steps, { replaceBefore: () => true, room: 1 })), expected);
});

// -------------------------------------------------------------------------------------------- laws

const programs: Readonly<Record<string, () => Program>> = {
  reduce: () => new Program('reduce', { fn: (a: Element, b: Element) => ({ k: a.k, v: a.v - b.v }) }, [byKey]),
  'rolling aggregate': () =>
    new Program('aggregate', { aggregates: { n: { name: 'count' }, mean: { name: 'avg', value: { field: 'v' } } } }, [
      byKey,
    ]),
  'process with state and timers': () =>
    processing(
      {
        *onElement({ v }: Element, { key, state, timers, timestamp }: Ctx) {
          const seen = [...((state.seen!.get() as number[] | undefined) ?? []), v];
          state.seen!.set(seen);
          state.last!.set(timestamp);
          if (v === 0) state.seen!.clear();
          if (v % 3 === 1) timers.eventTime(timestamp + v);
          if (v % 3 === 2) timers.deleteEventTime(timestamp - v);
          if (v > 6) timers.processingTime(timestamp * 10);
          for (const one of seen) yield { ...key, one };
        },
        *onTimer(at: number, { key, state, timers, domain }: Ctx) {
          yield { ...key, at, domain, seen: state.seen!.get(), last: state.last!.get() };
          if (at % 2 === 0) timers.eventTime(at + 3);
          state.seen!.clear();
          yield { ...key, cleared: at };
        },
      },
      { seen: value, last: value },
    ),
};
const timed = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(9), fc.nat(40))
  .map(([k, v, timestamp]): Timed => [{ k, v }, timestamp]);
const anySteps = fc
  .array(
    fc.oneof(
      fc.array(timed, { maxLength: 5 }).map((records): Step => ({ records })),
      fc.nat(40).map((watermark): Step => ({ watermark })),
      fc.nat(400).map((clock): Step => ({ clock })),
    ),
    { maxLength: 16 },
  )
  .map((steps): Step[] => {
    let watermark = -Infinity;
    let clock = 0;
    return steps.map((step) => {
      if ('watermark' in step) return { watermark: (watermark = Math.max(watermark, step.watermark)) };
      if ('clock' in step) return { clock: (clock = Math.max(clock, step.clock)) };
      return step;
    });
  });
const anySchedule: fc.Arbitrary<Schedule> = fc
  .record({
    room: fc.constantFrom(1, 2, Infinity),
    batch: fc.constantFrom(1, 2, 100),
    replace: fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
    snapshot: fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
  })
  .map(({ room, batch, replace, snapshot }) => ({
    room,
    batch,
    replaceBefore: (step) => replace[step] ?? false,
    snapshotBefore: (step) => snapshot[step] ?? false,
    freeze: true,
  }));
for (const [name, make] of Object.entries(programs))
  test(`law: ${name} gives the same under any room, batches, snapshots and restores`, () => {
    fc.assert(
      fc.property(anySteps, anySchedule, (steps, schedule) => {
        const program = make();
        const plain = new Driven(program);
        const scheduled = new Driven(program, schedule);
        assert.deepEqual(canonical(scheduled.steps(steps)), canonical(plain.steps(steps)));
        assert.equal(scheduled.entries, plain.entries);
      }),
      { numRuns: 200 },
    );
  });
