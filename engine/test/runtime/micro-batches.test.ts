// Micro-batches: when and how much sources are read, time that advances with the batch, and the
// same rows as without batches.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { count, Environment, max, sliding, sum, tumbling } from '../../index.ts';
import type { MicroBatch, SessionOptions, Stream } from '../../index.ts';

interface Order {
  readonly n: number;
  readonly who: string;
  readonly amount: number;
  readonly at: number;
}
const batches: SessionOptions = { mode: { microBatch: '20ms' } };

/** Elements out of order by less than `bound` milliseconds. */
const orders = (bound: number): fc.Arbitrary<Order[]> =>
  fc
    .array(fc.record({ who: fc.constantFrom('ann', 'bob', 'cem'), step: fc.nat(40), back: fc.nat(bound - 1) }), {
      maxLength: 300,
    })
    .map((steps) => {
      let now = 1_700_000_000_000;
      return steps.map(({ who, step, back }, n) => ({ n, who, amount: (n % 7) + 1, at: (now += step) - back }));
    });

function program(options: SessionOptions, elements: readonly Order[], speed?: number): Stream<unknown> {
  const environment = new Environment(options);
  const stream =
    speed === undefined
      ? environment.from(elements, { timestamp: 'at', watermark: { outOfOrderness: '50ms' } })
      : environment.generate<Order>(
          { rate: speed, limit: elements.length, timestamp: 'at', watermark: { outOfOrderness: '50ms' } },
          ({ n }) => elements[n]!,
        );
  const totals = stream
    .filter(({ amount }) => amount > 1)
    .keyBy('who')
    .window(tumbling('100ms'))
    .aggregate({ n: count(), total: sum('amount') });
  const widest = stream
    .keyBy('who')
    .window(sliding('200ms', '50ms'))
    .aggregate({ most: max('amount') });
  const ends = stream.keyBy('who').process({
    onElement: (_order, { timers, timestamp }) => timers.eventTime(timestamp + 75),
    *onTimer(at, { key }) {
      yield { ...key, at };
    },
  });
  return totals
    .map((row) => row as unknown)
    .union(
      widest.map((row) => row as unknown),
      ends.map((row) => row as unknown),
    );
}
const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();

test('a graph of event time gives the same rows in both modes', async () => {
  await fc.assert(
    fc.asyncProperty(orders(50), async (elements) => {
      const continuous = await program({}, elements).toArray();
      assert.deepEqual(sorted(await program(batches, elements).toArray()), sorted(continuous));
    }),
    { numRuns: 20 },
  );
});

test('elements that come over several batches give the same rows, too', async () => {
  await fc.assert(
    fc.asyncProperty(orders(50), async (elements) => {
      const continuous = await program({}, elements).toArray();
      assert.deepEqual(sorted(await program(batches, elements, 3000).toArray()), sorted(continuous));
    }),
    { numRuns: 4 },
  );
});

test('with late elements, the last row of a key and window is the same under a watermark that the elements say', async () => {
  interface Scripted {
    readonly who: string;
    readonly at: number;
    /** A watermark behind this element. */
    readonly says?: number;
  }
  const scripts = fc.array(
    fc.record(
      { who: fc.constantFrom('ann', 'bob'), at: fc.nat(1000), says: fc.nat(1200) },
      { requiredKeys: ['who', 'at'] },
    ),
    { maxLength: 200 },
  );
  const lastRows = async (options: SessionOptions, elements: readonly Scripted[]): Promise<unknown> => {
    const environment = new Environment(options);
    const rows = await environment
      .generate<Scripted>({ rate: 4000, limit: elements.length }, ({ n }) => elements[n]!)
      .assignTimestamps('at', { onElement: ({ says }) => says })
      .keyBy('who')
      .window(tumbling('100ms'))
      .allowedLateness('200ms')
      .aggregate({ n: count() })
      .toArray();
    return Object.fromEntries(rows.map(({ who, windowStart, n }) => [`${who} ${windowStart.toISOString()}`, n]));
  };
  await fc.assert(
    fc.asyncProperty(scripts, async (elements) => {
      assert.deepEqual(await lastRows(batches, elements), await lastRows({}, elements));
    }),
    { numRuns: 15 },
  );
});

test('each batch reports its records, its duration and the rate of the estimator', async () => {
  const environment = new Environment({ mode: { microBatch: '50ms' } });
  const rows: MicroBatch[] = [];
  environment
    .generate({ rate: 2000, limit: 1000 }, ({ n }) => ({ n }))
    .name('numbers')
    .keyBy(({ n }) => n % 10)
    .aggregate({ n: count() })
    .sink(() => {});
  environment.microBatches().sink((row) => void rows.push(row));
  const job = await environment.execute();
  while (rows.reduce((sum, row) => sum + row.records, 0) < 1000) await new Promise((done) => setTimeout(done, 20));
  await job.stop();
  assert.ok(rows.length >= 3, `${rows.length} batches`);
  assert.deepEqual(
    rows.map(({ batch }) => batch),
    rows.map((_, index) => index + rows[0]!.batch),
  );
  for (const row of rows) {
    assert.equal(row.source, 'numbers');
    assert.ok(row.processingDelay >= 0 && row.schedulingDelay >= 0);
    assert.ok(row.rate === null || row.rate >= 100);
  }
  assert.ok(rows.some(({ rate }) => rate !== null));
});

test('a source without a pace is held to what can be worked off', async () => {
  const environment = new Environment({ mode: { microBatch: '50ms' } });
  const rows: MicroBatch[] = [];
  let seen = 0;
  environment
    .generate({}, ({ n }) => ({ n }))
    .map(({ n }) => {
      const until = performance.now() + 0.05;
      while (performance.now() < until);
      return n;
    })
    .sink(() => void seen++);
  environment.microBatches().sink((row) => void rows.push(row));
  const job = await environment.execute();
  while (rows.length < 12) await new Promise((done) => setTimeout(done, 20));
  await job.stop();
  // With 50 µs for each record, the rate is 20,000 records/s. A batch of 50 ms holds at most 1,000.
  // A batch may be empty when the one before it took its time, on a busy machine.
  for (const { records } of rows.slice(6)) assert.ok(records < 4000, `${records} records in a batch`);
  assert.ok(seen > 0);
});

test('a bad interval is refused', () => {
  assert.throws(() => new Environment({ mode: { microBatch: '0s' } }), { code: 'bad-option' });
  assert.throws(() => new Environment({ mode: { microBatch: 5 as never } }));
  assert.throws(() => new Environment({ mode: 'batch' as never }));
});

test('a rate gives each batch at most rate × interval records, and below one a batch the rest is kept', async () => {
  for (const [rate, most] of [
    [500, 10],
    [20, 1],
    [30, 1],
  ] as const) {
    const environment = new Environment({ mode: { microBatch: '20ms' } });
    const rows: MicroBatch[] = [];
    environment
      .from(
        Array.from({ length: 40 }, (_, n) => n),
        { rate },
      )
      .sink(() => {});
    environment.microBatches().sink((batch) => void rows.push(batch));
    const job = await environment.execute();
    while (rows.reduce((sum, row) => sum + row.records, 0) < 40) await new Promise((done) => setTimeout(done, 20));
    await job.stop();
    assert.ok(rows.every(({ records }) => records <= most));
    // 40 records need this many batches, whatever time the batches take.
    assert.ok(rows.length >= Math.floor(40_000 / (rate * 20)), `${rate}/s: ${rows.length} batches`);
  }
});
