// The time from a producer to a row: a thread sends records with the time of each, and a function
// sink compares it with its own. It is measured at half of the rate at which the same two keep up
// with each other, beside a kafkajs consumer, Java's console consumer and kcat at the same rate.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import kafkajs from 'kafkajs';
import { connectionNamed } from '../connections/connection-named.ts';
import { TopicWriter } from '../connectors/kafka/topic-writer.ts';
import { Environment } from '../index.ts';
import { startOwnBroker, whyNoKafka } from '../test/kafka/broker.ts';
import { independentClient } from '../test/kafka/independent-client.ts';
import { fetchJars } from '../test/kafka/kafka-jars.ts';
import { type Comparison, type Measured, startMeasuring } from './comparison.ts';
import { whyNoKcat } from './kcat.ts';

const partitions = 4;
/** Rows of the run that finds the maximum, and seconds of the run that is measured. */
const atMost = { rows: 600_000, seconds: 6 };
const warmUpSeconds = 1;
/** As the records of the other comparisons: about 130 bytes. */
const note = 'abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01234567';

export const kafkaLatency: Comparison = {
  name: 'kafka-latency',
  title: `producer → topic → row at half of the maximum rate, ${partitions} partitions; the limit is kafkajs eachBatch with JSON.parse at that rate`,
  warmUps: 0,
  missing: whyNoKafka,
  async prepare() {
    const broker = await startOwnBroker();
    process.env['SLUICE_BROKERS'] = broker.brokers;
    process.env['SLUICE_BENCH_RATE'] = String(Math.round((await maximumRate()) / 2));
    console.log(`  half of the maximum: ${Number(process.env['SLUICE_BENCH_RATE']).toLocaleString('en-US')} records/s`);
    return () => broker.stop();
  },
  sluice: (scale) => latencyOf(readWithSluice, scale),
  limit: { name: 'kafkajs', run: (scale) => latencyOf(readWithKafkajs, scale) },
  others: [
    {
      name: 'java-console',
      isProcess: true,
      missing: whyNoKafka,
      run: (scale) => latencyOfProcess(readWithJava, scale),
    },
    { name: 'kcat', isProcess: true, missing: whyNoKcat, run: (scale) => latencyOfProcess(readWithKcat, scale) },
  ],
  figures: [
    { name: 'p50', unit: 'ms', most: 5 },
    { name: 'p99', unit: 'ms', most: 25 },
  ],
};

interface Sent {
  readonly kind: 'bench-sender';
  readonly topic: string;
  readonly count: number;
  /** Infinity: as fast as the reader of the topic allows. */
  readonly perSecond: number;
}
interface Row {
  /** Epoch milliseconds with fractions: when the producer got the record. */
  readonly sent: number;
}
type Read = (topic: string, onRow: (row: Row) => void) => Promise<() => Promise<void>>;

const clock = (): number => performance.timeOrigin + performance.now();

async function maximumRate(): Promise<number> {
  const topic = await newTopic();
  let seen = 0;
  const done = Promise.withResolvers<void>();
  const stop = await readWithSluice(topic, () => {
    if (++seen === atMost.rows) done.resolve();
  });
  const began = clock();
  const sender = startSender({ kind: 'bench-sender', topic, count: atMost.rows, perSecond: Infinity });
  await done.promise;
  const seconds = (clock() - began) / 1000;
  await stop();
  await sender;
  return atMost.rows / seconds;
}

async function latencyOf(read: Read, scale: number): Promise<Measured> {
  const perSecond = Number(process.env['SLUICE_BENCH_RATE']);
  const skipped = Math.round(perSecond * warmUpSeconds);
  const count = skipped + Math.round((perSecond * atMost.seconds) / scale);
  const topic = await newTopic();
  const millis = new Float64Array(count - skipped);
  let seen = 0;
  const done = Promise.withResolvers<void>();
  const stop = await read(topic, ({ sent }) => {
    if (seen >= skipped) millis[seen - skipped] = clock() - sent;
    if (++seen === count) done.resolve();
  });
  const finish = startMeasuring(count);
  const sender = startSender({ kind: 'bench-sender', topic, count, perSecond });
  await done.promise;
  const measured = finish({ results: seen, sum: seen });
  await stop();
  await sender;
  millis.sort();
  const share = (part: number): number => millis[Math.floor(part * (millis.length - 1))]!;
  return { ...measured, figures: { p50: share(0.5), p99: share(0.99) } };
}

async function newTopic(): Promise<string> {
  const name = `bench-latency-${process.pid}-${Date.now()}`;
  const client = await independentClient(process.env['SLUICE_BROKERS']!);
  await client.createTopic(name, partitions);
  await client.close();
  return name;
}

async function readWithSluice(topic: string, onRow: (row: Row) => void): Promise<() => Promise<void>> {
  const environment = new Environment();
  environment.kafka<Row>(topic, { from: 'earliest', format: 'json' }).sink(onRow);
  const job = await environment.execute('kafka-latency');
  await sleep(1_000);
  return async () => void (await job.stop());
}
async function readWithKafkajs(topic: string, onRow: (row: Row) => void): Promise<() => Promise<void>> {
  const consumer = new kafkajs.Kafka({
    brokers: process.env['SLUICE_BROKERS']!.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  }).consumer({ groupId: `bench-${process.pid}-${topic}` });
  const joined = new Promise<void>((resolve) => void consumer.on('consumer.group_join', () => resolve()));
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: partitions,
    // eslint-disable-next-line @typescript-eslint/require-await -- kafkajs wants a promise
    eachBatch: async ({ batch }) => {
      for (const { value } of batch.messages) onRow(JSON.parse(value!.toString()) as Row);
    },
  });
  await joined;
  return () => consumer.disconnect();
}

/** The CPU time of the process that reads is not known. */
async function latencyOfProcess(read: Read, scale: number): Promise<Measured> {
  return { ...(await latencyOf(read, scale)), cpuSeconds: NaN };
}
async function readWithJava(topic: string, onRow: (row: Row) => void): Promise<() => Promise<void>> {
  return readLines(
    spawn('java', [
      ...['-Xmx512m', '-cp', join(await fetchJars(), '*'), 'org.apache.kafka.tools.consumer.ConsoleConsumer'],
      ...['--bootstrap-server', process.env['SLUICE_BROKERS']!, '--topic', topic, '--from-beginning'],
    ]),
    onRow,
  );
}
function readWithKcat(topic: string, onRow: (row: Row) => void): Promise<() => Promise<void>> {
  // It writes each record at once.
  const unbuffered = ['-q', '-u', '-o', 'beginning'];
  return readLines(spawn('kcat', ['-C', '-b', process.env['SLUICE_BROKERS']!, '-t', topic, ...unbuffered]), onRow);
}
/** The records are the lines of the process. It gets time to start, as the others do. */
async function readLines(child: ChildProcess, onRow: (row: Row) => void): Promise<() => Promise<void>> {
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  child.stderr!.resume();
  createInterface({ input: child.stdout! }).on('line', (line) => onRow(JSON.parse(line) as Row));
  await sleep(5_000);
  return () => {
    child.kill();
    return ended;
  };
}

// ----------------------------------------------------------------------------- the sender's thread

function startSender(sent: Sent): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: sent });
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}

/** Each millisecond it sends the records that are due. */
async function send({ topic, count, perSecond }: Sent): Promise<void> {
  let progress = Promise.withResolvers<void>();
  const events = {
    onProgress: () => {
      progress.resolve();
      progress = Promise.withResolvers();
    },
    onFailure: (error: unknown) => progress.reject(error),
  };
  const writer = new TopicWriter(connectionNamed(undefined), topic, events, { lingerMillis: 1 });
  while (!writer.takesRows) await progress.promise;
  const began = clock();
  for (let n = 0; n < count;) {
    const due = Math.min(count, Math.floor(((clock() - began) / 1000) * perSecond));
    for (; n < due && writer.takesRows; n++) {
      const now = clock();
      writer.append(`item-${n % 5_000}`, `{"n":${n},"sent":${now},"ok":true,"note":"${note}"}`, Math.floor(now));
    }
    if (n < due) await progress.promise;
    else await sleep(1);
  }
  writer.flush();
  while (!writer.isEmpty) await progress.promise;
  writer.close();
}

if (!isMainThread && (workerData as Partial<Sent> | null)?.kind === 'bench-sender')
  void send(workerData as Sent).then(() => parentPort?.close());
