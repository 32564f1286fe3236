// Window operators against a plain model, under every schedule, and in the cases where engines
// differ.
import assert from 'node:assert/strict';
import { SnapshotWriter } from '../../runtime/snapshot.ts';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { assignerOf } from '../../windows/assigner.ts';
import type { AlignedSpec } from '../../graph/window-spec.ts';
import { canonical, Driven, Program, run, type Schedule, type Step, type Timed } from '../operators/drive.ts';
import { modelOfWindows } from './model.ts';

const tumbling = (sizeMillis: number, offsetMillis = 0): AlignedSpec => ({
  kind: 'tumbling',
  sizeMillis,
  offsetMillis,
  time: 'event',
});
const sliding = (sizeMillis: number, slideMillis: number, offsetMillis = 0): AlignedSpec => ({
  kind: 'sliding',
  sizeMillis,
  slideMillis,
  offsetMillis,
  time: 'event',
});
const count = { n: { name: 'count' }, total: { name: 'sum', value: { field: 'v' } } };
const at = (millis: number): Date => new Date(millis);

type Element = { readonly k: string; readonly v: number };
const byKey = { fields: ['k'] };
const aggregating = (window: AlignedSpec, allowedLatenessMillis = 0): Program =>
  new Program('windowAggregate', { window, allowedLatenessMillis, aggregates: count }, [byKey]);
const reducing = (window: AlignedSpec, allowedLatenessMillis = 0): Program =>
  new Program(
    'windowReduce',
    { window, allowedLatenessMillis, fn: (a: Element, b: Element) => ({ k: a.k, v: a.v + b.v }) },
    [byKey],
  );
/** A row per element and one at the end, as a generator. No row for windows of one element. */
const applying = (window: AlignedSpec, allowedLatenessMillis = 0): Program =>
  new Program(
    'windowApply',
    {
      window,
      allowedLatenessMillis,
      *fn(key: object, bounds: object, elements: readonly Element[]) {
        if (elements.length === 1) return;
        for (const { v } of elements) yield { ...key, v };
        yield { ...key, ...bounds, n: elements.length };
      },
    },
    [byKey],
  );

// -------------------------------------------------------------------------------------------- laws

const anyWindow = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: -11, max: 11 }))
    .map(([size, offset]) => tumbling(size, offset % size)),
  fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: -11, max: 11 }))
    .map(([size, slide, offset]) => sliding(size, slide, offset % slide)),
);
const timed: fc.Arbitrary<Timed> = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 9 }), fc.integer({ min: -25, max: 25 }))
  .map(([k, v, timestamp]) => [{ k, v }, timestamp]);
const anySteps = fc
  .array(
    fc.oneof(
      fc.array(timed, { maxLength: 8 }).map((records): Step => ({ records })),
      fc.integer({ min: -30, max: 30 }).map((watermark): Step => ({ watermark })),
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
const anyLateness = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }));
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

test('law: what fires, when, and what is late is what the rules say', () => {
  fc.assert(
    fc.property(anyWindow, anyLateness, anySteps, (window, lateness, steps) => {
      const model = modelOfWindows(assignerOf(window), lateness, (element) => (element as Element).k, steps);
      const driven = new Driven(aggregating(window, lateness));
      const given = driven.steps(steps);
      const expected = model.given.map(({ fired, late }) => ({
        rows: fired.map(({ key, start, end, elements }) => [
          {
            k: key,
            windowStart: at(start),
            windowEnd: at(end),
            n: elements.length,
            total: (elements as Element[]).reduce((sum, { v }) => sum + v, 0),
          },
          end - 1,
        ]),
        late,
        marks: [],
        countedLate: 0,
        finished: false,
      }));
      assert.deepEqual(canonical(given), canonical(expected as never));
      assert.equal(driven.entries, model.left);
      assert.equal(driven.entries, 0, 'nothing is left when all windows have closed');
    }),
    { numRuns: 500 },
  );
});

test('law: within one step, windows fire in the order of time, and late elements in the order of arrival', () => {
  fc.assert(
    fc.property(anyWindow, anySteps, (window, steps) => {
      for (const [index, { rows }] of run(aggregating(window), steps).entries())
        if ('watermark' in steps[index]!) {
          const times = rows.map(([, timestamp]) => timestamp);
          assert.deepEqual(
            times,
            [...times].sort((a, b) => a - b),
          );
        }
    }),
  );
});

for (const [name, make] of [
  ['aggregate', aggregating],
  ['reduce', reducing],
  ['apply', applying],
] as const)
  test(`law: ${name} over windows gives the same under any room, batches, snapshots and restores`, () => {
    fc.assert(
      fc.property(anyWindow, anyLateness, anySteps, anySchedule, (window, lateness, steps, schedule) => {
        const program = make(window, lateness);
        const driven = new Driven(program, schedule);
        assert.deepEqual(canonical(driven.steps(steps)), canonical(run(program, steps)));
        assert.equal(driven.entries, 0);
        driven.snapshot();
        assert.deepEqual(driven.groupsKept, [], 'the snapshot after the last window holds no group');
      }),
      { numRuns: 150 },
    );
  });

test('law: sliding(n, n) gives what tumbling(n) gives', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), anyLateness, anySteps, (size, lateness, steps) => {
      assert.deepEqual(
        canonical(run(aggregating(sliding(size, size), lateness), steps)),
        canonical(run(aggregating(tumbling(size), lateness), steps)),
      );
    }),
  );
});

test('law: any interleaving of keys gives the same windows', () => {
  fc.assert(
    fc.property(
      anyWindow,
      fc.array(timed, { maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (window, records, order) => {
        const byOrder = records
          .map((record, index) => ({ record, rank: order[index] ?? 0 }))
          .sort((a, b) => a.rank - b.rank);
        const shuffled = byOrder.map(({ record }) => record);
        const after = (some: Timed[]): Step[] => [{ records: some }, { watermark: Infinity }];
        assert.deepEqual(
          canonical(run(aggregating(window), after(shuffled))),
          canonical(run(aggregating(window), after(records))),
        );
      },
    ),
  );
});

// ---------------------------------------------------------------------- cases where engines differ

const ann = (v: number, timestamp: number): Timed => [{ k: 'ann', v }, timestamp];
const annRow = (start: number, end: number, n: number, total: number): Timed => [
  { k: 'ann', windowStart: at(start), windowEnd: at(end), n, total },
  end - 1,
];

describe('a tumbling window', () => {
  test('fires when the watermark reaches its last millisecond, not before', () => {
    const driven = new Driven(aggregating(tumbling(10)));
    driven.step({ records: [ann(1, 0), ann(2, 9)] });
    assert.deepEqual(driven.step({ watermark: 8 }).rows, []);
    assert.deepEqual(driven.step({ watermark: 9 }).rows, [annRow(0, 10, 2, 3)]);
  });
  test('takes an element behind the watermark as long as it is open', () => {
    const driven = new Driven(aggregating(tumbling(10)));
    driven.step({ watermark: 8 });
    assert.deepEqual(driven.step({ records: [ann(1, 2)] }).late, []);
    assert.deepEqual(driven.step({ watermark: 9 }).rows, [annRow(0, 10, 1, 1)]);
  });
  test('sends late elements to the side output, or counts them if it has no reader', () => {
    const steps: Step[] = [{ watermark: 9 }, { records: [ann(1, 9), ann(2, 10)] }];
    assert.deepEqual(run(aggregating(tumbling(10)), steps)[1]!.late, [ann(1, 9)]);
    const unread = run(aggregating(tumbling(10)), steps, { lateUnread: true })[1]!;
    assert.deepEqual([unread.late, unread.countedLate], [[], 1]);
  });
  test('fires again at once for an element within allowed lateness, with all that came before', () => {
    const driven = new Driven(aggregating(tumbling(10), 5));
    driven.step({ records: [ann(1, 1)] });
    assert.deepEqual(driven.step({ watermark: 9 }).rows, [annRow(0, 10, 1, 1)]);
    assert.deepEqual(driven.step({ records: [ann(2, 3), ann(3, 4)] }).rows, [annRow(0, 10, 2, 3), annRow(0, 10, 3, 6)]);
    driven.step({ watermark: 13 });
    assert.deepEqual(driven.step({ records: [ann(4, 5)] }).rows, [annRow(0, 10, 4, 10)]);
    assert.equal(driven.entries, 1);
    driven.step({ watermark: 14 });
    assert.equal(driven.entries, 0, 'end − 1 + lateness has been reached');
    assert.deepEqual(driven.step({ records: [ann(5, 6)] }).late, [ann(5, 6)]);
  });
  test('of a key that is new within allowed lateness fires with that element alone', () => {
    const driven = new Driven(aggregating(tumbling(10), 5));
    driven.step({ watermark: 12 });
    assert.deepEqual(driven.step({ records: [ann(1, 1)] }).rows, [annRow(0, 10, 1, 1)]);
    driven.step({ watermark: 14 });
    assert.equal(driven.entries, 0);
  });
  test('keeps in a snapshot what came late to it', () => {
    const driven = new Driven(aggregating(tumbling(10), 50));
    driven.step({ records: [ann(1, 1)] });
    driven.step({ watermark: 9 });
    driven.snapshot();
    driven.step({ records: [ann(2, 2)] });
    driven.replace();
    assert.deepEqual(driven.step({ records: [ann(3, 3)] }).rows, [annRow(0, 10, 3, 6)]);
  });
  test('of windowAll has no key in its row', () => {
    const program = new Program(
      'windowAggregate',
      { window: tumbling(10), allowedLatenessMillis: 0, aggregates: count },
      [{ constant: true }],
    );
    const [, fired] = run(program, [{ records: [ann(1, 0), [{ k: 'bob', v: 2 }, 1]] }, { watermark: 9 }]);
    assert.deepEqual(fired!.rows, [[{ windowStart: at(0), windowEnd: at(10), n: 2, total: 3 }, 9]]);
  });
  test('by a function carries the fields of the object, or the value as key', () => {
    const by = (fn: (element: Element) => unknown) =>
      run(
        new Program(
          'windowAggregate',
          { window: tumbling(10), allowedLatenessMillis: 0, aggregates: { n: { name: 'count' } } },
          [{ fn }],
        ),
        [{ records: [ann(1, 0), ann(2, 1)] }, { watermark: 9 }],
      )[1]!.rows.map(([row]) => row);
    const bounds = { windowStart: at(0), windowEnd: at(10) };
    assert.deepEqual(
      by(({ k }) => ({ who: k, odd: false })),
      [{ who: 'ann', odd: false, ...bounds, n: 2 }],
    );
    assert.deepEqual(
      by(({ v }) => v),
      [
        { key: 1, ...bounds, n: 1 },
        { key: 2, ...bounds, n: 1 },
      ],
    );
    assert.deepEqual(
      by(() => at(5)),
      [{ key: at(5), ...bounds, n: 2 }],
    );
  });
  test('reports the next window to fire, and its number of elements', () => {
    const driven = new Driven(aggregating(tumbling(10), 100));
    const { operator } = driven;
    assert.deepEqual(operator.status!(), { entries: 0 });
    driven.step({ records: [ann(1, 25), ann(1, 5), [{ k: 'bob', v: 1 }, 5]] });
    assert.deepEqual(operator.status!(), { entries: 3, nextWindow: { start: 0, end: 10 } });
    driven.step({ watermark: 9 });
    assert.deepEqual(operator.status!(), { entries: 3, nextWindow: { start: 20, end: 30 } });
  });
});

describe('a sliding window', () => {
  test('with gaps loses what lies between, and does not call it late', () => {
    const driven = new Driven(aggregating(sliding(10, 30)));
    driven.step({ watermark: 100 });
    const { late, rows, countedLate } = driven.step({ records: [ann(1, 15), ann(2, 5)] });
    assert.deepEqual([late, rows, countedLate], [[ann(2, 5)], [], 0]);
  });
  test('takes an element into the windows that are still open, and calls it late only when none is', () => {
    const driven = new Driven(aggregating(sliding(20, 10)));
    driven.step({ watermark: 9 });
    assert.deepEqual(driven.step({ records: [ann(1, 5)] }).late, []);
    assert.deepEqual(driven.step({ watermark: 19 }).rows, [annRow(0, 20, 1, 1)]);
    assert.deepEqual(driven.step({ records: [ann(1, 5)] }).late, [ann(1, 5)]);
  });
  test('fires again for the newest window first', () => {
    const driven = new Driven(aggregating(sliding(20, 10), 50));
    driven.step({ watermark: 29 });
    assert.deepEqual(driven.step({ records: [ann(1, 15)] }).rows, [annRow(10, 30, 1, 1), annRow(0, 20, 1, 1)]);
  });
});

describe('a window function', () => {
  test('that never ends is interrupted, and what is left of it closed', () => {
    let closed = 0;
    const endless = new Program(
      'windowApply',
      {
        window: tumbling(10),
        allowedLatenessMillis: 0,
        *fn() {
          try {
            for (let n = 0; ; n++) yield n;
          } finally {
            closed++;
          }
        },
      },
      [byKey],
    );
    const driven = new Driven(endless);
    driven.step({ records: [ann(1, 0)] });
    driven.output.room = 3;
    for (let calls = 0; calls < 3; calls++) {
      driven.output.emitted = 0;
      assert.equal(driven.operator.advance!(9), false);
    }
    assert.deepEqual(
      driven.output.given.rows.map(([n]) => n),
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    driven.operator.close!();
    assert.equal(closed, 1);
  });
  test('that throws while a window fires is an error with key and window', () => {
    const failing = new Program(
      'windowApply',
      {
        window: tumbling(60_000),
        allowedLatenessMillis: 0,
        fn() {
          throw new Error('no');
        },
      },
      [byKey],
    );
    const driven = new Driven(failing);
    driven.step({ records: [ann(1, 0)] });
    assert.throws(() => driven.step({ watermark: Infinity }), /^Error: no$/);
    assert.equal(driven.operator.working, 'k "ann", window 1970-01-01T00:00:00.000Z to 1970-01-01T00:01:00.000Z');
  });
  test('that gives no iterable is an error', () => {
    const program = new Program('windowApply', { window: tumbling(10), allowedLatenessMillis: 0, fn: () => 5 }, [
      byKey,
    ]);
    assert.throws(() => run(program, [{ records: [ann(1, 0)] }, { watermark: 9 }]), {
      code: 'not-iterable',
      message: 'apply of "it" gave 5. It must give an iterable: return an array, or make it a generator (function*).',
    });
  });
});

test('an element that cannot be used is named by its place in the batch, and those before it count', () => {
  const driven = new Driven(aggregating(tumbling(10)));
  assert.throws(() => driven.step({ records: [ann(1, 0), ann(2, 1), [{ k: 'ann', v: 'x' }, 2], ann(3, 3)] }), {
    code: 'bad-value',
  });
  assert.equal(driven.operator.at, 2);
  assert.deepEqual(driven.step({ watermark: 9 }).rows, [annRow(0, 10, 2, 3)]);
  assert.throws(() => driven.step({ records: [ann(1, 20), [{ v: 1 }, 21]] }), { code: 'bad-key' });
  assert.equal(driven.operator.at, 1);
});

test('a class instance in a window is refused where it would be kept', () => {
  class Money {
    v = 1;
  }
  assert.throws(() => run(reducing(tumbling(10)), [{ records: [[{ k: 'ann', v: new Money() }, 0]] }]), {
    code: 'not-storable',
    message: /What "it" accumulates, at v, is an object of class Money/,
  });
});

test('a snapshot writes only the key groups that have changed since the last one', () => {
  const keys = Array.from({ length: 50 }, (_, n) => `key-${n}`);
  const driven = new Driven(aggregating(tumbling(10)));
  const snapshot = () => {
    const writer = new SnapshotWriter(false);
    driven.operator.snapshot!(writer);
    return writer.done(0).groups.size;
  };
  driven.step({ records: keys.map((k): Timed => [{ k, v: 1 }, 0]) });
  assert.ok(snapshot() > 30);
  assert.equal(snapshot(), 0);
  driven.step({ records: [ann(1, 25), [{ k: 'key-7', v: 1 }, 0]] });
  assert.equal(snapshot(), 2);
  driven.step({ watermark: 9 });
  assert.ok(snapshot() > 30, 'what is gone is written too');
});
