// Reads all partitions of one topic, in the reader thread: finds the start offsets, fetches from
// each leader, and hands over columns within its credit.
//
//   connecting ─► started ─► reading ⇄ trouble ─► done (bounded) | failed
//
// In `trouble` a broker does not answer; the reader retries without limit. If the first contact
// fails, it is an error at once, because an address or a name is probably wrong. Partitions that
// are added to the topic later are not read.
import { isAscii } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../errors/error.ts';
import { Cluster, kafkaFailure, TryAgain } from './cluster.ts';
import { RecordsUnreadable } from './compression.ts';
import { BrokerUnreachable } from './kafkajs-connection.ts';
import { batchHeaders, committedBatches, readRecords } from './record-batch.ts';
import type { Chunk, Offsets, ReaderPort, ReadRequest, ToReader, ToSource } from './reader-messages.ts';
import { earliestOffset, errorName, fetch, kafkaErrors, passesByItself, type FetchedPartition } from './requests.ts';
import { startOffsets } from './start-offsets.ts';

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
const firstContact = { attempts: 4, pauseMillis: 250, electionMillis: 20_000 };
/** A known topic that stays unknown for this long has been deleted. */
const goneAfterMillis = 5_000;
const pauseMillis = { first: 100, longest: 2_000 };

interface Progress {
  readonly partition: number;
  next: number;
  readonly end: number;
  /** Bytes handed over and not yet emitted. */
  pending: number;
}

export class TopicReader {
  readonly #request: ReadRequest;
  readonly #port: ReaderPort;
  readonly #cluster: Cluster;
  readonly #partitions = new Map<number, Progress>();
  #creditEach = creditForOne.most;
  #closed = false;
  #credited: (() => void)[] = [];
  /** Nodes that a loop fetches from. */
  readonly #loops = new Set<number>();
  #refreshing: Promise<void> | undefined;
  #isInTrouble = false;

  constructor(request: ReadRequest, port: ReaderPort) {
    this.#request = request;
    this.#port = port;
    this.#cluster = new Cluster(request.brokers, 'read');
    port.on('message', (message) => this.#receive(message));
  }

  /** Runs until everything is read, an error is final, or `close` is called. */
  async run(): Promise<void> {
    try {
      await this.#start();
      this.#startLoops();
    } catch (error) {
      this.#fail(error);
    }
  }

  close(): void {
    this.#closed = true;
    this.#cluster.close();
    this.#wakeLoops();
  }

  async #start(): Promise<void> {
    const { topic, resume } = this.#request;
    const begun = Date.now();
    for (let attempt = 1; ; attempt++) {
      try {
        const partitions = await this.#cluster.refresh(topic);
        const { next, ends } = resume ?? (await startOffsets(this.#cluster, this.#request, partitions));
        for (const [name, offset] of Object.entries(next)) {
          const partition = Number(name);
          this.#partitions.set(partition, { partition, next: offset, end: ends?.[partition] ?? Infinity, pending: 0 });
        }
        const share = Math.floor(creditForAll / Math.max(1, this.#partitions.size));
        this.#creditEach = Math.max(creditForOne.least, Math.min(creditForOne.most, share));
        this.#works();
        this.#send({ kind: 'started', next, ...(ends ? { ends } : {}) });
        return;
      } catch (error) {
        if (this.#closed) return;
        const mayPass = error instanceof TryAgain || error instanceof BrokerUnreachable;
        // A new topic may not be known to all brokers yet.
        if (isUnknownTopic(error) && (resume || attempt === 1)) {
          if (Date.now() - begun > goneAfterMillis) throw error;
          await sleep(firstContact.pauseMillis);
          continue;
        }
        if (!mayPass) throw error;
        this.#trouble(error.message);
        // An earlier reader has reached the cluster, so the address is right and a broker will
        // return.
        if (!resume) {
          const isOver =
            error instanceof TryAgain
              ? Date.now() - begun > firstContact.electionMillis
              : error.reason === 'silent' || attempt >= firstContact.attempts;
          if (isOver) throw this.#unreachable(error);
        }
        await sleep(resume ? Math.min(pauseMillis.longest, pauseMillis.first * attempt) : firstContact.pauseMillis);
      }
    }
  }

  /** One loop for each node that leads a partition with unread records. */
  #startLoops(): void {
    let isDone = true;
    for (const { partition, next, end } of this.#partitions.values()) {
      if (next >= end) continue;
      isDone = false;
      const node = this.#cluster.leader(partition);
      if (node === undefined) void this.#refreshLater();
      else if (!this.#loops.has(node)) {
        this.#loops.add(node);
        void this.#fetchFrom(node).catch((error: unknown) => this.#fail(error));
      }
    }
    if (isDone) this.close();
  }

  async #fetchFrom(node: number): Promise<void> {
    let idleRounds = 0;
    while (!this.#closed) {
      const led = [...this.#partitions.values()].filter(
        ({ partition, next, end }) => next < end && this.#cluster.leader(partition) === node,
      );
      if (led.length === 0) break;
      const wanted = led.filter(({ pending }) => pending < this.#creditEach);
      if (wanted.length === 0) {
        await this.#untilCredited();
        continue;
      }
      // Kafka fills an answer in the order of the request, so the first partition is a random one.
      wanted.push(...wanted.splice(0, Math.floor(Math.random() * wanted.length)));
      const isComplete = wanted.length === led.length;
      const maxWaitMillis = isComplete ? waitMillis : Math.min(waitMillis, shortWaitMillis * (1 + idleRounds));
      try {
        const question = {
          topic: this.#request.topic,
          maxWaitMillis,
          maxBytes: fetchBytes,
          partitions: wanted.map(({ partition, next }) => ({
            partition,
            offset: next,
            maxBytes: Math.floor(this.#creditEach / 2),
          })),
        };
        const fetched = await this.#cluster.ask(node, fetch, question, maxWaitMillis);
        if (fetched.error !== kafkaErrors.none)
          throw new TryAgain(`broker ${node} answers ${errorName(fetched.error)}`);
        idleRounds = fetched.partitions.some(({ start, end }) => end > start) ? 0 : idleRounds + 1;
        if (fetched.partitions.every(({ error }) => error === kafkaErrors.none)) this.#works();
        if (await this.#handOver(fetched.partitions)) await this.#refreshLater();
      } catch (error) {
        if (this.#closed) return;
        if (!(error instanceof TryAgain || error instanceof BrokerUnreachable)) throw error;
        this.#trouble(error.message);
        await this.#refreshLater();
      }
    }
    this.#loops.delete(node);
    if (!this.#closed) this.#startLoops();
  }

  /** Sends the fetched records. Returns true when the leaders have changed. */
  async #handOver(answers: readonly FetchedPartition[]): Promise<boolean> {
    const failed: FetchedPartition[] = [];
    const chunks: Chunk[] = [];
    const transfer: ArrayBuffer[] = [];
    for (const answer of answers) {
      const progress = this.#partitions.get(answer.partition);
      if (!progress) continue;
      if (answer.error !== kafkaErrors.none) {
        failed.push(answer);
        continue;
      }
      const chunk = this.#chunk(answer, progress);
      if (!chunk) continue;
      progress.next = chunk.next;
      progress.pending += chunk.bytes;
      chunks.push(chunk);
      const { values, lengths, offsets, timestamps, keys } = chunk.columns;
      transfer.push(values.buffer, lengths.buffer, offsets.buffer, timestamps.buffer);
      if (keys) transfer.push(keys.bytes.buffer, keys.lengths.buffer);
    }
    if (chunks.length > 0) this.#port.postMessage({ kind: 'chunks', chunks }, transfer);
    for (const answer of failed) await this.#answerError(answer, this.#partitions.get(answer.partition)!);
    return failed.length > 0;
  }

  #chunk(answer: FetchedPartition, { partition, next: from, end: until }: Progress): Chunk | undefined {
    const { bytes, start, end, aborted, lastStable } = answer;
    try {
      const batches = batchHeaders(bytes, start, end);
      const last = batches.at(-1);
      if (!last) return undefined;
      const next = Math.min(until, Math.max(from, last.lastOffset + 1));
      const { keys } = this.#request;
      const columns = readRecords(committedBatches(batches, bytes, aborted), bytes, from, until, keys);
      const bytesOfChunk = Math.max(1, columns.values.length + (columns.keys?.bytes.length ?? 0));
      return { partition, columns, ascii: isAscii(columns.values), next, end: lastStable, bytes: bytesOfChunk };
    } catch (error) {
      const cause = error instanceof RecordsUnreadable ? error.message : `it is damaged (${String(error)}).`;
      const where = `${this.#request.topic}[${partition}]@${from}`;
      throw new SluiceError('kafka-unreadable', `${where} cannot be read: ${cause}`, { partition, offset: from });
    }
  }

  async #answerError({ partition, error }: FetchedPartition, { next }: Progress): Promise<void> {
    const { topic } = this.#request;
    if (error === kafkaErrors.topicAuthorizationFailed) throw this.#cluster.notAllowed(topic);
    if (error === kafkaErrors.offsetOutOfRange) {
      const logStart = (await this.#cluster.offsets(topic, [partition], earliestOffset)).get(partition)!;
      throw new SluiceError(
        'kafka-offset-gone',
        next < logStart
          ? `${topic}[${partition}] begins at offset ${logStart} now: what was before it, ${next} on, has been deleted by the topic's retention. Run the cell again to start anew.`
          : `${topic}[${partition}] has no offset ${next} any more: the topic lost its end, or was deleted and created again. Run the cell again to start anew.`,
        { topic, partition, offset: next, begins: logStart },
      );
    }
    if (!passesByItself(error)) throw kafkaFailure(topic, partition, error);
    this.#trouble(`${topic}[${partition}] answers ${errorName(error)}`);
  }

  /** Reads the leaders again, once for all loops, until a broker answers. */
  #refreshLater(): Promise<void> {
    this.#refreshing ??= this.#refresh()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#refreshing = undefined;
        if (!this.#closed) this.#startLoops();
      });
    return this.#refreshing;
  }
  async #refresh(): Promise<void> {
    const begun = Date.now();
    for (let pause = pauseMillis.first; !this.#closed; pause = Math.min(pauseMillis.longest, pause * 2)) {
      await sleep(pause);
      try {
        await this.#cluster.refresh(this.#request.topic);
        return;
      } catch (error) {
        if (this.#closed) return;
        // A broker that has just started may not know the topic yet.
        const isGone = isUnknownTopic(error) && Date.now() - begun > goneAfterMillis;
        const mayPass = error instanceof TryAgain || error instanceof BrokerUnreachable || isUnknownTopic(error);
        if (isGone || !mayPass) throw error;
        this.#trouble((error as Error).message);
      }
    }
  }

  #receive(message: ToReader): void {
    const progress = this.#partitions.get(message.partition);
    if (!progress) return;
    progress.pending -= message.bytes;
    if (progress.pending < this.#creditEach) this.#wakeLoops();
  }
  #untilCredited(): Promise<void> {
    return new Promise((resolve) => this.#credited.push(resolve));
  }
  #wakeLoops(): void {
    const waiting = this.#credited;
    this.#credited = [];
    for (const resolve of waiting) resolve();
  }

  #trouble(text: string): void {
    this.#isInTrouble = true;
    this.#send({ kind: 'trouble', text });
  }
  #works(): void {
    if (!this.#isInTrouble) return;
    this.#isInTrouble = false;
    this.#send({ kind: 'trouble', text: undefined });
  }
  #unreachable(error: TryAgain | BrokerUnreachable): SluiceError {
    const { brokers, variable, topic } = this.#request;
    const what = error.message.replace(/\.?$/, '.');
    return new SluiceError(
      'kafka-unreachable',
      error instanceof TryAgain
        ? `Topic "${topic}" cannot be read at present: ${what}`
        : `Kafka cannot be reached: ${what} The address is from ${variable}.`,
      { brokers, variable },
    );
  }
  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    const known = error instanceof SluiceError ? error : new SluiceError('kafka-failure', String(error));
    this.#send({
      kind: 'failed',
      code: known.code,
      message: known.message,
      details: known.details as Offsets & object,
    });
  }
  #send(message: ToSource): void {
    this.#port.postMessage(message, []);
  }
}

function isUnknownTopic(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'kafka-unknown-topic';
}
