// The start times of sources with a pace. A reader that is added later gets the same start, and so
// catches up with the first.
//
// A start is kept while it has a reader. A source that starts after its last reader has left gets
// the present time.
import type { PlanNode } from '../graph/plan.ts';

interface Start {
  readonly at: number;
  readers: number;
}

export class SourceStarts {
  readonly #starts = new Map<string, Start>();

  /**
   * The start of this source's pace: the start of its other readers, or else `proposed`. `leave`
   * ends the use of it.
   */
  join(node: PlanNode, proposed: number): number {
    const key = keyOf(node);
    let start = this.#starts.get(key);
    if (!start) this.#starts.set(key, (start = { at: proposed, readers: 0 }));
    start.readers++;
    return start.at;
  }
  leave(node: PlanNode): void {
    const key = keyOf(node);
    const start = this.#starts.get(key);
    if (start && --start.readers === 0) this.#starts.delete(key);
  }
}

/**
 * Copies of an operator share its uid. The pace is part of the shape, so copies with another pace
 * share nothing.
 */
function keyOf(node: PlanNode): string {
  return `${node.uid}\u0000${node.shape}`;
}
