// Time of a source: a watermark every 200 ms. Partitions without a record hold it back, but idle
// partitions do not.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SourceTime } from '../../time/source-time.ts';

function opened(spec?: { outOfOrdernessMillis: number; idlenessMillis?: number }, now = 0) {
  const said: (number | 'idle' | 'active')[] = [];
  const time = new SourceTime(
    {
      watermark: (at) => void said.push(at),
      idle: () => void said.push('idle'),
      active: () => void said.push('active'),
    },
    now,
    spec,
  );
  /** The marks since the last call. */
  const news = () => said.splice(0);
  return { time, news };
}

test('the watermark goes out every 200 ms of the clock, with the bound and one millisecond behind the newest record', () => {
  const { time, news } = opened({ outOfOrdernessMillis: 10 });
  const only = time.partition('only');
  time.record(only, 100);
  time.onClock(199);
  assert.deepEqual(news(), []);
  assert.equal(time.nextAt, 200);
  time.onClock(200);
  assert.deepEqual(news(), [89]);
  assert.equal(time.nextAt, Infinity, 'without news there is nothing to wake for');
  time.record(only, 90);
  time.onClock(401);
  assert.deepEqual(news(), [], 'an older record moves nothing');
  time.record(only, 130);
  time.onClock(450);
  assert.deepEqual(news(), []);
  time.final();
  assert.deepEqual(news(), [119], 'before the end the rest is said');
});

test('nothing goes out before every partition has spoken', () => {
  const { time, news } = opened();
  const a = time.partition('a');
  time.partition('b');
  time.record(a, 100);
  time.onClock(1000);
  time.onClock(60_000);
  assert.deepEqual(news(), []);
  time.record(time.partition('b'), 50);
  time.onClock(60_200);
  assert.deepEqual(news(), [49]);
});

test('many partitions that move at once are one watermark', () => {
  const { time, news } = opened();
  for (let p = 0; p < 10; p++) time.record(time.partition(p), 100 + p);
  time.onClock(200);
  assert.deepEqual(news(), [99]);
});

test('a partition without records for the idleness is taken out, and counts again with its first record', () => {
  const { time, news } = opened({ outOfOrdernessMillis: 0, idlenessMillis: 1000 });
  const a = time.partition('a');
  const b = time.partition('b');
  time.record(a, 100);
  time.onClock(200);
  assert.deepEqual(news(), []);
  assert.equal(time.nextAt, 1000, 'b would be idle then');
  time.record(a, 150);
  time.onClock(1000);
  assert.deepEqual(news(), [149], 'b is idle');
  assert.deepEqual(
    time.partitions().map(({ partition, idle, lastRecordAt }) => [partition, idle, lastRecordAt]),
    [
      ['a', false, 1000],
      ['b', true, undefined],
    ],
  );
  assert.equal(time.nextAt, 2000);
  time.onClock(2000);
  assert.deepEqual(news(), ['idle']);
  assert.equal(time.nextAt, Infinity);
  time.record(b, 120);
  assert.deepEqual(news(), ['active'], 'before the record itself goes out');
  time.record(b, 160);
  time.onClock(2100);
  time.onClock(2200);
  assert.deepEqual(news(), [159], 'a is idle still');
});

test('time in which nobody took records is not silence', () => {
  const { time, news } = opened({ outOfOrdernessMillis: 0, idlenessMillis: 1000 });
  const a = time.partition('a');
  const b = time.partition('b');
  time.record(a, 100);
  time.record(b, 50);
  time.onClock(200, true);
  assert.deepEqual(news(), [49]);
  // For 30 s downstream accepted nothing. The records of b wait like those of a.
  time.record(a, 110);
  time.onClock(30_200, true);
  assert.deepEqual(news(), [], 'b is not idle: nobody asked it');
  time.record(b, 105);
  time.onClock(30_500, false);
  assert.deepEqual(news(), [104]);
});

test('a partition that has given all it has holds time back no more', () => {
  const { time, news } = opened();
  const [a, b] = [time.partition('a'), time.partition('b')];
  time.record(a, 100);
  time.record(b, 50);
  time.onClock(200);
  assert.deepEqual(news(), [49]);
  time.done(b);
  assert.deepEqual(news(), [99]);
  time.record(a, 200);
  time.onClock(400);
  assert.deepEqual(news(), [199]);
});

test('a restored source says again what it had said, idleness included', () => {
  const first = opened({ outOfOrdernessMillis: 0, idlenessMillis: 1000 });
  const [a, b] = [first.time.partition('a'), first.time.partition('b')];
  first.time.record(a, 100);
  first.time.record(b, 50);
  first.time.onClock(200);
  first.time.record(a, 300);
  first.time.onClock(1250);
  assert.deepEqual(first.news(), [49, 299], 'b has gone idle');

  const second = opened({ outOfOrdernessMillis: 0, idlenessMillis: 1000 }, 5000);
  second.time.restore(structuredClone(first.time.snapshot()));
  assert.equal(second.time.nextAt, 5000, 'at once');
  second.time.onClock(5000);
  assert.deepEqual(second.news(), [299]);
  assert.equal(second.time.partition('b'), 1);
  second.time.record(1, 60);
  second.time.record(0, 400);
  second.time.onClock(5200);
  assert.deepEqual(second.news(), [], 'b holds back again');
});

test('a partition that comes back is silent from then on, and every moment that is asked for is one at which something happens', () => {
  const { time, news } = opened({ outOfOrdernessMillis: 0, idlenessMillis: 1000 });
  const only = time.partition('only');
  time.record(only, 10);
  time.onClock(200);
  time.onClock(1200);
  assert.deepEqual(news(), [9, 'idle']);
  time.onClock(5000);
  time.record(only, 20);
  time.onClock(5000);
  assert.deepEqual(news(), ['active']);
  assert.ok(time.nextAt > 5000, 'not a moment that has gone by');
  time.onClock(time.nextAt);
  assert.deepEqual(news(), [19]);
  time.onClock(time.nextAt);
  assert.deepEqual(news(), ['idle']);
});

test('an idleness shorter than the 200 ms between watermarks is kept', () => {
  const { time, news } = opened({ outOfOrdernessMillis: 0, idlenessMillis: 50 });
  time.partition('only');
  assert.equal(time.nextAt, 50);
  time.onClock(50);
  assert.deepEqual(news(), ['idle']);
  assert.equal(time.nextAt, Infinity);
});

test('time that was reached but not emitted is in the snapshot, and needs no further record after a restore', () => {
  const spec = { outOfOrdernessMillis: 0, idlenessMillis: 1000 };
  const first = opened(spec);
  first.time.partition(0);
  first.time.record(0, 5000);
  first.time.onClock(250);
  first.time.record(0, 20_000);
  first.time.onClock(300);
  assert.deepEqual(first.news(), [4999], 'less than 200 ms have passed since the last emission');
  const restored = opened(spec, 300);
  restored.time.restore(structuredClone(first.time.snapshot()));
  restored.time.onClock(300);
  assert.deepEqual(restored.news(), [4999, 19_999]);
  restored.time.onClock(1300);
  assert.deepEqual(restored.news(), ['idle']);
});

test('a restored partition that is behind still holds time back, and idle ones flush nothing', () => {
  const first = opened({ outOfOrdernessMillis: 0, idlenessMillis: 1000 });
  const [fast, slow] = [first.time.partition('fast'), first.time.partition('slow')];
  first.time.record(fast, 1000);
  first.time.record(slow, 500);
  first.time.onClock(200);
  first.time.record(fast, 9000);
  const behind = opened(undefined, 250);
  behind.time.restore(first.time.snapshot());
  behind.time.onClock(250);
  assert.deepEqual([first.news(), behind.news()], [[499], [499]]);
  first.time.onClock(3000);
  first.time.onClock(6000);
  assert.deepEqual(first.news(), [8999, 'idle']);
  const idle = opened(undefined, 6000);
  idle.time.restore(first.time.snapshot());
  idle.time.onClock(6000);
  assert.deepEqual(idle.news(), [8999, 'idle']);
});
