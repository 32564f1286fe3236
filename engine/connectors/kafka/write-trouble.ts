// The troubles of a sink in words: what is not written, since when, why, and what may help.
import { SluiceError } from '../../errors/error.ts';
import type { Connection } from './connections.ts';
import { producerErrorName } from './produce-outcome.ts';
import type { TopicPartition, Trouble } from './topic-partition.ts';

export interface WriterTrouble {
  /** Epoch milliseconds. */
  readonly since: number;
  /** A sentence without its full stop. It stays the same as long as the trouble does. */
  readonly reason: string;
}

/** The oldest trouble of all partitions, and how many others there are. */
export function troubleOf(partitions: readonly TopicPartition[]): WriterTrouble | undefined {
  const troubles = partitions.flatMap(({ trouble }) => trouble ?? []);
  const oldest = troubles.reduce<Trouble | undefined>((a, b) => (a && a.since <= b.since ? a : b), undefined);
  if (!oldest) return undefined;
  const others = troubles.length - 1;
  const also = others === 0 ? '' : ` (and ${others} more ${others === 1 ? 'partition' : 'partitions'})`;
  return { since: oldest.since, reason: `${reasonAndHint(oldest)}${also}; its rows are sent again` };
}
function reasonAndHint({ reason, hint }: Pick<Trouble, 'reason' | 'hint'>): string {
  return hint === '' ? reason : `${reason}: ${hint}`;
}

/** `rows` is the number of rows that the topic has not acknowledged. */
export function unwritten(topic: string, rows: number, { since, reason, hint }: Trouble): SluiceError {
  const minutes = Math.round((Date.now() - since) / 60_000);
  const many = rows === 0 ? 'Rows' : `${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'}`;
  return new SluiceError(
    'kafka-unwritten',
    `${many} for topic "${topic}" could not be written for ${minutes} minutes: ${reasonAndHint({ reason, hint })}.`,
    { topic, rows },
  );
}

export function unreachable({ brokers, variable }: Connection, error: Error): SluiceError {
  return new SluiceError(
    'kafka-unreachable',
    `Kafka cannot be reached: ${error.message} The address is from ${variable}.`,
    { brokers, variable },
  );
}

/** Brokers before 2.8 ask for a right on the cluster before they number a producer. */
export function idempotenceNotAllowed(topic: string, cluster: string, error = 31): SluiceError {
  return new SluiceError(
    'kafka-not-allowed',
    `Idempotent writing to topic "${topic}" on ${cluster} is not allowed (${producerErrorName(error)}). Ask for the right WRITE on the topic and, before Kafka 2.8, for IDEMPOTENT_WRITE on the cluster. Or give to() \`idempotent: false\`.`,
    { topic, error },
  );
}
