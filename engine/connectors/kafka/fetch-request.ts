// The request for records. It names no group, and reads only committed transactions if it is not
// told otherwise.
import type { Exchange } from './kafkajs-connection.ts';
import type { AbortedTransaction } from './requests.ts';
import type { WireReader, WireWriter } from './wire.ts';

export interface FetchQuestion {
  readonly maxWaitMillis: number;
  readonly maxBytes: number;
  /** The records of open transactions are asked for, too. */
  readonly isUncommitted?: boolean;
  readonly topics: readonly {
    readonly topic: string;
    readonly id: string | undefined;
    readonly partitions: readonly FetchedFrom[];
  }[];
}
interface FetchedFrom {
  readonly partition: number;
  /** The leader's epoch, as this client knows it. A leader with another one refuses. */
  readonly leaderEpoch: number;
  readonly offset: number;
  readonly maxBytes: number;
}
export interface FetchedPartition {
  /** Its name, or its id if the request had ids. */
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  /** Records before this offset are on all replicas that are in sync. */
  readonly highWatermark: number;
  /** Records before this offset can be read. An open transaction begins here. */
  readonly lastStable: number;
  /** In the order of their first offset. */
  readonly aborted: readonly AbortedTransaction[];
  /** The record batches, and where they lie in it. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}
export interface Fetched {
  readonly error: number;
  /** How long the broker makes this client wait because of its quota. */
  readonly throttleMillis: number;
  readonly partitions: readonly FetchedPartition[];
}

const noReplica = -1;
const readUncommitted = 0;
const readCommitted = 1;
const noSession = 0;
const finalEpoch = -1;
const notAFollower = -1;
const noEpoch = -1;

function bigInt64(reader: WireReader): bigint {
  const value = reader.bytes.readBigInt64BE(reader.position);
  reader.position += 8;
  return value;
}
const inOrder = (aborted: AbortedTransaction[]): AbortedTransaction[] =>
  aborted.sort((a, b) => a.firstOffset - b.firstOffset);

function writeHead(writer: WireWriter, { maxWaitMillis, maxBytes, isUncommitted }: FetchQuestion): void {
  const isolation = isUncommitted === true ? readUncommitted : readCommitted;
  writer.int32(noReplica).int32(maxWaitMillis).int32(1).int32(maxBytes).int8(isolation);
  writer.int32(noSession).int32(finalEpoch);
}

/** With topic ids: a topic that was made again is not mistaken for the former one. */
export const fetch: Exchange<FetchQuestion, Fetched> = {
  api: 1,
  version: 13,
  isFlexible: true,
  throttleMillis: (answer) => answer.throttleMillis,
  write(writer, question) {
    const { topics } = question;
    writeHead(writer, question);
    writer.compactArray(topics, ({ id, partitions }) =>
      writer
        .uuid(id!)
        .compactArray(partitions, ({ partition, leaderEpoch, offset, maxBytes: most }) =>
          writer
            .int32(partition)
            .int32(leaderEpoch)
            .int64(offset)
            .int32(noEpoch)
            .int64(notAFollower)
            .int32(most)
            .noTags(),
        )
        .noTags(),
    );
    writer
      .compactArray([], () => undefined)
      .compactString('')
      .noTags();
  },
  read(reader) {
    const throttleMillis = reader.int32();
    const error = reader.int16();
    reader.int32();
    const partitions = reader
      .compactArray(() => {
        const topic = reader.uuid();
        const answers = reader.compactArray((): FetchedPartition => {
          const partition = reader.int32();
          const partitionError = reader.int16();
          const highWatermark = reader.int64();
          const lastStable = reader.int64();
          reader.int64();
          const aborted = reader.compactArray(() => {
            const transaction = { producer: bigInt64(reader), firstOffset: reader.int64() };
            reader.skipTags();
            return transaction;
          });
          reader.int32();
          const { start, end } = reader.compactRange();
          reader.skipTags();
          const { bytes } = reader;
          // prettier-ignore
          return { topic, partition, error: partitionError, highWatermark, lastStable, aborted: inOrder(aborted), bytes, start, end };
        });
        reader.skipTags();
        return answers;
      })
      .flat();
    return { error, throttleMillis, partitions };
  },
};

/** For brokers before 3.1. */
export const fetchByName: Exchange<FetchQuestion, Fetched> = {
  api: 1,
  version: 11,
  throttleMillis: (answer) => answer.throttleMillis,
  write(writer, question) {
    const { topics } = question;
    writeHead(writer, question);
    writer.array(topics, ({ topic, partitions }) =>
      writer
        .string(topic)
        .array(partitions, ({ partition, leaderEpoch, offset, maxBytes: most }) =>
          writer.int32(partition).int32(leaderEpoch).int64(offset).int64(notAFollower).int32(most),
        ),
    );
    writer.int32(0).string('');
  },
  read(reader) {
    const throttleMillis = reader.int32();
    const error = reader.int16();
    reader.int32();
    const partitions = reader
      .array(() => {
        const topic = reader.string() ?? '';
        return reader.array((): FetchedPartition => {
          const partition = reader.int32();
          const partitionError = reader.int16();
          const highWatermark = reader.int64();
          const lastStable = reader.int64();
          reader.int64();
          const aborted = reader.array(() => ({ producer: bigInt64(reader), firstOffset: reader.int64() }));
          reader.int32();
          const { start, end } = reader.byteRange();
          const { bytes } = reader;
          // prettier-ignore
          return { topic, partition, error: partitionError, highWatermark, lastStable, aborted: inOrder(aborted), bytes, start, end };
        });
      })
      .flat();
    return { error, throttleMillis, partitions };
  },
};
