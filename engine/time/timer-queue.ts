// A queue by time: the earliest comes first; of equal times, the one that was added first. A binary heap over three columns.

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
    const times = this.#times;
    const order = this.#added++;
    let at = times.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // What was added before comes first, so an equal time stays above.
      if (times[parent]! <= time) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, time, order, item);
  }

  /** Takes out the earliest. */
  shift(): T | undefined {
    const first = this.#items[0];
    const time = this.#times.pop();
    const order = this.#orders.pop()!;
    const item = this.#items.pop()!;
    if (time !== undefined && this.#times.length > 0) this.#sink(time, order, item);
    return first;
  }
  /** Finds a place for what was last, from the top, which is free. */
  #sink(time: number, order: number, item: T): void {
    const size = this.#times.length;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= size) break;
      const right = left + 1;
      const child = right < size && this.#isBefore(this.#times[right]!, this.#orders[right]!, left) ? right : left;
      if (this.#isBefore(time, order, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, time, order, item);
  }

  #isBefore(time: number, order: number, other: number): boolean {
    const difference = time - this.#times[other]!;
    return difference < 0 || (difference === 0 && order < this.#orders[other]!);
  }
  #move(from: number, to: number): void {
    this.#put(to, this.#times[from]!, this.#orders[from]!, this.#items[from]!);
  }
  #put(at: number, time: number, order: number, item: T): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#items[at] = item;
  }
}
