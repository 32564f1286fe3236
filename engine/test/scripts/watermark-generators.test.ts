// Scripts of custom watermark generators, which run for each element and every 200 ms of processing
// time.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { count, from, type Stream, tumbling } from '../../index.ts';
import { harness, runScript } from '../../testing/index.ts';
import { evaluate, nodeOf } from '../api/evaluate.ts';

interface Reading {
  readonly at: number;
  /** The sender guarantees that no older element follows. */
  readonly mark?: boolean;
}
const perMinute = (readings: Stream<Reading>) => readings.windowAll(tumbling('1m')).aggregate({ n: count() });

test('a generator by element: marked elements move time, after themselves', () => {
  runScript(
    (readings: Stream<Reading>) =>
      perMinute(
        readings.assignTimestamps('at', { onElement: ({ mark }, timestamp) => (mark ? timestamp : undefined) }),
      ),
    `
    >: at mark
    <: window n
    > 00:00 10000 -
    > 00:00 70000 -
    | 10:00                   the input's own watermark counts no more
    > 00:00 59999 true
    < [00:00, 01:00) 2        the marked one is in
    > 00:00 20000 true        a watermark that goes back is ignored
    ! 00:20 20000 true
    > 00:00 65000 -
    > 00:00 119998 true
    > 00:00 119999 true
    < [01:00, 02:00) 4
    > 00:00 130000 -
    | end
    < [02:00, 03:00) 1        the end is the input's
    `,
  );
});

/** Bounded out-of-orderness by hand. The greatest timestamp so far is in a field. */
const newest = (bound: number) => ({
  newest: -Infinity,
  onElement(_element: Reading, timestamp: number) {
    this.newest = Math.max(this.newest, timestamp);
  },
  onPeriodic() {
    return this.newest - bound - 1;
  },
});

const watermarks = (rows: readonly object[]): unknown[] =>
  rows.flatMap((row) => ('watermark' in row ? [row.watermark] : []));

test('a periodic generator is asked every 200 ms of processing time', () => {
  const h = harness((readings: Stream<Reading>) => readings.assignTimestamps('at', newest(5)));
  const said = (): unknown[] => watermarks(h.output({ watermarks: true }));
  h.element({ at: 100 });
  h.advanceProcessingTime(199);
  assert.deepEqual(said(), []);
  h.advanceProcessingTime(200);
  assert.deepEqual(said(), [94]);
  h.element({ at: 50 });
  h.advanceProcessingTime(400);
  assert.deepEqual(said(), [], 'time never falls');
  h.element({ at: 200 });
  h.advanceProcessingTime(1000);
  assert.deepEqual(said(), [194], 'a jump of the clock asks once');
  h.element({ at: 300 });
  h.advanceProcessingTime(1199);
  assert.deepEqual(said(), []);
  h.watermark(Infinity);
  assert.deepEqual(said(), [Infinity], 'as in Flink, the end does not ask once more');
  h.close();
});

test('after a restore a generator begins anew, and time does not fall', () => {
  const build = (readings: Stream<Reading>) => readings.assignTimestamps('at', newest(0));
  const first = harness(build);
  first.element({ at: 1000 });
  first.advanceProcessingTime(200);
  assert.deepEqual(watermarks(first.output({ watermarks: true })), [999]);
  const restored = harness(build, { restore: first.snapshot() });
  first.close();
  restored.element({ at: 500 });
  restored.advanceProcessingTime(200);
  assert.deepEqual(watermarks(restored.output({ watermarks: true })), []);
  restored.element({ at: 2000 });
  restored.advanceProcessingTime(400);
  assert.deepEqual(watermarks(restored.output({ watermarks: true })), [1999]);
  restored.close();
});

test('two readers of one text count each for themselves', () => {
  const generator = newest(0);
  const h = harness((readings: Stream<Reading>) =>
    readings
      .filter(({ mark }) => mark === true)
      .assignTimestamps('at', generator)
      .union(readings.filter(({ mark }) => !mark).assignTimestamps('at', generator)),
  );
  h.element({ at: 5000, mark: true });
  h.advanceProcessingTime(200);
  assert.deepEqual(watermarks(h.output({ watermarks: true })), []);
  h.element({ at: 100 });
  h.advanceProcessingTime(400);
  assert.deepEqual(watermarks(h.output({ watermarks: true })), [99]);
  h.close();
});

test('what is no number of milliseconds is one clear error', () => {
  const gives = (value: unknown, method: 'onElement' | 'onPeriodic') => {
    const h = harness((readings: Stream<Reading>) =>
      readings.assignTimestamps('at', { onElement: () => undefined, [method]: () => value as number }),
    );
    try {
      h.element({ at: 1 });
      h.advanceProcessingTime(200);
      return watermarks(h.output({ watermarks: true }));
    } finally {
      h.close();
    }
  };
  for (const method of ['onElement', 'onPeriodic'] as const) {
    for (const [value, shown] of [
      [NaN, 'NaN'],
      [Infinity, 'Infinity'],
      ['5', '"5"'],
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      [null, 'null'],
      [5n, '5n'],
    ] as const)
      assert.throws(() => gives(value, method), {
        code: 'bad-watermark',
        message: `${method} of the watermark generator of "assignTimestamps at" gave ${shown}. A watermark is a number of epoch milliseconds; return nothing to leave it as it is.`,
      });
    assert.deepEqual(gives(-Infinity, method), []);
    assert.deepEqual(gives(undefined, method), []);
    assert.deepEqual(gives(5.9, method), [5]);
    assert.deepEqual(gives(-7, method), [-7]);
  }
});

test('an element without event time is an error here as with options', () => {
  const h = harness((readings: Stream<Reading>) => readings.assignTimestamps('at', newest(0)));
  assert.throws(() => h.element({} as Reading), { code: 'no-event-time', message: /has no "at"/ });
  h.close();
});

test('a generator is part of the fingerprint, with its methods and its fields', () => {
  const own = (generator: object) =>
    nodeOf(
      evaluate(() => from([{ at: 1 }]).assignTimestamps('at', generator)),
      'assignTimestamps',
    ).own;
  assert.equal(own(newest(5)), own(newest(5)));
  assert.notEqual(own({ onElement: () => 1 }), own({ onElement: () => 2 }));
  assert.notEqual(own({ onElement() {}, bound: 1 }), own({ onElement() {}, bound: 2 }));
  assert.notEqual(own({ onElement() {} }), own({ onElement() {}, onPeriodic: () => 1 }));
  const declare = (generator: object) => () => own(generator);
  assert.throws(declare({ onPeriodic: () => 1 }), { code: 'not-a-function', message: /needs a function onElement/ });
  assert.throws(declare({ onElement: 5 }), { code: 'not-a-function' });
  assert.throws(declare({ onElement() {}, onEvent() {} }), { code: 'unknown-option', message: /"onEvent"/ });
});

test('timestamps with idleness: a silence of any length, and the record after it', () => {
  const driven = harness((readings: Stream<Reading>) =>
    readings.assignTimestamps('at', { outOfOrderness: '5ms', idleness: '1s' }),
  );
  driven.element({ at: 10 });
  driven.advanceProcessingTime(200);
  driven.advanceProcessingTime(60_000);
  driven.element({ at: 20 });
  driven.advanceProcessingTime(60_200);
  assert.deepEqual(driven.output({ watermarks: true }), [
    { element: { at: 10 }, timestamp: 10 },
    { watermark: 4 },
    { element: { at: 20 }, timestamp: 20 },
    { watermark: 14 },
  ]);
  driven.close();
});
