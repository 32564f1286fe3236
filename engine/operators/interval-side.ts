// The elements of one key on one side of an interval join, ordered by time; elements of the same
// time by arrival. A binary search finds a time. Most elements are added at the end, and elements
// are removed from the front.

/** An element that may still find partners. */
export interface Kept {
  readonly time: number;
  readonly element: unknown;
  /** It has had a partner, so it is not emitted alone. */
  isMatched: boolean;
}

/** Number of empty places at the front before the rest is moved forward. */
const slack = 32;
/** The content of an empty place. */
const gone: Kept = { time: -Infinity, element: undefined, isMatched: false };

export class IntervalSide<E> {
  readonly entry: E;
  readonly input: 0 | 1;
  /** When the queue of timers wakes this side. Infinity: it is not in the queue. */
  wakesAt = Infinity;
  #kept: Kept[] = [];
  #start = 0;

  constructor(entry: E, input: 0 | 1) {
    this.entry = entry;
    this.input = input;
  }
  get length(): number {
    return this.#kept.length - this.#start;
  }
  get first(): Kept | undefined {
    return this.#kept[this.#start];
  }
  at(index: number): Kept | undefined {
    return this.#kept[this.#start + index];
  }
  add(kept: Kept): void {
    const all = this.#kept;
    // Most keys have one element: a literal takes one slot, push would take 17.
    if (all.length === 0) this.#kept = [kept];
    else if (all.at(-1)!.time <= kept.time) all.push(kept);
    else all.splice(this.#firstAfter(kept.time), 0, kept);
  }
  /** Index of the first element at or after the time. */
  from(time: number): number {
    return this.#firstAfter(time - 1) - this.#start;
  }
  shift(): void {
    this.#kept[this.#start++] = gone;
    if (this.#start === this.#kept.length) {
      this.#kept = [];
      this.#start = 0;
    } else if (this.#start > slack && this.#start * 2 > this.#kept.length) {
      this.#kept.splice(0, this.#start);
      this.#start = 0;
    }
  }
  forEach(visit: (kept: Kept) => void): void {
    for (let i = this.#start; i < this.#kept.length; i++) visit(this.#kept[i]!);
  }

  /** Times are whole milliseconds. */
  #firstAfter(time: number): number {
    const all = this.#kept;
    let low = this.#start;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (all[middle]!.time <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
