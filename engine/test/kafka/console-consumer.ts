// Kafka's console consumer: Java's own reader of topics, which prints a line for each record.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { watched } from './broker.ts';
import { fetchJars, isKafka4 } from './kafka-jars.ts';

/** It follows its topics until it is closed. */
export interface ConsoleConsumer {
  readonly lines: Interface;
  /** Resolves when the process is gone. */
  close(): Promise<void>;
}

/**
 * Follows the committed records of topics from the first on. `printed`: what a line has before its
 * value, such as "offset".
 */
export async function followTopics(
  brokers: string,
  topics: readonly string[],
  printed: readonly string[],
): Promise<ConsoleConsumer> {
  const given = await consoleArguments(brokers, 'read_committed', printed);
  const child = spawn('sh', ['-c', watched, 'kafka', ...given, '--include', topics.join('|')], {
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
  const property = isKafka4 ? '--formatter-property' : '--property';
  return [
    ...['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', join(await fetchJars(), '*')],
    ...['org.apache.kafka.tools.consumer.ConsoleConsumer', '--bootstrap-server', brokers],
    ...['--from-beginning', '--isolation-level', isolation],
    ...printed.flatMap((name) => [property, `print.${name}=true`]),
  ];
}
