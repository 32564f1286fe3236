// A partition of a topic that cannot be read: it stops with its error, and the others go on. The
// source is real; the test speaks for its reader thread.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { SourceContext } from '../../contract/source.ts';
import { SluiceError } from '../../errors/error.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';
import { createKafkaSource, type KafkaSource, type ReaderThread } from '../../connectors/kafka/kafka-source.ts';
import type { Chunk, ToReader, ToSource } from '../../connectors/kafka/reader-messages.ts';
import { splitsEndedBy, stoppedText } from '../../connectors/kafka/split-failure.ts';
import type { StateReader } from '../../contract/operator.ts';
import { savedSplits, savedState } from './saved-state.ts';
import { nameOf, type SplitPosition } from '../../connectors/kafka/split.ts';

type Parameters = Partial<NodeOf<'kafka'>['parameters']>;

class ReadTopic {
  readonly source: KafkaSource;
  /** "0@12": partition and offset. */
  readonly rows: string[] = [];
  readonly failures: string[] = [];
  readonly told: ToReader[] = [];
  watermark = -Infinity;
  isIdle = false;
  room = Infinity;
  #tell: (message: ToSource) => void = () => undefined;
  #now = 0;

  constructor(parameters: Parameters = {}, snapshot?: StateReader) {
    process.env['SLUICE_CONNECTION_MODEL'] = '127.0.0.1:1';
    const node: NodeOf<'kafka'> = {
      ...{ id: 'k', uid: 'k', kind: 'kafka', name: 't', group: '', own: '', shape: '' },
      parameters: { topic: 't', connection: 'model', from: 'earliest', format: 'json', ...parameters },
    };
    const reader: ReaderThread = {
      postMessage: (message: ToReader) => void this.told.push(message),
      terminate: () => Promise.resolve(0),
      on: (event: string, listener: (message: never) => void) => {
        if (event === 'message') this.#tell = listener as (message: ToSource) => void;
      },
    };
    this.source = createKafkaSource(node, new FunctionTable(), undefined, () => reader);
    this.source.open(this.#context());
    if (snapshot) this.source.restore(snapshot);
    this.source.poll();
  }
  #context(): SourceContext {
    const none = (): undefined => undefined;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- a getter of the output has another `this`
    const topic = this;
    return {
      ...{ id: 'k', uid: 'k', name: 't', freeze: true, clock: { now: () => this.#now } },
      output: {
        get full() {
          return topic.room <= 0;
        },
        emit: none,
        emitAt: (_value, _timestamp, partition, offset) => {
          this.room--;
          this.rows.push(`${partition}@${offset}`);
        },
        ...{ room: 1, allowance: 1, emitRun: none, finish: none },
        prepare: () => assert.fail('A topic is read record by record.'),
        emitTo: (port) => assert.fail(port),
        hasReader: () => true,
        watermark: (time) => (this.watermark = time),
        idle: () => (this.isIdle = true),
        active: () => (this.isIdle = false),
      },
      ...{ wake: none, wakeAt: none, countLate: none },
      fail: (error) => assert.fail(String(error)),
      failPartitions: (names, error) => {
        this.failures.push(`${names.join()}: ${(error as SluiceError).code}: ${(error as SluiceError).message}`);
      },
    };
  }
  tell(message: ToSource): void {
    this.#tell(message);
  }
  found(...splits: readonly Partial<SplitPosition>[]): void {
    const positions = splits.map((split, partition) => ({ topic: 't', partition, offset: 0, epoch: 0, ...split }));
    this.tell({ kind: 'found', splits: positions, unresolved: [] });
  }
  /** Records of a partition with these timestamps, from this offset on. */
  arrive(partition: number, offset: number, times: readonly number[]): void {
    const count = times.length;
    const chunk: Chunk = {
      split: `t[${partition}]`,
      columns: {
        count,
        values: new Uint8Array(Buffer.from('1'.repeat(count))),
        lengths: new Int32Array(count).fill(1),
        offsets: Float64Array.from({ length: count }, (_, i) => offset + i),
        timestamps: Float64Array.from(times),
      },
      ...{ ascii: true, next: offset + count, epoch: 0, end: 100, bytes: count },
    };
    this.tell({ kind: 'chunks', chunks: [chunk] });
  }
  fail(...splits: readonly string[]): void {
    const [first] = splits;
    const message = `${first}@9 cannot be read.`;
    this.tell({ kind: 'splits-failed', splits, code: 'kafka-unreadable', message, details: {} });
  }
  /** A poll after a second. */
  poll(): string {
    this.#now += 1_000;
    return this.source.poll();
  }
  snapshot(): StateReader {
    return savedState(this.source);
  }
  saved(): ReturnType<typeof savedSplits> {
    return savedSplits(this.snapshot());
  }
  get failedPartitions(): Record<string, string | undefined> {
    return Object.fromEntries(this.source.status().partitions!.map(({ partition, failed }) => [partition, failed]));
  }
}

test('a partition that fails stops alone, after the records that came before the error', () => {
  const topic = new ReadTopic();
  topic.found({}, {});
  topic.arrive(0, 0, [10, 20]);
  topic.arrive(1, 0, [1_000]);
  topic.fail('t[0]');
  topic.arrive(1, 1, [2_000]);
  assert.equal(topic.poll(), 'wait');
  assert.deepEqual(topic.rows, ['0@0', '0@1', '1@0', '1@1']);
  assert.deepEqual(topic.failures, ['t[0]: kafka-unreadable: t[0]@9 cannot be read.']);
  assert.deepEqual(topic.failedPartitions, { 0: 't[0]@9 cannot be read.', 1: undefined });
  assert.equal(topic.source.status().trouble, 't[0] at offset 2 has stopped with an error; the others go on');
});

test('event time waits for what a failed partition has in hand, and then goes on with the others', () => {
  const topic = new ReadTopic();
  topic.found({}, {});
  topic.arrive(0, 0, [10, 20, 30]);
  topic.arrive(1, 0, [1_000]);
  topic.room = 1;
  topic.fail('t[0]');
  topic.poll();
  assert.deepEqual(topic.rows, ['0@0']);
  assert.ok(topic.watermark < 10, `${topic.watermark}: two records of the partition are still to come`);
  topic.room = Infinity;
  topic.poll();
  assert.equal(topic.watermark, 999, 'that of the other partition');
  topic.arrive(1, 1, [5_000]);
  topic.poll();
  assert.equal(topic.watermark, 4_999);
});

test('a bounded read ends without the failed partition, and the snapshot keeps its position', () => {
  const topic = new ReadTopic({ until: 'latest' });
  topic.found({ end: 50 }, { end: 2 }, { end: 0 });
  topic.arrive(0, 0, [10, 20]);
  topic.fail('t[0]');
  assert.equal(topic.poll(), 'wait', 'the second partition has not ended');
  const saved = topic.snapshot();
  topic.arrive(1, 0, [10, 20]);
  assert.equal(topic.poll(), 'end');
  assert.deepEqual(
    topic.saved().splits.map(({ partition, offset }) => [partition, offset]),
    [
      [0, 2],
      [1, 2],
      [2, 0],
    ],
  );

  const again = new ReadTopic({ until: 'latest' }, saved);
  const assigned = again.told.flatMap((message) => (message.kind === 'assign' ? message.splits : []));
  assert.deepEqual(
    assigned.map(({ partition, offset }) => [partition, offset]),
    [
      [0, 2],
      [1, 0],
      [2, 0],
    ],
  );
  assert.equal(again.source.status().trouble, undefined, 'it is tried again');
  again.arrive(
    0,
    2,
    Array.from({ length: 48 }, (_, n) => 30 + n),
  );
  again.arrive(1, 0, [10, 20]);
  assert.equal(again.poll(), 'end');
});

test('the source fails with its last partition, when all that was read is emitted', () => {
  const topic = new ReadTopic();
  topic.found({}, {});
  topic.arrive(0, 0, [10, 20, 30]);
  topic.fail('t[0]');
  topic.fail('t[1]');
  topic.room = 2;
  topic.poll();
  topic.room = Infinity;
  assert.throws(() => topic.poll(), { code: 'kafka-unreadable', message: 't[1]@9 cannot be read.' });
  assert.deepEqual(topic.rows, ['0@0', '0@1', '0@2']);
  assert.equal(topic.failures.length, 1, 'the last failure is that of the source');
  assert.deepEqual(
    topic.saved().splits.map(({ offset }) => offset),
    [3, 0],
  );
});

test('a partition whose start is not found holds neither time nor the end back, and has no position', () => {
  const topic = new ReadTopic({ until: 'latest' });
  const first = { topic: 't', partition: 0, offset: 0, epoch: 0, end: 1 };
  topic.tell({ kind: 'found', splits: [first], unresolved: [{ topic: 't', partition: 1 }] });
  topic.fail('t[1]');
  topic.arrive(0, 0, [10]);
  assert.equal(topic.poll(), 'end');
  const { splits, unresolved } = topic.saved();
  assert.deepEqual([splits.length, unresolved.map(nameOf)], [1, ['t[1]']], 'a restart looks for its start again');
});

test('a micro-batch does not wait for a partition that has stopped', () => {
  const topic = new ReadTopic();
  topic.found({}, {});
  topic.arrive(0, 0, [10]);
  topic.poll();
  assert.equal(topic.source.awaits(), true, '99 records are still to come');
  topic.fail('t[0]');
  assert.equal(topic.source.awaits(), false);
  assert.equal(topic.source.behind(), 0);
});

test('an error about a topic ends its partitions; of a source by name it ends the source', () => {
  const read = [
    { topic: 'a', partition: 0 },
    { topic: 'a', partition: 1 },
    { topic: 'b', partition: 0 },
  ];
  const unreadable = new SluiceError('kafka-unreadable', '');
  const refused = new SluiceError('kafka-not-allowed', '');
  assert.deepEqual(splitsEndedBy(unreadable, read[0]!, read, true), ['a[0]']);
  assert.deepEqual(splitsEndedBy(unreadable, read[0]!, read, false), ['a[0]']);
  assert.deepEqual(splitsEndedBy(refused, read[0]!, read, true), ['a[0]', 'a[1]']);
  assert.equal(splitsEndedBy(refused, read[0]!, read, false), undefined);
});

test('a status names the first partitions that have stopped', () => {
  assert.equal(stoppedText([]), undefined);
  assert.equal(
    stoppedText(['a', 'b', 'c', 'd', 'e']),
    'a, b, c and 2 more have stopped with an error; the others go on',
  );
});
