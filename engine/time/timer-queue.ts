// A queue ordered by time; equal times by order of insertion. A binary heap over three columns.

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
  /** With `now` +Infinity every item is due. */
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
      // Of equal times the first added comes first, so an equal parent stays above.
      if (times[parent]! <= time) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, time, order, item);
  }

  /** Removes the earliest item and returns it. */
  shift(): T | undefined {
    const first = this.#items[0];
    const time = this.#times.pop();
    const order = this.#orders.pop()!;
    const item = this.#items.pop()!;
    if (time !== undefined && this.#times.length > 0) this.#sink(0, time, order, item);
    return first;
  }
  /** Visits all items in no particular order. */
  forEach(visit: (item: T, time: number) => void): void {
    for (let at = 0; at < this.#times.length; at++) visit(this.#items[at]!, this.#times[at]!);
  }
  /** Removes all other items, in one pass. */
  retain(isKept: (item: T, time: number) => boolean): void {
    let size = 0;
    for (let at = 0; at < this.#times.length; at++)
      if (isKept(this.#items[at]!, this.#times[at]!)) this.#move(at, size++);
    this.#times.length = this.#orders.length = this.#items.length = size;
    for (let at = (size >> 1) - 1; at >= 0; at--) this.#sink(at, this.#times[at]!, this.#orders[at]!, this.#items[at]!);
  }
  /** Puts the item at the free place or below it. */
  #sink(from: number, time: number, order: number, item: T): void {
    const size = this.#times.length;
    let at = from;
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
