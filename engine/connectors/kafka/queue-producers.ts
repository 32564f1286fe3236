// The numbers under which the partitions of a topic are written: of an idempotent producer, or of
// the present transaction. A queue without one sends nothing.
import type { SluiceError } from '../../errors/error.ts';
import { mayPass } from './brokers.ts';
import type { Producer } from './sink-requests.ts';
import type { TopicPartition } from './topic-partition.ts';

/** The transactions of a writer: one at a time, and none without rows. */
export interface WriterTransactions {
  /** The present one; undefined: none has begun. */
  readonly transactionalId: string | undefined;
  /**
   * Makes these partitions part of the transaction, which begins now if there is none. A partition
   * that is part of it already has lost its sequence: an error.
   */
  producer(partitions: readonly number[]): Promise<Producer>;
  /** The topic has these rows. `offset`: of the first; −1: the broker does not say. */
  wrote(partition: number, offset: number, rows: number): void;
  /**
   * The error of a batch that the topic refuses because of a right. undefined: of another cause.
   */
  refused(error: number): SluiceError | undefined;
  /** Of the present one: rows that the topic has. */
  readonly openRows: number;
  /**
   * Throws if the topic is not the one any more in which the present one has rows. Called after
   * each look at the topic.
   */
  checkTopic(): void;
}

export interface ProducerSource {
  producer(partitions: readonly number[]): Promise<Producer>;
}

export class QueueProducers {
  readonly #source: ProducerSource;
  /** Of a transaction are only the partitions that have rows. */
  readonly #onlyForRows: boolean;
  #isRenewing = false;

  constructor(contact: ProducerSource, transactions: WriterTransactions | undefined) {
    this.#source = transactions ?? contact;
    this.#onlyForRows = transactions !== undefined;
  }

  /** undefined: nothing is to be done. After the promise more may be sent. */
  renew(
    partitions: readonly TopicPartition[],
    failed: (one: TopicPartition, reason: string) => void,
  ): Promise<void> | undefined {
    if (this.#isRenewing) return undefined;
    const needing = partitions.filter(
      (one) => one.queue.needsProducer && one.pausedUntil === undefined && (!this.#onlyForRows || one.wantsToSend),
    );
    return needing.length === 0 ? undefined : this.#renew(needing, failed);
  }
  async #renew(
    needing: readonly TopicPartition[],
    failed: (one: TopicPartition, reason: string) => void,
  ): Promise<void> {
    this.#isRenewing = true;
    try {
      const producer = await this.#source.producer(needing.map(({ partition }) => partition));
      for (const { queue } of needing) queue.renew(producer);
    } catch (error) {
      if (!mayPass(error)) throw error;
      for (const one of needing) failed(one, error.message);
    } finally {
      this.#isRenewing = false;
    }
  }
}
