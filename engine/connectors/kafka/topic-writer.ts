// Writes rows to one topic: collects them in a batch for each partition, keeps one request to each
// leader in flight, and repeats batches that were not acknowledged.
//
//   connecting ─► ready ⇄ trouble (a broker does not answer; retried for two minutes) ─► failed
//
// Every row is written at least once. Batches carry the producer's number and a sequence, so the
// broker recognises a repeated batch and does not write it again. Only a producer that the broker
// has forgotten starts a new sequence, and then a row may be written twice. The writer creates no
// topic.
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../errors/error.ts';
import { BatchBuilder } from './batch-builder.ts';
import { BrokerUnreachable } from './broker-connection.ts';
import { Cluster, TryAgain } from './cluster.ts';
import type { Connection } from './connections.ts';
import { partitionOf } from './murmur2.ts';
import {
  errorName,
  initProducerId,
  kafkaErrors,
  passesByItself,
  produce,
  type Produced,
  type Producer,
} from './requests.ts';

/** The limit for rows without an acknowledgement. With so many, no more rows are taken. */
const waitingBytes = 8 << 20;
const requestBytes = 4 << 20;
/** The longest time that the first row of a batch waits for others. */
const lingerMillis = 5;
const produceMillis = 30_000;
const firstContact = { attempts: 4, pauseMillis: 250 };
const pauseMillis = { first: 100, longest: 2_000 };
const givesUpMillis = 120_000;

export interface WriterEvents {
  /** The writer takes rows again, or all rows are written. */
  onProgress(): void;
  onFailure(error: unknown): void;
}

/**
 * One partition. Only the first batch of `queue` may be in flight, so `sequence` counts the
 * acknowledged rows.
 */
interface Lane {
  readonly partition: number;
  open: BatchBuilder;
  queue: BatchBuilder[];
  isUnderWay: boolean;
  sequence: number;
}

export class TopicWriter {
  readonly topic: string;
  readonly #connection: Connection;
  readonly #events: WriterEvents;
  readonly #cluster: Cluster;
  #lanes: readonly Lane[] = [];
  #producer: Producer | undefined;
  #waiting = 0;
  #busyNodes = new Set<number>();
  #lingering: NodeJS.Timeout | undefined;
  #nextWithoutKey = 0;
  #refreshing = false;
  #inTroubleSince: number | undefined;
  #closed = false;
  /** The present failure; undefined: there is none. */
  trouble: string | undefined;
  written = 0;

  constructor(connection: Connection, topic: string, events: WriterEvents) {
    this.topic = topic;
    this.#connection = connection;
    this.#events = events;
    this.#cluster = new Cluster(connection.brokers, 'write');
    void this.#start();
  }

  get takesRows(): boolean {
    return this.#producer !== undefined && this.#waiting < waitingBytes;
  }
  get isEmpty(): boolean {
    return this.#waiting === 0;
  }

  append(key: string | undefined, value: string | Uint8Array, timestamp: number): void {
    const keyBytes = key === undefined ? undefined : Buffer.from(key);
    const size = value.length + (keyBytes?.length ?? 0) + 32;
    const lane = keyBytes ? this.#lanes[partitionOf(keyBytes, this.#lanes.length)]! : this.#laneWithoutKey(size);
    if (!lane.open.takes(size)) this.#seal(lane);
    const before = lane.open.size;
    lane.open.append(keyBytes, value, timestamp);
    this.#waiting += lane.open.size - before;
    this.#lingering ??= setTimeout(() => this.#sendAll(), lingerMillis);
  }
  /** Do not wait for more rows. */
  flush(): void {
    if (this.#lingering) this.#sendAll();
  }
  close(): void {
    this.#closed = true;
    clearTimeout(this.#lingering);
    this.#cluster.close();
  }

  // --------------------------------------------------------------------------------- where rows go

  /**
   * Rows without a key fill the batch of one partition, then the batch of the next one. So there
   * are fewer, larger batches.
   */
  #laneWithoutKey(size: number): Lane {
    const lane = this.#lanes[this.#nextWithoutKey % this.#lanes.length]!;
    if (lane.open.takes(size)) return lane;
    return this.#lanes[++this.#nextWithoutKey % this.#lanes.length]!;
  }
  #seal(lane: Lane): void {
    if (lane.open.count === 0) return;
    lane.queue.push(lane.open);
    lane.open = new BatchBuilder();
  }
  #sendAll(): void {
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    const nodes = new Set<number>();
    for (const lane of this.#lanes) {
      if (lane.queue.length === 0 && lane.open.count === 0) continue;
      const node = this.#cluster.leader(lane.partition);
      if (node === undefined) void this.#refresh('no leader');
      else nodes.add(node);
    }
    if (nodes.size > 0) this.#nextWithoutKey++;
    for (const node of nodes) void this.#send(node);
  }

  // -------------------------------------------------------------------------------------- requests

  /** One request after the other to this leader, as long as there is something to write. */
  async #send(node: number): Promise<void> {
    if (this.#busyNodes.has(node) || this.#refreshing || !this.#producer) return;
    this.#busyNodes.add(node);
    try {
      while (!this.#closed && !this.#refreshing) {
        const producer = this.#producer;
        const lanes = this.#laneHeads(node);
        if (lanes.length === 0) break;
        for (const lane of lanes) lane.isUnderWay = true;
        try {
          const answers = await this.#cluster.ask(
            node,
            produce,
            {
              topic: this.topic,
              timeoutMillis: produceMillis,
              batches: lanes.map(({ partition, queue, sequence }) => ({
                partition,
                bytes: queue[0]!.stamped(producer.id, producer.epoch, sequence),
              })),
            },
            produceMillis,
          );
          for (const lane of lanes) lane.isUnderWay = false;
          await this.#answered(answers, producer);
        } finally {
          for (const lane of lanes) lane.isUnderWay = false;
        }
      }
    } catch (error) {
      if (mayPass(error)) void this.#refresh(error.message);
      else this.#fail(error);
    } finally {
      this.#busyNodes.delete(node);
    }
  }

  #laneHeads(node: number): Lane[] {
    const chosen: Lane[] = [];
    let size = 0;
    for (const lane of this.#lanes) {
      if (lane.isUnderWay || this.#cluster.leader(lane.partition) !== node) continue;
      if (lane.queue.length === 0) this.#seal(lane);
      const head = lane.queue[0];
      if (!head || (size > 0 && size + head.size > requestBytes)) continue;
      chosen.push(lane);
      size += head.size;
    }
    return chosen;
  }

  async #answered(answers: readonly Produced[], producer: Producer): Promise<void> {
    let again: string | undefined;
    let isForgotten = false;
    for (const { partition, error, message } of answers) {
      const lane = this.#lanes.find((one) => one.partition === partition)!;
      const batch = lane.queue[0]!;
      switch (error) {
        case kafkaErrors.none:
        case kafkaErrors.duplicateSequence:
          lane.queue.shift();
          // Sequences are 31 bits and begin again at 0.
          if (producer === this.#producer) lane.sequence = (lane.sequence + batch.count) % 2 ** 31;
          this.#waiting -= batch.size - emptySize;
          this.written += batch.count;
          break;
        case kafkaErrors.messageTooLarge:
        case kafkaErrors.recordListTooLarge: {
          if (batch.count === 1) throw this.#tooLarge(batch.size);
          const halves = batch.halves();
          lane.queue.splice(0, 1, ...halves);
          this.#waiting += halves[0].size + halves[1].size - emptySize - batch.size;
          break;
        }
        case kafkaErrors.outOfOrderSequence:
        case kafkaErrors.invalidProducerEpoch:
        case kafkaErrors.unknownProducer:
          isForgotten = true;
          break;
        case kafkaErrors.topicAuthorizationFailed:
          throw this.#cluster.notAllowed(this.topic);
        default:
          if (!passesByItself(error)) throw this.#refused(partition, error, message);
          again = `${this.topic}[${partition}] answers ${errorName(error)}`;
      }
    }
    if (again !== undefined) throw new TryAgain(again);
    if (isForgotten && producer === this.#producer) await this.#beginSequence();
    this.#works();
    this.#events.onProgress();
  }

  /** A number of our own for this producer, and sequences from 0. */
  async #beginSequence(): Promise<void> {
    const node = this.#lanes.map(({ partition }) => this.#cluster.leader(partition)).find((one) => one !== undefined);
    if (node === undefined) throw new TryAgain(`no partition of ${this.topic} has a leader`);
    const { error, id, epoch } = await this.#cluster.ask(node, initProducerId, undefined);
    if (error === kafkaErrors.clusterAuthorizationFailed) throw this.#cluster.notAllowed(this.topic);
    if (passesByItself(error)) throw new TryAgain(`the broker answers ${errorName(error)}`);
    if (error !== kafkaErrors.none) throw this.#refused(undefined, error, undefined);
    for (const lane of this.#lanes) lane.sequence = 0;
    this.#producer = { id, epoch };
  }

  // --------------------------------------------------------------------------------------- contact

  async #start(): Promise<void> {
    for (let attempt = 1; !this.#closed; attempt++) {
      try {
        const partitions = await this.#cluster.refresh(this.topic);
        this.#lanes = partitions.map((partition) => ({
          partition,
          open: new BatchBuilder(),
          queue: [],
          isUnderWay: false,
          sequence: 0,
        }));
        await this.#beginSequence();
        this.#works();
        this.#events.onProgress();
        return;
      } catch (error) {
        if (!mayPass(error)) return this.#fail(error);
        this.trouble = error.message;
        const isOver =
          error instanceof BrokerUnreachable && (error.reason === 'silent' || attempt >= firstContact.attempts);
        if (isOver) return this.#fail(this.#unreachable(error));
        this.#checkPatience(error);
        await sleep(firstContact.pauseMillis);
      }
    }
  }

  /** Reads the leaders again and sends the waiting batches. */
  async #refresh(reason: string): Promise<void> {
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    this.trouble = reason;
    try {
      for (let pause = pauseMillis.first; !this.#closed; pause = Math.min(pauseMillis.longest, pause * 2)) {
        await sleep(pause);
        try {
          this.#checkPatience(new TryAgain(this.trouble));
          await this.#cluster.refresh(this.topic);
          break;
        } catch (error) {
          if (!mayPass(error)) throw error;
          this.trouble = error.message;
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#refreshing = false;
    }
    if (!this.#closed) this.#sendAll();
  }
  #works(): void {
    this.trouble = undefined;
    this.#inTroubleSince = undefined;
  }
  #checkPatience(error: Error): void {
    this.#inTroubleSince ??= Date.now();
    if (Date.now() - this.#inTroubleSince > givesUpMillis)
      throw new SluiceError(
        'kafka-unwritten',
        `Rows for topic "${this.topic}" could not be written for ${givesUpMillis / 60_000} minutes: ${error.message.replace(/\.?$/, '.')}`,
        { topic: this.topic },
      );
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#events.onFailure(error);
  }
  #unreachable(error: Error): SluiceError {
    const { brokers, variable } = this.#connection;
    return new SluiceError(
      'kafka-unreachable',
      `Kafka cannot be reached: ${error.message} The address is from ${variable}.`,
      { brokers, variable },
    );
  }
  #tooLarge(bytes: number): SluiceError {
    return new SluiceError(
      'kafka-row-too-large',
      `A row of ${bytes.toLocaleString('en-US')} bytes is more than topic "${this.topic}" takes. Make it smaller, or raise the topic's max.message.bytes.`,
      { topic: this.topic, bytes },
    );
  }
  #refused(partition: number | undefined, error: number, message: string | undefined): SluiceError {
    const where = partition === undefined ? `"${this.topic}"` : `${this.topic}[${partition}]`;
    const why =
      error === kafkaErrors.invalidTimestamp
        ? 'the timestamp of a row is outside of what the topic allows (message.timestamp.before.max.ms and after.max.ms). Give to() another `timestamp`'
        : (message ?? errorName(error)).replace(/\.$/, '');
    return new SluiceError('kafka-refused', `Topic ${where} refuses rows: ${why}.`, { topic: this.topic, error });
  }
}

const emptySize = new BatchBuilder().size;

function mayPass(error: unknown): error is Error {
  return error instanceof TryAgain || error instanceof BrokerUnreachable;
}
