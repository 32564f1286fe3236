// Time of a source: a watermark every 200 ms, and before a record that needs it. Partitions without
// a record hold it back, but idle partitions do not.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SourceTime } from '../../time/source-time.ts';

function opened(
  spec?: { outOfOrdernessMillis: number; idlenessMillis?: number },
  now = 0,
  needs: { readonly timeMargin?: number; readonly holdsTime?: boolean } = {},
) {
  const said: (number | 'idle' | 'active')[] = [];
  const time = new SourceTime(
    {
      watermark: (at) => void said.push(at),
      idle: () => void said.push('idle'),
      active: () => void said.push('active'),
      ...needs,
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

// ------------------------------------------------- before a record that could see the difference

const bound = { outOfOrdernessMillis: 10 };
/** The watermarks that each of these records of one partition finds emitted before it. */
function before(timestamps: readonly number[], timeMargin?: number): (readonly unknown[])[] {
  const { time, news } = opened(bound, 0, timeMargin === undefined ? {} : { timeMargin });
  const only = time.partition('only');
  return timestamps.map((timestamp) => {
    time.record(only, timestamp);
    return news();
  });
}

test('a record at or below the reached watermark comes after it, and one above it needs nothing', () => {
  assert.deepEqual(before([100, 120, 110, 109, 50, 121, 110, 131]), [[], [], [], [109], [], [], [110], []]);
});
test('with a margin of 1 ms, a record right above the watermark comes after it', () => {
  assert.deepEqual(before([100, 120, 111, 110, 121, 111], 1), [[], [], [], [109], [], [110]]);
});
test('with an infinite margin, every record comes after the watermark of those before it', () => {
  assert.deepEqual(before([100, 120, 119, 130], Infinity), [[], [89], [109], []]);
});
test('a run of records ends before one that needs a watermark', () => {
  for (const [timeMargin, runs] of [
    [0, [[3], [3, 109]]],
    [1, [[2], [2, 109], [2, 110]]],
    [Infinity, [[1], [1, 89], [2, 109], [2, 110]]],
  ] as const) {
    const { time, news } = opened(bound, 0, { timeMargin });
    const only = time.partition('only');
    const left = [100, 120, timeMargin === 0 ? 115 : 110, timeMargin === 0 ? 109 : 121, 110, 111];
    const passed: unknown[] = [];
    while (left.length > 0) {
      const count = time.records(only, Float64Array.from(left), left.length);
      passed.push([count, ...news()]);
      left.splice(0, count);
    }
    assert.deepEqual([timeMargin, passed], [timeMargin, runs]);
  }
});
test('the watermark before a record is the minimum over the active partitions, in the order of reading', () => {
  const { time, news } = opened({ ...bound, idlenessMillis: 1000 });
  const [a, b] = [time.partition('a'), time.partition('b')];
  time.record(a, 500);
  time.record(a, 100);
  assert.deepEqual(news(), [], 'b has no record yet');
  time.record(b, 300);
  time.record(a, 290);
  assert.deepEqual(news(), [], '290 is above 289');
  time.record(a, 289);
  assert.deepEqual(news(), [289]);
  time.record(b, 400);
  time.record(b, 600);
  time.record(b, 420);
  assert.deepEqual(news(), [489], 'a holds time back now');
  time.onClock(200);
  time.record(b, 700);
  time.onClock(1400);
  assert.deepEqual(news(), [689], 'a is idle');
  time.record(a, 600);
  assert.deepEqual(news(), [], 'it counts again, and takes nothing back');
  time.record(b, 900);
  time.record(a, 800);
  time.record(a, 780);
  assert.deepEqual(news(), [789]);
});
test('an idle partition counts again behind the watermark that its record needs', () => {
  const { time, news } = opened({ ...bound, idlenessMillis: 1000 });
  const [a, b] = [time.partition('a'), time.partition('b')];
  time.record(a, 100);
  time.onClock(1000);
  time.record(a, 500);
  time.record(b, 200);
  time.record(a, 300);
  assert.deepEqual(news(), [89, 489]);
});
test('a restored source goes on where the records before the snapshot had brought it', () => {
  const first = opened(bound);
  const only = first.time.partition('only');
  first.time.record(only, 100);
  first.time.record(only, 200);
  const second = opened(bound);
  second.time.restore(structuredClone(first.time.snapshot()));
  second.time.record(only, 189);
  assert.deepEqual(second.news(), [189]);
});
test('within a micro-batch no record is preceded by a watermark', () => {
  const output = { holdsTime: true, timeMargin: Infinity };
  const { time, news } = opened(bound, 0, output);
  const only = time.partition('only');
  assert.equal(time.records(only, Float64Array.of(100, 200, 50), 3), 3);
  time.record(only, 20);
  assert.deepEqual(news(), []);
  time.endBatch(1000);
  assert.deepEqual(news(), [189]);
});
