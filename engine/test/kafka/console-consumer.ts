// Kafka's console consumer: Java's own reader of topics, which prints a line for each record.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { watched } from './broker.ts';
import { fetchJars, isKafka4 } from './kafka-jars.ts';

const formatterOption = isKafka4 ? '--formatter-property' : '--property';

/** It follows its topics until it is closed. */
export interface ConsoleConsumer {
  readonly lines: Interface;
  /** Resolves when the process is gone. */
  close(): Promise<void>;
}

/**
 * Follows the committed records of topics from the first on. `printed`: what a line has before its
 * value, such as "offset". `properties`: more ones of its formatter.
 */
export async function followTopics(
  brokers: string,
  topics: readonly string[],
  printed: readonly string[],
  properties: Readonly<Record<string, string>> = {},
): Promise<ConsoleConsumer> {
  const given = await consoleArguments(brokers, 'read_committed', printed);
  const more = Object.entries(properties).flatMap(([name, value]) => [formatterOption, `${name}=${value}`]);
  const child = spawn('sh', ['-c', watched, 'kafka', ...given, ...more, '--include', topics.join('|')], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    lines: createInterface({ input: child.stdout }),
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The arguments of `java`. The topics are missing, and the end, if there is one. */
export async function consoleArguments(
  brokers: string,
  isolation: 'read_committed' | 'read_uncommitted',
  printed: readonly string[],
): Promise<readonly string[]> {
  return [
    ...['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', join(await fetchJars(), '*')],
    ...['org.apache.kafka.tools.consumer.ConsoleConsumer', '--bootstrap-server', brokers],
    ...['--from-beginning', '--isolation-level', isolation],
    ...printed.flatMap((name) => [formatterOption, `print.${name}=true`]),
  ];
}
