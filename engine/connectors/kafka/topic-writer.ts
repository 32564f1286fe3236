// Writes rows to one topic: chooses a partition for each row, sends batches to the leaders, and
// sends again what was not acknowledged. Each partition has a queue and a state of its own
// (topic-partition.ts, partition-queue.ts), so a partition without leader holds no other one up.
//
//   connecting ─► ready ─► failed
//
// Every row is written at least once. With idempotence the broker recognises a repeated batch and
// does not write it again. Only a producer that the broker has forgotten starts a new sequence, and
// then a row may be written twice.
//
// A writer waits for its brokers as long as it takes, as a source does: its trouble says for what.
// It gives up what cannot succeed: a refused row, a missing right, a topic that is gone.
import { mayPass } from './brokers.ts';
import { Cluster } from './cluster.ts';
import { BatchBuilder, type RecordHeaders, type Value } from './batch-builder.ts';
import type { CompressionName } from './compress.ts';
import type { Connection } from '../../connections/connection.ts';
import { Partitioner } from './partitioner.ts';
import { hintOf, outcomeOf, producerErrorName, refusal } from './produce-outcome.ts';
import { produceQuestion, takeBatches, type Batches, type SentBatch } from './produce-question.ts';
import { QueueProducers, type WriterTransactions } from './queue-producers.ts';
import { RequestsInFlight } from './requests-in-flight.ts';
import { produce, type Produced } from './sink-requests.ts';
import { type TopicToCreate, unknownSettings } from './sink-topic.ts';
import { TopicContact, type WriterCluster } from './topic-contact.ts';
import { TopicPartition, type UnsentBatch } from './topic-partition.ts';
import { idempotenceNotAllowed, slownessOf, troubleOf, unwritten, type WriterTrouble } from './write-trouble.ts';

/** The limit for rows without an acknowledgement, as Java's buffer.memory. */
const waitingBytes = 32 << 20;
/** As Java's metadata.max.age.ms: after it, new partitions are known. */
const metadataMillis = 300_000;

export interface WriterEvents {
  /** The writer takes rows again, or all rows are written. */
  onProgress(): void;
  onFailure(error: unknown): void;
}
export interface WriterOptions {
  readonly acks: 'all' | 1 | 0;
  readonly isIdempotent: boolean;
  readonly compression: CompressionName;
  /** The longest time that the first row of a batch waits for others. */
  readonly lingerMillis: number;
  /** Absent: a missing topic is an error. */
  readonly create?: TopicToCreate;
  readonly metadataMillis: number;
  /** Absent: the rows are of no transaction. With them it is idempotent. */
  readonly transactions?: WriterTransactions;
}
export const writerDefaults: WriterOptions = {
  acks: 'all',
  isIdempotent: true,
  compression: 'none',
  lingerMillis: 5,
  metadataMillis,
};
export class TopicWriter {
  readonly topic: string;
  readonly #events: WriterEvents;
  readonly #options: WriterOptions;
  readonly #cluster: WriterCluster;
  readonly #contact: TopicContact;
  readonly #producers: QueueProducers;
  readonly #closing = new AbortController();
  #partitions: TopicPartition[] = [];
  #partitioner = new Partitioner([]);
  readonly #requests = new RequestsInFlight();
  #firstInTurn = 0;
  #lingering: NodeJS.Timeout | undefined;
  #recovering: NodeJS.Timeout | undefined;
  #aging: NodeJS.Timeout | undefined;
  #restored: readonly UnsentBatch[] | undefined;
  #isFinishing = false;
  #isReady = false;
  #bytes = 0;
  /** Rows without an acknowledgement. */
  inFlight = 0;
  written = 0;
  /** Epoch milliseconds of the last acknowledgement. */
  writtenAt: number | undefined;
  /** Only with `acks: 0`. */
  lost = 0;
  /** The topic's settings that matter to a sink. */
  settings = unknownSettings;

  constructor(
    connection: Connection,
    topic: string,
    events: WriterEvents,
    options: Partial<WriterOptions> = {},
    cluster: WriterCluster = new Cluster(connection, 'write'),
  ) {
    this.topic = topic;
    this.#events = events;
    this.#options = { ...writerDefaults, ...options };
    this.#cluster = cluster;
    this.#contact = new TopicContact(connection, cluster, topic);
    this.#producers = new QueueProducers(this.#contact, options.transactions);
    this.#guard(this.#start());
  }

  get takesRows(): boolean {
    return this.#isReady && this.#bytes < waitingBytes;
  }
  get isEmpty(): boolean {
    return this.inFlight === 0;
  }
  /** How many partitions the topic has at present. */
  get partitionCount(): number {
    return this.#partitions.length;
  }
  /** undefined: there is none at present. */
  get trouble(): WriterTrouble | undefined {
    return troubleOf(this.#partitions) ?? this.#contact.trouble ?? slownessOf(this.#requests, Date.now(), this.topic);
  }
  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  append(key: Value | undefined, value: Value, timestamp: number, headers?: RecordHeaders, partition?: number): void {
    const keyBytes = key === undefined ? undefined : Buffer.from(key);
    const chosen =
      partition !== undefined
        ? this.#partitions[partition]!
        : keyBytes
          ? this.#partitioner.withKey(keyBytes)
          : this.#partitioner.withoutKey(this.#isAvailable);
    const bytes = chosen.bytes;
    const isFirst = chosen.append(keyBytes, value, timestamp, headers);
    this.#bytes += chosen.bytes - bytes;
    this.inFlight++;
    if (!isFirst) return;
    // A sealed batch was full. Full batches are sent without a wait.
    if (chosen.queue.hasWaiting) {
      this.#partitioner.hasSealed(chosen);
      this.#pump();
    }
    this.#lingering ??= setTimeout(() => this.#endLinger(), this.#options.lingerMillis);
  }
  /** For a snapshot: the rows without an acknowledgement. */
  unacknowledged(): readonly UnsentBatch[] {
    return [...(this.#restored ?? []), ...this.#partitions.flatMap((one) => one.unacknowledged())];
  }
  /** Sends them again, before all other rows. Called before the first row. */
  restore(batches: readonly UnsentBatch[]): void {
    this.#restored = batches;
    this.inFlight += batches.reduce((sum, { bytes }) => sum + BatchBuilder.restored(bytes).count, 0);
  }
  /** Do not wait for more rows. */
  flush(): void {
    if (this.#lingering) this.#endLinger();
  }
  /** All rows are written, and the next ones are of another transaction. */
  endTransaction(): void {
    for (const { queue } of this.#partitions) queue.retire();
  }
  /** Sends nothing more. Resolves when what was sent is answered. The cluster stays open. */
  stop(): Promise<void> {
    this.#closing.abort();
    for (const timer of [this.#lingering, this.#recovering, this.#aging]) clearTimeout(timer);
    return this.#requests.allAnswered();
  }
  /** Writes the rows that it has, and closes then, or after this time. */
  finish(millis: number): void {
    this.#isFinishing = true;
    this.flush();
    if (this.isEmpty || this.#isClosed) return this.close();
    const timer = setTimeout(() => this.close(), millis);
    this.#closing.signal.addEventListener('abort', () => clearTimeout(timer));
  }
  close(): void {
    void this.stop();
    this.#cluster.close();
  }

  readonly #isAvailable = (one: TopicPartition): boolean =>
    one.trouble === undefined && this.#cluster.leader(one.partition) !== undefined;

  #endLinger(): void {
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    for (const one of this.#partitions) if (one.isOpen) one.endLinger();
    this.#pump();
  }

  // -------------------------------------------------------------------------------------- requests

  /** Sends all that may be sent now. Called after each event that may allow a batch to be sent. */
  #pump(): void {
    if (this.#isClosed || !this.#isReady) return;
    const nodes = new Set<number>();
    for (const one of this.#partitions) {
      if (!one.wantsToSend || one.pausedUntil !== undefined) continue;
      const node = this.#cluster.leader(one.partition);
      if (node !== undefined) nodes.add(node);
      else {
        one.pause(Date.now(), `${this.#place(one)} has no leader`);
        // A barrier may wait, and needs to wait no longer.
        this.#events.onProgress();
      }
    }
    for (const node of nodes) this.#sendTo(node);
    this.#renewProducers();
    this.#scheduleRecovery();
  }
  #sendTo(node: number): void {
    while (this.#requests.mayAsk(node)) {
      const batches = takeBatches(this.#partitions, this.#firstInTurn++, node, this.#cluster);
      if (batches.size === 0) return;
      for (const one of batches.keys()) this.#partitioner.hasSealed(one);
      void this.#request(node, batches);
    }
  }
  async #request(node: number, batches: Batches): Promise<void> {
    const { acks, compression, transactions } = this.#options;
    const request = { node, partition: [...batches.keys()][0]!.partition, since: Date.now() };
    this.#requests.begin(request);
    try {
      const options = { topic: this.topic, acks, compression, transactionalId: transactions?.transactionalId };
      const question = produceQuestion(options, batches);
      const answer = await this.#cluster.ask(node, produce, question, question.timeoutMillis);
      this.#requests.answered(node, answer.throttleMillis, Date.now());
      const byPartition = new Map(answer.partitions.map((one) => [one.partition, one]));
      for (const [one, sent] of batches) this.#answered(node, one, sent, byPartition.get(one.partition));
    } catch (error) {
      if (!mayPass(error)) return this.#fail(error);
      for (const [one, sent] of batches) {
        const reason = `${this.#place(one)} is not written: ${error.message.replace(/\.$/, '')}`;
        this.#settle(one, () => this.#again(one, sent, reason));
      }
    } finally {
      this.#requests.end(request);
    }
    this.#pump();
    if (this.#isFinishing && this.isEmpty) this.close();
    if (!this.#isClosed) this.#events.onProgress();
  }

  #answered(node: number, one: TopicPartition, sent: SentBatch, answer: Produced | undefined): void {
    const place = this.#place(one);
    const { transactions } = this.#options;
    this.#settle(one, () => {
      if (!answer) return this.#again(one, sent, `broker ${node} does not answer for ${place}`);
      const outcome = outcomeOf(answer.error, sent.batch.count, transactions !== undefined);
      switch (outcome) {
        case 'topicNotAllowed':
          throw this.#cluster.notAllowed(this.topic);
        case 'clusterNotAllowed':
          throw idempotenceNotAllowed(this.topic, this.#cluster.description);
        case 'refused':
          throw transactions?.refused(answer.error) ?? refusal(this.topic, answer, sent.batch);
        case 'again': {
          const name = producerErrorName(answer.error);
          return this.#again(one, sent, `broker ${node} answers ${name} for ${place}`, hintOf(answer.error));
        }
        default:
          if (outcome === 'written') transactions?.wrote(one.partition, answer.offset, sent.batch.count);
          return one.answered(sent, outcome);
      }
    });
  }
  #again(one: TopicPartition, sent: SentBatch, reason: string, hint = ''): void {
    const isLost = this.#options.acks === 0;
    if (isLost) this.lost += sent.batch.count;
    one.answered(sent, isLost ? 'lost' : 'again');
    one.pause(Date.now(), reason, hint);
  }
  /** Counts what an answer has changed. */
  #settle(one: TopicPartition, answered: () => void): void {
    const { rows, bytes } = one;
    const lost = this.lost;
    answered();
    this.inFlight += one.rows - rows;
    this.#bytes += one.bytes - bytes;
    const written = rows - one.rows - (this.lost - lost);
    this.written += written;
    if (written > 0) this.writtenAt = Date.now();
  }

  // --------------------------------------------------------------------------------------- contact

  async #start(): Promise<void> {
    const { create, isIdempotent, transactions } = this.#options;
    const first = await this.#contact.begin(create, isIdempotent && !transactions, this.#closing.signal);
    if (!first || this.#isClosed) return;
    this.settings = first.settings;
    this.#adopt(first.partitions);
    if (first.producer) for (const { queue } of this.#partitions) queue.renew(first.producer);
    for (const { partition, bytes } of this.#restored ?? [])
      this.#partitions[partition % this.#partitions.length]!.queue.add(BatchBuilder.restored(bytes));
    this.#bytes = this.#partitions.reduce((sum, one) => sum + one.bytes, 0);
    this.#restored = undefined;
    this.#isReady = true;
    this.#pump();
    this.#ageMetadata();
    this.#events.onProgress();
  }
  /** The topic has more partitions than before. */
  #adopt(found: readonly number[]): void {
    if (found.length <= this.#partitions.length) return;
    const { isIdempotent, transactions } = this.#options;
    for (let partition = this.#partitions.length; partition < found.length; partition++)
      this.#partitions.push(new TopicPartition(partition, isIdempotent, !transactions));
    this.#partitioner = new Partitioner(this.#partitions);
  }
  #ageMetadata(): void {
    const refresh = async (): Promise<void> => {
      await this.#refresh();
      if (!this.#isClosed) this.#ageMetadata();
      this.#pump();
    };
    this.#aging = setTimeout(() => this.#guard(refresh()), this.#options.metadataMillis).unref();
  }
  async #refresh(): Promise<void> {
    const found = await this.#contact.refresh();
    if (found) this.#options.transactions?.checkTopic();
    if (found) this.#adopt(found);
  }

  /** Partitions in trouble are tried again when their pause is over and the leaders are read. */
  #scheduleRecovery(): void {
    if (this.#isClosed || this.#recovering) return;
    const next = Math.min(...this.#partitions.map(({ pausedUntil }) => pausedUntil ?? Infinity));
    if (next === Infinity) return;
    this.#recovering = setTimeout(() => this.#guard(this.#recover()), Math.max(0, next - Date.now()));
  }
  async #recover(): Promise<void> {
    await this.#refresh();
    this.#recovering = undefined;
    const { gone } = this.#contact;
    const openRows = this.#options.transactions?.openRows ?? 0;
    if (gone) throw unwritten(this.topic, this.inFlight + openRows, gone);
    const now = Date.now();
    for (const one of this.#partitions) if ((one.pausedUntil ?? Infinity) <= now) one.resume();
    this.#pump();
  }
  /** New partitions, and producers whose epochs are used up, need a number. */
  #renewProducers(): void {
    const renewed = this.#producers.renew(this.#partitions, (one, reason) =>
      one.pause(Date.now(), `${this.#place(one)} gets no producer: ${reason}`),
    );
    if (renewed) this.#guard(renewed.then(() => this.#pump()));
  }

  #place({ partition }: { readonly partition: number }): string {
    return `${this.topic}[${partition}]`;
  }
  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => this.#fail(error));
  }
  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.onFailure(error);
  }
}
