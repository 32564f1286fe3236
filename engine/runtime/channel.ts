// A channel: the bounded queue between two tasks. Records take credit, control marks take none, and
// order is kept between both.
import type { Batch } from '../contract/operator.ts';
import { invariant } from '../errors/invariant.ts';

/** `epoch` numbers all barriers of a runtime; a task passes each exactly once, in order. */
export interface Barrier {
  readonly kind: 'barrier';
  readonly epoch: number;
  /** `changes`: key groups written since the last one; `full`: everything. */
  readonly snapshot: false | 'changes' | 'full';
  /** The id that its caller gave to the snapshot. Absent: the snapshot is for memory only. */
  readonly checkpoint?: number;
  /**
   * Transactions that end at this barrier may be committed with this checkpoint: its own, or the
   * next one.
   */
  readonly commitsWith: number;
}
export type Mark =
  | { readonly kind: 'watermark'; readonly time: number }
  | { readonly kind: 'idle' }
  | { readonly kind: 'active' }
  | Barrier
  /** The upstream has ended; barriers may still follow. */
  | { readonly kind: 'end' };

export const maxCapacity = 4096;
/** How much work may wait in a channel: a barrier waits behind that work. */
export const targetMillis = 100;
const firstCapacity = 16;

export class Channel {
  /** The task that reads it. */
  readonly reader: string;
  /** The output that writes to it: the task and its port. */
  readonly writer: string;
  /** No record of the writer is a Promise: its last stage is a filter, which tests each record. */
  isTested = false;
  /** Records that may wait; follows the consumer, see `adapt`. */
  capacity = firstCapacity;
  /** The reader has gone: items that are pushed are dropped. */
  closed = false;
  /** Wakes the consumer's scheduler. */
  onPush: () => void = () => {};
  #queue: (Batch | Mark)[] = [];
  #head = 0;
  #records = 0;
  #hasMoved = false;

  constructor(reader = '', writer = '') {
    this.reader = reader;
    this.writer = writer;
  }

  /**
   * Records that may be sent now. There is no room before a quarter of the capacity is free. A
   * writer that may send after a few records sends a few, which are taken in one turn, and so on:
   * its batches would get smaller and smaller.
   */
  get room(): number {
    if (this.closed) return Number.MAX_SAFE_INTEGER;
    const free = this.capacity - this.#records;
    return free * 4 >= this.capacity ? free : 0;
  }
  /** Records waiting, those of a half-consumed batch included. */
  get records(): number {
    return this.#records;
  }
  get empty(): boolean {
    return this.#head === this.#queue.length;
  }
  /** False: the channel is closed, and the batch is dropped. */
  pushBatch(batch: Batch): boolean {
    if (this.closed) return false;
    this.#records += batch.length;
    this.#queue.push(batch);
    this.onPush();
    return true;
  }
  pushMark(mark: Mark): void {
    if (this.closed) return;
    this.#queue.push(mark);
    this.onPush();
  }
  /** Next item, left in place. */
  peek(): Batch | Mark | undefined {
    return this.#queue[this.#head];
  }
  /** Takes the next item; the credit of a batch comes back by `consumed`. */
  shift(): Batch | Mark | undefined {
    const item = this.#queue[this.#head];
    if (item === undefined) return undefined;
    this.#queue[this.#head] = undefined as never;
    this.#head++;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    return item;
  }
  /** The reader has processed so many records: their credit comes back. */
  consumed(records: number): void {
    if (this.closed) return;
    invariant(records >= 0 && records <= this.#records, 'a reader gives back the credit of records that it took');
    this.#records -= records;
    this.#hasMoved = true;
  }
  /** The reader has failed in the middle of a batch and drops so many records of it. */
  discarded(records: number): void {
    this.consumed(Math.min(records, this.#records));
  }
  /**
   * `wanted` records are 100 ms of the reader's work. The capacity grows slowly and shrinks at
   * once. It stays while the reader takes nothing.
   */
  adapt(wanted: number): void {
    if (!this.#hasMoved) return;
    this.#hasMoved = false;
    this.capacity =
      wanted < this.capacity
        ? Math.ceil(wanted)
        : Math.min(maxCapacity, Math.ceil(Math.min(wanted, this.capacity * 4)));
  }
  close(): void {
    this.closed = true;
    this.#queue = [];
    this.#head = 0;
    this.#records = 0;
  }
}

export function isMark(item: Batch | Mark): item is Mark {
  return 'kind' in item;
}
