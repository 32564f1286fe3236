// Operators without keyed state: map, filter, flatMap, union, take, connect-map, assign-timestamps.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { Driven, Program, run, type Schedule, type Step, type Timed } from './drive.ts';

const records = (...values: unknown[]): Step => ({ records: values.map((value, index): Timed => [value, index]) });
const rows = (program: Program, steps: readonly Step[], schedule?: Schedule): Timed[] =>
  run(program, steps, schedule).flatMap((given) => given.rows);

const programs: Readonly<Record<string, () => Program>> = {
  map: () => new Program('map', { fn: (n: number) => n * 2 }),
  filter: () => new Program('filter', { fn: (n: number) => n % 3 > 0 }),
  'flatMap to arrays': () => new Program('flatMap', { fn: (n: number) => Array.from({ length: n }, (_, i) => [n, i]) }),
  'flatMap to generators': () =>
    new Program('flatMap', {
      *fn(n: number) {
        for (let i = 0; i < n; i++) yield [n, i];
      },
    }),
  union: () => new Program('union', {}),
  take: () => new Program('take', { n: 7 }),
  connectMap: () => new Program('connectMap', { left: (n: number) => [n], right: (n: number) => -n }),
  assignTimestamps: () => new Program('assignTimestamps', { timestamp: { fn: (n: number) => n * 10 } }),
};
const expected: Readonly<Record<string, (all: readonly Timed[]) => unknown[]>> = {
  map: (all) => all.map(([n, t]) => [(n as number) * 2, t]),
  filter: (all) => all.filter(([n]) => (n as number) % 3 > 0),
  'flatMap to arrays': (all) => all.flatMap(([n, t]) => Array.from({ length: n as number }, (_, i) => [[n, i], t])),
  'flatMap to generators': (all) => all.flatMap(([n, t]) => Array.from({ length: n as number }, (_, i) => [[n, i], t])),
  union: (all) => [...all],
  take: (all) => all.slice(0, 7),
  connectMap: (all) => all.map(([n, t]) => [[n], t]),
  assignTimestamps: (all) => all.map(([n]) => [n, (n as number) * 10]),
};
const anySchedule: fc.Arbitrary<Schedule> = fc.record({
  room: fc.constantFrom(1, 2, 5, Infinity),
  batch: fc.constantFrom(1, 3, 100),
  replaceBefore: fc.constantFrom(
    () => false,
    () => true,
    (step: number) => step % 2 === 0,
  ),
});
const anySteps = fc.array(
  fc.array(fc.tuple(fc.nat(6), fc.nat(50)), { maxLength: 6 }).map((some): Step => ({ records: some })),
  { maxLength: 6 },
);
for (const [name, make] of Object.entries(programs))
  test(`law: ${name} gives what an array gives, under any room, batches and restores`, () => {
    fc.assert(
      fc.property(anySteps, anySchedule, (steps, schedule) => {
        const all = steps.flatMap((step) => ('records' in step ? step.records : []));
        assert.deepEqual(rows(make(), steps, schedule), expected[name]!(all));
      }),
    );
  });

test('connect-map gives each side its own function', () => {
  const steps: Step[] = [
    { records: [[1, 5]], input: 0 },
    { records: [[2, 6]], input: 1 },
  ];
  assert.deepEqual(rows(programs['connectMap']!(), steps), [
    [[1], 5],
    [-2, 6],
  ]);
});

describe('flatMap', () => {
  test('of an endless generator gives as much as there is room for, and take ends it', () => {
    let closed = 0;
    const endless = new Program('flatMap', {
      *fn(n: number) {
        try {
          for (let i = 0; ; i++) yield n + i;
        } finally {
          closed++;
        }
      },
    });
    const driven = new Driven(endless);
    driven.output.room = 3;
    const batch = { length: 1, values: [10], timestamps: Float64Array.of(1) };
    for (let call = 0; call < 2; call++) {
      driven.output.emitted = 0;
      assert.equal(driven.operator.process(0, batch, 0), 0);
    }
    assert.deepEqual(
      driven.output.given.rows.map(([n]) => n),
      [10, 11, 12, 13, 14, 15],
    );
    driven.operator.close!();
    assert.equal(closed, 1, 'what is left is closed');
  });
  test('calls its function once per element, however often it is interrupted', () => {
    let calls = 0;
    const program = new Program('flatMap', {
      fn(n: number) {
        calls++;
        return new Set([n, n + 1, n + 2]);
      },
    });
    assert.equal(rows(program, [records(1, 10)], { room: 1 }).length, 6);
    assert.equal(calls, 2);
  });
  test('needs an iterable', () => {
    assert.throws(() => rows(new Program('flatMap', { fn: (n: number) => n }), [records(5)]), {
      code: 'not-iterable',
      message: 'flatMap of "it" gave 5. It must give an iterable: return an array, or make it a generator (function*).',
    });
    assert.throws(() => rows(new Program('flatMap', { fn: () => undefined }), [records(5)]), /gave undefined/);
  });
  test('that throws in the middle of its rows names the element, and does not go on with them', () => {
    const program = new Program('flatMap', {
      *fn(n: number) {
        yield n;
        if (n === 2) throw new Error('two');
      },
    });
    const driven = new Driven(program);
    assert.throws(() => driven.step(records(1, 2, 3)), /^Error: two$/);
    assert.equal(driven.operator.at, 1);
  });
});

describe('take', () => {
  test('finishes with its last element, and lets nothing more out', () => {
    const [first, second] = run(new Program('take', { n: 3 }), [records(1, 2), records(3, 4)]);
    assert.equal(first!.finished, false);
    assert.equal(second!.finished, true);
    assert.deepEqual(second!.rows, [[3, 0]]);
  });
  test('of nothing finishes without waiting for an element', () => {
    const driven = new Driven(new Program('take', { n: 0 }));
    assert.equal(driven.step({ clock: 0 }).finished, true);
  });
  test('that has had enough before a restore finishes again', () => {
    const driven = new Driven(new Program('take', { n: 1 }));
    driven.step(records(1));
    driven.replace();
    assert.equal(driven.step({ clock: 0 }).finished, true);
  });
});

describe('assignTimestamps', () => {
  const assigning = (watermark?: object) =>
    new Program('assignTimestamps', { timestamp: { field: 't' }, ...(watermark && { watermark }) });
  const element = (t: unknown): Timed => [{ t }, 0];

  test('emits its own watermark every 200 ms of the clock, and drops those of its input', () => {
    const driven = new Driven(assigning({ outOfOrdernessMillis: 10 }));
    assert.equal(driven.operator.generatesWatermarks, true);
    assert.deepEqual(driven.step({ records: [element(100), element(90)] }).rows, [
      [{ t: 100 }, 100],
      [{ t: 90 }, 90],
    ]);
    assert.deepEqual(driven.step({ watermark: 5000 }).marks, []);
    assert.deepEqual(driven.step({ clock: 199 }).marks, []);
    assert.deepEqual(driven.step({ clock: 200 }).marks, [89]);
    assert.equal(driven.wakeAt, Infinity, 'nothing to wake for until the next element');
    driven.step({ records: [element('1970-01-01T00:00:00.200Z')] });
    assert.deepEqual(driven.step({ clock: 1000 }).marks, [189]);
  });
  test('goes idle when nothing comes, and is back with the next element', () => {
    const driven = new Driven(assigning({ outOfOrdernessMillis: 0, idlenessMillis: 500 }));
    driven.step({ records: [element(100)] });
    assert.deepEqual(driven.step({ clock: 699 }).marks, [99]);
    assert.deepEqual(driven.step({ clock: 700 }).marks, ['idle']);
    assert.deepEqual(driven.step({ records: [element(150)] }).marks, ['active']);
  });
  test('emits its last watermark before its input goes idle', () => {
    const driven = new Driven(assigning());
    driven.step({ records: [element(100)] });
    assert.deepEqual(driven.step({ idle: true }).marks, [99]);
  });
  test('emits its last watermark again after a restore', () => {
    const driven = new Driven(assigning());
    driven.step({ records: [element(100)] });
    driven.step({ clock: 200 });
    driven.replace();
    assert.deepEqual(driven.step({ clock: 200 }).marks, [99]);
  });
  test('refuses an element without a usable time, and names the field', () => {
    const driven = new Driven(assigning());
    assert.throws(() => driven.step({ records: [element(1), element(undefined)] }), {
      code: 'no-event-time',
      message:
        'The record has no "t", so it has no event time. Filter such records out before assignTimestamps, or give them a time with map().',
    });
    assert.equal(driven.operator.at, 1);
  });
});

test('an element that a function changes is an error in the test kit', () => {
  const program = new Program('map', {
    fn(element: { n: number }) {
      element.n++;
      return element;
    },
  });
  assert.throws(() => rows(program, [records({ n: 1 })], { freeze: true }), /read only property 'n'/);
  assert.deepEqual(rows(program, [records({ n: 1 })]), [[{ n: 2 }, 0]]);
});

test('a kind that is no operator is a broken invariant', () => {
  assert.throws(() => new Program('generate', {}).operator(), /no operator of kind "generate"/);
  assert.throws(() => new Program('reduce', { fn: () => 0 }).operator(), /needs a key on input 0/);
});
