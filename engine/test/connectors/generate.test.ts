// generate(): records are a function of (seed, start, n). Tests their pace and the rest after a
// restore.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test, vi } from 'vitest';
import { SourceStarts } from '../../connectors/source-starts.ts';
import { ManualClock } from '../../contract/clock.ts';
import { functionRef, PolledSource, runInLives, type SourceSetup } from './polled-source.ts';

// The time budget of a call must not run out because the machine is busy.
vi.spyOn(performance, 'now').mockReturnValue(0);

interface Given {
  readonly n: number;
  readonly random: () => number;
  readonly now: Date;
}
type Next = (given: Given) => unknown;

function setup(parameters: SourceSetup['parameters'], next: Next, more: Partial<SourceSetup> = {}): SourceSetup {
  return {
    kind: 'generate',
    parameters: { seed: 7, next: functionRef('next'), watermark: { outOfOrdernessMillis: 0 }, ...parameters },
    functions: { next, timestamp: (element: { at: unknown }) => element.at },
    ...more,
  };
}
const drawThree: Next = ({ n, random, now }) => ({ n, draws: [random(), random(), random()], now: now.getTime() });

test('without a rate, time begins on 2024-01-01 and a record is a millisecond', () => {
  const source = new PolledSource(setup({ limit: 3 }, ({ n, now }) => ({ n, now })));
  assert.equal(source.poll(), 'end');
  const start = Date.UTC(2024, 0, 1);
  assert.deepEqual(source.values, [
    { n: 0, now: new Date(start) },
    { n: 1, now: new Date(start + 1) },
    { n: 2, now: new Date(start + 2) },
  ]);
  assert.deepEqual(
    source.emitted.map(({ timestamp }) => timestamp),
    [start, start + 1, start + 2],
  );
  assert.deepEqual(source.marks, [start + 2 - 1]);
  assert.equal(source.source.status().phase, 'finished');
});

test('the random numbers of a record depend on the record alone', () => {
  const all = new PolledSource(setup({ limit: 50 }, drawThree));
  all.poll();
  const sparing = new PolledSource(setup({ limit: 50 }, (given) => (given.n % 7 === 3 ? drawThree(given) : given.n)));
  sparing.poll();
  for (const n of [3, 10, 45]) assert.deepEqual(sparing.values[n], all.values[n]);
});

test('another seed gives other numbers', () => {
  const drawn = [7, 8, -7, 2 ** 40 + 7].map((seed) => {
    const source = new PolledSource(setup({ seed, limit: 5 }, ({ random }) => random()));
    source.poll();
    return source.values.join();
  });
  assert.equal(new Set(drawn).size, drawn.length);
});

test('what the function is given can be kept: it stays as it was for its record', () => {
  const kept: Given[] = [];
  const source = new PolledSource(setup({ limit: 4 }, (given) => kept.push(given)));
  source.poll();
  const late = kept.map(({ n, random, now }) => ({ n, draws: [random(), random(), random()], now: now.getTime() }));
  const atOnce = new PolledSource(setup({ limit: 4 }, drawThree));
  atOnce.poll();
  assert.deepEqual(late, atOnce.values);
});

test('the numbers are uniform, draw by draw and from record to record', () => {
  const records = 20_000;
  const source = new PolledSource(setup({ limit: records }, drawThree));
  source.poll();
  const draws = source.values.map((value) => (value as { draws: number[] }).draws);
  for (const k of [0, 1, 2]) {
    const buckets = new Array<number>(20).fill(0);
    for (const draw of draws) {
      assert.ok(draw[k]! >= 0 && draw[k]! < 1);
      buckets[Math.floor(draw[k]! * 20)]!++;
    }
    const expected = records / 20;
    const chiSquare = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 19 degrees of freedom: above 43.8 once in a thousand; the seed is fixed.
    assert.ok(chiSquare < 43.8, `draw ${k}: ${chiSquare}`);
  }
  const mean = (f: (draw: number[], i: number) => number): number =>
    draws.reduce((sum, draw, i) => sum + f(draw, i), 0) / records;
  const near = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 0.01, `${actual}`);
  near(
    mean((draw) => draw[0]! * draw[1]!),
    0.25,
  );
  near(
    mean((draw, i) => draw[0]! * draws[(i + 1) % records]![0]!),
    0.25,
  );
});

test('with a rate, record n is due at start + n / rate, and a late poll emits all that are due', () => {
  const source = new PolledSource(setup({ rate: 10 }, ({ n, now }) => ({ n, now: now.getTime() })));
  assert.equal(source.poll(), 'wait');
  assert.deepEqual(source.values, [{ n: 0, now: 1_000_000 }]);
  assert.equal(source.wakeAt, 1_000_100);
  source.clock.advanceTo(1_000_099);
  source.poll();
  assert.equal(source.emitted.length, 1);
  source.clock.advanceTo(1_000_100);
  source.poll();
  assert.deepEqual(source.values[1], { n: 1, now: 1_000_100 });
  source.clock.advanceTo(1_001_050);
  source.poll();
  assert.equal(source.emitted.length, 11);
});

test('at any rate, the records up to now are exactly those whose time has come', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0.01, max: 5000, noNaN: true })),
      fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 10 }),
      (rate, steps) => {
        const source = new PolledSource(setup({ rate }, ({ now }) => now.getTime()));
        for (const step of steps) {
          source.clock.advanceTo(source.clock.now() + step);
          assert.equal(source.poll(), 'wait');
        }
        if (steps.length === 0) return;
        const passed = source.clock.now() - (source.emitted[0]!.value as number);
        assert.equal(
          source.emitted.length,
          Array.from({ length: Math.ceil((passed * rate) / 1000) + 2 }, (_, n) => (n * 1000) / rate).filter(
            (due) => due <= passed,
          ).length,
        );
        assert.ok(source.values.every((now) => (now as number) <= source.clock.now()));
      },
    ),
    { numRuns: 60 },
  );
});

test('fifty thousand records a second need no more than a hundred polls a second', () => {
  const source = new PolledSource(setup({ rate: 50_000, limit: 50_000 }, ({ n }) => n));
  let polls = 0;
  source.runToEnd(() => (polls++, Infinity));
  assert.equal(source.emitted.length, 50_000);
  assert.ok(polls <= 102, `${polls} polls`);
});

test('records that find no room are emitted later, and none is lost', () => {
  const source = new PolledSource(setup({ rate: 1000 }, ({ n }) => n));
  source.poll();
  source.clock.advanceTo(1_001_000);
  assert.equal(source.poll(10), 'more');
  assert.equal(source.emitted.length, 11);
  assert.equal(source.poll(), 'wait');
  assert.deepEqual(
    source.values,
    Array.from({ length: 1001 }, (_, n) => n),
  );
});

test('any lives and any room give every record once, with the same content', () => {
  const oneLife = new PolledSource(setup({ limit: 60 }, drawThree));
  oneLife.runToEnd();
  const steps = fc.array(
    fc.record({ room: fc.integer({ min: 1, max: 9 }), restart: fc.boolean(), pauseMillis: fc.nat(300) }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(steps, (schedule) => {
      const { emitted } = runInLives(setup({ limit: 60 }, drawThree), schedule);
      assert.deepEqual(emitted, oneLife.emitted);
    }),
    { numRuns: 50 },
  );
  fc.assert(
    fc.property(steps, (schedule) => {
      const { emitted } = runInLives(
        { ...setup({ limit: 60, rate: 100 }, drawThree), clock: new ManualClock(Date.UTC(2024, 0, 1)) },
        schedule,
      );
      assert.deepEqual(
        emitted.map(({ value }) => value),
        oneLife.values.map((value, n) => ({ ...(value as object), now: Date.UTC(2024, 0, 1) + 10 * n })),
      );
    }),
    { numRuns: 50 },
  );
});

test('a reader that is added later has the start of the first, and so catches up', () => {
  const clock = new ManualClock(1_000_000);
  const starts = new SourceStarts();
  const paced = setup({ rate: 100 }, ({ n, now }) => [n, now.getTime()], { clock, starts });
  const first = new PolledSource(paced);
  first.poll();
  clock.advanceTo(1_000_500);
  first.poll();
  const second = new PolledSource(paced);
  second.poll();
  assert.deepEqual(second.emitted, first.emitted);
  assert.equal(second.emitted.length, 51);
});

test('a source whose last reader has gone begins anew, and so does one of another pace', () => {
  const clock = new ManualClock(1_000_000);
  const starts = new SourceStarts();
  const paced = setup({ rate: 100 }, ({ n }) => n, { clock, starts, shape: '100/s' });
  const first = new PolledSource(paced);
  first.poll();
  clock.advanceTo(1_060_000);
  const faster = new PolledSource({ ...setup({ rate: 200 }, ({ n }) => n, { clock, starts, shape: '200/s' }) });
  faster.poll();
  assert.equal(faster.emitted.length, 1);
  first.source.close();
  const again = new PolledSource(paced);
  again.poll();
  assert.equal(again.emitted.length, 1);
});

test('the timestamp selector gives event time; a record without one goes to errors', () => {
  const next: Next = ({ n }) => ({ at: n === 1 ? undefined : n === 2 ? '2024-05-01T10:00:00' : 1000 * n });
  const source = new PolledSource(setup({ limit: 4, timestamp: { field: 'at' } }, next));
  source.poll();
  assert.deepEqual(
    source.emitted.map(({ timestamp, offset }) => [timestamp, offset]),
    [
      [0, 0],
      [3000, 3],
    ],
  );
  assert.deepEqual(source.errors[0], {
    offset: '1',
    raw: '{}',
    error: 'orders n=1: The record has no "at", so it has no event time. It went to orders.errors; 1 of 2 so far.',
  });
  assert.match(source.errors[1]!.error, /names no zone/);
  assert.equal(source.source.status().errors, 2);
});

test('a function that throws costs no record: the same n comes again', () => {
  let broken = true;
  const source = new PolledSource(
    setup({ limit: 3 }, ({ n }) => {
      if (n === 1 && broken) throw new Error('not today');
      return n;
    }),
  );
  assert.throws(() => source.poll(), /not today/);
  broken = false;
  const next = new PolledSource({ ...setup({ limit: 3 }, ({ n }) => n), snapshot: source.snapshot() });
  next.poll();
  assert.deepEqual(next.values, [1, 2]);
});

test('the first rejected record and the count stay known after a restore', () => {
  const next: Next = ({ n }) => (n % 2 === 1 ? {} : { at: n });
  const given = setup({ limit: 6, timestamp: { field: 'at' } }, next, { watchErrors: false });
  const first = new PolledSource(given);
  first.poll(3);
  const second = new PolledSource({ ...given, snapshot: first.snapshot() });
  second.runToEnd();
  const { errors, emitted, firstRejection } = second.source.status();
  assert.deepEqual([errors, emitted], [3, 3]);
  assert.equal(firstRejection, 'orders n=1: The record has no "at", so it has no event time.');
});
