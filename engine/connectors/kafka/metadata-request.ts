// What a cluster knows of its brokers and topics: addresses, leaders, and the numbers that tell one
// topic from another of the same name. Looking creates no topic.
import { addressOf } from './broker-address.ts';
import type { Exchange } from './kafkajs-connection.ts';

export interface Metadata {
  readonly brokers: readonly { readonly node: number; readonly address: string }[];
  readonly topics: readonly TopicMetadata[];
}
export interface TopicMetadata {
  readonly error: number;
  readonly topic: string;
  /** Another topic of the same name has another id. undefined: the broker is older than 3.1. */
  readonly id: string | undefined;
  readonly internal: boolean;
  readonly partitions: readonly PartitionMetadata[];
}
export interface PartitionMetadata {
  readonly partition: number;
  /** −1: it has no leader at present. */
  readonly leader: number;
  /** It is raised with each election. */
  readonly epoch: number;
  /** How many brokers hold a copy, and how many of the copies are complete. */
  readonly replicas: number;
  readonly inSync: number;
}

const noId = '0'.repeat(32);

/** null: all topics that this client may see. */
export const metadata: Exchange<readonly string[] | null, Metadata> = {
  api: 3,
  version: 12,
  isFlexible: true,
  write(writer, topics) {
    writer.compactArray(topics, (topic) => writer.uuid(noId).compactString(topic).noTags());
    // Neither create topics, nor list rights.
    writer.int8(0).int8(0).noTags();
  },
  read(reader) {
    reader.int32();
    const brokers = reader.compactArray(() => {
      const node = reader.int32();
      const address = addressOf(reader.compactString(), reader.int32());
      reader.compactString();
      reader.skipTags();
      return { node, address };
    });
    reader.compactString();
    reader.int32();
    const numbers = (): number[] => reader.compactArray(() => reader.int32());
    const topics = reader.compactArray(() => {
      const error = reader.int16();
      const topic = reader.compactString() ?? '';
      const id = reader.uuid();
      const internal = reader.boolean();
      const partitions = reader.compactArray(() => {
        reader.int16();
        const [partition, leader, epoch] = [reader.int32(), reader.int32(), reader.int32()];
        const [replicas, inSync] = [numbers().length, numbers().length];
        numbers();
        reader.skipTags();
        return { partition, leader, epoch, replicas, inSync };
      });
      reader.int32();
      reader.skipTags();
      return { error, topic, id: id === noId ? undefined : id, internal, partitions };
    });
    return { brokers, topics };
  },
};

/** For brokers before 3.1, whose topics have no ids that a client can ask for by name. */
export const metadataWithoutIds: Exchange<readonly string[] | null, Metadata> = {
  api: 3,
  version: 7,
  write(writer, topics) {
    if (topics === null) writer.int32(-1);
    else writer.array(topics, (topic) => writer.string(topic));
    writer.int8(0);
  },
  read(reader) {
    reader.int32();
    const brokers = reader.array(() => {
      const node = reader.int32();
      const address = addressOf(reader.string(), reader.int32());
      reader.string();
      return { node, address };
    });
    reader.string();
    reader.int32();
    const numbers = (): number[] => reader.array(() => reader.int32());
    const topics = reader.array(() => ({
      error: reader.int16(),
      topic: reader.string() ?? '',
      id: undefined,
      internal: reader.boolean(),
      partitions: reader.array(() => {
        reader.int16();
        const [partition, leader, epoch] = [reader.int32(), reader.int32(), reader.int32()];
        const [replicas, inSync] = [numbers().length, numbers().length];
        numbers();
        return { partition, leader, epoch, replicas, inSync };
      }),
    }));
    return { brokers, topics };
  },
};
