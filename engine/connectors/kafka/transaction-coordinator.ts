// Asks the brokers that coordinate the transactions of a sink. It waits as long as it takes for a
// coordinator that is away or has moved, and its trouble says for what.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SluiceError } from '../../errors/error.ts';
import { isUnknownTopic } from './broker-unreachable.ts';
import { mayPass, TryAgain } from './brokers.ts';
import { addPartitions, endTransaction, initTransaction, type TransactionOf } from './commit-requests.ts';
import type { Committable } from './committable.ts';
import { findCoordinator } from './coordinator-request.ts';
import { fetchByName } from './fetch-request.ts';
import type { Exchange } from './kafkajs-connection.ts';
import { isRetriable, producerErrorName } from './produce-outcome.ts';
import { kafkaErrors } from './requests.ts';
import type { Producer } from './sink-requests.ts';
import { topicIsGoneMillis, type WriterCluster } from './topic-contact.ts';
import { describeTransaction } from './transaction-requests.ts';
import { isGone, refusedTransaction } from './transaction-trouble.ts';
import { ordinaryWaitMillis } from './troubles.ts';
import { unwritten, type WriterTrouble } from './write-trouble.ts';

const pauseMillis = { first: 5, longest: 1_000 };
const concurrentTransactions = 51;
const operationNotAttempted = 55;
const unknownTransactionalId = 105;

export interface CoordinatorOptions {
  readonly topic: string;
  /** For messages: what a right has to be given for. */
  readonly prefix: string;
  readonly timeoutMillis: number;
}
type Attempt<T> = { readonly result: T } | { readonly reason: string; readonly isAway?: boolean };
/** It was closed while somebody waited. */
export class CoordinatorClosed extends Error {}

export class TransactionCoordinator {
  readonly #cluster: WriterCluster;
  readonly #options: CoordinatorOptions;
  /** By transactional id. */
  readonly #nodes = new Map<string, number>();
  readonly #troubles = new Map<object, WriterTrouble>();
  #isClosed = false;

  constructor(cluster: WriterCluster, options: CoordinatorOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** undefined: there is none at present. A short wait is ordinary. */
  get trouble(): WriterTrouble | undefined {
    const [oldest] = [...this.#troubles.values()].sort((a, b) => a.since - b.since);
    return oldest && Date.now() - oldest.since >= ordinaryWaitMillis ? oldest : undefined;
  }

  /**
   * A new epoch of this id. What was open under it is aborted. Errors: `kafka-not-allowed`,
   * `kafka-transaction-timeout`, `kafka-refused`.
   */
  async begin(transactionalId: string): Promise<Producer> {
    const question = { transactionalId, timeoutMillis: this.#options.timeoutMillis };
    const answer = await this.#ask(transactionalId, initTransaction, question, ({ error }) => error);
    if (answer.error !== 0) throw this.refused(transactionalId, answer.error);
    return { id: answer.id, epoch: answer.epoch };
  }
  /**
   * Whether this id has ever begun a transaction. undefined: brokers before 3.0 cannot say, and
   * others do not tell a client without the right.
   */
  async exists(transactionalId: string): Promise<boolean | undefined> {
    return await this.#repeat<boolean | undefined>(async () => {
      const node = await this.#coordinatorOf(transactionalId);
      if (typeof node === 'string') return { reason: node };
      if (!(await this.#cluster.speaks(node, describeTransaction))) return { result: undefined };
      const error = (await this.#cluster.ask(node, describeTransaction, { id: transactionalId }))?.error ?? -1;
      if (isRetriable(error)) return this.#notNow(transactionalId, node, error);
      if (error === unknownTransactionalId) return { result: false };
      return { result: error === 0 ? true : undefined };
    });
  }
  /** 'gone': the transaction is not the present one of its id. Errors: as `begin`. */
  async add(transaction: TransactionOf, partitions: readonly number[]): Promise<'added' | 'gone'> {
    const { topic } = this.#options;
    const question = { ...transaction, topic, partitions };
    const errorOf = (answer: readonly { readonly error: number }[]): number =>
      answer.find(({ error }) => error !== 0 && error !== operationNotAttempted)?.error ?? 0;
    const error = errorOf(await this.#ask(transaction.transactionalId, addPartitions, question, errorOf));
    if (error === kafkaErrors.topicAuthorizationFailed) throw this.#cluster.notAllowed(topic);
    // Whether it comes back is for the writer to see.
    if (error === kafkaErrors.unknownTopicOrPartition) throw new TryAgain(`the topic "${topic}" is not known`);
    return this.#settled(transaction.transactionalId, error) ? 'added' : 'gone';
  }
  /** May be called again. Errors: as `begin`. */
  async end(transaction: TransactionOf, commits: boolean): Promise<'ended' | 'gone'> {
    const { transactionalId } = transaction;
    const error = await this.#ask(transactionalId, endTransaction, { ...transaction, commits }, (answer) => answer);
    return this.#settled(transactionalId, error) ? 'ended' : 'gone';
  }
  #settled(transactionalId: string, error: number): boolean {
    if (error !== 0 && !isGone(error)) throw this.refused(transactionalId, error);
    return error === 0;
  }
  refused(transactionalId: string, error: number): SluiceError {
    return refusedTransaction(transactionalId, this.#options.prefix, this.#cluster.description, error);
  }

  /**
   * What has become of a transaction whose end the coordinator does not know any more: the topic
   * knows it. undefined: this client may not read the topic, or it does not exist.
   */
  async fateOf({ producer, partitions }: Committable): Promise<'committed' | 'aborted' | undefined> {
    const [place] = partitions;
    if (!place) return undefined;
    const [partition, first] = place;
    const { topic } = this.#options;
    return await this.#repeat<'committed' | 'aborted' | undefined>(async () => {
      await this.#cluster.refresh(topic);
      const node = this.#cluster.leader(partition);
      if (node === undefined) return { reason: `${topic}[${partition}] has no leader` };
      const asked = { partition, leaderEpoch: -1, offset: first, maxBytes: 1 };
      const question = { maxWaitMillis: 0, maxBytes: 1, topics: [{ topic, id: undefined, partitions: [asked] }] };
      const [found] = (await this.#cluster.ask(node, fetchByName, question)).partitions;
      if (!found || isRetriable(found.error))
        return { reason: `broker ${node} answers ${producerErrorName(found?.error ?? -1)} for ${topic}[${partition}]` };
      // Its rows are deleted already, as the topic's retention wants it.
      if (found.error === kafkaErrors.offsetOutOfRange) return { result: 'committed' };
      if (found.error !== 0) return { result: undefined };
      if (found.lastStable <= first) return { reason: `a transaction in ${topic}[${partition}] is not over` };
      const isAborted = found.aborted.some((one) => one.producer === producer && one.firstOffset === first);
      return { result: isAborted ? 'aborted' : 'committed' };
    });
  }

  /**
   * The id of the topic at present; undefined: the brokers give none. It waits for a topic that is
   * gone, as a writer does. `rows`: for the error, when it does not come back.
   */
  async topicId(rows: number): Promise<string | undefined> {
    const { topic } = this.#options;
    const since = Date.now();
    return await this.#repeat<string | undefined>(async () => {
      try {
        await this.#cluster.refresh(topic);
      } catch (error) {
        if (!isUnknownTopic(error)) throw error;
        const reason = error.message.replace(/\.$/, '');
        if (Date.now() - since > topicIsGoneMillis) throw unwritten(topic, rows, { since, reason });
        return { reason };
      }
      return { result: this.#cluster.topicId };
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#troubles.clear();
  }

  async #ask<Question, Answer>(
    transactionalId: string,
    exchange: Exchange<Question, Answer>,
    question: Question,
    errorOf: (answer: Answer) => number,
  ): Promise<Answer> {
    return await this.#repeat(async (): Promise<Attempt<Answer>> => {
      const node = await this.#coordinatorOf(transactionalId);
      if (typeof node === 'string') return { reason: node };
      const answer = await this.#cluster.ask(node, exchange, question);
      const error = errorOf(answer);
      if (!isRetriable(error) || error === kafkaErrors.unknownTopicOrPartition) return { result: answer };
      return this.#notNow(transactionalId, node, error);
    });
  }
  #notNow(transactionalId: string, node: number, error: number): Attempt<never> {
    if (error !== concurrentTransactions) this.#nodes.delete(transactionalId);
    return { reason: `broker ${node} answers ${producerErrorName(error)} for transaction "${transactionalId}"` };
  }
  /** A text: why there is none. */
  async #coordinatorOf(transactionalId: string): Promise<number | string> {
    const known = this.#nodes.get(transactionalId);
    if (known !== undefined) return known;
    const [first] = this.#cluster.nodes();
    if (first === undefined) return `no broker of ${this.#cluster.description} answers`;
    const question = { key: transactionalId, of: 'transaction' } as const;
    const { error, node } = await this.#cluster.ask(first, findCoordinator, question);
    if (isRetriable(error))
      return `broker ${first} answers ${producerErrorName(error)} for transaction "${transactionalId}"`;
    if (error !== 0) throw this.refused(transactionalId, error);
    this.#nodes.set(transactionalId, node);
    return node;
  }
  /**
   * Until there is a result. A failure that may pass, and a reason, are tried again after a pause.
   */
  async #repeat<T>(attempt: () => Promise<Attempt<T>>): Promise<T> {
    const key = {};
    try {
      for (let pause = pauseMillis.first; ; pause = Math.min(2 * pause, pauseMillis.longest)) {
        if (this.#isClosed) throw new CoordinatorClosed('the sink was closed');
        const outcome = await attempt().catch((error: unknown): Attempt<T> => {
          if (!mayPass(error)) throw error;
          return { reason: error.message, isAway: true };
        });
        if ('result' in outcome) return outcome.result;
        const { since } = this.#troubles.get(key) ?? { since: Date.now() };
        this.#troubles.set(key, { since, reason: outcome.reason.replace(/\.$/, '') });
        if (outcome.isAway) await this.#lookAgain();
        await sleep(pause);
      }
    } finally {
      this.#troubles.delete(key);
    }
  }
  /** A broker does not answer: others, or the same at another address, may be there. */
  async #lookAgain(): Promise<void> {
    this.#nodes.clear();
    await this.#cluster.refresh(this.#options.topic).catch(() => undefined);
  }
}
