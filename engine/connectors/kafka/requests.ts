// The requests for writing a topic, in versions of Kafka 2.4, which later brokers support too, and
// the errors of Kafka that the connector handles.
import type { Exchange } from './kafkajs-connection.ts';

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
  [100, 'UNKNOWN_TOPIC_ID'],
  [103, 'INCONSISTENT_TOPIC_ID'],
]);
export function passesByItself(error: number): boolean {
  return passing.has(error);
}
/** An error as Kafka's documentation lists it. */
export function errorName(error: number): string {
  return passing.get(error) ?? `Kafka's error ${error}`;
}

export interface AbortedTransaction {
  readonly producer: bigint;
  readonly firstOffset: number;
}

export interface Producer {
  readonly id: bigint;
  readonly epoch: number;
}
/** A producer without transactions: its number makes a repeated batch recognisable. */
export const initProducerId: Exchange<undefined, Producer & { readonly error: number }> = {
  api: 22,
  version: 1,
  write(writer) {
    const transactionTimeout = 60_000;
    writer.string(null).int32(transactionTimeout);
  },
  read(reader) {
    reader.int32();
    const error = reader.int16();
    const id = reader.bytes.readBigInt64BE(reader.position);
    reader.position += 8;
    return { error, id, epoch: reader.int16() };
  },
};

export interface ProduceQuestion {
  readonly topic: string;
  readonly timeoutMillis: number;
  readonly batches: readonly { readonly partition: number; readonly bytes: Uint8Array }[];
}
export interface Produced {
  readonly partition: number;
  readonly error: number;
  /** The broker's own words, when it has some. */
  readonly message: string | undefined;
}
export const produce: Exchange<ProduceQuestion, readonly Produced[]> = {
  api: 0,
  version: 8,
  write(writer, { topic, timeoutMillis, batches }) {
    const allReplicas = -1;
    writer.string(null).int16(allReplicas).int32(timeoutMillis);
    writer.array([topic], () =>
      writer.string(topic).array(batches, ({ partition, bytes }) => writer.int32(partition).bytes(bytes)),
    );
  },
  read(reader) {
    return reader
      .array(() => {
        reader.string();
        return reader.array(() => {
          const partition = reader.int32();
          const error = reader.int16();
          reader.int64();
          reader.int64();
          reader.int64();
          const records = reader.array(() => ({ index: reader.int32(), message: reader.string() }));
          const message = reader.string() ?? records.find((record) => record.message !== null)?.message;
          return { partition, error, message: message ?? undefined };
        });
      })
      .flat();
  },
};
