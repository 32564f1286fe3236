// When the sources that keep a pace began: a reader that is added later starts at the same moment, and so catches up with the first.
//
// A start is kept while somebody reads by it; a source that begins anew after its last reader has gone begins now.
import type { PlanNode } from '../graph/plan.ts';

interface Start {
  readonly at: number;
  readers: number;
}

export class SourceStarts {
  readonly #starts = new Map<string, Start>();

  /** The start of this source's pace: the one its other readers have, or `proposed`. `leave` gives it back. */
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

/** Copies of an operator share its uid; at another pace (which is in the shape) nothing is shared. */
function keyOf(node: PlanNode): string {
  return `${node.uid}\u0000${node.shape}`;
}
