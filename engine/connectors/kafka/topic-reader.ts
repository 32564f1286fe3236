// Reads the splits that its source assigns, in the reader thread: fetches from each leader, and
// hands over columns within its credit. Splits are found by SplitFinder and placed by Placement.
//
// A loop for each broker fetches all splits that it leads. A split that is revoked, or that its
// broker refuses, leaves the loop, and the others stay.
import { SluiceError } from '../../errors/error.ts';
import { Brokers, mayPass, TryAgain } from './brokers.ts';
import { chunkOf, isSilent, waitsForTransaction, type ChunkOptions } from './fetched-chunk.ts';
import { fetch, fetchByName, type FetchedPartition } from './fetch-request.ts';
import { isSameTopic, Leaders, topicMadeAgain } from './leaders.ts';
import { LogEnds } from './log-ends.ts';
import { earliestOffset, listOffsets } from './offset-requests.ts';
import { type AssignedSplit, Placement } from './placement.ts';
import type { Chunk, ReaderPort, ReadRequest, ToReader, ToSource } from './reader-messages.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';
import { kafkaFailure, SplitFinder } from './split-finder.ts';
import { Troubles } from './troubles.ts';

/**
 * Bytes in flight to the source: the limit for all partitions together, and the most and the least
 * for one.
 */
const creditForAll = 32 << 20;
const creditForOne = { least: 256 << 10, most: 4 << 20 };
const fetchBytes = 16 << 20;
/**
 * The longest time for which a broker may hold a fetch without data. It is shorter while a
 * partition waits for credit, so that the partition can join soon.
 */
const waitMillis = 500;
const shortWaitMillis = 20;

/** A split as it was when the request was made. */
interface Asked {
  readonly split: AssignedSplit;
  readonly offset: number;
}

export class TopicReader {
  readonly #request: ReadRequest;
  readonly #port: ReaderPort;
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;
  readonly #troubles: Troubles;
  readonly #finder: SplitFinder;
  readonly #placement: Placement;
  readonly #logEnds: LogEnds;
  #closed = false;
  #credited: (() => void)[] = [];
  /** Nodes that a loop fetches from. */
  readonly #loops = new Set<number>();

  constructor(request: ReadRequest, port: ReaderPort) {
    this.#request = request;
    this.#port = port;
    this.#brokers = new Brokers(request.brokers, 'read');
    this.#leaders = new Leaders(this.#brokers);
    this.#troubles = new Troubles((troubles) => this.#send({ kind: 'troubles', troubles }));
    this.#finder = new SplitFinder(request, this.#brokers, this.#leaders, this.#troubles, {
      onFound: (splits, unresolved) => this.#send({ kind: 'found', splits, unresolved }),
      onGone: (split) => this.#drop(split),
    });
    this.#placement = new Placement(this.#brokers, this.#leaders, this.#troubles, {
      onReady: () => this.#startLoops(),
      onFailure: (error) => this.#fail(error),
      ...(request.pattern && { onGone: (split: string) => this.#drop(split) }),
    });
    this.#logEnds = new LogEnds(
      this.#brokers,
      this.#placement,
      ({ pending }) => pending >= this.#creditEach(),
      (splits) => this.#send({ kind: 'ends', splits }),
    );
    port.on('message', (message) => this.#receive(message));
  }

  /** Reads until an error is final, or `close` is called. */
  async run(): Promise<void> {
    if (this.#request.isComplete && this.#request.until !== undefined) return;
    await this.#finder.run().catch((error: unknown) => this.#fail(error));
  }

  close(): void {
    this.#closed = true;
    this.#finder.close();
    this.#placement.close();
    this.#logEnds.close();
    this.#brokers.close();
    this.#wakeLoops();
  }

  // -------------------------------------------------------------------------------------- the loops

  #startLoops(): void {
    for (const node of this.#placement.nodes()) {
      if (this.#loops.has(node) || this.#closed) continue;
      this.#loops.add(node);
      void this.#fetchFrom(node)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#loops.delete(node);
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
      const wanted = led.filter(({ pending }) => pending < this.#creditEach());
      if (wanted.length === 0) {
        await new Promise<void>((resolve) => this.#credited.push(resolve));
        continue;
      }
      const rests = wanted.filter(({ rest }) => rest !== undefined);
      if (rests.length > 0) {
        await this.#handOver(
          rests.map(({ rest }) => rest!.answer),
          rests.map((split) => ({ split, offset: split.next })),
        );
        continue;
      }
      // Kafka fills an answer in the order of the request, so the first partition is a random one.
      wanted.push(...wanted.splice(0, Math.floor(Math.random() * wanted.length)));
      const isComplete = wanted.length === led.length;
      const maxWaitMillis = isComplete ? waitMillis : Math.min(waitMillis, shortWaitMillis * (1 + idleRounds));
      const asked = wanted.map((split): Asked => ({ split, offset: split.next }));
      try {
        const hasRecords = await this.#fetch(node, asked, maxWaitMillis);
        idleRounds = hasRecords ? 0 : idleRounds + 1;
      } catch (error) {
        if (this.#closed) return;
        if (!mayPass(error)) throw error;
        for (const { split } of asked) this.#placement.lose(split, this.#placement.reasonOf(error, node));
      }
    }
  }

  /** One request and its answer. True: there were records. */
  async #fetch(node: number, asked: readonly Asked[], maxWaitMillis: number): Promise<boolean> {
    const byTopic = Map.groupBy(asked, ({ split }) => split.split.topic);
    const topics = [...byTopic].map(([topic, group]) => ({
      topic,
      id: group[0]!.split.split.topicId,
      partitions: group.map(({ split, offset }) => ({
        partition: split.split.partition,
        leaderEpoch: split.leader!.epoch,
        offset,
        maxBytes: this.#mostOf(split),
      })),
    }));
    const versions = topics.every(({ id }) => id !== undefined) ? [fetch, fetchByName] : [fetchByName];
    const maxBytes = Math.max(fetchBytes, ...asked.map(({ split }) => this.#mostOf(split)));
    const question = { maxWaitMillis, maxBytes, topics };
    const fetched = await this.#brokers.ask(node, versions, question, maxWaitMillis);
    if (fetched.error !== kafkaErrors.none) throw new TryAgain(`broker ${node} answers ${errorName(fetched.error)}`);
    if (fetched.throttleMillis > 0)
      this.#troubles.waits(`broker ${node}`, `broker ${node} makes this client wait because of its quota`);
    else this.#troubles.end(`broker ${node}`);
    await this.#handOver(fetched.partitions, asked);
    return fetched.partitions.some(({ start, end }) => end > start);
  }

  // ---------------------------------------------------------------------------------- their answers

  async #handOver(answers: readonly FetchedPartition[], asked: readonly Asked[]): Promise<void> {
    const askedFor = new Map<string, Asked>();
    for (const one of asked) {
      const { topic, topicId, partition } = one.split.split;
      askedFor.set(`${topic} ${partition}`, one);
      if (topicId !== undefined) askedFor.set(`${topicId} ${partition}`, one);
    }
    const chunks: Chunk[] = [];
    const silent: { split: string; offset: number }[] = [];
    const ended: { split: string; offset: number }[] = [];
    const failed: [FetchedPartition, AssignedSplit][] = [];
    for (const answer of answers) {
      const { split, offset } = askedFor.get(`${answer.topic} ${answer.partition}`) ?? {};
      // It may have been revoked, and assigned again at another offset.
      if (!split || this.#placement.get(split.name) !== split) continue;
      if (answer.error !== kafkaErrors.none) {
        failed.push([answer, split]);
        continue;
      }
      this.#placement.works(split);
      this.#noteTransaction(answer, split);
      const chunk = chunkOf(answer, split, this.#chunkOptions(split));
      if (chunk) {
        split.next = chunk.next;
        split.epoch = chunk.epoch;
        split.pending += chunk.bytes;
        if (chunk.isLast) split.end = chunk.next;
        chunks.push(chunk);
      } else if (answer.start === answer.end && offset! >= answer.lastStable) {
        if (isSilent(answer, offset!)) silent.push({ split: split.name, offset: offset! });
        if (split.endTime !== undefined && Date.now() >= split.endTime) {
          split.end = offset!;
          ended.push({ split: split.name, offset: offset! });
        }
      }
    }
    this.#sendChunks(chunks);
    if (silent.length > 0) this.#send({ kind: 'silent', splits: silent });
    if (ended.length > 0) this.#send({ kind: 'ended', splits: ended });
    for (const [answer, split] of failed)
      await this.#answerError(answer, split).catch((error: unknown) => {
        if (!mayPass(error)) throw error;
        this.#placement.lose(split, error.message);
      });
  }

  /** Bytes to ask for. A batch that is larger than the usual number must arrive as a whole. */
  #mostOf({ needs = 0 }: AssignedSplit): number {
    return Math.max(Math.floor(this.#creditEach() / 2), needs);
  }
  #chunkOptions(split: AssignedSplit): ChunkOptions {
    const { keys: withKeys, maxBatchBytes } = this.#request;
    return { withKeys, maxBatchBytes, enough: this.#creditEach(), asked: this.#mostOf(split) };
  }
  #sendChunks(chunks: readonly Chunk[]): void {
    if (chunks.length === 0) return;
    const transfer = chunks.flatMap(({ columns: { values, lengths, offsets, timestamps, keys } }) => [
      ...[values.buffer, lengths.buffer, offsets.buffer, timestamps.buffer],
      ...(keys ? [keys.bytes.buffer, keys.lengths.buffer] : []),
    ]);
    this.#port.postMessage({ kind: 'chunks', chunks }, transfer);
  }

  #noteTransaction(answer: FetchedPartition, { name, next }: AssignedSplit): void {
    const key = `transaction ${name}`;
    if (!waitsForTransaction(answer, next)) return this.#troubles.end(key);
    this.#troubles.waits(key, `${name} waits for an open transaction that begins at offset ${answer.lastStable}`);
  }

  async #answerError({ error }: FetchedPartition, split: AssignedSplit): Promise<void> {
    const { topic, partition } = split.split;
    if (error === kafkaErrors.topicAuthorizationFailed) throw this.#brokers.notAllowed(topic);
    if (error === kafkaErrors.offsetOutOfRange) throw await this.#offsetGone(split);
    if (!passesByItself(error)) throw kafkaFailure(topic, partition, error);
    this.#placement.lose(split, `the broker answers ${errorName(error)}`);
  }
  async #offsetGone({ split, next, leader, name }: AssignedSplit): Promise<Error> {
    const { topic, partition } = split;
    const view = (await this.#leaders.look([topic])).get(topic)!;
    if (view.kind === 'there' && !isSameTopic(split, view.about))
      return this.#request.pattern ? new TryAgain(`topic "${topic}" was made again`) : topicMadeAgain(split);
    const question = { topic, partitions: [{ partition, epoch: -1, time: earliestOffset }] };
    const [answer] = await this.#brokers.ask(leader!.node, listOffsets, question);
    if (!answer || passesByItself(answer.error))
      throw new TryAgain(`broker ${leader!.node} does not know the offsets of ${name}`);
    const begins = answer.offset;
    return new SluiceError(
      'kafka-offset-gone',
      next < begins
        ? `${name} begins at offset ${begins} now: what was before it, ${next} on, has been deleted by the topic's retention. Run the cell again to start anew.`
        : `${name} has no offset ${next} any more: the topic lost its end, or was deleted and created again. Run the cell again to start anew.`,
      { topic, partition, offset: next, begins },
    );
  }

  // --------------------------------------------------------------------------- messages and credit

  #receive(message: ToReader): void {
    switch (message.kind) {
      case 'assign':
        this.#placement.assign(message.splits);
        return;
      case 'revoke':
        for (const name of message.splits) this.#placement.revoke(name);
        this.#wakeLoops();
        return;
      case 'credit': {
        const split = this.#placement.get(message.split);
        if (!split) return;
        split.pending -= message.bytes;
        if (split.pending < this.#creditEach()) this.#wakeLoops();
      }
    }
  }
  #drop(split: string): void {
    this.#placement.revoke(split);
    this.#send({ kind: 'gone', splits: [split] });
  }
  #creditEach(): number {
    const share = Math.floor(creditForAll / Math.max(1, this.#placement.size));
    return Math.max(creditForOne.least, Math.min(creditForOne.most, share));
  }
  #wakeLoops(): void {
    const waiting = this.#credited;
    this.#credited = [];
    for (const resolve of waiting) resolve();
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    const known = error instanceof SluiceError ? error : new SluiceError('kafka-failure', String(error));
    const details = known.details as Extract<ToSource, { kind: 'failed' }>['details'];
    this.#send({ kind: 'failed', code: known.code, message: known.message, details });
  }
  #send(message: ToSource): void {
    this.#port.postMessage(message, []);
  }
}
