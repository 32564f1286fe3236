// Whether a job ends by itself, and what it still waits for.
import { kinds } from '../../engine/graph/kinds.ts';
import { isBounded } from '../../engine/graph/lineage.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import { hasEvaluatedAll } from '../session/mutations.ts';
import type { Session } from '../session/state.ts';

/** A failure ends a job that would never end. False as long as the plan is not known. */
export function isEndless(session: Session): boolean {
  const { plan, mutation, graphChanged } = session;
  const isPlanned = hasEvaluatedAll(session) && !mutation && !graphChanged;
  return isPlanned && !isBoundedPlan(plan);
}

export function isSourceOrSink({ plan }: Session, instance: string): boolean {
  return plan.nodes.some(({ id, kind }) => id === instance && ['source', 'sink'].includes(kinds[kind].role));
}

function isBoundedPlan(plan: Plan): boolean {
  const read = new Set(plan.edges.map(({ from }) => from));
  return plan.nodes.every(({ id }) => read.has(id) || isBounded(plan, id));
}
