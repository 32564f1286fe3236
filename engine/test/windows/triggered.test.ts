// The general window operator against the fast one and plain models, for every window, trigger,
// evictor and schedule.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { canonical, Driven, Program, run, type Schedule, type Step, type Timed } from '../operators/drive.ts';

type Element = { readonly k: string; readonly v: number };
const byKey = { fields: ['k'] };
const count = { n: { name: 'count' }, total: { name: 'sum', value: { field: 'v' } } };

const verbs = {
  aggregate: { kind: 'windowAggregate' as const, rest: { aggregates: count } },
  reduce: {
    kind: 'windowReduce' as const,
    rest: { fn: (a: Element, b: Element) => ({ k: `${a.k}${b.k}`, v: a.v * 3 + b.v }) },
  },
  apply: {
    kind: 'windowApply' as const,
    rest: {
      *fn(key: object, bounds: object, elements: readonly Element[]) {
        if (elements.length === 1) return;
        for (const { v } of elements) yield { ...key, v };
        yield { ...key, ...bounds, n: elements.length };
      },
    },
  },
};
type Verb = keyof typeof verbs;
interface Windows {
  readonly window: object;
  readonly trigger?: object | undefined;
  readonly evictor?: object | undefined;
  readonly allowedLatenessMillis?: number;
}
const programOf = (verb: Verb, { window, trigger, evictor, allowedLatenessMillis = 0 }: Windows): Program => {
  const given = { ...(trigger && { trigger }), ...(evictor && { evictor }) };
  return new Program(verbs[verb].kind, { window, allowedLatenessMillis, ...given, ...verbs[verb].rest }, [byKey]);
};

// -------------------------------------------------------------------------------- generated inputs

const time = fc.constantFrom('event', 'processing');
const aligned = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: -11, max: 11 }), time)
    .map(([sizeMillis, o, time]) => ({ kind: 'tumbling', sizeMillis, offsetMillis: o % sizeMillis, time })),
  fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: -11, max: 11 }), time)
    .map(([sizeMillis, slideMillis, o, time]) => ({
      kind: 'sliding',
      sizeMillis,
      slideMillis,
      offsetMillis: o % slideMillis,
      time,
    })),
);
const session = fc.tuple(fc.integer({ min: 1, max: 9 }), time).map(([gapMillis, time]) => ({
  kind: 'session',
  gapMillis,
  time,
}));
const gapOf = time.map((time) => ({ kind: 'session', gap: ({ v }: Element) => `${v + 1}ms`, time }));
const custom = fc.tuple(fc.boolean(), time).map(([isMerging, time]) => ({
  kind: 'custom',
  isMerging,
  time,
  assign: ({ v }: Element, at: number) => [
    { start: at - v, end: at + 3 },
    { start: at + 1, end: at + 2 },
  ],
}));
const global = fc.constant({ kind: 'global' });
const anyWindow = fc.oneof(aligned, session, gapOf, custom, global);
const withTime = fc.oneof(aligned, session, gapOf, custom);

const mergeable = fc.oneof(
  fc.constantFrom({ kind: 'event-time' }, { kind: 'processing-time' }),
  fc.tuple(fc.integer({ min: 1, max: 9 }), time).map(([everyMillis, time]) => ({ kind: 'early', everyMillis, time })),
  fc.integer({ min: 1, max: 4 }).map((n) => ({ kind: 'count', n })),
  fc.constant({
    kind: 'custom',
    onElement({ v }: Element, at: number, { state, timers }: CustomContext) {
      state.set('n', ((state.get('n') as number | undefined) ?? 0) + 1);
      timers.eventTime(at + v);
      if (v % 2 === 1) timers.processingTime(v);
      return v === 0 ? 'fire-and-purge' : v === 9 ? 'purge' : 'continue';
    },
    onEventTime: (_at: number, { state }: CustomContext) => ((state.get('n') as number) > 2 ? 'fire' : 'continue'),
    onProcessingTime: () => 'fire',
    onMerge: ({ state }: CustomContext) => void state.set('merged', true),
  }),
);
interface CustomContext {
  readonly state: Map<string, unknown>;
  readonly timers: { eventTime(at: number): void; processingTime(at: number): void };
}
const purging = <T extends object>(trigger: fc.Arbitrary<T>) =>
  trigger.map((inner) => ({ kind: 'purging', trigger: inner }));
const anyMergeable = fc.oneof(mergeable, purging(mergeable));
const delta = { kind: 'delta', threshold: 3, delta: (a: Element, b: Element) => Math.abs(a.v - b.v) };
const anyTrigger = fc.oneof(anyMergeable, fc.constantFrom<object>(delta, { kind: 'purging', trigger: delta }));
const anyEvictor = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 1, max: 4 }).map((n) => ({ kind: 'count', n })),
      fc.integer({ min: 1, max: 9 }).map((keepMillis) => ({ kind: 'time', keepMillis })),
      fc.constant({ kind: 'delta', threshold: 4, delta: (a: Element, b: Element) => Math.abs(a.v - b.v) }),
    ),
    fc.boolean(),
  )
  .map(([evictor, after]) => ({ ...evictor, after }));

const isMerging = (window: object): boolean =>
  (window as { kind: string }).kind === 'session' || (window as { isMerging?: boolean }).isMerging === true;
const anyWindows: fc.Arbitrary<Windows> = anyWindow.chain((window) =>
  fc.record({
    window: fc.constant(window as object),
    trigger: fc.option<object, undefined>(isMerging(window) ? anyMergeable : anyTrigger, { nil: undefined }),
    evictor: fc.option<object, undefined>(anyEvictor, { nil: undefined }),
    allowedLatenessMillis: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 })),
  }),
);

const timed: fc.Arbitrary<Timed> = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 9 }), fc.integer({ min: -25, max: 25 }))
  .map(([k, v, timestamp]) => [{ k, v }, timestamp]);
const rising = (steps: readonly Step[]): Step[] => {
  let watermark = -Infinity;
  let clock = 0;
  const made = steps.map((step): Step => {
    if ('watermark' in step) return { watermark: (watermark = Math.max(watermark, step.watermark)) };
    if ('clock' in step) return { clock: (clock += step.clock) };
    return step;
  });
  return [...made, { watermark: 100 }, { clock: clock + 100 }, { watermark: Infinity }];
};
const anySteps = fc
  .array(
    fc.oneof(
      fc.array(timed, { maxLength: 8 }).map((records): Step => ({ records })),
      fc.integer({ min: -30, max: 30 }).map((watermark): Step => ({ watermark })),
      fc.integer({ min: 1, max: 9 }).map((clock): Step => ({ clock })),
    ),
    { maxLength: 20 },
  )
  .map(rising);
const anySchedule: fc.Arbitrary<Schedule> = fc
  .record({
    room: fc.constantFrom(1, 2, 3, Infinity),
    batch: fc.constantFrom(1, 2, 100),
    replace: fc.array(fc.boolean(), { minLength: 23, maxLength: 23 }),
    snapshot: fc.array(fc.boolean(), { minLength: 23, maxLength: 23 }),
  })
  .map(({ room, batch, replace, snapshot }) => ({
    room,
    batch,
    replaceBefore: (step) => replace[step] ?? false,
    snapshotBefore: (step) => snapshot[step] ?? false,
    freeze: true,
  }));

// -------------------------------------------------------------------------------------------- laws

for (const verb of Object.keys(verbs) as Verb[])
  test(`law: ${verb} over any windows gives the same under any room, batches, snapshots and restores`, () => {
    fc.assert(
      fc.property(anyWindows, anySteps, anySchedule, (windows, steps, schedule) => {
        const program = programOf(verb, windows);
        const driven = new Driven(program, schedule);
        const plain = new Driven(program);
        assert.deepEqual(canonical(driven.steps(steps)), canonical(plain.steps(steps)));
        assert.equal(driven.entries, plain.entries);
        driven.snapshot();
        if (driven.entries === 0) assert.deepEqual(driven.groupsKept, [], 'what is empty leaves nothing in a snapshot');
        else assert.notDeepEqual(driven.groupsKept, []);
      }),
      { numRuns: 250 },
    );
  });

test('law: windows of time leave nothing behind when time has passed on both clocks', () => {
  fc.assert(
    fc.property(
      withTime.chain((window) =>
        fc.record({
          window: fc.constant(window as object),
          trigger: fc.option<object, undefined>(anyMergeable, { nil: undefined }),
          evictor: fc.option<object, undefined>(anyEvictor, { nil: undefined }),
          allowedLatenessMillis: fc.integer({ min: 0, max: 20 }),
        }),
      ),
      anySteps,
      (windows, steps) => {
        const driven = new Driven(programOf('apply', windows));
        driven.steps(steps);
        assert.equal(driven.entries, 0);
      },
    ),
    { numRuns: 300 },
  );
});

test('law: any interleaving of keys gives the same windows', () => {
  fc.assert(
    fc.property(anyWindows, anySteps, (windows, steps) => {
      const keyOf = ([element]: Timed): string => (element as Element).k;
      const byKeys = steps.map((step): Step => {
        if (!('records' in step)) return step;
        return { records: step.records.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b))) };
      });
      const program = programOf('apply', windows);
      assert.deepEqual(canonical(run(program, byKeys)), canonical(run(program, steps)));
    }),
    { numRuns: 200 },
  );
});

test('law: the default trigger in the user’s own words gives what the default trigger gives', () => {
  // Forces the general operator to act as the fast one.
  const eventTime = {
    kind: 'custom',
    onElement(_element: unknown, _at: number, { window, watermark, timers }: never) {
      const last = (window as { windowEnd: Date }).windowEnd.getTime() - 1;
      if (last <= (watermark as number)) return 'fire';
      (timers as { eventTime(at: number): void }).eventTime(last);
      return 'continue';
    },
    onEventTime: (at: number, { window }: { window: { windowEnd: Date } }) =>
      at === window.windowEnd.getTime() - 1 ? 'fire' : 'continue',
  };
  const events = aligned.map((window) => ({ ...window, time: 'event' }));
  fc.assert(
    fc.property(
      events,
      fc.integer({ min: 0, max: 20 }),
      anySteps,
      fc.constantFrom(...(Object.keys(verbs) as Verb[])),
      (window, allowedLatenessMillis, steps, verb) => {
        const fast = run(programOf(verb, { window, allowedLatenessMillis }), steps);
        const general = run(programOf(verb, { window, allowedLatenessMillis, trigger: eventTime }), steps);
        assert.deepEqual(canonical(general), canonical(fast));
      },
    ),
    { numRuns: 300 },
  );
});

test('law: sessions are what the rules say, plainly written down', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 })),
      anySteps,
      (gap, lateness, steps) => {
        const window = { kind: 'session', gapMillis: gap, time: 'event' };
        const given = run(programOf('aggregate', { window, allowedLatenessMillis: lateness }), steps);
        assert.deepEqual(canonical(given), canonical(modelOfSessions(gap, lateness, steps) as never));
      },
    ),
    { numRuns: 500 },
  );
});

test('law: a gap that is the same for every element is the gap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), time, anySteps, (gapMillis, time, steps) => {
      const fixed = programOf('reduce', { window: { kind: 'session', gapMillis, time } });
      const own = programOf('reduce', { window: { kind: 'session', gap: () => `${gapMillis}ms`, time } });
      assert.deepEqual(run(own, steps), run(fixed, steps));
    }),
  );
});

test('law: a custom assigner that gives the windows of a built-in one gives the same rows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), time, anySteps, (size, time, steps) => {
      const assign = (_element: unknown, at: number) => {
        const start = Math.floor(at / size) * size;
        return [{ start, end: start + size }];
      };
      const tumbling = { kind: 'tumbling', sizeMillis: size, offsetMillis: 0, time };
      const own = { kind: 'custom', assign, isMerging: false, time };
      assert.deepEqual(
        canonical(run(programOf('aggregate', { window: own }), steps)),
        canonical(run(programOf('aggregate', { window: tumbling }), steps)),
      );
    }),
  );
});

test('law: what purging firings hold, one after the other, is what the last accumulating one holds', () => {
  const elements = {
    kind: 'windowApply' as const,
    rest: { fn: (_key: object, _window: object, all: Element[]) => [all] },
  };
  const firings = (trigger: object, records: Timed[]): Element[][] =>
    run(
      new Program(elements.kind, { window: { kind: 'global' }, allowedLatenessMillis: 0, trigger, ...elements.rest }, [
        { constant: true },
      ]),
      [{ records }],
    ).flatMap(({ rows }) => rows.map(([all]) => all as Element[]));
  fc.assert(
    fc.property(fc.array(timed), fc.integer({ min: 1, max: 4 }), (records, n) => {
      const purged = firings({ kind: 'purging', trigger: { kind: 'count', n } }, records);
      const accumulated = firings({ kind: 'count', n }, records);
      assert.deepEqual(purged.flat(), accumulated.at(-1) ?? []);
      for (const part of purged) assert.equal(part.length, n);
    }),
  );
});

test('law: a sliding count window holds the last elements of its key', () => {
  fc.assert(
    fc.property(
      fc.array(timed),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      (records, size, slide) => {
        const fn = ({ k }: Element, _window: object, all: Element[]) => [{ k, all }];
        const program = new Program(
          'windowApply',
          {
            window: { kind: 'global' },
            allowedLatenessMillis: 0,
            trigger: { kind: 'count', n: slide },
            evictor: { kind: 'count', n: size, after: false },
            fn,
          },
          [byKey],
        );
        const rows = run(program, [{ records }]).flatMap((given) => given.rows.map(([row]) => row));
        const expected: unknown[] = [];
        const seen: Record<string, Element[]> = {};
        for (const [element] of records as readonly (readonly [Element, number])[]) {
          const all = (seen[element.k] ??= []);
          all.push(element);
          if (all.length % slide === 0) expected.push({ k: element.k, all: all.slice(-size) });
        }
        assert.deepEqual(rows, expected);
      },
    ),
  );
});

// -------------------------------------------------------------------------------- state and errors

test('a session of a million elements is one accumulator', () => {
  const million = 1_000_000;
  const driven = new Driven(programOf('aggregate', { window: { kind: 'session', gapMillis: 10, time: 'event' } }));
  const bytes: number[] = [];
  for (let from = 0; from < million; from += 10_000) {
    driven.step({ records: Array.from({ length: 10_000 }, (_, i): Timed => [{ k: 'a', v: 1 }, (from + i) * 10]) });
    if (from === 0 || from === million - 10_000) bytes.push(driven.stateBytes);
  }
  assert.equal(driven.entries, 2, 'an accumulator and its timer');
  assert.ok(bytes[1]! < bytes[0]! + 32, `state grew from ${bytes[0]} to ${bytes[1]} bytes`);
  assert.ok(bytes[1]! < 600, `${bytes[1]} bytes of state`);
  const { rows } = driven.step({ watermark: Infinity });
  assert.deepEqual(
    rows.map(([row]) => (row as { n: number }).n),
    [million],
  );
  assert.equal(driven.entries, 0);
});

test('the next window is the one that time reaches first', () => {
  const driven = new Driven(programOf('aggregate', { window: { kind: 'session', gapMillis: 10, time: 'event' } }));
  const next = () => driven.operator.status!().nextWindow;
  assert.equal(next(), undefined);
  driven.step({
    records: [
      [{ k: 'b', v: 1 }, 20],
      [{ k: 'a', v: 1 }, 5],
    ],
  });
  assert.deepEqual(next(), { start: 5, end: 15 });
  driven.step({ records: [[{ k: 'a', v: 1 }, 24]] });
  driven.step({ watermark: 14 });
  assert.deepEqual(next(), { start: 20, end: 30 });
  driven.step({ watermark: Infinity });
  assert.equal(next(), undefined);

  const patient = new Driven(
    programOf('aggregate', {
      window: { kind: 'session', gapMillis: 10, time: 'event' },
      allowedLatenessMillis: 100,
    }),
  );
  patient.step({
    records: [0, 200, 100].map((timestamp): Timed => [{ k: 'a', v: 1 }, timestamp]),
  });
  patient.step({ watermark: 50 });
  assert.deepEqual(patient.operator.status!().nextWindow, { start: 100, end: 110 }, 'the first has fired');
});

test('an operator that waits for something other than time reports the reason', () => {
  const waiting = (windows: Windows): string | undefined => {
    const driven = new Driven(programOf('aggregate', windows));
    assert.equal(driven.operator.status!().waiting, undefined, 'nothing has come');
    driven.step({ records: [[{ k: 'a', v: 1 }, 0]] });
    return driven.operator.status!().waiting;
  };
  assert.match(waiting({ window: { kind: 'global' } })!, /"it" has a global window without a trigger/);
  const counting = { kind: 'purging', trigger: { kind: 'count', n: 3 } };
  assert.match(waiting({ window: { kind: 'global' }, trigger: counting })!, /no window of "it" has 3 elements yet/);
  const processing = { kind: 'session', gapMillis: 5, time: 'processing' };
  assert.match(waiting({ window: processing })!, /fires when processing time/);
  assert.equal(waiting({ window: { ...processing, time: 'event' } }), undefined);
  const driven = new Driven(programOf('aggregate', { window: { kind: 'global' }, trigger: { kind: 'count', n: 1 } }));
  driven.step({ records: [[{ k: 'a', v: 1 }, 0]] });
  assert.equal(driven.operator.status!().waiting, undefined, 'it has fired');
});

describe('bad input is one clear error, at its record', () => {
  class Point {}
  const session = { kind: 'session', gapMillis: 10, time: 'event' };
  const global = { kind: 'global' };
  const gap = (gap: unknown) => ({ window: { kind: 'session', gap: () => gap, time: 'event' } });
  const assign = (windows: unknown) => ({
    window: { kind: 'custom', assign: () => windows, isMerging: false, time: 'event' },
  });
  const trigger = (onElement: (element: Element, at: number, context: CustomContext) => unknown) => ({
    window: global,
    trigger: { kind: 'custom', onElement },
  });
  const mistakes: readonly (readonly [mistake: string, code: string, message: RegExp, windows: Windows])[] = [
    ['a gap of zero', 'bad-window', /gap of session\(\) in "it" is "0s".*at least 1ms/, gap('0s')],
    ['a negative gap', 'bad-duration', /gap of session\(\) in "it" is "-5s"/, gap('-5s')],
    ['a gap that is a number', 'bad-duration', /is 5000, which is not a duration/, gap(5000)],
    ['a gap that is missing', 'bad-duration', /is undefined/, gap(undefined)],
    ['windows that are none', 'bad-window', /custom window of "it" gave 5/, assign(5)],
    ['a window that ends before it starts', 'bad-window', /from 5 to 3/, assign([{ start: 5, end: 3 }])],
    ['a window of NaN', 'bad-window', /from NaN to 3/, assign([{ start: NaN, end: 3 }])],
    ['a window of dates', 'bad-window', /from 1970-01-01/, assign([{ start: new Date(0), end: new Date(1) }])],
    ['no window object', 'bad-window', /from undefined/, assign([null])],
    [
      'a trigger that answers nothing',
      'bad-trigger-result',
      /onElement .* gave undefined.*"fire"/,
      trigger(() => undefined),
    ],
    ['a trigger that shouts', 'bad-trigger-result', /gave "FIRE"/, trigger(() => 'FIRE')],
    [
      'a timer at no time',
      'bad-timer',
      /trigger of "it" sets a timer of event time at NaN/,
      trigger((_element, _at, { timers }) => timers.eventTime(NaN)),
    ],
    [
      'an instance in the state of a trigger',
      'not-storable',
      /State "p" of the trigger of "it" is an object of class Point/,
      trigger((_element, _at, { state }) => state.set('p', new Point())),
    ],
    [
      'a delta that is NaN',
      'bad-value',
      /delta function of "it" gave NaN/,
      { window: global, trigger: { kind: 'delta', threshold: 1, delta: () => NaN } },
    ],
  ];
  for (const [mistake, code, message, windows] of mistakes)
    test(mistake, () => {
      const driven = new Driven(programOf('aggregate', windows));
      const records: Timed[] = [
        [{ k: 'a', v: 1 }, 0],
        [{ k: 'a', v: 2 }, 1],
      ];
      assert.throws(() => driven.step({ records }), { code, message });
      assert.ok(driven.operator.at! <= 1);
    });

  test('a selector that gives NaN, and a key that is NaN', () => {
    const nan = new Driven(programOf('aggregate', { window: session }));
    assert.throws(() => nan.step({ records: [[{ k: 'a', v: NaN }, 0]] }), { code: 'bad-value', message: /"total"/ });
    const key = new Driven(programOf('aggregate', { window: session }));
    assert.throws(() => key.step({ records: [[{ k: NaN, v: 1 }, 0]] }), { message: /k.*NaN|NaN.*k/ });
  });
  test('an instance among the elements that a window keeps', () => {
    const records: Timed[] = [[{ k: 'a', v: new Point() }, 0]];
    const message = /element in a window of "it".*class Point/;
    for (const evictor of [undefined, { kind: 'count', n: 1, after: false }])
      assert.throws(() => new Driven(programOf('apply', { window: session, evictor })).step({ records }), {
        code: 'not-storable',
        message,
      });
  });
  test('an accumulator that throws at a timer names the key and the window', () => {
    const reduce = { fn: () => assert.fail('no') };
    const program = new Program(
      'windowReduce',
      {
        window: { kind: 'tumbling', sizeMillis: 10, offsetMillis: 0, time: 'event' },
        allowedLatenessMillis: 0,
        trigger: { kind: 'event-time' },
        evictor: { kind: 'count', n: 5, after: false },
        ...reduce,
      },
      [byKey],
    );
    const driven = new Driven(program);
    driven.step({
      records: [
        [{ k: 'a', v: 1 }, 1],
        [{ k: 'a', v: 2 }, 2],
      ],
    });
    assert.throws(() => driven.step({ watermark: 10 }), /no/);
    assert.equal(driven.operator.working, 'k "a", window 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:00.010Z');
  });
  test('a mutated element throws', () => {
    const mutating = { kind: 'custom', onElement: (element: { v: number }) => ((element.v = 5), 'fire') };
    const driven = new Driven(programOf('apply', { window: global, trigger: mutating }), { freeze: true });
    assert.throws(() => driven.step({ records: [[{ k: 'a', v: 1 }, 0]] }), TypeError);
  });
});

// --------------------------------------------------------------------------------------- the model

interface Session {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly elements: readonly Element[];
}
/** Sessions of event time with the default trigger, without any thought for speed. */
function modelOfSessions(gap: number, lateness: number, steps: readonly Step[]): unknown {
  let watermark = -Infinity;
  let open: Session[] = [];
  return steps.map((step) => {
    const rows: unknown[] = [];
    const late: Timed[] = [];
    const fire = ({ key, start, end, elements }: Session): void => {
      const total = elements.reduce((sum, { v }) => sum + v, 0);
      const bounds = { windowStart: new Date(start), windowEnd: new Date(end) };
      rows.push([{ k: key, ...bounds, n: elements.length, total }, end - 1]);
    };
    if ('watermark' in step) {
      const before = watermark;
      watermark = Math.max(watermark, step.watermark);
      for (const one of open) if (one.end - 1 > before && one.end - 1 <= watermark) fire(one);
      open = open.filter(({ end }) => end - 1 + lateness > watermark);
    } else if ('records' in step)
      for (const [value, timestamp] of step.records) {
        const element = value as Element;
        const own = { key: element.k, start: timestamp, end: timestamp + gap, elements: [] };
        const near = open.filter(({ key, start, end }) => key === own.key && start <= own.end && end >= own.start);
        if (near.length === 0 && own.end - 1 + lateness <= watermark) {
          if (timestamp + lateness <= watermark) late.push([element, timestamp]);
          continue;
        }
        const merged: Session = {
          key: own.key,
          start: Math.min(own.start, ...near.map(({ start }) => start)),
          end: Math.max(own.end, ...near.map(({ end }) => end)),
          elements: [...near.flatMap(({ elements }) => elements), element],
        };
        open = [...open.filter((one) => !near.includes(one)), merged];
        if (merged.end - 1 <= watermark) fire(merged);
      }
    return { rows, late, marks: [], countedLate: 0, finished: false };
  });
}
