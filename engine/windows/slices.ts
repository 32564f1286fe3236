// Slices: intervals of event time in which every element belongs to the same windows. Sliding
// windows share them, so an element is added once, not once per window.
//
// A slice ends where a window begins or ends: once per slide if the size is a multiple of the
// slide, otherwise twice:
//
//   windows   [────────────────)              size 5, slide 3
//                      [────────────────)
//                               [────────────────)
//   slices    ──┊  ┊─────┊──┊─────┊──┊─────┊──┊
//
// All keys of a slice are stored together, because they are removed together. All slices of a key
// are linked, because a window of the key merges the contents along the links.
import type { Keyed, Namespace, SavedGroup } from '../state/keyed.ts';
import type { KeyRow } from '../state/keys.ts';
import { type Assigner, windowStart } from './assigner.ts';

/** The content of one key in one slice. */
export interface Link<A extends Keyed> {
  readonly kept: A;
  readonly slice: Slice<A>;
  readonly chain: Chain<A>;
  /** The key's links in the slices before and after this one, if any. */
  before: Link<A> | undefined;
  after: Link<A> | undefined;
  /**
   * In the older part of a running merge: the merged content of this link and all later links of
   * that part.
   */
  rest: A | undefined;
}
/**
 * The running merge of a key: the merged content of its last window, so that the next window need
 * not merge everything again. It is a queue made of two stacks. Each link of the older part holds
 * the merged content of itself and all later links of that part. The newer part is one accumulator.
 * When the last older link has left the window, the newer part becomes the older one.
 *
 *   older     ├─ a+b+c ─┤         newer
 *                ├─ b+c ─┤
 *                    ├ c ┤├──── d+e ────┤     the window that begins with b is (b+c) + (d+e)
 */
export interface Running<A extends Keyed> {
  /** The last link of the older part. */
  turn: Link<A>;
  newer: A | undefined;
  /** The last link that has been merged. */
  last: Link<A>;
}
/** The links of one key. Never empty. */
export interface Chain<A extends Keyed> {
  readonly row: KeyRow;
  first: Link<A>;
  last: Link<A>;
  /** The content of the last link, to which most elements go: saves one step. */
  kept: A;
  slice: Slice<A>;
  /** Index in the operator's list of chains. */
  at: number;
  /** Only if windows have many slices with content. */
  running: Running<A> | undefined;
}

export class Slice<A extends Keyed> implements Namespace {
  readonly start: number;
  readonly end: number;
  /** Ends of the first and of the last window that it belongs to. */
  readonly firstEnd: number;
  readonly lastEnd: number;
  /** In the order of arrival. */
  readonly links: Link<A>[] = [];
  savedGroups: Map<number, SavedGroup> | undefined;
  droppedAt = 0;

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

/** The slices with content, in time order. */
export class Slices<A extends Keyed> {
  readonly #slices: Slice<A>[] = [];
  readonly #byStart = new Map<number, Slice<A>>();

  get first(): Slice<A> | undefined {
    return this.#slices[0];
  }
  get last(): Slice<A> | undefined {
    return this.#slices.at(-1);
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
  /** The slice that begins at `start`, if there is one. */
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
