// The requests for reading and writing a topic, in versions of Kafka 2.4, which later brokers
// support too. No request names a group, and a metadata request does not create a missing topic.
import type { Exchange } from './broker-connection.ts';
import { initProducerId, produce } from './sink-requests.ts';

/** The numbers of the Kafka errors that the connector handles. */
export const kafkaErrors = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  invalidTopic: 17,
  topicAuthorizationFailed: 29,
  clusterAuthorizationFailed: 31,
  messageTooLarge: 10,
  recordListTooLarge: 18,
  invalidTimestamp: 32,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  unknownProducer: 59,
  invalidRecord: 87,
} as const;

/**
 * Errors that pass without action, by number: elections, brokers that start, partitions that move.
 */
const passing: ReadonlyMap<number, string> = new Map([
  [-1, 'UNKNOWN_SERVER_ERROR'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION'],
  [5, 'LEADER_NOT_AVAILABLE'],
  [6, 'NOT_LEADER_OR_FOLLOWER'],
  [7, 'REQUEST_TIMED_OUT'],
  [8, 'BROKER_NOT_AVAILABLE'],
  [9, 'REPLICA_NOT_AVAILABLE'],
  [13, 'NETWORK_EXCEPTION'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS'],
  [15, 'COORDINATOR_NOT_AVAILABLE'],
  [19, 'NOT_ENOUGH_REPLICAS'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'],
  [56, 'KAFKA_STORAGE_ERROR'],
  [74, 'FENCED_LEADER_EPOCH'],
  [75, 'UNKNOWN_LEADER_EPOCH'],
  [78, 'OFFSET_NOT_AVAILABLE'],
]);
export function passesByItself(error: number): boolean {
  return passing.has(error);
}
/** An error as Kafka's documentation lists it. */
export function errorName(error: number): string {
  return passing.get(error) ?? `Kafka's error ${error}`;
}

export interface ApiRange {
  readonly api: number;
  readonly min: number;
  readonly max: number;
}
export const apiVersions: Exchange<undefined, { error: number; apis: readonly ApiRange[] }> = {
  api: 18,
  version: 0,
  write: () => undefined,
  read: (reader) => ({
    error: reader.int16(),
    apis: reader.array(() => ({ api: reader.int16(), min: reader.int16(), max: reader.int16() })),
  }),
};

export interface Metadata {
  readonly brokers: readonly { readonly node: number; readonly address: string }[];
  readonly topics: readonly TopicMetadata[];
}
export interface TopicMetadata {
  readonly error: number;
  readonly topic: string;
  readonly internal: boolean;
  readonly partitions: readonly { readonly error: number; readonly partition: number; readonly leader: number }[];
}
/** null: all topics that this client may see. */
export const metadata: Exchange<readonly string[] | null, Metadata> = {
  api: 3,
  version: 5,
  write(writer, topics) {
    if (topics === null) writer.int32(-1);
    else writer.array(topics, (topic) => writer.string(topic));
    // allow_auto_topic_creation: looking must not create.
    writer.int8(0);
  },
  read(reader) {
    reader.int32();
    const brokers = reader.array(() => {
      const node = reader.int32();
      const address = `${reader.string()}:${reader.int32()}`;
      reader.string();
      return { node, address };
    });
    reader.string();
    reader.int32();
    const numbers = (): number[] => reader.array(() => reader.int32());
    const topics = reader.array(() => ({
      error: reader.int16(),
      topic: reader.string() ?? '',
      internal: reader.boolean(),
      partitions: reader.array(() => {
        const found = { error: reader.int16(), partition: reader.int32(), leader: reader.int32() };
        numbers();
        numbers();
        numbers();
        return found;
      }),
    }));
    return { brokers, topics };
  },
};

/** It names no group, and it reads only committed transactions. */
const noReplica = -1;
const readCommitted = 1;

export const earliestOffset = -2;
export const latestOffset = -1;
export interface OffsetsQuestion {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly time: number }[];
}
export interface FoundOffset {
  readonly partition: number;
  readonly error: number;
  /** −1 when there is no record at or after the time. */
  readonly offset: number;
}
/**
 * `time` is epoch milliseconds (the first record at or after it), `earliestOffset`, or
 * `latestOffset` (the end of the committed records).
 */
export const listOffsets: Exchange<OffsetsQuestion, readonly FoundOffset[]> = {
  api: 2,
  version: 2,
  write(writer, { topic, partitions }) {
    writer.int32(noReplica).int8(readCommitted);
    writer.array([topic], () =>
      writer.string(topic).array(partitions, ({ partition, time }) => writer.int32(partition).int64(time)),
    );
  },
  read(reader) {
    reader.int32();
    return reader
      .array(() => {
        reader.string();
        return reader.array(() => {
          const partition = reader.int32();
          const error = reader.int16();
          reader.int64();
          return { partition, error, offset: reader.int64() };
        });
      })
      .flat();
  },
};

export interface FetchQuestion {
  readonly topic: string;
  readonly maxWaitMillis: number;
  readonly maxBytes: number;
  readonly partitions: readonly { readonly partition: number; readonly offset: number; readonly maxBytes: number }[];
}
export interface AbortedTransaction {
  readonly producer: bigint;
  readonly firstOffset: number;
}
export interface FetchedPartition {
  readonly partition: number;
  readonly error: number;
  /** In the order of their first offset. */
  /** Records before this offset can be read. */
  readonly lastStable: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The record batches, and where they lie in it. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}
export interface Fetched {
  readonly error: number;
  readonly partitions: readonly FetchedPartition[];
}
export const fetch: Exchange<FetchQuestion, Fetched> = {
  api: 1,
  version: 11,
  write(writer, { topic, maxWaitMillis, maxBytes, partitions }) {
    const noSession = 0;
    const finalEpoch = -1;
    writer.int32(noReplica).int32(maxWaitMillis).int32(1).int32(maxBytes).int8(readCommitted);
    writer.int32(noSession).int32(finalEpoch);
    writer.array([topic], () =>
      writer.string(topic).array(partitions, ({ partition, offset, maxBytes: most }) => {
        const anyEpoch = -1;
        const notAFollower = -1;
        writer.int32(partition).int32(anyEpoch).int64(offset).int64(notAFollower).int32(most);
      }),
    );
    writer.int32(0).string('');
  },
  read(reader) {
    reader.int32();
    const error = reader.int16();
    reader.int32();
    const partitions = reader
      .array(() => {
        reader.string();
        return reader.array(() => {
          const partition = reader.int32();
          const partitionError = reader.int16();
          reader.int64();
          const lastStable = reader.int64();
          reader.int64();
          const aborted = reader.array(() => {
            const producer = reader.bytes.readBigInt64BE(reader.position);
            reader.position += 8;
            return { producer, firstOffset: reader.int64() };
          });
          reader.int32();
          const { start, end } = reader.byteRange();
          aborted.sort((a, b) => a.firstOffset - b.firstOffset);
          return { partition, error: partitionError, lastStable, aborted, bytes: reader.bytes, start, end };
        });
      })
      .flat();
    return { error, partitions };
  },
};

/** The APIs and versions that a broker must support for reading and writing. */
export const neededFor: Readonly<Record<'read' | 'write', readonly Exchange<never, unknown>[]>> = {
  read: [fetch, listOffsets, metadata],
  write: [produce, initProducerId, metadata],
};
