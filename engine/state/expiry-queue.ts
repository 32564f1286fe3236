// When the values of keys expire. Each key with a time to live is queued at the earliest time at
// which one of its values may expire. So a look at what expires costs as much as what expires, not
// as much as the state:
//
//   a value is written ─► note(entry, at) ─► due? ─► look ─► removed, or queued at its next expiry
//
// A value that is written again expires later. Its key stays queued at the earlier time, and one
// look moves it on. So a key is looked at once in each time to live at most, however often it is
// written. The entries of a large map of one key are queued in the same way (`map-state.ts`).
//
// A binary heap in which each item knows its place. So an item that is forgotten is taken out at
// once, and no call has to clear the heap of former items: each costs log(n) steps at most.

export interface Expiring {
  /** When the item is looked at next; Infinity: it is not queued. */
  lookAt: number;
  /** Where it is in the queue. */
  place: number;
}

/** What one call may still visit. All that expires in the call shares it. */
export interface Budget {
  left: number;
}

export class ExpiryQueue<E extends Expiring> {
  readonly #items: E[] = [];
  /** Items that were looked at since the start. */
  looked = 0;

  get size(): number {
    return this.#items.length;
  }
  /** Infinity when nothing is queued. */
  get nextTime(): number {
    return this.#items.length > 0 ? this.#items[0]!.lookAt : Infinity;
  }
  /** A value of the item may expire at this time. */
  note(item: E, at: number): void {
    if (at >= item.lookAt) return;
    const from = item.lookAt === Infinity ? this.#items.length : item.place;
    item.lookAt = at;
    this.#rise(from, item);
  }
  /** The item is removed from the state. */
  forget(item: E): void {
    if (item.lookAt === Infinity) return;
    item.lookAt = Infinity;
    const last = this.#items.pop()!;
    if (last === item) return;
    const { place } = item;
    const parent = (place - 1) >> 1;
    if (place > 0 && this.#items[parent]!.lookAt > last.lookAt) this.#rise(place, last);
    else this.#sink(place, last);
  }
  /**
   * Looks at items that are due, within the budget: a look costs as much as `look` takes of it, and
   * at least one. `look` removes what has expired and returns when the item expires next: Infinity,
   * if nothing of it does. A time that is due: it had no budget for the rest.
   */
  look(now: number, budget: Budget, look: (item: E) => number): void {
    while (budget.left > 0 && this.nextTime <= now) {
      const item = this.#items[0]!;
      this.forget(item);
      this.looked++;
      const before = budget.left;
      const next = look(item);
      if (budget.left === before) budget.left--;
      this.note(item, next);
    }
  }

  /** Puts the item at the free place or above it. */
  #rise(from: number, item: E): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#items[parent]!;
      if (above.lookAt <= item.lookAt) break;
      this.#put(at, above);
      at = parent;
    }
    this.#put(at, item);
  }
  /** Puts the item at the free place or below it. */
  #sink(from: number, item: E): void {
    const size = this.#items.length;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#items[child + 1]!.lookAt < this.#items[child]!.lookAt) child++;
      const below = this.#items[child]!;
      if (below.lookAt >= item.lookAt) break;
      this.#put(at, below);
      at = child;
    }
    this.#put(at, item);
  }
  #put(at: number, item: E): void {
    this.#items[at] = item;
    item.place = at;
  }
}
