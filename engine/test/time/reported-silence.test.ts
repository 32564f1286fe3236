// Silence that the reader of a partition reports: how it grows, what ends it, and that the time
// without records alone makes no partition idle.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ReportedSilence } from '../../time/reported-silence.ts';
import { SourceTime } from '../../time/source-time.ts';

test('silence grows from report to report, and a record ends it', () => {
  const silence = new ReportedSilence();
  assert.equal(silence.millis(0), 0);
  silence.report(0, 5_000);
  assert.equal(silence.millis(0), 0, 'it begins with the first report');
  silence.report(0, 5_400);
  silence.report(0, 5_900);
  assert.equal(silence.millis(0), 900);
  silence.report(1, 5_900);
  assert.equal(silence.millis(1), 0, 'each partition has its own');
  silence.end(0);
  silence.report(0, 6_000);
  assert.equal(silence.millis(0), 0);
});

test('a gap without reports counts only with its first second', () => {
  const silence = new ReportedSilence();
  silence.report(0, 0);
  silence.report(0, 60_000);
  assert.equal(silence.millis(0), 1_000, 'nobody asked for a minute');
  silence.report(0, 59_000);
  assert.equal(silence.millis(0), 1_000, 'a clock that was set back extends nothing');
});

function opened(idlenessMillis: number) {
  const marks: (number | 'idle' | 'active')[] = [];
  const time = new SourceTime(
    {
      watermark: (at) => void marks.push(at),
      idle: () => void marks.push('idle'),
      active: () => void marks.push('active'),
    },
    0,
    { outOfOrdernessMillis: 0, idlenessMillis },
  );
  time.countsAnswers();
  return { time, news: () => marks.splice(0) };
}

test('a partition that nobody could read is not idle, however long that lasts', () => {
  const { time, news } = opened(1_000);
  const [a, b] = [time.partition('a'), time.partition('b')];
  time.record(a, 100);
  for (let now = 200; now <= 120_000; now += 200) time.onClock(now);
  assert.deepEqual(news(), []);
  assert.equal(time.nextAt, Infinity, 'only an answer changes that');
  time.record(b, 50);
  time.onClock(120_200);
  assert.deepEqual(news(), [49]);
});

test('a partition that answers and has nothing is idle after the idleness, and counts again at once', () => {
  const { time, news } = opened(1_000);
  const [a, b] = [time.partition('a'), time.partition('b')];
  time.record(a, 100);
  for (let now = 0; now <= 900; now += 300) {
    time.silent(b, now);
    time.onClock(now);
  }
  assert.deepEqual(news(), []);
  time.silent(b, 1_200);
  time.onClock(1_200);
  assert.deepEqual(news(), [99]);
  assert.deepEqual(
    time.partitions().map(({ idle }) => idle),
    [false, true],
  );
  time.record(b, 200);
  time.record(a, 150);
  time.onClock(1_400);
  assert.deepEqual(news(), [149]);
  time.silent(b, 1_500);
  time.silent(b, 2_400);
  time.onClock(2_400);
  assert.deepEqual(news(), [], 'its silence began anew');
});
