// Partial matches in the order in which they began: a binary heap whose array order matters.
//
// All partial matches that began with the same element are equal for the heap, and Flink iterates
// over the heap's array. So the order of matches of one element depends on how
// java.util.PriorityQueue moves its items. `add`, `poll` and `keep` move them in the same way.

interface Started {
  /** Number of the element with which the match began; Infinity if it has not begun. */
  readonly startSeq: number;
}

export class StartQueue<M extends Started> {
  /** The heap's array. Read-only for callers. */
  readonly items: M[];
  /** `items` must be the `items` of such a queue. */
  constructor(items: M[] = []) {
    this.items = items;
  }
  get size(): number {
    return this.items.length;
  }
  /** The match that began first. */
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
  /** Removes the first item and returns it. */
  poll(): M | undefined {
    const { items } = this;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(0, last!);
    return first;
  }
  /** Keeps only the items for which `holds` is true. */
  keep(holds: (item: M) => boolean): void {
    const { items } = this;
    let kept = 0;
    for (const item of items) if (holds(item)) items[kept++] = item;
    if (kept === items.length) return;
    items.length = kept;
    for (let at = (kept >>> 1) - 1; at >= 0; at--) this.#sink(at, items[at]!);
  }

  /** Puts `item` at the free place `at` or below it. */
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
