// The sealed batches of one partition until the topic has acknowledged them. It sends nothing and
// reads no clock: the writer takes batches out and reports each answer.
//
//            take                 written
//   waiting ─────► in flight ────────────────► gone
//      ▲               │ again, outOfSequence, forgotten, halves
//      │               ▼
//      └───────── returned
//        when no batch is in flight
//
// Order. Batches leave in the order in which they came. After an answer that is not "written",
// nothing new leaves until each batch in flight has its answer. Then the returned batches leave
// again, first and in their order.
//
// Sequences. A batch keeps its number and sequence when it is sent again, so the broker recognises
// it. A broker that does not know a producer yet accepts any sequence. So only one batch is in
// flight until the broker has acknowledged one. Later there may be five: a broker remembers the
// last five batches of a producer.
import { invariant } from '../../errors/invariant.ts';
import type { Producer } from './sink-requests.ts';

export interface RowBatch<B> {
  readonly count: number;
  readonly size: number;
  /** The same rows in two batches. */
  halves(): readonly [B, B];
}
export interface QueuedBatch<B> {
  readonly batch: B;
  /** Absent until the batch is sent, and always without idempotence. */
  readonly stamp: { readonly producer: Producer; readonly sequence: number } | undefined;
}
interface Entry<B> extends QueuedBatch<B> {
  /** The halves of a batch divide its place in the order: from `order` to `order + width`. */
  readonly order: number;
  readonly width: number;
  stamp: { readonly producer: Producer; readonly sequence: number } | undefined;
  /** It was sent before. */
  isResent: boolean;
}

/**
 * again: the batch is not written, or the answer is lost. outOfSequence: the broker misses a batch
 * before it. forgotten: the broker knows the producer no more. halves: the batch is too large.
 * lost: the batch is not written and must not be sent again.
 */
export type Outcome = 'written' | 'again' | 'outOfSequence' | 'forgotten' | 'halves' | 'lost';

export const mostInFlight = 5;
const lastEpoch = 2 ** 15 - 1;

export class PartitionQueue<B extends RowBatch<B>> {
  readonly #isIdempotent: boolean;
  readonly #raisesEpoch: boolean;
  #waiting: Entry<B>[] = [];
  #inFlight: Entry<B>[] = [];
  #returned: Entry<B>[] = [];
  #node = -1;
  #producer: Producer | undefined;
  #nextSequence = 0;
  #isKnown = false;
  #isForgotten = false;
  #nextOrder = 0;
  /** Rows and bytes without an acknowledgement. */
  rows = 0;
  bytes = 0;

  /** `raisesEpoch`: it goes on by itself when the broker has forgotten its producer. */
  constructor(isIdempotent: boolean, raisesEpoch = true) {
    this.#isIdempotent = isIdempotent;
    this.#raisesEpoch = raisesEpoch;
  }

  /** The queue sends nothing until `renew`: it needs a producer's number. */
  get needsProducer(): boolean {
    return this.#isIdempotent && this.#producer === undefined;
  }
  renew(producer: Producer): void {
    this.#producer = producer;
    this.#nextSequence = 0;
    this.#isKnown = false;
  }
  /** What comes next is of another producer. The queue is empty. */
  retire(): void {
    invariant(this.isEmpty, 'a transaction ends when its rows are written');
    this.#producer = undefined;
  }

  get isEmpty(): boolean {
    return this.rows === 0;
  }
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }
  get hasInFlight(): boolean {
    return this.#inFlight.length > 0;
  }
  /** Bytes of the batch that `take` would give. */
  get nextSize(): number {
    return this.#waiting[0]?.batch.size ?? 0;
  }

  /** All batches without an acknowledgement, in their order. */
  unacknowledged(): readonly B[] {
    const entries = [...this.#returned, ...this.#inFlight, ...this.#waiting];
    return entries.sort((a, b) => a.order - b.order).map(({ batch }) => batch);
  }

  add(batch: B): void {
    this.#waiting.push({ batch, order: this.#nextOrder++, width: 1, stamp: undefined, isResent: false });
    this.rows += batch.count;
    this.bytes += batch.size;
  }

  /**
   * Whether one more batch may be in flight to this broker. Batches to a new leader wait for the
   * answers of the former one. A batch that is sent again is in flight alone: a broker recognises
   * it only among its last five.
   */
  mayTake(node: number): boolean {
    if (this.needsProducer || this.#returned.length > 0) return false;
    if (this.#inFlight.length === 0) return true;
    if (this.#waiting[0]?.stamp || this.#inFlight.some(({ isResent }) => isResent)) return false;
    return node === this.#node && this.#inFlight.length < (this.#isKnown ? mostInFlight : 1);
  }
  take(node: number): QueuedBatch<B> {
    invariant(this.hasWaiting && this.mayTake(node), 'a batch is taken only from a queue that may send one');
    const entry = this.#waiting.shift()!;
    entry.isResent = entry.stamp !== undefined;
    if (this.#producer && !entry.stamp) {
      entry.stamp = { producer: this.#producer, sequence: this.#nextSequence };
      this.#nextSequence = after(this.#nextSequence, entry.batch.count);
    }
    this.#inFlight.push(entry);
    this.#node = node;
    return entry;
  }

  answered(sent: QueuedBatch<B>, outcome: Outcome): void {
    const at = this.#inFlight.indexOf(sent as Entry<B>);
    invariant(at >= 0, 'an answered batch is in flight');
    const [entry] = this.#inFlight.splice(at, 1) as [Entry<B>];
    switch (outcome) {
      case 'written':
        this.#isKnown = this.#producer !== undefined;
        this.#forget(entry);
        break;
      case 'lost':
        this.#forget(entry);
        break;
      case 'halves':
        this.#returned.push(...this.#halves(entry));
        break;
      case 'outOfSequence':
        // A later batch only waits for an earlier one. The earliest one waits for nothing.
        if (this.#isEarliest(entry)) this.#isForgotten = true;
        this.#returned.push(entry);
        break;
      case 'forgotten':
        this.#isForgotten = true;
        this.#returned.push(entry);
        break;
      case 'again':
        this.#returned.push(entry);
        break;
      default:
        outcome satisfies never;
    }
    if (this.#inFlight.length === 0) this.#sendReturnedAgain();
  }

  #forget({ batch }: Entry<B>): void {
    this.rows -= batch.count;
    this.bytes -= batch.size;
  }
  #isEarliest(entry: Entry<B>): boolean {
    return ![...this.#inFlight, ...this.#returned].some(({ order }) => order < entry.order);
  }
  #halves({ batch, order, width, stamp }: Entry<B>): readonly Entry<B>[] {
    const [first, second] = batch.halves();
    this.bytes += first.size + second.size - batch.size;
    const secondStamp = stamp && { producer: stamp.producer, sequence: after(stamp.sequence, first.count) };
    return [
      { batch: first, order, width: width / 2, stamp, isResent: false },
      { batch: second, order: order + width / 2, width: width / 2, stamp: secondStamp, isResent: false },
    ];
  }
  #sendReturnedAgain(): void {
    if (this.#returned.length === 0) return;
    this.#waiting.unshift(...this.#returned.sort((a, b) => a.order - b.order));
    this.#returned = [];
    if (this.#isForgotten) this.#beginSequence();
  }
  /** A higher epoch: what the broker still gets under the former one is refused. */
  #beginSequence(): void {
    this.#isForgotten = false;
    for (const entry of this.#waiting) entry.stamp = undefined;
    const former = this.#producer;
    if (!former) return;
    this.#producer = undefined;
    if (this.#raisesEpoch && former.epoch < lastEpoch) this.renew({ id: former.id, epoch: former.epoch + 1 });
  }
}

/** Sequences have 31 bits and begin again at 0. */
function after(sequence: number, rows: number): number {
  return (sequence + rows) % 2 ** 31;
}
