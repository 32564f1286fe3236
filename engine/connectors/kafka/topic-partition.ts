// One partition that a sink writes: the batch that still takes rows, the sealed batches, and its
// trouble. Time is an argument, so that tests need no clock.
//
//            error                       the leader is known and the pause is over
//   healthy ───────► paused ───────────────────────────────────────► trying
//      ▲                ▲                error                          │
//      │                └───────────────────────────────────────────────┤
//      └────────────────────────────── written ─────────────────────────┘
import { BatchBuilder, type RecordHeaders, type Value } from './batch-builder.ts';
import { PartitionQueue, type Outcome, type QueuedBatch } from './partition-queue.ts';

/** Java's pauses: they double up to a second. */
const pauseMillis = { first: 100, longest: 1_000 };

export interface Trouble {
  /** Epoch milliseconds. */
  readonly since: number;
  /** A part of a sentence: "orders[2] has no leader". */
  readonly reason: string;
  /** An action of the user that may help; empty: there is none. */
  readonly hint: string;
}

/** A batch in a snapshot: the bytes of `BatchBuilder.saved`. */
export interface UnsentBatch {
  readonly partition: number;
  readonly bytes: Uint8Array;
}

export class TopicPartition {
  readonly partition: number;
  readonly queue: PartitionQueue<BatchBuilder>;
  #open = new BatchBuilder();
  #isDue = false;
  #attempts = 0;
  /** Epoch milliseconds; undefined: not paused. */
  #pausedUntil: number | undefined;
  trouble: Trouble | undefined;

  constructor(partition: number, isIdempotent: boolean, raisesEpoch = true) {
    this.partition = partition;
    this.queue = new PartitionQueue(isIdempotent, raisesEpoch);
  }

  /** Rows and bytes without an acknowledgement. */
  get rows(): number {
    return this.queue.rows + this.#open.count;
  }
  get bytes(): number {
    return this.queue.bytes + (this.#open.count > 0 ? this.#open.size : 0);
  }
  get isOpen(): boolean {
    return this.#open.count > 0;
  }
  get pausedUntil(): number | undefined {
    return this.#pausedUntil;
  }

  /** True: the row is the first one of its batch. */
  append(key: Uint8Array | undefined, value: Value, timestamp: number, headers?: RecordHeaders): boolean {
    const valueSize = Buffer.byteLength(value);
    const size = valueSize + (key?.length ?? 0) + (headers?.bytes.length ?? 0);
    if (!this.#open.takes(size)) this.#seal();
    this.#open.append(key, value, timestamp, headers, valueSize);
    return this.#open.count === 1;
  }
  /** The open batch waits for no more rows. Until it is sent it still takes some. */
  endLinger(): void {
    this.#isDue = this.#open.count > 0;
  }
  #seal(): void {
    this.queue.add(this.#open);
    // The next batch is probably as large.
    this.#open = new BatchBuilder(this.#open.size);
    this.#isDue = false;
  }

  /** The rows without an acknowledgement. */
  unacknowledged(): readonly UnsentBatch[] {
    const batches = [...this.queue.unacknowledged(), ...(this.isOpen ? [this.#open] : [])];
    return batches.map((batch) => ({ partition: this.partition, bytes: batch.saved() }));
  }
  get wantsToSend(): boolean {
    return this.queue.hasWaiting || this.#isDue;
  }
  maySend(node: number): boolean {
    return this.wantsToSend && this.#pausedUntil === undefined && this.queue.mayTake(node);
  }
  get nextSize(): number {
    return this.queue.hasWaiting ? this.queue.nextSize : this.#open.size;
  }
  take(node: number): QueuedBatch<BatchBuilder> {
    if (!this.queue.hasWaiting) this.#seal();
    return this.queue.take(node);
  }

  answered(sent: QueuedBatch<BatchBuilder>, outcome: Outcome): void {
    this.queue.answered(sent, outcome);
    if (outcome !== 'written') return;
    this.#attempts = 0;
    this.#pausedUntil = undefined;
    this.trouble = undefined;
  }
  /** Sends nothing until a pause is over. Each pause is longer than the last one. */
  pause(now: number, reason: string, hint = ''): void {
    this.trouble = { since: this.trouble?.since ?? now, reason, hint };
    // Several batches in flight may bring the same news.
    if (this.#pausedUntil !== undefined && this.#pausedUntil > now) return;
    this.#pausedUntil = now + Math.min(pauseMillis.longest, pauseMillis.first * 2 ** Math.min(10, this.#attempts++));
  }
  resume(): void {
    this.#pausedUntil = undefined;
  }
}
