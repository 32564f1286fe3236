// The offsets of partitions: by time, at both ends, and at the end of a leader's term.
import type { Exchange } from './kafkajs-connection.ts';

const noReplica = -1;
const readCommitted = 1;

export const earliestOffset = -2;
export const latestOffset = -1;
export interface OffsetsQuestion {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly epoch: number; readonly time: number }[];
}
export interface FoundOffset {
  readonly partition: number;
  readonly error: number;
  /** −1 when there is no record at or after the time. */
  readonly offset: number;
  /** The leader epoch of that record; −1: unknown. */
  readonly epoch: number;
}
/**
 * `time` is epoch milliseconds (the first record at or after it), `earliestOffset`, or
 * `latestOffset` (the end of the committed records).
 */
export const listOffsets: Exchange<OffsetsQuestion, readonly FoundOffset[]> = {
  api: 2,
  version: 5,
  write(writer, { topic, partitions }) {
    writer.int32(noReplica).int8(readCommitted);
    writer.array([topic], () =>
      writer
        .string(topic)
        .array(partitions, ({ partition, epoch, time }) => writer.int32(partition).int32(epoch).int64(time)),
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
          return { partition, error, offset: reader.int64(), epoch: reader.int32() };
        });
      })
      .flat();
  },
};

export interface EpochsQuestion {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    /** The leader's present epoch, as this client knows it. */
    readonly leaderEpoch: number;
    readonly epoch: number;
  }[];
}
export interface EndOfEpoch {
  readonly partition: number;
  readonly error: number;
  /** The largest epoch of the leader's log up to the one that was asked for; −1: none so large. */
  readonly epoch: number;
  /** The offset after its last record. */
  readonly endOffset: number;
}
export const offsetsForLeaderEpoch: Exchange<EpochsQuestion, readonly EndOfEpoch[]> = {
  api: 23,
  version: 3,
  write(writer, { topic, partitions }) {
    writer.int32(noReplica);
    writer.array([topic], () =>
      writer
        .string(topic)
        .array(partitions, ({ partition, leaderEpoch, epoch }) =>
          writer.int32(partition).int32(leaderEpoch).int32(epoch),
        ),
    );
  },
  read(reader) {
    reader.int32();
    return reader
      .array(() => {
        reader.string();
        return reader.array(() => ({
          error: reader.int16(),
          partition: reader.int32(),
          epoch: reader.int32(),
          endOffset: reader.int64(),
        }));
      })
      .flat();
  },
};
