// Reads the splits that its source assigns, in the reader thread: fetches from each leader, and
// hands over columns within its credit. Splits are found by SplitFinder and placed by Placement.
//
// A loop for each broker fetches all splits that it leads. A split that is revoked, or that its
// broker refuses, leaves the loop, and the others stay.
import { Brokers, mayPass, TryAgain } from './brokers.ts';
import { AnswerNews, type Asked, transferOf } from './answer-news.ts';
import { chunkOf, keepRest, type ChunkOptions } from './fetched-chunk.ts';
import { fetch, fetchByName, type FetchedPartition } from './fetch-request.ts';
import { Leaders } from './leaders.ts';
import { LogEnds } from './log-ends.ts';
import { OpenTransactions } from './open-transactions.ts';
import { offsetGone, type ReadOn, skipTo } from './offset-gone.ts';
import { type AssignedSplit, Placement } from './placement.ts';
import { ReaderCredit } from './reader-credit.ts';
import type { Chunk, ReaderPort, ReadRequest, ToReader, ToSource } from './reader-messages.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';
import { kafkaFailure, SplitFinder } from './split-finder.ts';
import type { Split } from './split.ts';
import { asKafkaError, readerError, splitsEndedBy } from './split-failure.ts';
import { Throttling } from './throttling.ts';
import { Troubles } from './troubles.ts';

const fetchBytes = 16 << 20;
/**
 * The longest time for which a broker may hold a fetch without data. It is shorter while a
 * partition waits for credit, so that the partition can join soon.
 */
const waitMillis = 500;
const shortWaitMillis = 20;
/** How often partitions are looked at while there is no credit for their records. */
const lookEveryMillis = 500;

export class TopicReader {
  readonly #request: ReadRequest;
  readonly #port: ReaderPort;
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;
  readonly #troubles: Troubles;
  readonly #finder: SplitFinder;
  readonly #placement: Placement;
  readonly #logEnds: LogEnds;
  readonly #credit: ReaderCredit;
  readonly #transactions: OpenTransactions;
  readonly #throttling: Throttling;
  #closed = false;
  #credited: (() => void)[] = [];
  /** Nodes that a loop fetches from. */
  readonly #loops = new Set<number>();

  constructor(request: ReadRequest, port: ReaderPort) {
    this.#request = request;
    this.#port = port;
    this.#brokers = new Brokers(request.connection, 'read');
    this.#leaders = new Leaders(this.#brokers);
    this.#troubles = new Troubles((troubles) => this.#send({ kind: 'troubles', troubles }));
    this.#transactions = new OpenTransactions(this.#brokers, this.#troubles);
    this.#throttling = new Throttling(this.#troubles);
    this.#finder = new SplitFinder(request, this.#brokers, this.#leaders, this.#troubles, {
      onFound: (splits, unresolved) => this.#send({ kind: 'found', splits, unresolved }),
      onGone: (split) => this.#drop(split),
      onSplitFailure: (split, error) => this.#failSplit(split, error),
    });
    this.#placement = new Placement(this.#brokers, this.#leaders, this.#troubles, {
      onReady: () => this.#startLoops(),
      onSplitFailure: ({ split }, error) => this.#failSplit(split, error),
      onFailure: (error) => this.#fail(error),
      onUnread: (split) => {
        this.#transactions.forget(split);
        this.#credit.keeps(split);
      },
      ...(request.pattern && { onGone: (split: string) => this.#drop(split) }),
    });
    this.#credit = new ReaderCredit(() => this.#placement.size);
    this.#logEnds = new LogEnds(
      this.#brokers,
      this.#placement,
      (split) => !this.#credit.mayAsk(split),
      (splits) => this.#send({ kind: 'ends', splits }),
    );
    port.on('message', (message) => this.#receive(message));
  }

  /** Reads until an error is final, or `close` is called. */
  async run(): Promise<void> {
    const { hasLooked, unresolved, until } = this.#request;
    if (hasLooked && unresolved.length === 0 && until !== undefined) return;
    await this.#finder.run().catch((error: unknown) => this.#fail(error));
  }

  close(): void {
    this.#closed = true;
    this.#finder.close();
    this.#placement.close();
    this.#logEnds.close();
    this.#throttling.close();
    this.#brokers.close();
    this.#wakeLoops();
  }

  // ------------------------------------------------------------------------------------- the loops

  #startLoops(): void {
    for (const node of this.#placement.nodes()) {
      if (this.#loops.has(node) || this.#closed) continue;
      this.#loops.add(node);
      void this.#fetchFrom(node)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#loops.delete(node);
          this.#throttling.forget(node);
          // Splits may have been placed here while the loop ended.
          if (!this.#closed && this.#placement.nodes().has(node)) this.#startLoops();
        });
    }
  }

  async #fetchFrom(node: number): Promise<void> {
    let idleRounds = 0;
    while (!this.#closed) {
      const led = this.#placement.ledBy(node);
      if (led.length === 0) return;
      const rests = led.filter((split) => split.rest !== undefined && this.#credit.mayHandOver(split));
      if (rests.length > 0) {
        await this.#handOver(
          rests.map(({ rest }) => rest!.answer),
          rests.map((split) => ({ split, offset: split.next })),
        );
        continue;
      }
      const wanted = led.filter((split) => split.rest === undefined && this.#credit.mayAsk(split));
      if (wanted.length === 0) {
        await this.#waitForCredit(node, led);
        continue;
      }
      // Kafka fills an answer in the order of the request, so the first partition is a random one.
      wanted.push(...wanted.splice(0, Math.floor(Math.random() * wanted.length)));
      const isComplete = wanted.length === led.length;
      const maxWaitMillis = isComplete ? waitMillis : Math.min(waitMillis, shortWaitMillis * (1 + idleRounds));
      const hasRecords = await this.#fetch(node, wanted, maxWaitMillis);
      idleRounds = hasRecords ? 0 : idleRounds + 1;
    }
  }
  /**
   * The source has enough for now. Partitions of which it has nothing are looked at meanwhile,
   * because one that has nothing holds no time back.
   */
  async #waitForCredit(node: number, led: readonly AssignedSplit[]): Promise<void> {
    const credited = new Promise<void>((resolve) => this.#credited.push(resolve));
    const unseen = led.filter(({ pending, rest }) => pending === 0 && rest === undefined);
    if (unseen.length > 0) await this.#fetch(node, unseen, 0, true);
    const timer = unseen.length > 0 ? setTimeout(() => this.#wakeLoops(), lookEveryMillis) : undefined;
    await credited;
    clearTimeout(timer);
  }

  /** One request and its answer. True: there were records. */
  async #fetch(node: number, splits: readonly AssignedSplit[], maxWaitMillis: number, isLook = false) {
    const asked = splits.map((split): Asked => ({ split, offset: split.next }));
    try {
      const fetched = await this.#ask(node, asked, maxWaitMillis, isLook);
      if (fetched.error !== kafkaErrors.none) throw new TryAgain(`broker ${node} answers ${errorName(fetched.error)}`);
      this.#throttling.answered(node, fetched.throttleMillis);
      await this.#handOver(fetched.partitions, asked, isLook);
      return fetched.partitions.some(({ start, end }) => end > start);
    } catch (error) {
      if (this.#closed) return false;
      if (!mayPass(error)) throw error;
      this.#send({ kind: 'unanswered', splits: splits.map(({ name }) => name) });
      for (const split of splits) this.#placement.lose(split, error.message);
      return false;
    }
  }
  #ask(node: number, asked: readonly Asked[], maxWaitMillis: number, isLook: boolean) {
    const bytesOf = (split: AssignedSplit): number => (isLook ? 1 : this.#mostOf(split));
    const byTopic = Map.groupBy(asked, ({ split }) => split.split.topic);
    const topics = [...byTopic].map(([topic, group]) => ({
      topic,
      id: group[0]!.split.split.topicId,
      partitions: group.map(({ split, offset }) => ({
        partition: split.split.partition,
        leaderEpoch: split.leader!.epoch,
        offset,
        maxBytes: bytesOf(split),
      })),
    }));
    const versions = topics.every(({ id }) => id !== undefined) ? [fetch, fetchByName] : [fetchByName];
    const maxBytes = isLook ? 1 : asked.reduce((most, { split }) => Math.max(most, bytesOf(split)), fetchBytes);
    return this.#brokers.ask(node, versions, { maxWaitMillis, maxBytes, topics }, maxWaitMillis);
  }

  // --------------------------------------------------------------------------------- their answers

  /** `isLook`: records are not taken. They only show that there are some. */
  async #handOver(answers: readonly FetchedPartition[], asked: readonly Asked[], isLook = false): Promise<void> {
    const news = new AnswerNews(asked);
    const failed: [FetchedPartition, AssignedSplit][] = [];
    for (const answer of answers) {
      const question = news.asked(answer);
      // It may have been revoked, and assigned again at another offset.
      if (!question || this.#placement.get(question.split.name) !== question.split) continue;
      const { split } = question;
      if (answer.error !== kafkaErrors.none) {
        failed.push([answer, split]);
        continue;
      }
      this.#placement.works(split);
      this.#transactions.note(answer, split);
      const chunk = this.#chunkOf(answer, split, isLook);
      if (chunk === 'failed') continue;
      news.answered(question, answer, chunk, Date.now());
      if (split.isDone) this.#transactions.forget(split);
    }
    for (const message of news.messages()) this.#send(message);
    for (const [answer, split] of failed) {
      const found = await this.#answerError(answer, split).catch((error: unknown) => error as Error);
      if (this.#placement.get(split.name) !== split) continue;
      if (mayPass(found)) this.#placement.lose(split, found.message);
      else if ('offset' in found) this.#skip(split, found);
      else this.#failSplit(split.split, found);
    }
  }
  /** undefined: there are no records, or it is not their turn. */
  #chunkOf(answer: FetchedPartition, split: AssignedSplit, isLook: boolean): Chunk | 'failed' | undefined {
    try {
      if (isLook) return undefined;
      const options = this.#chunkOptions(split);
      // The chunks of other partitions in this answer may have used up the credit.
      const hasRoom = answer.start === answer.end || this.#credit.mayHandOver(split);
      if (!hasRoom) keepRest(answer, split, options);
      const chunk = hasRoom ? chunkOf(answer, split, options) : undefined;
      if (chunk) this.#credit.handedOver(split, chunk.bytes);
      else this.#credit.keeps(split);
      return chunk;
    } catch (error) {
      this.#failSplit(split.split, error);
      return 'failed';
    }
  }

  /** Bytes to ask for. A batch that is larger than the usual number must arrive as a whole. */
  #mostOf({ needs = 0 }: AssignedSplit): number {
    return Math.max(Math.floor(this.#credit.each / 2), needs);
  }
  #chunkOptions(split: AssignedSplit): ChunkOptions {
    const { keys: withKeys, headers: withHeaders, maxBatchBytes } = this.#request;
    return { withKeys, withHeaders, maxBatchBytes, enough: this.#credit.each, asked: this.#mostOf(split) };
  }
  async #answerError({ error }: FetchedPartition, split: AssignedSplit): Promise<Error | ReadOn> {
    const { topic, partition } = split.split;
    if (error === kafkaErrors.topicAuthorizationFailed) return this.#brokers.notAllowed(topic);
    if (error === kafkaErrors.offsetOutOfRange)
      return await offsetGone(this.#brokers, this.#leaders, split, this.#request);
    if (!passesByItself(error)) return kafkaFailure(topic, partition, error);
    return new TryAgain(`the broker answers ${errorName(error)}`);
  }
  #skip(split: AssignedSplit, to: ReadOn): void {
    const chunk = skipTo(split, to, this.#request);
    this.#credit.handedOver(split, chunk.bytes);
    this.#send({ kind: 'chunks', chunks: [chunk] });
  }

  // --------------------------------------------------------------------------- messages and credit

  #receive(message: ToReader): void {
    switch (message.kind) {
      case 'assign':
        this.#placement.assign(message.splits);
        return;
      case 'revoke':
        for (const name of message.splits) this.#revoke(name);
        this.#wakeLoops();
        return;
      case 'connection':
        this.#brokers.use(message.connection);
        return;
      case 'credit': {
        const split = this.#placement.get(message.split);
        if (!split) return;
        this.#credit.returned(split, message.bytes);
        if (this.#credit.mayHandOver(split)) this.#wakeLoops();
        return;
      }
      case 'blocked':
        this.#credit.blocked(message.needed);
        this.#wakeLoops();
    }
  }
  #revoke(name: string): void {
    const split = this.#placement.get(name);
    this.#placement.revoke(name);
    if (split) this.#credit.dropped(split);
  }
  #drop(split: string): void {
    this.#revoke(split);
    this.#send({ kind: 'gone', splits: [split] });
  }
  #wakeLoops(): void {
    const waiting = this.#credited;
    this.#credited = [];
    for (const resolve of waiting) resolve();
  }

  #failSplit(split: Split, error: unknown): void {
    if (this.#closed) return;
    const known = asKafkaError(error);
    const read = [...this.#placement.splits, split];
    const splits = splitsEndedBy(known, split, read, this.#request.pattern !== undefined);
    if (splits === undefined) return this.#fail(known);
    for (const name of splits) this.#revoke(name);
    this.#wakeLoops();
    this.#send({ kind: 'splits-failed', splits: [...new Set(splits)], ...readerError(known) });
  }
  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#send({ kind: 'failed', ...readerError(error) });
  }
  #send(message: ToSource): void {
    this.#port.postMessage(message, message.kind === 'chunks' ? transferOf(message.chunks) : []);
  }
}
