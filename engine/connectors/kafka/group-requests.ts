// What consumer groups have read, asked without joining one. A broker lists the groups that it
// coordinates, and answers for their offsets. So no coordinator is looked for, which would make a
// broker without groups create its topic of offsets.
import type { Exchange } from './kafkajs-connection.ts';

export interface ListedGroups {
  readonly error: number;
  readonly groups: readonly {
    readonly group: string;
    /** "Stable", "Empty", …; undefined: the broker is older than 2.6. */
    readonly state: string | undefined;
  }[];
}
/** All groups that this client may see. */
export const listGroups: Exchange<null, ListedGroups> = {
  api: 16,
  version: 4,
  isFlexible: true,
  write(writer) {
    writer.compactArray([], () => undefined).noTags();
  },
  read(reader) {
    reader.int32();
    const error = reader.int16();
    const groups = reader.compactArray(() => {
      const group = reader.compactString() ?? '';
      reader.compactString();
      const state = reader.compactString() ?? undefined;
      reader.skipTags();
      return { group, state };
    });
    return { error, groups };
  },
};
/** For brokers before 2.6. */
export const listGroupsWithoutState: Exchange<null, ListedGroups> = {
  api: 16,
  version: 2,
  write: () => undefined,
  read(reader) {
    reader.int32();
    const error = reader.int16();
    const groups = reader.array(() => {
      const group = reader.string() ?? '';
      reader.string();
      return { group, state: undefined };
    });
    return { error, groups };
  },
};

export interface OffsetToCommit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** −1: unknown. */
  readonly epoch: number;
}
interface CommitQuestion {
  readonly group: string;
  readonly offsets: readonly OffsetToCommit[];
}
interface PartitionCommitted {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
}
/**
 * Commits as a consumer that is no member of the group (generation −1). A group with members
 * refuses it.
 */
export const commitOffsets: Exchange<CommitQuestion, readonly PartitionCommitted[]> = {
  api: 8,
  version: 7,
  write(writer, { group, offsets }) {
    const noGeneration = -1;
    const noMember = '';
    writer.string(group).int32(noGeneration).string(noMember).string(null);
    writer.array([...Map.groupBy(offsets, ({ topic }) => topic)], ([topic, partitions]) =>
      writer
        .string(topic)
        .array(partitions, ({ partition, offset, epoch }) =>
          writer.int32(partition).int64(offset).int32(epoch).string(''),
        ),
    );
  },
  read(reader) {
    reader.int32();
    return reader
      .array(() => {
        const topic = reader.string() ?? '';
        return reader.array(() => ({ topic, partition: reader.int32(), error: reader.int16() }));
      })
      .flat();
  },
};

export interface CommittedOffsets {
  readonly error: number;
  readonly offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    /** −1: nothing is committed. */
    readonly offset: number;
    /** −1: unknown. */
    readonly epoch: number;
    readonly error: number;
  }[];
}
interface CommittedQuestion {
  readonly group: string;
  /** Absent: all topics. */
  readonly of?: { readonly topic: string; readonly partitions: readonly number[] };
}
/**
 * The offsets that a group has committed, asked of its coordinator. That broker lists the group.
 */
export const offsetsOfGroup: Exchange<CommittedQuestion, CommittedOffsets> = {
  api: 9,
  version: 5,
  write(writer, { group, of }) {
    const allTopics = -1;
    writer.string(group);
    if (!of) writer.int32(allTopics);
    else
      writer.array([of], ({ topic, partitions }) =>
        writer.string(topic).array(partitions, (partition) => writer.int32(partition)),
      );
  },
  read(reader) {
    reader.int32();
    const offsets = reader
      .array(() => {
        const topic = reader.string() ?? '';
        return reader.array(() => {
          const partition = reader.int32();
          const offset = reader.int64();
          const epoch = reader.int32();
          reader.string();
          return { topic, partition, offset, epoch, error: reader.int16() };
        });
      })
      .flat();
    return { error: reader.int16(), offsets };
  },
};
