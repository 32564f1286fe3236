// The requests of a sink: produce, the number of an idempotent producer, creation of a topic and
// its settings. The versions are those of Kafka 2.4, which later brokers support too.
import type { Exchange } from './kafkajs-connection.ts';
import type { WireReader } from './wire.ts';

export interface Producer {
  readonly id: bigint;
  readonly epoch: number;
}
/** The answer to a request for a producer's number. */
export function readProducer(reader: WireReader): Producer & { readonly error: number } {
  reader.int32();
  const error = reader.int16();
  const id = reader.bytes.readBigInt64BE(reader.position);
  reader.position += 8;
  return { error, id, epoch: reader.int16() };
}

/** A producer without transactions: its number makes a repeated batch recognisable. */
export const initProducerId: Exchange<undefined, Producer & { readonly error: number }> = {
  api: 22,
  version: 1,
  write(writer) {
    const transactionTimeout = 60_000;
    writer.string(null).int32(transactionTimeout);
  },
  read: readProducer,
};

export interface ProduceQuestion {
  readonly topic: string;
  /** Absent: the batches are of no transaction. */
  readonly transactionalId?: string | undefined;
  /** −1: all in-sync replicas; 1: the leader. */
  readonly acks: -1 | 1;
  /** The time for which the leader waits for the other replicas. */
  readonly timeoutMillis: number;
  readonly batches: readonly { readonly partition: number; readonly bytes: Uint8Array }[];
}
export interface Produced {
  readonly partition: number;
  readonly error: number;
  /** Of the first row; −1: the broker does not say. */
  readonly offset: number;
  /** The broker's own words, when it has some. */
  readonly message: string | undefined;
  /** The refused row, as its index in the batch, when the broker names one. */
  readonly row: number | undefined;
}
export interface ProduceAnswer {
  readonly partitions: readonly Produced[];
  /** How long the broker makes this client wait because of its quota. */
  readonly throttleMillis: number;
}
export const produce: Exchange<ProduceQuestion, ProduceAnswer> = {
  api: 0,
  version: 8,
  throttleMillis: (answer) => answer.throttleMillis,
  write(writer, { topic, transactionalId = null, acks, timeoutMillis, batches }) {
    writer.string(transactionalId).int16(acks).int32(timeoutMillis);
    writer.array([topic], () =>
      writer.string(topic).array(batches, ({ partition, bytes }) => writer.int32(partition).bytes(bytes)),
    );
  },
  read(reader) {
    const partitions = reader
      .array(() => {
        reader.string();
        return reader.array(() => producedPartition(reader));
      })
      .flat();
    return { partitions, throttleMillis: reader.int32() };
  },
};
function producedPartition(reader: WireReader): Produced {
  const partition = reader.int32();
  const error = reader.int16();
  const offset = reader.int64();
  // The time of the append, the start of the log.
  for (let i = 0; i < 2; i++) reader.int64();
  const records = reader.array(() => ({ index: reader.int32(), message: reader.string() }));
  const message = reader.string();
  return {
    partition,
    error,
    offset,
    message: records.find((record) => record.message !== null)?.message ?? message ?? undefined,
    row: records[0]?.index,
  };
}

export interface NewTopic {
  readonly topic: string;
  /** −1: the broker's default. */
  readonly partitions: number;
  /** −1: the broker's default. */
  readonly replication: number;
  readonly config: readonly (readonly [name: string, value: string])[];
  readonly timeoutMillis: number;
}
export const createTopic: Exchange<NewTopic, { readonly error: number; readonly message: string | undefined }> = {
  api: 19,
  version: 4,
  write(writer, { topic, partitions, replication, config, timeoutMillis }) {
    writer.array([topic], () => {
      writer.string(topic).int32(partitions).int16(replication);
      writer.array([], () => undefined);
      writer.array(config, ([name, value]) => writer.string(name).string(value));
    });
    const onlyValidate = 0;
    writer.int32(timeoutMillis).int8(onlyValidate);
  },
  read(reader) {
    reader.int32();
    const [answer] = reader.array(() => {
      reader.string();
      return { error: reader.int16(), message: reader.string() ?? undefined };
    });
    return answer ?? { error: -1, message: undefined };
  },
};

export interface TopicSettings {
  readonly error: number;
  readonly settings: ReadonlyMap<string, string>;
}
const topicResource = 2;
/** The settings of a topic by their names, such as retention.ms. */
export const describeSettings: Exchange<{ readonly topic: string; readonly names: readonly string[] }, TopicSettings> =
  {
    api: 32,
    version: 1,
    write(writer, { topic, names }) {
      writer.array([topic], () => {
        writer.int8(topicResource).string(topic);
        writer.array(names, (name) => writer.string(name));
      });
      const withSynonyms = 0;
      writer.int8(withSynonyms);
    },
    read(reader) {
      reader.int32();
      const [answer] = reader.array(() => {
        const error = reader.int16();
        reader.string();
        reader.boolean();
        reader.string();
        const settings = reader.array(() => settingOf(reader));
        return { error, settings: new Map(settings) };
      });
      return answer ?? { error: -1, settings: new Map() };
    },
  };
function settingOf(reader: WireReader): readonly [name: string, value: string] {
  const name = reader.string() ?? '';
  const value = reader.string() ?? '';
  // Whether it is read-only, its source, whether it is secret.
  for (let i = 0; i < 3; i++) reader.boolean();
  reader.array(() => {
    reader.string();
    reader.string();
    reader.boolean();
  });
  return [name, value];
}
