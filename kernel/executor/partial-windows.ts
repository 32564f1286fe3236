// Which displays show windows that were open when their operator joined a live source: such a
// window has seen only a part.
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';

export interface Joined {
  readonly plan: Plan;
  /** Reader → the watermark of the running operator that it joined. */
  readonly joinedAt: Readonly<Record<string, number>>;
  /** The instance has no state from before the mutation. */
  readonly startsAnew: (node: PlanNode) => boolean;
}

/**
 * Calls `mark` for each instance whose windows that begin before an event time are partial.
 * Rows up to the bound above the watermark have gone by already, so the event time lies above the
 * watermark.
 * Below a running window, or below an operator that kept its state, no window is partial.
 */
export function markPartial({ plan, joinedAt, startsAnew }: Joined, mark: (id: string, before: number) => void): void {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const bound = Math.max(0, ...plan.nodes.map(outOfOrderness));
  const follow = (id: string, before: number, isPartial: boolean): void => {
    const node = nodes.get(id)!;
    const holdsState = node.shape !== '';
    if (holdsState && !isPartial && !startsAnew(node)) return;
    if (isPartial) mark(id, before);
    for (const edge of plan.edges) if (edge.from === id) follow(edge.to, before, isPartial || holdsState);
  };
  for (const [reader, watermark] of Object.entries(joinedAt))
    if (Number.isFinite(watermark) && nodes.has(reader)) follow(reader, watermark + bound + 1, false);
}

function outOfOrderness({ parameters }: PlanNode): number {
  return ('watermark' in parameters ? parameters.watermark?.outOfOrdernessMillis : undefined) ?? 0;
}
