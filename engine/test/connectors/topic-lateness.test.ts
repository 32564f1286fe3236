// The law of a bounded read of a topic: no row is late if each record is within the bound of its
// own partition. It holds for any pace of reading, rates, throttling, outages, open transactions
// and order of partitions. The brokers are a model; the source behind the reader's messages is
// real.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { SourceContext } from '../../contract/source.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';
import { isSilent } from '../../connectors/kafka/fetched-chunk.ts';
import { createKafkaSource, type ReaderThread } from '../../connectors/kafka/kafka-source.ts';
import type { Chunk, ToReader, ToSource } from '../../connectors/kafka/reader-messages.ts';
import { nameOf, type SplitPosition } from '../../connectors/kafka/split.ts';

const bound = 50;
const idleness = 300;

interface Partition {
  /** The timestamps of its records. Each is at most `bound` behind the newest one before it. */
  readonly times: readonly number[];
}
/** What a broker does at one step. */
type Step =
  /**
   * It answers for this partition with at most so many records. 0: the answer was full without it.
   */
  | { readonly kind: 'answer'; readonly partition: number; readonly most: number }
  /** It answers for all partitions without room for a record: full, or throttled. */
  | { readonly kind: 'full' }
  /**
   * For so long the rest of this partition is behind an open transaction. All partitions answer.
   */
  | { readonly kind: 'transaction'; readonly partition: number; readonly millis: number }
  /** Nothing answers for so long. */
  | { readonly kind: 'outage'; readonly millis: number }
  /** The source gets a turn with this much room. */
  | { readonly kind: 'turn'; readonly room: number };

const partitions = fc.array(
  fc.array(fc.record({ step: fc.nat(400), behind: fc.nat(bound) }), { maxLength: 12 }).map((steps): Partition => {
    let newest = 1_000;
    return { times: steps.map(({ step: ahead, behind }) => (newest += ahead) - behind) };
  }),
  { minLength: 1, maxLength: 4 },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), partition: fc.nat(3), most: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('full' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('transaction' as const), partition: fc.nat(3), millis: fc.nat(2_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('outage' as const), millis: fc.nat(2_000) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('turn' as const), room: fc.nat(5) }) },
);

/** Reads the topic to its end, whatever the steps are, and returns the rows that were late. */
function lateRows(topic: readonly Partition[], steps: readonly Step[], rate: number | undefined): string[] {
  const parameters: NodeOf<'kafka'>['parameters'] = {
    topic: 't',
    connection: 'model',
    from: 'earliest',
    until: 'latest',
    format: 'json',
    watermark: { outOfOrdernessMillis: bound, idlenessMillis: idleness },
    ...(rate !== undefined && { rate }),
  };
  let now = 0;
  let room = 0;
  let watermark = -Infinity;
  const rows: number[] = [];
  const late: string[] = [];
  const messages: ToReader[] = [];
  let tell: (message: ToSource) => void = () => undefined;
  const reader: ReaderThread = {
    postMessage: (message: ToReader) => void messages.push(message),
    terminate: () => Promise.resolve(0),
    on: (event: string, listener: (message: never) => void) => {
      if (event === 'message') tell = listener as typeof tell;
    },
  };
  const context = modelContext({
    now: () => now,
    isFull: () => room <= 0,
    emit: (timestamp, partition, offset) => {
      room--;
      rows.push(timestamp);
      if (timestamp <= watermark) late.push(`t[${partition}]@${offset} of ${timestamp} at watermark ${watermark}`);
    },
    watermark: (at) => (watermark = at),
  });
  process.env['SLUICE_CONNECTION_MODEL'] = '127.0.0.1:1';
  const node: NodeOf<'kafka'> = {
    id: 'k',
    uid: 'k',
    kind: 'kafka',
    name: 't',
    group: '',
    parameters,
    own: '',
    shape: '',
  };
  const source = createKafkaSource(node, new FunctionTable(), undefined, () => reader);
  source.open(context);
  source.poll();
  const ends = topic.map(({ times }) => times.length);
  const splits = ends.map((end, partition): SplitPosition => ({ topic: 't', partition, offset: 0, epoch: 0, end }));
  tell({ kind: 'found', splits, unresolved: [] });
  const next = ends.map(() => 0);
  const isOpen = ends.map(() => false);
  /** As TopicReader: a chunk, or silence if the answer is. */
  const answer = (partition: number, most: number): void => {
    const end = ends[partition];
    if (end === undefined || next[partition] === end) return;
    const from = next[partition]!;
    const lastStable = isOpen[partition] ? from : end;
    const to = Math.min(from + most, lastStable);
    const bytes = Buffer.alloc(0);
    const fetched = { topic: 't', partition, error: 0, highWatermark: end, lastStable, aborted: [], bytes, start: 0 };
    if (to > from) tell({ kind: 'chunks', chunks: [chunk(partition, from, to, end)] });
    else if (isSilent({ ...fetched, end: 0 }, from))
      tell({ kind: 'silent', splits: [{ split: nameOf({ topic: 't', partition }), offset: from }] });
    next[partition] = to;
  };
  const chunk = (partition: number, from: number, to: number, end: number): Chunk => {
    const count = to - from;
    const values = Buffer.from('1'.repeat(count));
    return {
      split: nameOf({ topic: 't', partition }),
      columns: {
        count,
        values: new Uint8Array(values),
        lengths: new Int32Array(count).fill(1),
        offsets: Float64Array.from({ length: count }, (_, i) => from + i),
        timestamps: Float64Array.from(topic[partition]!.times.slice(from, to)),
      },
      ascii: true,
      next: to,
      epoch: 0,
      end,
      bytes: count,
    };
  };
  let isEnded = false;
  const turn = (available: number): void => {
    room = available;
    if (!isEnded) isEnded = source.poll() === 'end';
  };
  for (const one of steps) {
    now += 37;
    if (one.kind === 'answer') answer(one.partition, one.most);
    else if (one.kind === 'full') for (const partition of ends.keys()) answer(partition, 0);
    else if (one.kind === 'transaction') {
      isOpen[one.partition] = true;
      for (const until = now + one.millis; now < until; now += 100) {
        for (const partition of ends.keys()) answer(partition, 2);
        turn(1_000);
      }
      isOpen[one.partition] = false;
    } else if (one.kind === 'outage') for (const until = now + one.millis; now < until; now += 100) turn(1_000);
    else turn(one.room);
  }
  for (let round = 0; !isEnded && round < 10_000; round++) {
    now += 100;
    for (const partition of ends.keys()) answer(partition, 3);
    turn(1_000);
  }
  source.close();
  assert.ok(isEnded, 'The read has ended.');
  assert.equal(
    rows.length,
    ends.reduce((sum, end) => sum + end, 0),
  );
  return late;
}

interface Model {
  readonly now: () => number;
  readonly isFull: () => boolean;
  readonly emit: (timestamp: number, partition: number, offset: number) => void;
  readonly watermark: (at: number) => void;
}
function modelContext({ now, isFull, emit, watermark }: Model): SourceContext {
  const none = (): undefined => undefined;
  return {
    id: 'k',
    uid: 'k',
    name: 't',
    freeze: true,
    clock: { now },
    output: {
      get full() {
        return isFull();
      },
      emit: none,
      emitAt: (_value, timestamp, partition, offset) => emit(timestamp, partition, offset),
      room: 1,
      allowance: 1,
      prepare: () => assert.fail('A topic is read record by record.'),
      emitRun: none,
      emitTo: (port, value) => assert.fail(`${port}: ${JSON.stringify(value)}`),
      hasReader: () => true,
      watermark,
      idle: none,
      active: none,
      finish: none,
    },
    wake: none,
    wakeAt: none,
    fail: (error) => assert.fail(String(error)),
    countLate: none,
  };
}

test('a bounded read has no late row, at any pace, throttled, cut off or in any order', () => {
  fc.assert(
    fc.property(
      partitions,
      fc.array(step, { maxLength: 60 }),
      fc.option(fc.integer({ min: 5, max: 200 }), { nil: undefined }),
      (topic, steps, rate) => {
        assert.deepEqual(lateRows(topic, steps, rate), []);
      },
    ),
    { numRuns: 500 },
  );
});

test('a rate far below the backlog, as it was seen: two partitions read first, the third is an hour behind', () => {
  const times = (from: number): number[] => Array.from({ length: 30 }, (_, n) => from + 10 * n);
  const topic = [{ times: times(3_600_000) }, { times: times(3_600_000) }, { times: times(0) }];
  const steps: Step[] = [
    ...[0, 1].map((partition): Step => ({ kind: 'answer', partition, most: 30 })),
    { kind: 'outage', millis: 25_000 },
    { kind: 'full' },
    { kind: 'outage', millis: 25_000 },
    { kind: 'answer', partition: 2, most: 4 },
  ];
  assert.deepEqual(lateRows(topic, steps, 5), []);
});
