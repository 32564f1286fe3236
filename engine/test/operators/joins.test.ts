// All joins of two streams against brute force over the whole input, under every schedule. Also
// joins with too many pairs to collect them.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { JoinKind } from '../../graph/join-spec.ts';
import { assignerOf, windowsOf } from '../../windows/assigner.ts';
import { batchOf, canonical, Driven, type Given, Program, type Schedule, type Step, type Timed } from './drive.ts';

type Element = { readonly k: string; readonly v: number };
type Pair = readonly [left: number | undefined, right: number | undefined];

const keys = [{ fields: ['k'] }, { fields: ['k'] }];
const pair = (left: Element | undefined, right: Element | undefined): Pair => [left?.v, right?.v];
const intervalJoining = (lowerMillis: number, upperMillis: number, join: JoinKind): Program =>
  new Program('intervalJoin', { lowerMillis, upperMillis, join, fn: pair }, keys);
const windowJoining = (window: object, join: JoinKind): Program =>
  new Program('windowJoin', { window, allowedLatenessMillis: 0, join, fn: pair }, keys);
const tumbling = (sizeMillis: number) => ({ kind: 'tumbling', sizeMillis, offsetMillis: 0, time: 'event' }) as const;
const sliding = (sizeMillis: number, slideMillis: number) =>
  ({ kind: 'sliding', sizeMillis, slideMillis, offsetMillis: 0, time: 'event' }) as const;

// -------------------------------------------------------------------------------- generated inputs

const timed = fc
  .tuple(fc.constantFrom('a', 'a', 'b'), fc.integer({ min: -25, max: 25 }))
  .map(([k, timestamp]) => ({ k, timestamp }));
const anySteps = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ input: fc.constantFrom(0 as const, 1 as const), of: fc.array(timed, { maxLength: 8 }) }),
      },
      { weight: 2, arbitrary: fc.integer({ min: -30, max: 30 }) },
    ),
    { maxLength: 20 },
  )
  .map((drawn): Step[] => {
    let watermark = -Infinity;
    let n = 0;
    const steps = drawn.map((step): Step => {
      if (typeof step === 'number') return { watermark: (watermark = Math.max(watermark, step)) };
      const records = step.of.map(({ k, timestamp }): Timed => [{ k, v: ++n }, timestamp]);
      return { input: step.input, records };
    });
    return [...steps, { watermark: Infinity }];
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
const anyKind = fc.constantFrom<JoinKind>('inner', 'left', 'outer');
const anyBounds = fc
  .tuple(fc.integer({ min: -12, max: 12 }), fc.integer({ min: 0, max: 15 }))
  .map(([lower, width]) => [lower, lower + width] as const);
const anyWindow = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map(tumbling),
  fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
    .map(([size, slide]) => sliding(size, slide)),
);

/** Rows of one element, and rows of one key, are in order. Keys may be in any order. */
function assertSame(
  given: readonly Given[],
  expected: readonly { rows: Timed[]; late: Timed[] }[],
  steps: readonly Step[],
): void {
  const keyOf = new Map(
    steps.flatMap((step) =>
      'records' in step ? step.records.map(([value]) => [(value as Element).v, (value as Element).k] as const) : [],
    ),
  );
  const ofKey = (rows: readonly Timed[], key: string): Timed[] =>
    rows.filter(([row]) => keyOf.get((row as Pair)[0] ?? (row as Pair)[1]!) === key);
  given.forEach(({ rows, late }, index) => {
    const wanted = expected[index]!;
    assert.deepEqual(late, wanted.late);
    if ('records' in steps[index]!) assert.deepEqual(rows, wanted.rows);
    assert.equal(rows.length, wanted.rows.length);
    for (const key of ['a', 'b']) assert.deepEqual(ofKey(rows, key), ofKey(wanted.rows, key));
  });
}

// ---------------------------------------------------------------------------------- interval joins

interface Kept {
  readonly input: 0 | 1;
  readonly element: Element;
  readonly timestamp: number;
  readonly goes: number;
  isMatched: boolean;
}

/** Compares every element with all elements before it. */
function modelOfIntervals(lower: number, upper: number, join: JoinKind, steps: readonly Step[]) {
  let kept: Kept[] = [];
  let watermark = -Infinity;
  const given = steps.map((step) => {
    const now = { rows: [] as Timed[], late: [] as Timed[] };
    if ('watermark' in step && step.watermark > watermark) {
      watermark = step.watermark;
      const goes = kept.filter((one) => one.goes <= watermark).sort((a, b) => a.goes - b.goes);
      for (const { input, element, isMatched, goes: at } of goes)
        if (!isMatched && (join === 'outer' || (join === 'left' && input === 0)))
          now.rows.push([input === 0 ? pair(element, undefined) : pair(undefined, element), at]);
      kept = kept.filter((one) => one.goes > watermark);
    }
    if ('records' in step)
      for (const [value, timestamp] of step.records) {
        const element = value as Element;
        const input = step.input!;
        if (timestamp < watermark) {
          now.late.push([element, timestamp]);
          continue;
        }
        const goes = timestamp + (input === 0 ? Math.max(upper, 0) : -Math.min(lower, 0));
        const one: Kept = { input, element, timestamp, goes, isMatched: false };
        const partners = kept
          .filter((other) => {
            const [left, right] = input === 0 ? [one, other] : [other, one];
            const after = right.timestamp - left.timestamp;
            return other.input !== input && other.element.k === element.k && after >= lower && after <= upper;
          })
          .sort((a, b) => a.timestamp - b.timestamp);
        for (const other of partners) {
          one.isMatched = other.isMatched = true;
          now.rows.push([
            input === 0 ? pair(element, other.element) : pair(other.element, element),
            Math.max(timestamp, other.timestamp),
          ]);
        }
        kept.push(one);
      }
    return now;
  });
  return given;
}

test('law: an interval join gives the pairs, the lonely and the late that brute force gives, under every schedule', () => {
  fc.assert(
    fc.property(anyBounds, anyKind, anySteps, anySchedule, ([lower, upper], join, steps, schedule) => {
      const driven = new Driven(intervalJoining(lower, upper, join), schedule);
      assertSame(driven.steps(steps), modelOfIntervals(lower, upper, join, steps), steps);
      assert.equal(driven.entries, 0);
      driven.snapshot();
      assert.deepEqual(driven.groupsKept, []);
    }),
    { numRuns: 400 },
  );
});

test('law: with the sides exchanged and the bounds turned round, the pairs are the same', () => {
  fc.assert(
    fc.property(anyBounds, anySteps, ([lower, upper], steps) => {
      const turned = steps.map((step): Step =>
        'records' in step ? { ...step, input: step.input === 0 ? 1 : 0 } : step,
      );
      const rows = new Driven(intervalJoining(lower, upper, 'outer')).steps(steps);
      const mirrored = new Driven(intervalJoining(0 - upper, 0 - lower, 'outer')).steps(turned);
      const back = mirrored.map((given) => ({
        ...given,
        rows: given.rows.map(([row, at]): Timed => [[...(row as Pair)].reverse(), at]),
      }));
      assert.deepEqual(canonical(rows), canonical(back));
    }),
  );
});

// ------------------------------------------------------------------------------------ window joins

/** All pairs of a window, of all elements that came in time. */
function modelOfWindows(window: Parameters<typeof assignerOf>[0], join: JoinKind, steps: readonly Step[]) {
  let watermark = -Infinity;
  let open: { k: string; end: number; sides: [Element[], Element[]] }[] = [];
  const assigner = assignerOf(window);
  return steps.map((step) => {
    const now = { rows: [] as Timed[], late: [] as Timed[] };
    if ('watermark' in step) {
      watermark = Math.max(watermark, step.watermark);
      const due = open.filter((one) => one.end - 1 <= watermark);
      for (const { end, sides } of due.sort((one, other) => one.end - other.end)) {
        const [left, right] = sides;
        for (const l of left) for (const r of right) now.rows.push([pair(l, r), end - 1]);
        if (right.length === 0 && join !== 'inner') for (const l of left) now.rows.push([pair(l, undefined), end - 1]);
        if (left.length === 0 && join === 'outer') for (const r of right) now.rows.push([pair(undefined, r), end - 1]);
      }
      open = open.filter((one) => one.end - 1 > watermark);
    }
    if ('records' in step)
      for (const [value, timestamp] of step.records) {
        const element = value as Element;
        const windows = windowsOf(timestamp, assigner);
        const inTime = windows.filter(({ end }) => end - 1 > watermark);
        if (windows.length > 0 && inTime.length === 0) now.late.push([element, timestamp]);
        for (const { end } of inTime) {
          let one = open.find((other) => other.k === element.k && other.end === end);
          if (!one) open.push((one = { k: element.k, end, sides: [[], []] }));
          one.sides[step.input!].push(element);
        }
      }
    return now;
  });
}

test('law: a window join gives what nested loops over each window give, under every schedule', () => {
  fc.assert(
    fc.property(anyWindow, anyKind, anySteps, anySchedule, (window, join, steps, schedule) => {
      const driven = new Driven(windowJoining(window, join), schedule);
      assertSame(driven.steps(steps), modelOfWindows(window, join, steps), steps);
      assert.equal(driven.entries, 0);
      driven.snapshot();
      assert.deepEqual(driven.groupsKept, []);
    }),
    { numRuns: 400 },
  );
});

test('law: a session of both sides holds what lies no more than the gap apart, whichever side it is of', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), anyKind, anySteps, anySchedule, (gap, join, steps, schedule) => {
      // Nothing is late: time moves once, at the end.
      const calm = steps.filter((step) => 'records' in step);
      const all = calm.flatMap((step) =>
        step.records.map(([value, at]) => ({ ...(value as Element), at, input: step.input! })),
      );
      const sessions: (typeof all)[] = [];
      for (const one of all.toSorted((a, b) => a.at - b.at)) {
        const open = sessions.findLast(([first]) => first!.k === one.k);
        if (open && one.at - open.at(-1)!.at <= gap) open.push(one);
        else sessions.push([one]);
      }
      const rows = sessions.flatMap((session) => {
        const [left, right] = [session.filter(({ input }) => input === 0), session.filter(({ input }) => input === 1)];
        const last = session.at(-1)!.at + gap - 1;
        const pairs = left.flatMap((l) => right.map((r): Timed => [pair(l, r), last]));
        if (right.length === 0 && join !== 'inner') pairs.push(...left.map((l): Timed => [pair(l, undefined), last]));
        if (left.length === 0 && join === 'outer') pairs.push(...right.map((r): Timed => [pair(undefined, r), last]));
        return pairs;
      });
      const driven = new Driven(windowJoining({ kind: 'session', gapMillis: gap, time: 'event' }, join), schedule);
      const given = driven.steps([...calm, { watermark: Infinity }]);
      assert.ok(given.slice(0, -1).every((one) => one.rows.length === 0));
      assert.deepEqual(canonical(given.slice(-1)), canonical([{ ...given.at(-1)!, rows }]));
      assert.equal(driven.entries, 0);
    }),
    { numRuns: 200 },
  );
});

test('law: a coGroup that makes the pairs itself is a join', () => {
  fc.assert(
    fc.property(anyWindow, anySteps, anySchedule, (window, steps, schedule) => {
      const coGroup = new Program(
        'windowCoGroup',
        {
          window,
          allowedLatenessMillis: 0,
          *fn(_key: object, left: readonly Element[], right: readonly Element[]) {
            for (const l of left) for (const r of right) yield pair(l, r);
          },
        },
        keys,
      );
      assert.deepEqual(
        canonical(new Driven(coGroup, schedule).steps(steps)),
        canonical(new Driven(windowJoining(window, 'inner'), schedule).steps(steps)),
      );
    }),
  );
});

describe('the key of two sides', () => {
  const grouping = (left: (element: never) => unknown, right: (element: never) => unknown) =>
    new Program(
      'windowCoGroup',
      {
        window: tumbling(10),
        allowedLatenessMillis: 0,
        fn: (key: object, lefts: readonly object[], rights: readonly object[]) => [
          { key, n: lefts.length, m: rights.length },
        ],
      },
      [{ fn: left }, { fn: right }],
    );
  const rowsOf = (given: Given): unknown[] => given.rows.map(([row]) => row);

  test('has the names that the left gives, once it has given any', () => {
    const program = grouping(
      ({ k, v }: Element) => ({ shop: k, day: v }),
      ({ k, v }: Element) => ({ x: v, y: k }),
    );
    const driven = new Driven(program, { freeze: true });
    driven.step({ input: 1, records: [[{ k: 'a', v: 1 }, 5]] });
    // By the names of each side sorted: (day, shop) on the left, (x, y) on the right.
    assert.deepEqual(rowsOf(driven.step({ watermark: 10 })), [{ key: { key1: 1, key2: 'a' }, n: 0, m: 1 }]);
    driven.step({ input: 0, records: [[{ k: 'a', v: 1 }, 15]] });
    driven.replace();
    driven.step({
      input: 1,
      records: [
        [{ k: 'a', v: 1 }, 15],
        [{ k: 'b', v: 2 }, 16],
      ],
    });
    assert.deepEqual(rowsOf(driven.step({ watermark: 20 })), [
      { key: { day: 1, shop: 'a' }, n: 1, m: 1 },
      { key: { day: 2, shop: 'b' }, n: 0, m: 1 },
    ]);
  });
  test('may be a date, an array, a bigint: what is equal is the same', () => {
    for (const keyOf of [
      ({ v }: Element) => new Date(v),
      ({ k, v }: Element) => [k, v],
      ({ v }: Element) => BigInt(v),
      ({ k, v }: Element) => ({ nested: { k }, v }),
    ]) {
      const driven = new Driven(grouping(keyOf, keyOf), { freeze: true });
      driven.step({ input: 1, records: [[{ k: 'a', v: 1 }, 5]] });
      driven.replace();
      driven.step({
        input: 0,
        records: [
          [{ k: 'a', v: 1 }, 6],
          [{ k: 'b', v: 2 }, 6],
        ],
      });
      assert.deepEqual(
        rowsOf(driven.step({ watermark: 10 })).map((row) => [(row as { n: number }).n, (row as { m: number }).m]),
        [
          [1, 1],
          [1, 0],
        ],
      );
      assert.equal(driven.entries, 0);
    }
  });
  test('is not the same when a text looks like a number', () => {
    const driven = new Driven(
      grouping(
        ({ v }: Element) => v,
        ({ v }: Element) => String(v),
      ),
    );
    driven.step({ input: 0, records: [[{ k: 'a', v: 1 }, 5]] });
    driven.step({ input: 1, records: [[{ k: 'a', v: 1 }, 5]] });
    assert.equal(driven.step({ watermark: 10 }).rows.length, 2);
  });
});

// -------------------------------------------------------------------------------------- many pairs

const many = 100_000;
const crowd = Array.from({ length: many }, (_, v): Timed => [{ k: 'a', v }, 10]);

describe('of 1e5 elements of one key with 1e5 others', () => {
  test('a window join emits no more than there is room for, in order, and can be snapshotted before it fires', () => {
    const driven = new Driven(windowJoining(tumbling(100), 'inner'), { room: 1000 });
    driven.step({ input: 0, records: crowd });
    driven.step({ input: 1, records: crowd });
    driven.replace();
    driven.output.given.rows.length = 0;
    for (let call = 1; call <= 150; call++) {
      driven.output.emitted = 0;
      driven.output.room = 1000;
      assert.equal(driven.operator.advance!(99), false);
      assert.equal(driven.output.given.rows.length, call * 1000);
    }
    assert.deepEqual(driven.output.given.rows.at(0), [[0, 0], 99]);
    assert.deepEqual(driven.output.given.rows.at(-1), [[1, 49_999], 99]);
    driven.operator.close!();
  });
  test('an interval join emits no more than there is room for', () => {
    const driven = new Driven(intervalJoining(-5, 5, 'inner'), { room: 1000 });
    driven.step({ input: 0, records: crowd });
    driven.output.given.rows.length = 0;
    const batch = batchOf(crowd.slice(0, 2));
    for (let call = 1; call <= 150; call++) {
      driven.output.emitted = 0;
      driven.output.room = 1000;
      const consumed = Math.floor((call * 1000) / many);
      assert.equal(driven.operator.process(1, batch, Math.floor(((call - 1) * 1000) / many)), consumed);
      assert.equal(driven.output.given.rows.length, call * 1000);
    }
    assert.deepEqual(driven.output.given.rows.at(-1), [[49_999, 1], 10]);
  });
  test('elements without a partner leave with as much room as there is', () => {
    const driven = new Driven(intervalJoining(-5, 5, 'left'), { room: 1000 });
    driven.step({ input: 0, records: crowd });
    assert.equal(driven.entries, many);
    const { rows } = driven.step({ watermark: 15 });
    assert.deepEqual(
      rows.map(([row]) => (row as Pair)[0]),
      crowd.map((_, v) => v),
    );
    assert.ok(rows.every(([, timestamp]) => timestamp === 15));
    assert.equal(driven.entries, 0);
  });
});

test('an element of an interval join does not look at all that are kept', () => {
  // A hundred thousand on each side that lie apart: brute force would be 1e10 comparisons.
  const apart = crowd.map(([value], i): Timed => [value, i * 100]);
  const driven = new Driven(intervalJoining(-10, 10, 'inner'));
  driven.step({ input: 0, records: apart });
  const { rows } = driven.step({ input: 1, records: apart });
  assert.equal(rows.length, many);
  assert.equal(driven.entries, 2 * many);
  driven.step({ watermark: Infinity });
  assert.equal(driven.entries, 0);
});

// ------------------------------------------------------------------------------------------ errors

describe('a mistake in a join', () => {
  const boom = () => {
    throw new Error('boom');
  };
  test('in select of an interval join names the record, and without a partner the key and its time', () => {
    const program = new Program('intervalJoin', { lowerMillis: 0, upperMillis: 5, join: 'left', fn: boom }, keys);
    const driven = new Driven(program);
    driven.step({ input: 1, records: [[{ k: 'a', v: 1 }, 3]] });
    assert.throws(
      () =>
        driven.operator.process(
          0,
          batchOf([
            [{ k: 'b', v: 1 }, 1],
            [{ k: 'a', v: 2 }, 1],
          ]),
          0,
        ),
      /boom/,
    );
    assert.equal(driven.operator.at, 1);
    assert.equal(driven.operator.working, undefined);

    const lonely = new Driven(program);
    lonely.step({ input: 0, records: [[{ k: 'a', v: 1 }, 3]] });
    assert.throws(() => lonely.operator.advance!(8), /boom/);
    assert.equal(lonely.operator.working, 'k "a", the left element of 1970-01-01T00:00:00.003Z that found no partner');
  });
  test('in select of a window join names key and window', () => {
    const program = new Program(
      'windowJoin',
      { window: tumbling(10), allowedLatenessMillis: 0, join: 'left', fn: boom },
      keys,
    );
    const driven = new Driven(program);
    driven.step({ input: 0, records: [[{ k: 'a', v: 1 }, 3]] });
    assert.throws(() => driven.operator.advance!(9), /boom/);
    assert.equal(driven.operator.working, 'k "a", window 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:00.010Z');
  });
  test('keys of different length are an error, because they could never be equal', () => {
    const program = (right: object) =>
      new Program('intervalJoin', { lowerMillis: 0, upperMillis: 5, join: 'inner', fn: pair }, [
        { fields: ['k'] },
        right as { fn: (element: never) => unknown },
      ]);
    const driven = new Driven(program({ fn: ({ k, v }: Element) => ({ k, v }) }));
    driven.step({ input: 0, records: [[{ k: 'a', v: 1 }, 3]] });
    assert.throws(() => driven.step({ input: 1, records: [[{ k: 'a', v: 1 }, 3]] }), {
      code: 'bad-key',
      message:
        /"it" cannot match its sides: a key of the right side has 2 values \(k, v\), one of the left side 1\. Key both by the same values/,
    });
  });
  test('a key that is none and an element that cannot be kept are refused', () => {
    const join = () => new Driven(intervalJoining(0, 5, 'inner'));
    assert.throws(() => join().step({ input: 1, records: [[{ v: 1 }, 3]] }), { code: 'bad-key' });
    assert.throws(() => join().step({ input: 1, records: [[{ k: 'a', v: new URL('http://a') }, 3]] }), {
      code: 'not-storable',
      message: /An element of "it", at v, is/,
    });
    const windowed = new Driven(windowJoining(tumbling(10), 'inner'));
    assert.throws(() => windowed.step({ input: 0, records: [[{ k: 'a', v: () => 1 }, 3]] }), {
      code: 'not-storable',
      message: /An element in a window of "it", at v, is/,
    });
  });
  test('late elements are counted if the side output has no reader', () => {
    for (const program of [intervalJoining(0, 5, 'outer'), windowJoining(tumbling(10), 'outer')]) {
      const driven = new Driven(program, { lateUnread: true });
      driven.step({ watermark: 20 });
      assert.equal(driven.step({ input: 0, records: [[{ k: 'a', v: 1 }, 3]] }).countedLate, 1);
      assert.equal(driven.step({ input: 1, records: [[{ k: 'a', v: 1 }, 3]] }).countedLate, 1);
      assert.equal(driven.entries, 0);
    }
  });
});
