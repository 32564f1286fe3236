// The records of a topic as Java's own consumer reads them: Kafka's console consumer.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fetchJars } from './kafka-jars.ts';
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
  if (count === 0) return [];
  const properties = ['timestamp', 'partition', 'offset', 'headers', 'key'].flatMap((name) => [
    '--formatter-property',
    `print.${name}=true`,
  ]);
  const { stdout } = await promisify(execFile)(
    'java',
    [
      ...['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', join(await fetchJars(), '*')],
      ...['org.apache.kafka.tools.consumer.ConsoleConsumer', '--bootstrap-server', brokers, '--topic', topic],
      ...['--from-beginning', '--max-messages', String(count), '--timeout-ms', '60000', ...properties],
    ],
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
