// A JSON sink of 200-byte rows into a topic of a real broker, acknowledged by all replicas,
// compared with kafkajs's producer, with Java's perf tool and with kcat.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { Environment } from '../index.ts';
import { startOwnBroker, whyNoKafka } from '../test/kafka/broker.ts';
import { independentClient } from '../test/kafka/independent-client.ts';
import { fetchJars } from '../test/kafka/kafka-jars.ts';
import { type Comparison, type Measured, startMeasuring } from './comparison.ts';
import { whyNoKcat } from './kcat.ts';

const rows = 1_000_000;
const partitions = 4;
const rowBytes = 200;
/**
 * kafkajs sends one request for each call: larger calls are faster, and Java's batches are alike.
 */
const kafkajsMessages = 10_000;
const topic = (): string => `bench-produce-${process.pid}-${Date.now()}`;

export const kafkaProduce: Comparison = {
  name: 'kafka-produce',
  title: `${rows.toLocaleString('en-US')} rows of ${rowBytes} bytes as JSON with keys into ${partitions} partitions, acks all; the limit is kafkajs's producer`,
  warmUps: 0,
  missing: whyNoKafka,
  async prepare() {
    const broker = await startOwnBroker();
    process.env['SLUICE_BROKERS'] = broker.brokers;
    return () => broker.stop();
  },
  sluice: writeWithSluice,
  limit: { name: 'kafkajs', goal: 2, run: writeWithKafkajs },
  others: [
    { name: 'java-perf', isProcess: true, missing: whyNoKafka, run: writeWithJava },
    { name: 'kcat', isProcess: true, missing: whyNoKcat, run: writeWithKcat },
  ],
  figures: [{ name: 'acknowledged', unit: 'rows/s', least: 150_000 }],
};

/** An Environment takes a checkpoint a second for the transactions. */
export const produceExactlyOnce: Comparison = {
  name: 'produce-exactly-once',
  title: `${rows.toLocaleString('en-US')} rows of ${rowBytes} bytes as JSON with keys into ${partitions} partitions, exactly-once at a checkpoint a second; the limit is at-least-once`,
  warmUps: 0,
  missing: whyNoKafka,
  prepare: kafkaProduce.prepare!,
  sluice: (scale) => writeAndRead(scale, 'exactly-once'),
  limit: { name: 'at-least-once', goal: 0.8, run: (scale) => writeAndRead(scale, 'at-least-once') },
};

interface Row {
  readonly id: number;
  readonly item: string;
  readonly note: string;
}
function rowOf(n: number): Row {
  const row = { id: 1_000_000 + n, item: `item-${(n * 7919) % 5_000}`, note: '' };
  return { ...row, note: 'x'.repeat(rowBytes - JSON.stringify(row).length) };
}
async function newTopic(): Promise<string> {
  const name = topic();
  const client = await independentClient(process.env['SLUICE_BROKERS']!);
  await client.createTopic(name, partitions);
  await client.close();
  return name;
}
/** The checksum is the number of records in the topic. */
async function counted(name: string): Promise<{ results: number; sum: number }> {
  const client = await independentClient(process.env['SLUICE_BROKERS']!);
  const offsets = await client.admin.fetchTopicOffsets(name);
  await client.close();
  const count = offsets.reduce((sum, { high }) => sum + Number(high), 0);
  return { results: count, sum: count };
}

async function writeWithSluice(scale: number): Promise<Measured> {
  const { name, measured } = await write(scale, 'at-least-once');
  const { results, sum } = await counted(name);
  const figures = { acknowledged: measured.records / measured.seconds };
  return { ...measured, results, checksum: sum, figures };
}
/** The results are the committed rows: a topic has markers of transactions, too. */
async function writeAndRead(scale: number, delivery: 'exactly-once' | 'at-least-once'): Promise<Measured> {
  const { name, measured } = await write(scale, delivery);
  const environment = new Environment();
  let [results, sum] = [0, 0];
  environment.kafka<Row>(name, { from: 'earliest', until: 'latest' }).sink(({ id }) => {
    results++;
    sum += id;
  });
  await (
    await environment.execute('committed')
  ).finished;
  return { ...measured, results, checksum: sum };
}
/** The rows are made before the clock starts. */
async function write(scale: number, delivery: 'exactly-once' | 'at-least-once') {
  const name = await newTopic();
  const count = rows / scale;
  const made = Array.from({ length: count }, (_, n) => rowOf(n));
  const environment = new Environment();
  environment.from(made).to(name, { key: 'item', delivery });
  const finish = startMeasuring(count);
  const job = await environment.execute('kafka-produce');
  await job.finished;
  return { name, measured: finish({ results: 0, sum: 0 }) };
}

async function writeWithKafkajs(scale: number): Promise<Measured> {
  const name = await newTopic();
  const count = rows / scale;
  const made = Array.from({ length: count }, (_, n) => rowOf(n));
  const producer = new kafkajs.Kafka({
    brokers: process.env['SLUICE_BROKERS']!.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  }).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const finish = startMeasuring(count);
  for (let at = 0; at < count; at += kafkajsMessages)
    await producer.send({
      topic: name,
      acks: -1,
      messages: made.slice(at, at + kafkajsMessages).map((row) => ({ key: row.item, value: JSON.stringify(row) })),
    });
  const measured = finish({ results: 0, sum: 0 });
  await producer.disconnect();
  const { results, sum } = await counted(name);
  return { ...measured, results, checksum: sum };
}

/** It sends fixed bytes, without JSON and keys. */
async function writeWithJava(scale: number): Promise<Measured> {
  const name = await newTopic();
  const count = rows / scale;
  const output = execFileSync(
    'java',
    [
      ...['-Xmx512m', '-cp', join(await fetchJars(), '*'), 'org.apache.kafka.tools.ProducerPerformance'],
      ...['--topic', name, '--num-records', String(count), '--record-size', String(rowBytes), '--throughput', '-1'],
      ...['--producer-props', `bootstrap.servers=${process.env['SLUICE_BROKERS']!}`, 'acks=all'],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const perSecond = Number(/records sent, ([\d.]+) records\/sec/.exec(output.trim().split('\n').at(-1)!)![1]);
  const { results, sum } = await counted(name);
  const seconds = count / perSecond;
  return { records: count, seconds, cpuSeconds: NaN, results, checksum: sum };
}

/** It reads lines of JSON from its standard input, and sends no keys. Its start is in the time. */
async function writeWithKcat(scale: number): Promise<Measured> {
  const name = await newTopic();
  const count = rows / scale;
  const input = Array.from({ length: count }, (_, n) => JSON.stringify(rowOf(n))).join('\n');
  const finish = startMeasuring(count);
  execFileSync('kcat', ['-P', '-b', process.env['SLUICE_BROKERS']!, '-t', name, '-X', 'acks=all'], { input });
  const measured = finish({ results: 0, sum: 0 });
  const { results, sum } = await counted(name);
  return { ...measured, cpuSeconds: NaN, results, checksum: sum };
}
