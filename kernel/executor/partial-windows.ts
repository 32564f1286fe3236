// Which displays show windows that have seen only a part: those that were open when their operator
// joined a live source, or when their source began in the middle of a topic.
import { mayBeginMidway } from '../../engine/graph/kinds.ts';
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';
import { edgesByWriter, reached } from '../../engine/graph/walk.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';

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
 * watermark. It lies above the greatest time that has gone by, because a window that begins at this
 * time has missed a row.
 * Below a running window, or below an operator that kept its state, no window is partial.
 */
export function markPartial({ plan, joinedAt, startsAnew }: Joined, mark: (id: string, before: number) => void): void {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const bound = Math.max(0, ...plan.nodes.map(outOfOrderness));
  const outputs = edgesByWriter(plan.edges);
  const readersOf = (id: string): string[] => (outputs.get(id) ?? []).map(({ to }) => to);
  const holdsState = (id: string): boolean => nodes.get(id)!.shape !== '';
  for (const [reader, watermark] of Object.entries(joinedAt)) {
    if (!Number.isFinite(watermark) || !nodes.has(reader)) continue;
    // The first operators with state hold windows that have seen only a part.
    const whole = reached([reader], (id) => (holdsState(id) ? [] : readersOf(id)));
    const holders = [...whole].filter((id) => holdsState(id) && startsAnew(nodes.get(id)!));
    for (const id of reached(holders.flatMap(readersOf), readersOf)) mark(id, watermark + bound + 2);
  }
}

/** Sources that begin in the middle of a topic, as soon as they have a record. */
export class BegunSources {
  readonly #runtime: Runtime;
  readonly #mark: (id: string, before: number) => void;
  #plan: Plan | undefined;
  #awaited: readonly string[] = [];
  readonly #begunAt = new Map<string, number>();

  constructor(runtime: Runtime, mark: (id: string, before: number) => void) {
    this.#runtime = runtime;
    this.#mark = mark;
  }

  /** Marks the displays below, once after each change of the plan and for each such source. */
  look(): void {
    const { plan, tasks } = this.#runtime;
    if (plan === this.#plan && this.#awaited.length === 0) return;
    if (plan !== this.#plan) {
      this.#awaited = plan.nodes.flatMap((node) => (mayBeginMidway(node) ? [node.id] : []));
      for (const id of this.#begunAt.keys()) if (!this.#awaited.includes(id)) this.#begunAt.delete(id);
    }
    const found = this.#awaited.filter((id) => {
      const task = tasks.get(id);
      // A new source is opened at the barrier. Before that it answers nothing.
      const at = this.#begunAt.get(id) ?? (task?.isOpen ? task.source?.status().beganAt : undefined);
      if (at !== undefined) this.#begunAt.set(id, at);
      return at !== undefined;
    });
    this.#plan = plan;
    this.#awaited = this.#awaited.filter((id) => !found.includes(id));
    if (found.length === 0) return;
    // The first record is seen, and with it a window that begins at its time.
    const joinedAt = Object.fromEntries(found.map((id) => [id, this.#begunAt.get(id)! - 1]));
    markPartial({ plan, joinedAt, startsAnew: () => true }, this.#mark);
  }
}
function outOfOrderness({ parameters }: PlanNode): number {
  return ('watermark' in parameters ? parameters.watermark?.outOfOrdernessMillis : undefined) ?? 0;
}
