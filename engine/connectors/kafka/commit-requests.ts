// The requests of a transaction, to the broker that coordinates its transactional id. In these
// versions the end of a transaction leaves the epoch as it is, so a process that comes later can
// commit with the epoch that it has stored.
import type { Exchange } from './kafkajs-connection.ts';
import { type Producer, readProducer } from './sink-requests.ts';

export interface InitQuestion {
  readonly transactionalId: string;
  /** The coordinator aborts a transaction that is open for longer. */
  readonly timeoutMillis: number;
}
/**
 * Begins the next epoch of a transactional id. An open transaction of an earlier epoch is aborted.
 */
export const initTransaction: Exchange<InitQuestion, Producer & { readonly error: number }> = {
  api: 22,
  version: 1,
  write(writer, { transactionalId, timeoutMillis }) {
    writer.string(transactionalId).int32(timeoutMillis);
  },
  read: readProducer,
};
export interface TransactionOf {
  readonly transactionalId: string;
  readonly producer: Producer;
}
export interface PartitionsQuestion extends TransactionOf {
  readonly topic: string;
  readonly partitions: readonly number[];
}
/** From now on the transaction writes these partitions. */
export const addPartitions: Exchange<
  PartitionsQuestion,
  readonly { readonly partition: number; readonly error: number }[]
> = {
  api: 24,
  version: 1,
  write(writer, { transactionalId, producer, topic, partitions }) {
    writer.string(transactionalId).int64(Number(producer.id)).int16(producer.epoch);
    writer.array([topic], () => writer.string(topic).array(partitions, (partition) => writer.int32(partition)));
  },
  read(reader) {
    reader.int32();
    return reader
      .array(() => {
        reader.string();
        return reader.array(() => ({ partition: reader.int32(), error: reader.int16() }));
      })
      .flat();
  },
};

export interface EndQuestion extends TransactionOf {
  readonly commits: boolean;
}
/** The answer is an error's number, or 0. */
export const endTransaction: Exchange<EndQuestion, number> = {
  api: 26,
  version: 1,
  write(writer, { transactionalId, producer, commits }) {
    writer
      .string(transactionalId)
      .int64(Number(producer.id))
      .int16(producer.epoch)
      .int8(commits ? 1 : 0);
  },
  read(reader) {
    reader.int32();
    return reader.int16();
  },
};
