// The records of a topic as kcat reads them: a client on librdkafka, which shares no code with
// Java's client or kafkajs.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { reportSkipped } from '../../../.ci/in-ci.ts';

export interface KcatRecord {
  readonly partition: number;
  readonly offset: number;
  /** Epoch milliseconds. */
  readonly ts: number;
  readonly key: string | null;
  readonly payload: string;
}

/** The reason why kcat cannot read here, or undefined. In CI it must. */
export function whyNoKcat(): string | undefined {
  if (spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0) return undefined;
  const sentence = 'NO TESTS WITH KCAT: it is not installed. Install it: apt-get install kcat, or brew install kcat.';
  reportSkipped(sentence);
  return sentence;
}

/** All records from the first offset to the present end. */
export async function kcatRecords(brokers: string, topic: string): Promise<KcatRecord[]> {
  const { stdout } = await promisify(execFile)(
    'kcat',
    ['-C', '-q', '-J', '-b', brokers, '-t', topic, '-o', 'beginning', '-e'],
    { encoding: 'utf8', maxBuffer: 1 << 30 },
  );
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KcatRecord);
}
