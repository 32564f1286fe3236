// The records of a topic as Java's own consumer reads them: Kafka's console consumer.
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { consoleArguments } from './console-consumer.ts';
import type { IndependentClient } from './independent-client.ts';

export interface JavaRecord {
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: number;
  /** As the console consumer prints them: "name:value,name:value". */
  readonly headers: string;
  readonly key: string | undefined;
  readonly value: string;
}

/** All records from the first offset to the present end. No record has a tab in it. */
export async function javaRecords({ admin }: IndependentClient, brokers: string, topic: string): Promise<JavaRecord[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  const count = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  return count === 0 ? [] : await consoleRecords(brokers, topic, count, 'read_uncommitted');
}

const lastOne = 'the last record of this test';
/**
 * The records of committed transactions, and of none, that a reader of committed records sees. If
 * there are more than `expected`, or fewer, then these are other ones than the test expects. A
 * record is written behind them in each partition, so that the end is seen.
 */
export async function committedRecords(
  client: IndependentClient,
  brokers: string,
  topic: string,
  expected: number,
): Promise<JavaRecord[]> {
  const partitions = await partitionsOf(client, topic);
  await client.send(
    topic,
    partitions.map((partition) => ({ partition, value: lastOne })),
  );
  const records = await consoleRecords(brokers, topic, expected + partitions.length, 'read_committed');
  const ends = records.filter(({ value }) => value === lastOne).length;
  const rows = records.filter(({ value }) => value !== lastOne);
  if (ends !== partitions.length) throw new Error(`Topic ${topic} has more than ${expected} committed records.`);
  if (rows.length !== expected) throw new Error(`Topic ${topic} has ${rows.length} records, and not ${expected}.`);
  return rows;
}

/** A broker that has just come back may not lead its partitions yet. */
async function partitionsOf({ admin }: IndependentClient, topic: string): Promise<readonly number[]> {
  for (const deadline = Date.now() + 120_000; ; await sleep(100))
    try {
      return (await admin.fetchTopicOffsets(topic)).map(({ partition }) => partition);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
}

async function consoleRecords(
  brokers: string,
  topic: string,
  count: number,
  isolation: 'read_committed' | 'read_uncommitted',
): Promise<JavaRecord[]> {
  const printed = ['timestamp', 'partition', 'offset', 'headers', 'key'];
  const given = await consoleArguments(brokers, isolation, printed);
  const { stdout } = await promisify(execFile)(
    'java',
    [...given, '--topic', topic, '--max-messages', String(count), '--timeout-ms', '60000'],
    { encoding: 'utf8', maxBuffer: 1 << 30 },
  );
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('CreateTime:') || line.startsWith('LogAppendTime:'))
    .map(recordOf);
}

function recordOf(line: string): JavaRecord {
  const [time, partition, offset, headers, key, ...value] = line.split('\t');
  const numberOf = (text: string): number => Number(text.slice(text.indexOf(':') + 1));
  return {
    timestamp: numberOf(time!),
    partition: numberOf(partition!),
    offset: numberOf(offset!),
    headers: headers!,
    key: key === 'null' ? undefined : key,
    value: value.join('\t'),
  };
}
