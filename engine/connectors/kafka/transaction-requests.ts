// The transactions of a cluster: who writes in a partition, and since when. The first request needs
// the right to read the topic; the others the right DESCRIBE on the transactional id, and leave out
// or refuse the transactions without it. Brokers before Kafka 3.0 do not speak all of them.
import type { Exchange } from './kafkajs-connection.ts';
import type { WireReader } from './wire.ts';

/** A producer with an open transaction in a partition. */
export interface OpenProducer {
  readonly producer: number;
  /** Where its transaction begins in the partition. */
  readonly firstOffset: number;
}
/** To the leader of the partition. */
export const describeProducers: Exchange<
  { readonly topic: string; readonly partition: number },
  readonly OpenProducer[]
> = {
  api: 61,
  version: 0,
  isFlexible: true,
  write(writer, { topic, partition }) {
    writer.compactArray([topic], () =>
      writer
        .compactString(topic)
        .compactArray([partition], () => writer.int32(partition))
        .noTags(),
    );
    writer.noTags();
  },
  read(reader) {
    reader.int32();
    return reader
      .compactArray(() => {
        reader.compactString();
        const producers = reader.compactArray(() => {
          reader.int32();
          reader.int16();
          reader.compactString();
          const active = reader.compactArray(() => producerOf(reader));
          reader.skipTags();
          return active;
        });
        reader.skipTags();
        return producers.flat();
      })
      .flat()
      .filter(({ firstOffset }) => firstOffset >= 0);
  },
};
function producerOf(reader: WireReader): OpenProducer {
  const producer = reader.int64();
  // Epoch, last sequence, last timestamp, epoch of the coordinator.
  reader.int32();
  reader.int32();
  reader.int64();
  reader.int32();
  const firstOffset = reader.int64();
  reader.skipTags();
  return { producer, firstOffset };
}

/** The transactional ids of a producer, as far as the broker coordinates them. */
export const listTransactions: Exchange<{ readonly producer: number }, readonly string[]> = {
  api: 66,
  version: 0,
  isFlexible: true,
  write(writer, { producer }) {
    writer
      .compactArray([], () => undefined)
      .compactArray([producer], (id) => writer.int64(id))
      .noTags();
  },
  read(reader) {
    reader.int32();
    reader.int16();
    reader.compactArray(() => reader.compactString());
    return reader.compactArray(() => {
      const id = reader.compactString() ?? '';
      reader.int64();
      reader.compactString();
      reader.skipTags();
      return id;
    });
  },
};

export interface TransactionState {
  readonly error: number;
  readonly producer: number;
  /** Epoch milliseconds; undefined: none is open. */
  readonly since: number | undefined;
}
/** To the broker that coordinates the transactional id. */
export const describeTransaction: Exchange<{ readonly id: string }, TransactionState | undefined> = {
  api: 65,
  version: 0,
  isFlexible: true,
  write(writer, { id }) {
    writer.compactArray([id], () => writer.compactString(id)).noTags();
  },
  read(reader) {
    reader.int32();
    const [state] = reader.compactArray(() => {
      const error = reader.int16();
      reader.compactString();
      reader.compactString();
      reader.int32();
      const since = reader.int64();
      const producer = reader.int64();
      reader.int16();
      reader.compactArray(() => {
        reader.compactString();
        reader.compactArray(() => reader.int32());
        reader.skipTags();
      });
      reader.skipTags();
      return { error, producer, since: since > 0 ? since : undefined };
    });
    return state;
  },
};
