// What one side of an interval join keeps of one key: elements in the order of their time, those of one time in the order of arrival. Finding a time takes
// a binary search; nearly every element comes last, and the first one goes first.

/** An element that may still find partners. */
export interface Kept {
  readonly time: number;
  readonly element: unknown;
  /** It has had a partner: it is not emitted alone. */
  isMatched: boolean;
}

/** Places at the front that may stand empty before the rest is moved up. */
const slack = 32;
/** What stands there instead. */
const gone: Kept = { time: -Infinity, element: undefined, isMatched: false };

export class IntervalSide<E> {
  readonly entry: E;
  readonly input: 0 | 1;
  /** When its first element goes, as far as the queue of timers knows; Infinity: it knows nothing. */
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
    // A literal takes one slot where push would take 17: most keys have one element.
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
