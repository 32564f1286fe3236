// A queue by time: the earliest comes first; of equal times, the one that was added first. A binary heap over two columns.

export class TimerQueue<T> {
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #items: T[] = [];
  #added = 0;

  get size(): number {
    return this.#times.length;
  }
  /** Infinity when there is none. */
  get nextTime(): number {
    return this.#times.length > 0 ? this.#times[0]! : Infinity;
  }
  /** `now` may be +Infinity: then whatever is there is due. */
  isDue(now: number): boolean {
    return this.#times.length > 0 && this.#times[0]! <= now;
  }
  get next(): T | undefined {
    return this.#items[0];
  }
  add(time: number, item: T): void {
    this.#times.push(time);
    this.#orders.push(this.#added++);
    this.#items.push(item);
    let at = this.#times.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }
  /** Takes out the earliest. */
  shift(): T | undefined {
    const first = this.#items[0];
    const last = this.#times.length - 1;
    if (last < 0) return undefined;
    this.#swap(0, last);
    this.#times.pop();
    this.#orders.pop();
    this.#items.pop();
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= last) return first;
      const child = left + 1 < last && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(child, at)) return first;
      this.#swap(at, child);
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#times[a]! - this.#times[b]!;
    return difference < 0 || (difference === 0 && this.#orders[a]! < this.#orders[b]!);
  }
  #swap(a: number, b: number): void {
    swap(this.#times, a, b);
    swap(this.#orders, a, b);
    swap(this.#items, a, b);
  }
}

function swap<T>(column: T[], a: number, b: number): void {
  const kept = column[a]!;
  column[a] = column[b]!;
  column[b] = kept;
}
