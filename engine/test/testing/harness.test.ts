// The harness drives real operators with a stopped clock. It reports the output, the late elements
// and the rest of the state.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { count, globalWindow, type Stream, sum, trigger, tumbling, valueState } from '../../index.ts';
import { harness, harness2 } from '../../testing/index.ts';

interface Payment {
  readonly who: string;
  readonly amount: number;
}
const totals = () =>
  harness<Payment, { who: string; total: number; n: number; windowStart: Date; windowEnd: Date }>((payments) =>
    payments
      .keyBy('who')
      .window(tumbling('1m'))
      .allowedLateness('10s')
      .aggregate({ total: sum('amount'), n: count() }),
  );

test('a window fires when the watermark passes its last millisecond, and nothing is left after its lateness', () => {
  const h = totals();
  h.element({ who: 'ann', amount: 5 }, 10_000);
  h.element({ who: 'ann', amount: 7 }, 50_000);
  h.watermark(59_998);
  assert.deepEqual(h.output(), []);
  h.watermark(59_999);
  assert.deepEqual(h.output(), [
    {
      element: { who: 'ann', windowStart: new Date(0), windowEnd: new Date(60_000), total: 12, n: 2 },
      timestamp: 59_999,
    },
  ]);
  assert.ok(h.entries() > 0, 'the window waits for late elements');
  h.watermark(69_999);
  assert.equal(h.entries(), 0);
  h.close();
});

test('a late element within the lateness fires again, one after it goes to late', () => {
  const h = totals();
  h.element({ who: 'ann', amount: 5 }, 10_000);
  h.watermark(60_000);
  h.output();
  h.element({ who: 'ann', amount: 1 }, 20_000);
  assert.deepEqual(
    h.output().map((row) => ('element' in row ? row.element.total : undefined)),
    [6],
  );
  h.watermark(70_000);
  h.element({ who: 'ann', amount: 3 }, 30_000);
  assert.deepEqual(h.late(), [{ element: { who: 'ann', amount: 3 }, timestamp: 30_000 }]);
  h.close();
});

test('restore(snapshot) goes on where the snapshot was', () => {
  const first = totals();
  first.element({ who: 'ann', amount: 5 }, 10_000);
  const snapshot = first.snapshot();
  first.close();
  const second = harness<Payment, { total: number; who: string; n: number; windowStart: Date; windowEnd: Date }>(
    (payments) =>
      payments
        .keyBy('who')
        .window(tumbling('1m'))
        .allowedLateness('10s')
        .aggregate({ total: sum('amount'), n: count() }),
    { restore: snapshot },
  );
  second.element({ who: 'ann', amount: 7 }, 50_000);
  second.watermark(60_000);
  assert.deepEqual(
    second.output().map((row) => ('element' in row ? row.element.total : undefined)),
    [12],
  );
  second.close();
});

test('an element that is changed is an error where it is changed', () => {
  const h = harness<{ n: number }, { n: number }>((input) =>
    input.map((element) => {
      element.n++;
      return element;
    }),
  );
  assert.throws(() => h.element({ n: 1 }), /read only/);
});

test('processing time stands still until advanceProcessingTime is called', () => {
  const h = harness<{ k: string }, string>((input) =>
    input.keyBy('k').process({
      state: { seen: valueState<number>() },
      onElement(_element, { timers, state }) {
        state.seen.set(1);
        timers.processingTime(1000);
      },
      *onTimer(at, { key, state }) {
        state.seen.clear();
        yield `${key.k} at ${at}`;
      },
    }),
  );
  h.element({ k: 'a' }, 0);
  h.advanceProcessingTime(999);
  assert.deepEqual(h.output(), []);
  h.advanceProcessingTime(1000);
  assert.deepEqual(h.output(), [{ element: 'a at 1000', timestamp: 1000 }]);
  assert.equal(h.entries(), 0);
});

test('the two inputs of an operator combine their watermarks', () => {
  const h = harness2<number, string, string>((left, right) =>
    left.connect(right).map(
      (n) => `left ${n}`,
      (text) => `right ${text}`,
    ),
  );
  h.left(1, 5);
  h.right('x', 7);
  h.leftWatermark(10);
  assert.deepEqual(h.output({ watermarks: true }), [
    { element: 'left 1', timestamp: 5 },
    { element: 'right x', timestamp: 7 },
  ]);
  h.rightWatermark(4);
  h.rightWatermark(20);
  assert.deepEqual(h.output({ watermarks: true }), [{ watermark: 4 }, { watermark: 10 }]);
});

test('while downstream is full the rows wait, and come in order afterwards', () => {
  const h = harness<number, number>((input) => input.flatMap((n) => Array.from({ length: 3000 }, (_, i) => n + i)));
  h.blockDownstream(true);
  h.element(0);
  h.element(3000);
  assert.deepEqual(h.output(), []);
  h.blockDownstream(false);
  assert.deepEqual(
    h.output().map((row) => ('element' in row ? row.element : undefined)),
    Array.from({ length: 6000 }, (_, i) => i),
  );
});

test('a watermark beyond every timestamp is the end of time', () => {
  const h = harness((clicks: Stream<{ k: string }>) =>
    clicks.keyBy('k').window(globalWindow()).trigger(trigger.eventTime()).aggregate({ n: count() }),
  );
  h.element({ k: 'a' }, 5);
  h.watermark(8.64e15);
  assert.deepEqual(h.output(), []);
  // Java's Long.MAX_VALUE.
  h.watermark(2 ** 63);
  assert.deepEqual(
    h.output().map((item) => 'element' in item && [item.element.n, item.timestamp]),
    [[1, 8.64e15]],
  );
  assert.equal(h.entries(), 0);
});

test('a watermark below every timestamp changes nothing', () => {
  const h = harness<number, number>((input) => input.map((n) => n));
  // Java's Long.MIN_VALUE, which engines say before they know anything.
  h.watermark(-(2 ** 63));
  h.watermark(-Infinity);
  assert.deepEqual(h.output({ watermarks: true }), []);
  h.watermark(-8.64e15);
  assert.deepEqual(h.output({ watermarks: true }), [{ watermark: -8.64e15 }]);
  h.close();
});

test('a restored harness does not output the watermarks from before the snapshot again', () => {
  const build = (input: Stream<{ k: string }>) => input.keyBy('k').window(tumbling('10ms')).aggregate({ n: count() });
  const first = harness(build);
  first.element({ k: 'a' }, 12);
  first.watermark(15);
  const second = harness(build, { restore: first.snapshot() });
  first.close();
  assert.deepEqual(second.output({ watermarks: true }), []);
  // The harness knows the watermark all the same: an equal one is ignored, and an element before it
  // is late.
  second.watermark(15);
  second.element({ k: 'a' }, 5);
  assert.deepEqual(second.late(), [{ element: { k: 'a' }, timestamp: 5 }]);
  second.watermark(20);
  assert.deepEqual(
    second.output({ watermarks: true }).map((item) => ('element' in item ? item.element.n : item)),
    [1, { watermark: 20 }],
  );
  second.close();
});

test('times that are none are refused, and leave everything as it was', () => {
  const h = totals();
  for (const timestamp of [NaN, 1.5, Infinity, 9e15])
    assert.throws(() => h.element({ who: 'ann', amount: 5 }, timestamp), { code: 'bad-timestamp' });
  assert.throws(() => h.watermark(NaN), { code: 'bad-timestamp' });
  for (const time of [NaN, Infinity]) assert.throws(() => h.advanceProcessingTime(time), { code: 'bad-timestamp' });
  h.element({ who: 'ann', amount: 5 }, 10_000);
  h.watermark(59_999);
  assert.equal(h.output().length, 1);
  h.close();
});

const either = (left: Stream<number>, right: Stream<number>) =>
  left.connect(right).map(
    (n) => n,
    (n) => n,
  );
test('an input that gives a watermark is active again', () => {
  const h = harness2(either);
  h.leftIdle();
  h.rightWatermark(20);
  h.leftWatermark(30);
  h.rightWatermark(40);
  assert.deepEqual(h.output({ watermarks: true }), [{ watermark: 20 }, { watermark: 30 }]);
  h.close();
});

test('what was idle before a snapshot is idle after it, and time stays where it was', () => {
  const first = harness2(either);
  first.leftWatermark(10);
  first.rightWatermark(22);
  // The slower one holds time back to the last.
  first.rightIdle();
  first.leftIdle();
  assert.deepEqual(first.output({ watermarks: true }), [{ watermark: 10 }]);
  const second = harness2(either, { restore: first.snapshot() });
  first.close();
  second.leftActive();
  second.leftWatermark(15);
  assert.deepEqual(second.output({ watermarks: true }), [{ watermark: 15 }]);
  second.rightActive();
  second.leftWatermark(40);
  assert.deepEqual(second.output({ watermarks: true }), [{ watermark: 22 }]);
  second.close();
});
