// Whether the topic is still the one that got the rows of a transaction. A topic that was deleted
// and made again has another id, and the rows are gone with the former one; the coordinator notices
// nothing and commits what is left. Before Kafka 3.1 topics have no ids, and nothing is compared.
import { setTimeout as sleep } from 'node:timers/promises';
import { isUnknownTopic } from './broker-unreachable.ts';
import { TryAgain } from './brokers.ts';
import type { Committable } from './committable.ts';
import type { OpenTransaction } from './open-transaction.ts';
import type { WriterCluster } from './topic-contact.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';
import { madeAgain } from './transaction-trouble.ts';

/**
 * A barrier waits so long for an answer. In an outage it passes then, as it does without a look: a
 * sink that is replaced must not lose rows that the topic has. The look after the commit counts.
 */
const barrierMillis = 500;
/** From one look for a topic that seems to be gone to the next. */
const goneMillis = 1_000;

interface Options {
  readonly topic: string;
  readonly cluster: WriterCluster;
  readonly coordinator: TransactionCoordinator;
  /** Rows that the writer has and the topic does not. */
  readonly unsent: () => number;
}
interface LookEvents {
  /** The look is over. Not called after `close`. */
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

export class TransactionTopic {
  readonly #options: Options;
  #looking: Promise<void> | undefined;
  #lookedFor: OpenTransaction | undefined;
  #isClosed = false;
  /** A barrier waits for a topic that is gone: the rows of the transaction are nowhere. */
  isAwaited = false;
  /** Committed, into a topic that was deleted before. */
  rowsLost = 0;
  /** Rows of a restored checkpoint whose topic was deleted, before or after their commit. */
  #formerRows = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Of the topic that the next rows get. The writer waits for a topic that is gone. */
  async id(): Promise<string | undefined> {
    const { cluster, topic } = this.#options;
    await cluster.refresh(topic).catch((error: unknown) => {
      throw isUnknownTopic(error) ? new TryAgain(error.message) : error;
    });
    return cluster.topicId;
  }
  /** Throws if another topic is there now, as far as the last look knows. */
  check({ topicId, transactionalId, rows }: OpenTransaction): void {
    const { topic, unsent } = this.#options;
    if (!this.#isSame(topicId)) throw madeAgain(topic, transactionalId, rows + unsent());
  }
  /** The same after a new look, for which it waits. */
  async checkNow(open: OpenTransaction): Promise<void> {
    await this.#options.coordinator.topicId(open.rows);
    this.check(open);
  }
  /** False: the topic is being looked at. The rows of another topic must not count as written. */
  isLookedAt(open: OpenTransaction, events: LookEvents): boolean {
    if (this.#lookedFor === open) return true;
    this.#looking ??= this.#checkAtBarrier(open)
      .then(() => void (this.#lookedFor = open))
      .catch((error: unknown) => {
        if (!this.#isClosed) events.fail(error);
      })
      .finally(() => {
        this.#looking = undefined;
        this.isAwaited = false;
        if (!this.#isClosed) events.wake();
      });
    return false;
  }
  async #checkAtBarrier(open: OpenTransaction): Promise<void> {
    const seen = await Promise.race([this.#look(), sleep(barrierMillis, 'away', { ref: false })]);
    this.isAwaited = seen === 'gone';
    if (this.isAwaited) await this.checkNow(open);
    if (seen === 'there') this.check(open);
  }
  /**
   * Between the barrier and the commit the topic may have been deleted, or made again. Without an
   * answer it is not known, and the commit stays a commit. A former process may have committed a
   * restored one, and then the user has deleted rows that were there.
   */
  async committed({ topicId, rows }: Committable, isRestored: boolean): Promise<void> {
    const seen = await this.#lookThrice();
    if (seen === 'away' || (seen === 'there' && this.#isSame(topicId))) return;
    if (isRestored) this.#formerRows += rows;
    else this.rowsLost += rows;
  }
  /** A broker that has just started may not know a topic yet. */
  async #lookThrice(): Promise<'there' | 'gone' | 'away'> {
    for (let looks = 1; ; looks++) {
      const seen = await this.#look();
      if (seen !== 'gone' || looks === 3 || this.#isClosed) return seen;
      await sleep(goneMillis, undefined, { ref: false });
    }
  }
  /** A sentence without its full stop. */
  get note(): string | undefined {
    if (this.#formerRows === 0) return undefined;
    const rows = this.#formerRows === 1 ? '1 row' : `${this.#formerRows.toLocaleString('en-US')} rows`;
    return `topic "${this.#options.topic}" was deleted: ${rows} of the last checkpoint were for it; a start from an earlier checkpoint or savepoint writes them again`;
  }
  close(): void {
    this.#isClosed = true;
  }

  async #look(): Promise<'there' | 'gone' | 'away'> {
    const { cluster, topic } = this.#options;
    return await cluster.refresh(topic).then(
      () => 'there',
      (error: unknown) => (isUnknownTopic(error) ? 'gone' : 'away'),
    );
  }
  #isSame(topicId: string | undefined): boolean {
    const present = this.#options.cluster.topicId;
    return topicId === undefined || present === undefined || topicId === present;
  }
}
