// Silence that the reader of a partition reports: how it grows, what ends it, that the time without
// records alone makes no partition idle, and that an idle partition holds time back as soon as it
// may have something.
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

test('no answer is no silence, and a report after it shows that nothing came meanwhile', () => {
  const silence = new ReportedSilence();
  for (const now of [0, 500, 1_000]) silence.report(0, now);
  silence.pause(0);
  assert.equal(silence.millis(0), 0);
  silence.report(0, 30_000);
  assert.equal(silence.millis(0), 1_000);
  silence.report(0, 30_500);
  assert.equal(silence.millis(0), 1_500);
});

test('a report is old after two seconds, and when the clock is set back', () => {
  const silence = new ReportedSilence();
  silence.report(0, 10_000);
  silence.report(2, 11_000);
  assert.deepEqual(silence.old(12_000), []);
  assert.deepEqual(silence.old(12_001), [0]);
  silence.pause(0);
  assert.deepEqual(silence.old(13_001), [2]);
  silence.report(2, 13_500);
  assert.deepEqual(silence.old(13_600), []);
  assert.deepEqual(silence.old(3_000), [2]);
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

/** Partitions a and b, idle at 9000 and at 500, and the last watermark 499. */
function bothIdle() {
  const { time, news } = opened(1_000);
  const [a, b] = [time.partition('a'), time.partition('b')];
  time.record(a, 9_000);
  time.record(b, 500);
  time.onClock(200);
  for (const now of [300, 1_300]) time.silent(a, now);
  time.onClock(1_300);
  for (const now of [1_300, 2_300]) time.silent(b, now);
  time.onClock(2_300);
  assert.deepEqual(news(), [499, 'idle']);
  return { time, news, a, b };
}
test('partitions that have something hold time back together, and none passes another', () => {
  const { time, news, a, b } = bothIdle();
  time.holdsBack([a, b], 'something');
  assert.deepEqual(news(), ['active']);
  time.record(a, 9_500);
  time.record(b, 700);
  time.onClock(3_000);
  assert.deepEqual(news(), [699]);
});
test('a partition that comes back alone counts at once, because the other one is silent', () => {
  const { time, news, a } = bothIdle();
  time.holdsBack([a], 'something');
  assert.deepEqual(news(), ['active', 8_999]);
});

test('an idle partition without an answer holds time back where it is, until it answers that it has nothing', () => {
  const { time, news } = opened(1_000);
  const [a, b] = [time.partition('a'), time.partition('b')];
  time.record(a, 100);
  for (const now of [0, 1_000]) time.silent(b, now);
  time.onClock(1_000);
  assert.deepEqual(news(), [99]);
  time.record(a, 300);
  time.holdsBack([b], 'unknown');
  assert.deepEqual(news(), [299], 'time that its silence let pass');
  time.record(a, 400);
  time.onClock(1_500);
  assert.deepEqual(news(), []);
  time.silent(b, 1_600);
  time.onClock(1_600);
  assert.deepEqual(news(), [399], 'nothing came meanwhile');
  time.record(a, 500);
  time.endOldSilence(3_700);
  time.onClock(3_700);
  assert.deepEqual(news(), [499], 'the silence of 2 s let this pass');
  time.record(a, 600);
  time.onClock(4_000);
  assert.deepEqual(news(), []);
});

test('a new partition ends the idleness of a source, and holds time back', () => {
  const { time, news, a } = bothIdle();
  const c = time.partition('c');
  assert.deepEqual(news(), ['active']);
  time.holdsBack([a], 'something');
  time.record(a, 9_500);
  time.record(c, 600);
  time.onClock(3_000);
  assert.deepEqual(news(), [599]);
});

test('a restored partition is not idle before it has answered', () => {
  const first = opened(1_000);
  const [a, b] = [first.time.partition('a'), first.time.partition('b')];
  first.time.record(a, 100);
  for (const now of [0, 1_000]) first.time.silent(b, now);
  first.time.onClock(1_000);
  const second = opened(1_000);
  second.time.restore(structuredClone(first.time.snapshot()));
  second.time.holdsBack([a, b], 'unknown');
  assert.deepEqual(second.news(), [], 'its channels get all of it with the first emission');
  second.time.onClock(5_000);
  assert.deepEqual(second.news(), [99]);
  second.time.record(a, 200);
  second.time.onClock(5_300);
  assert.deepEqual(second.news(), []);
});
