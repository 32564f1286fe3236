// The panels `lag()`, `watermarks()` and `checkpoints()`: what they show of the measurements, and
// as lines of text.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PartitionStatus } from '../../../engine/contract/source.ts';
import { CheckpointFigures } from '../../displays/checkpoint-figures.ts';
import { LagFigures } from '../../displays/lag-figures.ts';
import { WatermarkFigures } from '../../displays/watermark-figures.ts';
import { figureLines } from '../../terminal/figure-lines.ts';
import type { OperatorReport } from '../../executor/executor-protocol.ts';
import { createSession, type Session } from '../../session/state.ts';
import { graph, liveSource, report } from '../session/reports.ts';

const at = Date.parse('2024-05-01T12:00:00');
const plan = graph(['orders/orders:kafka'], []);
const second = 1_000;

function topic(partitions: readonly PartitionStatus[], id = 'orders/orders'): OperatorReport {
  return report(id, { kind: 'kafka', source: { ...liveSource, partitions } });
}
const lines = (panel: LagFigures | WatermarkFigures | CheckpointFigures): string[] =>
  figureLines(panel.part('0'), at).map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));

test('the lag of each partition is its position, its end, records, age and records per second', () => {
  const panel = new LagFigures();
  const first = { partition: '0', idle: false, position: 1_000, end: 11_900, lag: 10_900, lagMillis: 276_000 };
  const broken = { partition: '1', idle: true, position: 40, failed: 'orders[1]@40 cannot be read.' };
  const measured = (n: number) => ({ at: at + n * second, thread: 0 });
  panel.update(plan, { ...measured(0), operators: [topic([first, broken])] });
  assert.deepEqual(lines(panel), [
    'lag',
    'orders · cell orders  position     end     lag      behind  rate',
    'all                                     10,900  4 min 36 s        1 without a known end',
    '0                        1,000  11,900  10,900  4 min 36 s',
    '1                           40                                    stopped: orders[1]@40 cannot be read.',
  ]);
  panel.update(plan, { ...measured(2), operators: [topic([{ ...first, position: 37_480, lag: 0 }, broken])] });
  const rates = panel.part('0').groups[0]!.rows.map(({ figures }) => figures[5]);
  assert.deepEqual(rates, [{ perSecond: 18_240 }, { perSecond: 18_240 }, { perSecond: 0 }]);
});

test('a source that is read from its start again has no rate for a second, and one without a topic is left out', () => {
  const panel = new LagFigures();
  const partition = { partition: '0', idle: false };
  panel.update(plan, { at, thread: 0, operators: [topic([{ ...partition, position: 100 }])] });
  panel.update(plan, { at: at + second, thread: 0, operators: [topic([{ ...partition, position: 0 }])] });
  assert.equal(panel.part('0').groups[0]!.rows[0]!.figures[5], null);
  panel.update(plan, { at, thread: 0, operators: [topic([partition]), report('a/map')] });
  assert.deepEqual(lines(panel), ['lag', 'No topic is read at present.']);
});

test('of many partitions those with the largest lag are shown, in their order, and a copy says what it is', () => {
  const panel = new LagFigures();
  const partitions = Array.from({ length: 1_000 }, (_, n) => ({
    ...{ partition: String(n), idle: false, position: 0, end: n, lag: n },
  }));
  panel.update(plan, { at, thread: 0, operators: [topic(partitions, 'orders/orders~2')] });
  const [group] = panel.part('0').groups;
  assert.equal(group!.rows.length, 101);
  assert.equal(group!.rows[1]!.id, '900');
  assert.equal(group!.note, '100 of 1,000 partitions: those with the largest lag');
  assert.match(group!.name, /· copy for a late cell$/);
});

test('the watermarks name the partition that holds time back, those that do not, and the window that waits', () => {
  const panel = new WatermarkFigures();
  const partitions = [
    { partition: '0', idle: false, watermark: at - 5 * second, lastRecordAt: at },
    { partition: '1', idle: false, watermark: at - 65 * second, lastRecordAt: at - 60 * second },
    { partition: '2', idle: true, watermark: at - 3_600 * second },
    { partition: '3', idle: true, watermark: at, failed: 'It cannot be read.' },
  ];
  const window = report('totals/window', {
    kind: 'windowAggregate',
    watermark: at - 65 * second,
    status: { entries: 1, nextWindow: { start: at - 60 * second, end: at } },
  });
  panel.update(plan, { at, thread: 0, operators: [topic(partitions), window] });
  assert.deepEqual(lines(panel), [
    'watermarks',
    'orders · cell orders  watermark  behind  last record',
    '0                      11:59:55     0 s     12:00:00',
    '1                      11:58:55   1 min     11:59:00  holds time back',
    '2                      11:00:00                       idle: time does not wait for it',
    '3                      12:00:00                       stopped: It cannot be read.',
    'open windows          watermark  first window      to go',
    'window · cell totals   11:58:55      12:00:00  1 min 5 s',
  ]);
});

test('a partition without a record holds time back; equal ones do not', () => {
  const panel = new WatermarkFigures();
  const states = (...watermarks: readonly (number | undefined)[]): unknown[] => {
    const partitions = watermarks.map((watermark, n) => ({
      ...{ partition: String(n), idle: false },
      ...(watermark !== undefined && { watermark }),
    }));
    panel.update(plan, { at, thread: 0, operators: [topic(partitions)] });
    return panel.part('0').groups[0]!.rows.map(({ figures }) => figures.at(-1));
  };
  assert.deepEqual(states(at, undefined), [null, 'holds time back: no record yet']);
  assert.deepEqual(states(at, at), [null, null]);
  assert.deepEqual(states(undefined, undefined), ['no record yet', 'no record yet']);
});

test('the checkpoints are shown newest first, with what failed and why, and with totals', () => {
  const panel = new CheckpointFigures();
  const stored = { id: 7, takenAt: at - 14 * second, bytes: 3_100_000, newBytes: 41_000, millis: 38 };
  const failed = { id: 8, takenAt: at - 4 * second, failed: 'The disk of /state is full.' };
  const session = createSession({}, { isStored: true, history: [stored, failed], completed: 7, failed: 1 });
  panel.update(plan, { at, thread: 0, operators: [] }, { ...session, restarts: { failures: [], count: 1, at: [at] } });
  assert.deepEqual(lines(panel), [
    'checkpoints',
    'checkpoint     taken   age    size      new  took',
    '8           11:59:56   4 s                          failed: The disk of /state is full.',
    '7           11:59:46  14 s  3.1 MB  41.0 kB  38 ms',
    '7 complete, 1 failed · 1 restart',
  ]);
});

test('a session that stores no checkpoints says why', () => {
  const panel = new CheckpointFigures();
  const note = (session: Session): string => {
    panel.update(plan, { at, thread: 0, operators: [] }, session);
    return lines(panel).join(' ');
  };
  assert.match(note(createSession({ attach: 'together' })), /Run it with --state DIR/);
  assert.match(note(createSession({})), /checkpoints Checkpoints are off: the setting sluice\.checkpoints\.enabled/);
  assert.match(
    note(createSession({}, { unkept: 'The state directory is in use.' })),
    /checkpoints The state directory/,
  );
  assert.match(note(createSession({}, { isStored: true })), /first checkpoint has not been taken yet/);
});
