// Slices: the stretches of event time in which every element belongs to the same windows. Sliding windows share them, so that an element is added once and not once per window.
//
// A slice ends where a window begins or ends. When the size is a multiple of the slide that is once per slide, else twice:
//
//   windows   [────────────────)              size 5, slide 3
//                      [────────────────)
//                               [────────────────)
//   slices    ──┊  ┊─────┊──┊─────┊──┊─────┊──┊
//
// All keys of a slice are kept together, because they go together; all slices of a key are linked, because a window of the key is what is merged along the links.
import type { Keyed } from '../state/changed-groups.ts';
import type { KeyRow } from '../state/keys.ts';
import { type Assigner, windowStart } from './assigner.ts';

/** What one key keeps in one slice. */
export interface Link<A extends Keyed> {
  readonly kept: A;
  readonly slice: Slice<A>;
  readonly chain: Chain<A>;
  /** The key's nearest slices with content, in the order of time. */
  before: Link<A> | undefined;
  after: Link<A> | undefined;
  /** Of the older part of a running window: this and all that follows in it. */
  rest: A | undefined;
}
/**
 * What has been merged for the last window of a key, so that the next one need not merge everything again: two stacks, as a queue is made of them. The older links each hold what
 * they and all behind them in the older part come to; the newer ones are one accumulator. When the last of the older ones has left, the newer become the older.
 *
 *   older     ├─ a+b+c ─┤         newer
 *                ├─ b+c ─┤
 *                    ├ c ┤├──── d+e ────┤        the window that begins with b is (b+c) + (d+e)
 */
export interface Running<A extends Keyed> {
  /** The last link of the older part. */
  turn: Link<A>;
  newer: A | undefined;
  /** The last link that is in it. */
  last: Link<A>;
}
/** All that is kept of one key. Never empty. */
export interface Chain<A extends Keyed> {
  readonly row: KeyRow;
  first: Link<A>;
  last: Link<A>;
  /** Of the last link, where most elements go: one step less. */
  kept: A;
  slice: Slice<A>;
  /** Its place among all chains. */
  at: number;
  /** Where windows have many slices with content. */
  running: Running<A> | undefined;
}

export class Slice<A extends Keyed> {
  readonly start: number;
  readonly end: number;
  /** Ends of the first and of the last window that it belongs to. */
  readonly firstEnd: number;
  readonly lastEnd: number;
  /** In the order of arrival. */
  readonly links: Link<A>[] = [];

  constructor(timestamp: number, assigner: Assigner) {
    const { sizeMillis, slideMillis } = assigner;
    const began = windowStart(timestamp, assigner);
    const ended = lastEndUpTo(timestamp, assigner);
    this.start = Math.max(began, ended);
    this.end = Math.min(began, ended) + slideMillis;
    this.firstEnd = ended + slideMillis;
    this.lastEnd = began + sizeMillis;
  }
}

/** Start of the slice of a time. */
export function sliceStart(timestamp: number, assigner: Assigner): number {
  return Math.max(windowStart(timestamp, assigner), lastEndUpTo(timestamp, assigner));
}
function lastEndUpTo(timestamp: number, assigner: Assigner): number {
  return windowStart(timestamp - assigner.sizeMillis, assigner) + assigner.sizeMillis;
}

/** The slices that there are, in the order of time. */
export class Slices<A extends Keyed> {
  readonly #slices: Slice<A>[] = [];
  readonly #byStart = new Map<number, Slice<A>>();

  get first(): Slice<A> | undefined {
    return this.#slices[0];
  }
  at(index: number): Slice<A> | undefined {
    return this.#slices[index];
  }
  /** Index of the first slice that does not begin before `time`. */
  indexFrom(time: number): number {
    let low = 0;
    let high = this.#slices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#slices[middle]!.start < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** The one that begins at `start`, if there is one. */
  find(start: number): Slice<A> | undefined {
    return this.#byStart.get(start);
  }
  add(slice: Slice<A>): void {
    this.#byStart.set(slice.start, slice);
    const last = this.#slices.at(-1);
    if (last === undefined || last.start < slice.start) this.#slices.push(slice);
    else this.#slices.splice(this.indexFrom(slice.start), 0, slice);
  }
  shift(): Slice<A> | undefined {
    const first = this.#slices.shift();
    if (first) this.#byStart.delete(first.start);
    return first;
  }
  forEach(visit: (slice: Slice<A>) => void): void {
    this.#slices.forEach(visit);
  }
}
