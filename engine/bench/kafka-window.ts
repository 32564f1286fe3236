// A topic of a real broker → keyed tumbling window, compared with a bare kafkajs loop (eachBatch,
// JSON.parse, a window written by hand). Beside them, Java's perf tool and kcat read the topic, and
// do nothing with the records.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { connectionNamed } from '../connections/connection-named.ts';
import { TopicWriter } from '../connectors/kafka/topic-writer.ts';
import { count, Environment, max, sum, tumbling } from '../index.ts';
import { startOwnBroker, whyNoKafka } from '../test/kafka/broker.ts';
import { independentClient } from '../test/kafka/independent-client.ts';
import { fetchJars } from '../test/kafka/kafka-jars.ts';
import { Checksum, fold, foldLong, hashStart, javaHashCode } from './checksum.ts';
import { type Comparison, type Measured, startMeasuring } from './comparison.ts';
import { whyNoKcat } from './kcat.ts';

const rows = 1_000_000;
export const partitions = 4;
const items = 5_000;
const windowMillis = 10_000;
const boundMillis = 2_000;
const begin = 1_700_000_000_000;
const topic = 'bench-window';

interface Row {
  readonly item: string;
  readonly cents: number;
  readonly ts: number;
}

export const kafkaWindow: Comparison = {
  name: 'kafka-window',
  title: `count, sum, max per item and 10 s of ${rows.toLocaleString('en-US')} JSON rows in ${partitions} partitions; the limit is kafkajs eachBatch with JSON.parse`,
  warmUps: 0,
  missing: whyNoKafka,
  async prepare() {
    const broker = await startOwnBroker();
    process.env['SLUICE_BROKERS'] = broker.brokers;
    await fillTopic(topic, rows);
    return () => broker.stop();
  },
  sluice: countWithSluice,
  limit: { name: 'kafkajs', goal: 2, run: countByHand },
  others: [
    { name: 'java-perf', isProcess: true, onlyReads: true, missing: whyNoKafka, run: readWithJava },
    { name: 'kcat', isProcess: true, onlyReads: true, missing: whyNoKcat, run: readWithKcat },
  ],
};

/** Writes rows of about 131 bytes, ten for each millisecond of event time. */
export async function fillTopic(topic: string, rows: number): Promise<void> {
  const client = await independentClient(process.env['SLUICE_BROKERS']!);
  await client.createTopic(topic, partitions);
  await client.close();
  let progress = Promise.withResolvers<void>();
  const writer = new TopicWriter(connectionNamed(undefined), topic, {
    onProgress: () => {
      progress.resolve();
      progress = Promise.withResolvers();
    },
    onFailure: (error) => progress.reject(error),
  });
  const pad = 'abcdefghijklmnopqrstuvwxyz0123456789';
  for (let n = 0; n < rows; n++) {
    while (!writer.takesRows) await progress.promise;
    const item = `item-${(n * 7919) % items}`;
    const ts = begin + Math.floor(n / 10);
    const cents = (n * 31) % 100_000;
    const note = pad.slice(n % 10, 26 + (n % 10));
    const row = { id: 1_000_000 + n, user: `user-${n % 1000}`, item, cents, ts, ok: true, note };
    writer.append(item, JSON.stringify(row), ts);
  }
  writer.flush();
  while (!writer.isEmpty) await progress.promise;
  writer.close();
}

function hashOf(item: string, start: number, n: number, cents: number, most: number): number {
  return fold(fold(fold(foldLong(fold(hashStart, javaHashCode(item)), start), n), cents), most);
}

async function countWithSluice(): Promise<Measured> {
  const checksum = new Checksum();
  const environment = new Environment();
  environment
    .kafka<Row>(topic, {
      from: 'earliest',
      until: 'latest',
      timestamp: 'ts',
      watermark: { outOfOrderness: `${boundMillis}ms` },
    })
    .keyBy('item')
    .window(tumbling(`${windowMillis}ms`))
    .aggregate({ n: count(), cents: sum('cents'), max: max('cents') })
    .sink((total) => checksum.add(hashOf(total.item, total.windowStart.getTime(), total.n, total.cents, total.max)));
  const job = await environment.execute('kafka-window');
  // Measures from the first record, because the other side does not count the time to join a group.
  while (!job.metrics().operators.some(({ recordsIn }) => recordsIn > 0))
    await new Promise((resolve) => setTimeout(resolve, 2));
  const finish = startMeasuring(rows);
  await job.finished;
  return finish(checksum);
}

/** Its own clock begins when its group is balanced. */
async function readWithJava(): Promise<Measured> {
  const output = execFileSync(
    'java',
    [
      ...['-Xmx512m', '-cp', join(await fetchJars(), '*'), 'org.apache.kafka.tools.ConsumerPerformance'],
      ...['--bootstrap-server', process.env['SLUICE_BROKERS']!, '--topic', topic, '--num-records', String(rows)],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  // start, end, MB, MB/s, records, records/s, rebalancing in ms, fetching in ms, MB/s, records/s
  const figures = output.trim().split('\n').at(-1)!.split(',');
  return { records: Number(figures[4]), seconds: Number(figures[7]) / 1000, cpuSeconds: NaN, results: 0, checksum: 0 };
}
/** The time has its start in it. */
function readWithKcat(): Promise<Measured> {
  const finish = startMeasuring(rows);
  execFileSync('kcat', ['-C', '-b', process.env['SLUICE_BROKERS']!, '-t', topic, '-o', 'beginning', '-e', '-q'], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return Promise.resolve({ ...finish({ results: 0, sum: 0 }), cpuSeconds: NaN });
}

async function countByHand(): Promise<Measured> {
  const checksum = new Checksum();
  const states = Array.from({ length: partitions }, () => new PartitionWindows(checksum));
  const consumer = new kafkajs.Kafka({
    brokers: process.env['SLUICE_BROKERS']!.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  }).consumer({ groupId: `bench-${process.pid}`, maxBytesPerPartition: 4 << 20, maxBytes: 16 << 20, minBytes: 1 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let seen = 0;
  let finish: ReturnType<typeof startMeasuring> | undefined;
  const done = Promise.withResolvers<Measured>();
  await consumer.run({
    partitionsConsumedConcurrently: partitions,
    // eslint-disable-next-line @typescript-eslint/require-await -- kafkajs wants a promise
    eachBatch: async ({ batch }) => {
      finish ??= startMeasuring(rows);
      const state = states[batch.partition]!;
      for (const { value } of batch.messages) state.add(JSON.parse(value!.toString()) as Row);
      seen += batch.messages.length;
      if (seen < rows) return;
      for (const one of states) one.close(Infinity);
      done.resolve(finish(checksum));
    },
  });
  const measured = await done.promise;
  await consumer.disconnect();
  return measured;
}

/**
 * A tumbling window without an engine. A key is always in the same partition, so each partition has
 * its own windows.
 */
class PartitionWindows {
  readonly #checksum: Checksum;
  readonly #windows = new Map<number, Map<string, { n: number; cents: number; max: number }>>();
  #newest = 0;
  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }
  add({ item, cents, ts }: Row): void {
    if (ts > this.#newest) this.#newest = ts;
    const start = ts - (ts % windowMillis);
    let byItem = this.#windows.get(start);
    if (!byItem) {
      this.close(this.#newest - boundMillis - 1);
      byItem = new Map<string, { n: number; cents: number; max: number }>();
      this.#windows.set(start, byItem);
    }
    const open = byItem.get(item);
    if (!open) byItem.set(item, { n: 1, cents, max: cents });
    else {
      open.n++;
      open.cents += cents;
      if (cents > open.max) open.max = cents;
    }
  }
  close(watermark: number): void {
    for (const [start, byItem] of this.#windows) {
      if (start + windowMillis - 1 > watermark) continue;
      for (const [item, { n, cents, max: most }] of byItem) this.#checksum.add(hashOf(item, start, n, cents, most));
      this.#windows.delete(start);
    }
  }
}
