// Partial matches in the order in which they began: a binary heap whose array order is part of the meaning.
//
// All partial matches that began with one element are equal to the heap, and Flink walks through it as it lies in memory. So the order in which the matches of
// one element come out follows from how a heap of java.util.PriorityQueue moves its items; `add`, `poll` and `keep` move them the same way.

export interface Started {
  /** Number of the element that the match began with; Infinity for the one that has not begun. */
  readonly startSeq: number;
}

export class StartQueue<M extends Started> {
  /** As it lies in memory: read it, do not change it. */
  readonly items: M[];
  /** `items` must have been the items of a queue. */
  constructor(items: M[] = []) {
    this.items = items;
  }
  get size(): number {
    return this.items.length;
  }
  /** The one that began first. */
  get first(): M | undefined {
    return this.items[0];
  }

  add(item: M): void {
    const { items } = this;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (item.startSeq >= items[parent]!.startSeq) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }
  /** Takes the first out. */
  poll(): M | undefined {
    const { items } = this;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(0, last!);
    return first;
  }
  /** Leaves only those for which `holds` is true. */
  keep(holds: (item: M) => boolean): void {
    const { items } = this;
    let kept = 0;
    for (const item of items) if (holds(item)) items[kept++] = item;
    if (kept === items.length) return;
    items.length = kept;
    for (let at = (kept >>> 1) - 1; at >= 0; at--) this.#sink(at, items[at]!);
  }

  /** Finds the place of `item` at or below `at`, which is free. */
  #sink(at: number, item: M): void {
    const { items } = this;
    const size = items.length;
    const half = size >>> 1;
    while (at < half) {
      let child = 2 * at + 1;
      if (child + 1 < size && items[child]!.startSeq > items[child + 1]!.startSeq) child++;
      if (item.startSeq <= items[child]!.startSeq) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  }
}
