// The lag of a topic's partitions: from the position to the known end, and the age of the last
// record that was read while others wait.
import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { LogEnds } from '../../connectors/kafka/log-ends.ts';
import type { OffsetsQuestion } from '../../connectors/kafka/offset-requests.ts';
import { AssignedSplit } from '../../connectors/kafka/placement.ts';
import type { Chunk, SplitPlace } from '../../connectors/kafka/reader-messages.ts';
import { SourceSplits } from '../../connectors/kafka/source-splits.ts';
import { sourceMetrics } from '../../runtime/metrics.ts';
import { SourceTime } from '../../time/source-time.ts';

const now = 1_700_000_000_000;
const hour = 3_600_000;

function splitsOf(...ends: readonly (number | undefined)[]): SourceSplits {
  const output = { watermark: () => {}, idle: () => {}, active: () => {} };
  const splits = new SourceSplits(new SourceTime(output, now), { look: () => undefined, isHeld: () => false }, false);
  splits.assign(
    ends.map((end, partition) => ({
      ...{ topic: 't', partition, offset: 0, epoch: 0 },
      ...(end !== undefined && { end }),
    })),
  );
  splits.unresolved([]);
  return splits;
}
const chunk = (partition: number, next: number, end: number): Chunk => ({
  split: `t[${partition}]`,
  columns: {
    count: 0,
    values: new Uint8Array(),
    lengths: new Int32Array(),
    offsets: new Float64Array(),
    timestamps: new Float64Array(),
  },
  ...{ ascii: true, next, epoch: 0, end, bytes: 1 },
});
/** Emits the next chunk; its last record has this timestamp in the topic. */
function read(splits: SourceSplits, timestamp: number): void {
  const open = splits.take(false)!;
  open.state.lastRead = timestamp;
  splits.finish(open);
}
const lags = (splits: SourceSplits): unknown[] => splits.partitions(now).map(({ lag, lagMillis }) => [lag, lagMillis]);

test('the lag counts down to 0, and the age ends with it', () => {
  const splits = splitsOf(undefined);
  assert.deepEqual(lags(splits), [[undefined, undefined]], 'the end is not known');
  splits.push([chunk(0, 40, 100), chunk(0, 100, 100)]);
  assert.deepEqual(lags(splits), [[100, undefined]], 'nothing is read yet');
  read(splits, now - hour);
  assert.deepEqual(lags(splits), [[60, hour]]);
  read(splits, now - hour);
  assert.deepEqual(lags(splits), [[0, undefined]]);
});

test('the end of a partition that waits for room grows, and does not go back', () => {
  const splits = splitsOf(undefined, undefined);
  splits.push([chunk(0, 40, 100)]);
  splits.ends([
    { split: 't[0]', offset: 250 },
    { split: 'gone[7]', offset: 9 },
  ]);
  assert.deepEqual(lags(splits), [
    [250, undefined],
    [undefined, undefined],
  ]);
  splits.push([chunk(0, 80, 100)]);
  read(splits, now - 5);
  assert.deepEqual(lags(splits)[0], [210, 5]);
});

test('a partition without records has lag 0 as soon as it has answered', () => {
  const splits = splitsOf(undefined);
  splits.silent([{ split: 't[0]', offset: 0 }], now);
  assert.deepEqual(lags(splits), [[0, undefined]]);
});

test('a bounded read lags behind its own end, and a record without timestamp or from the future has no age', () => {
  const splits = splitsOf(60, undefined, undefined);
  splits.push([chunk(0, 50, 1000), chunk(1, 1, 3), chunk(2, 1, 3)]);
  read(splits, now - 7);
  read(splits, -1);
  read(splits, now + hour);
  assert.deepEqual(lags(splits), [
    [10, 7],
    [2, undefined],
    [2, 0],
  ]);
  assert.equal(splits.partitions(now)[2]!.aheadMillis, hour);
  splits.push([chunk(0, 60, 1000)]);
  read(splits, now);
  assert.deepEqual(lags(splits)[0], [0, undefined]);
});

test('the metrics name the partitions whose end is known; without a topic there is no lag', () => {
  const status = { entries: 0, opened: 1, phase: 'live', errors: 0 } as const;
  const partitions = [
    { partition: '0', idle: false, lag: 1200, lagMillis: 35_250 },
    { partition: '1', idle: false, lag: 0 },
    { partition: '2', idle: false },
  ];
  assert.deepEqual(sourceMetrics({ ...status, partitions }).lag, [
    { partition: '0', records: 1200, seconds: 35.25 },
    { partition: '1', records: 0, seconds: null },
  ]);
  assert.equal('lag' in sourceMetrics(status), false);
});

test('only splits that wait for credit and have no end are asked for it, at their leaders, once a second', async (t) => {
  vi.useFakeTimers();
  t.onTestFinished(() => void vi.useRealTimers());
  const split = (topic: string, partition: number, node: number, pending: number, end?: number): AssignedSplit => {
    const one = new AssignedSplit({ topic, partition, offset: 0, epoch: 0, ...(end !== undefined && { end }) });
    one.pending = pending;
    one.leader = { node, epoch: 0 };
    return one;
  };
  const all = [
    split('a', 0, 1, 9),
    split('a', 1, 1, 9),
    split('a', 2, 1, 0),
    split('b', 0, 2, 9),
    split('a', 3, 1, 9, 5),
  ];
  const placement = {
    nodes: () => new Set([1, 2]),
    ledBy: (node: number) => all.filter(({ leader }) => leader?.node === node),
  };
  const asked: string[] = [];
  let fails = false;
  const brokers = {
    ask: (node: number, _exchange: unknown, question: unknown): Promise<never> => {
      const { topic, partitions } = question as OffsetsQuestion;
      asked.push(`${node}: ${topic} ${partitions.map(({ partition }) => partition).join()}`);
      if (fails) return Promise.reject(new Error('the broker is away'));
      const answers = partitions.map(({ partition }) => ({
        partition,
        error: partition === 1 ? 6 : 0,
        offset: 70,
        epoch: 0,
      }));
      return Promise.resolve(answers as never);
    },
  };
  const told: SplitPlace[] = [];
  const ends = new LogEnds(
    brokers,
    placement,
    ({ pending }) => pending > 5,
    (found) => told.push(...found),
  );
  await vi.advanceTimersByTimeAsync(1000);
  assert.deepEqual(asked, ['1: a 0,1', '2: b 0']);
  const found = [
    { split: 'a[0]', offset: 70 },
    { split: 'b[0]', offset: 70 },
  ];
  assert.deepEqual(told, found, 'a partition that answers with an error has no end');
  fails = true;
  await vi.advanceTimersByTimeAsync(1000);
  fails = false;
  await vi.advanceTimersByTimeAsync(1000);
  assert.deepEqual(told, [...found, ...found], 'a failure ends nothing');
  ends.close();
  await vi.advanceTimersByTimeAsync(5000);
  assert.equal(asked.length, 6);
});
