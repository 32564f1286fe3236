// Looks at a cluster without a source: the topics that there are, and some records of one. It joins
// no group, commits nothing and creates no topic. For the types of topics, for completions, and for
// whoever browses.
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../errors/error.ts';
import { Brokers, mayPass, TryAgain } from './brokers.ts';
import type { Connection } from '../../connections/connection.ts';
import { connectionNamed } from '../../connections/connection-named.ts';
import { fetch, fetchByName, type FetchedPartition } from './fetch-request.ts';
import { FetchedBatches } from './fetched-batches.ts';
import { Leaders, leaderOf } from './leaders.ts';
import type { TopicMetadata } from './metadata-request.ts';
import { earliestOffset, latestOffset, listOffsets, type FoundOffset } from './offset-requests.ts';
import { bufferOn, type RecordColumns } from './record-columns.ts';
import { type HeaderValues, readHeaders } from './record-headers.ts';
import { RecordsUnreadable } from './records-unreadable.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';
import { kafkaFailure } from './split-finder.ts';
import { nameOf } from './split.ts';
import { BrokerUnreachable, contactError } from './broker-unreachable.ts';

export interface TopicSummary {
  readonly topic: string;
  readonly partitions: number;
  /** Kafka's own, such as __consumer_offsets. */
  readonly isInternal: boolean;
}
export interface SampledRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Epoch milliseconds; −1: the record has none. */
  readonly timestamp: number;
  /** undefined: the record has none. */
  readonly key: Buffer | undefined;
  /** undefined: the record has none (a tombstone). */
  readonly value: Buffer | undefined;
  readonly headers: HeaderValues;
}

const attempts = 5;
const pauseMillis = 200;
/** Each look further back reads this much more of the topic. */
const growth = 4;
const mostLooks = 5;
const fetchBytes = 1 << 20;

/**
 * The topics that this client may see, by name. `connection` is the name of one; the default one if
 * it is undefined. Errors: `kafka-no-connection`, `kafka-unreachable` and those of the connection.
 */
export function listTopics(connection?: string): Promise<TopicSummary[]> {
  return withBrokers(connection, async (brokers) => {
    const { topics } = await brokers.metadata(null);
    return topics
      .filter(({ error }) => error !== kafkaErrors.topicAuthorizationFailed)
      .map(({ topic, partitions, internal }) => ({ topic, partitions: partitions.length, isInternal: internal }))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1));
  });
}

/**
 * Up to `count` of the newest committed records of a topic, oldest first. Each partition gives its
 * share. Where records are sparse (a compacted topic), there may be fewer. Errors: as listTopics,
 * `kafka-unknown-topic`, `kafka-not-allowed`, `kafka-unreadable`.
 */
export function sampleRecords(
  connection: string | undefined,
  topic: string,
  count: number,
): Promise<readonly SampledRecord[]> {
  return withBrokers(connection, async (brokers) => {
    const partitions = await partitionsOf(brokers, topic);
    const records: SampledRecord[] = [];
    let share = Math.ceil(count / Math.max(1, partitions.length));
    for (let look = 0; look < mostLooks && records.length < count; look++, share *= growth) {
      const open = partitions.filter(({ from, begin }) => from > begin);
      if (open.length === 0) break;
      for (const partition of open) {
        const until = partition.from;
        partition.from = Math.max(partition.begin, until - share);
        records.push(...(await recordsBetween(brokers, partition, partition.from, until)));
      }
    }
    return records.sort(byAge).slice(-count);
  });
}

function byAge(a: SampledRecord, b: SampledRecord): number {
  return a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset;
}

interface SampledPartition {
  readonly about: TopicMetadata;
  readonly partition: number;
  readonly begin: number;
  /** Records from here on were read. */
  from: number;
}

/** Repeats what may pass, for a short time. */
async function withBrokers<T>(name: string | undefined, look: (brokers: Brokers) => Promise<T>): Promise<T> {
  const connection = connectionNamed(name);
  const brokers = new Brokers(connection, 'read');
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await look(brokers);
      } catch (error) {
        if (!mayPass(error)) throw error;
        if (attempt === attempts) throw passedNot(connection, error);
        await sleep(pauseMillis);
      }
    }
  } finally {
    brokers.close();
  }
}
function passedNot(connection: Connection, error: Error): SluiceError {
  if (error instanceof BrokerUnreachable) return contactError(connection, error);
  return new SluiceError('kafka-unreachable', `Kafka cannot answer at present: ${error.message}.`, {
    setIn: connection.setIn,
  });
}

async function partitionsOf(brokers: Brokers, topic: string): Promise<SampledPartition[]> {
  const view = (await new Leaders(brokers).look([topic])).get(topic)!;
  if (view.kind === 'unknown') throw await brokers.unknownTopic(topic);
  if (view.kind === 'refused') throw view.error;
  if (view.kind === 'wait') throw new TryAgain(view.reason);
  const { about } = view;
  const byNode = Map.groupBy(about.partitions, ({ partition }) => leaderOf(about, partition)?.node);
  const found: SampledPartition[] = [];
  for (const [node, led] of byNode) {
    // A partition without leader is left out: the others are enough for a sample.
    if (node === undefined) continue;
    const ask = async (time: number): Promise<ReadonlyMap<number, FoundOffset>> => {
      const partitions = led.map(({ partition, epoch }) => ({ partition, epoch, time }));
      const answers = await brokers.ask(node, listOffsets, { topic, partitions });
      for (const { partition, error } of answers) checkAnswer(brokers, topic, partition, error);
      return new Map(answers.map((answer) => [answer.partition, answer]));
    };
    const [begins, ends] = await Promise.all([ask(earliestOffset), ask(latestOffset)]);
    for (const [partition, { offset }] of begins)
      found.push({ about, partition, begin: offset, from: ends.get(partition)?.offset ?? offset });
  }
  if (found.length === 0) throw new TryAgain(`no partition of topic "${topic}" has a leader`);
  return found.sort((a, b) => a.partition - b.partition);
}

async function recordsBetween(
  brokers: Brokers,
  { about, partition }: SampledPartition,
  from: number,
  until: number,
): Promise<SampledRecord[]> {
  const { topic, id } = about;
  const { node, epoch } = leaderOf(about, partition)!;
  const records: SampledRecord[] = [];
  let maxBytes = fetchBytes;
  for (let offset = from; offset < until;) {
    const partitions = [{ partition, leaderEpoch: epoch, offset, maxBytes }];
    const question = { maxWaitMillis: 0, maxBytes, topics: [{ topic, id, partitions }] };
    const { error, partitions: answers } = await brokers.ask(
      node,
      id === undefined ? fetchByName : [fetch, fetchByName],
      question,
    );
    if (error !== kafkaErrors.none) throw new TryAgain(`broker ${node} answers ${errorName(error)}`);
    const [answer] = answers;
    if (!answer) throw new TryAgain(`broker ${node} does not answer about ${nameOf({ topic, partition })}`);
    checkAnswer(brokers, topic, partition, answer.error);
    const { columns, next, needs } = columnsOf(answer, topic, partition, offset, until);
    if (needs !== undefined && needs > maxBytes) maxBytes = needs;
    // Nothing is left before the end.
    else if (next <= offset) break;
    for (const one of columns) records.push(...recordsOf(topic, partition, one));
    offset = Math.max(next, offset);
  }
  return records;
}

function columnsOf(
  answer: FetchedPartition,
  topic: string,
  partition: number,
  from: number,
  until: number,
): { readonly columns: readonly RecordColumns[]; readonly next: number; readonly needs?: number | undefined } {
  try {
    const batches = new FetchedBatches(answer, { withKeys: true, withHeaders: true });
    const columns: RecordColumns[] = [];
    let next = from;
    while (next < until) {
      const piece = batches.read(next, until);
      if (!piece) break;
      columns.push(piece.columns);
      next = piece.next;
      if (batches.isRead) break;
    }
    return { columns, next, needs: batches.needs };
  } catch (error) {
    if (!(error instanceof RecordsUnreadable)) throw error;
    throw new SluiceError(
      'kafka-unreadable',
      `${nameOf({ topic, partition })}@${from} cannot be read: ${error.message} Give the type of the rows yourself: kafka<Row>(${JSON.stringify(topic)}).`,
      {
        partition,
        offset: from,
      },
    );
  }
}

function recordsOf(topic: string, partition: number, columns: RecordColumns): SampledRecord[] {
  const { count, values, lengths, offsets, timestamps, keys, headers } = columns;
  const parts = (bytes: Uint8Array<ArrayBuffer>) => {
    const whole = bufferOn(bytes);
    let at = 0;
    return (length: number) => (length < 0 ? undefined : whole.subarray(at, (at += length)));
  };
  const [value, key, header] = [parts(values), parts(keys!.bytes), parts(headers!.bytes)];
  return Array.from({ length: count }, (_, i) => {
    const size = headers!.lengths[i]!;
    return {
      topic,
      partition,
      offset: offsets[i]!,
      timestamp: timestamps[i]!,
      key: key(keys!.lengths[i]!),
      value: value(lengths[i]!),
      headers: readHeaders(header(size)!, 0, size),
    };
  });
}

function checkAnswer(brokers: Brokers, topic: string, partition: number, error: number): void {
  if (error === kafkaErrors.none) return;
  if (error === kafkaErrors.topicAuthorizationFailed) throw brokers.notAllowed(topic);
  if (passesByItself(error)) throw new TryAgain(`${nameOf({ topic, partition })} answers ${errorName(error)}`);
  throw kafkaFailure(topic, partition, error);
}
