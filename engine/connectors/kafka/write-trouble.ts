// The troubles of a sink in words: what is not written, since when, why, and what may help.
import { SluiceError } from '../../errors/error.ts';
import { producerErrorName } from './produce-outcome.ts';
import type { RequestsInFlight } from './requests-in-flight.ts';
import type { TopicPartition, Trouble } from './topic-partition.ts';
import { throttledBy } from './troubles.ts';

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

/** A broker makes this client wait, or does not answer for a while. */
export function slownessOf(requests: RequestsInFlight, now: number, topic: string): WriterTrouble | undefined {
  const throttling = requests.throttling(now);
  if (throttling) return { since: throttling.since, reason: throttledBy(throttling.node) };
  const slow = requests.slow(now);
  return slow && { since: slow.since, reason: `broker ${slow.node} does not answer for ${topic}[${slow.partition}]` };
}

/** The topic is gone, and with it `rows` rows that it has not acknowledged. */
export function unwritten(topic: string, rows: number, { since, reason }: WriterTrouble): SluiceError {
  const minutes = Math.round((Date.now() - since) / 60_000);
  const many = `${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'}`;
  return new SluiceError(
    'kafka-unwritten',
    `${many} for topic "${topic}" could not be written for ${minutes} minutes: ${reason}. When the topic is there again, run the cell or start the job again.`,
    { topic, rows },
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
