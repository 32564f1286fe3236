// When a job is over: all bounded sources have ended, all results have been emitted, and every row
// has been shown.
//
// The branch below an operator that failed gets no end. It is over when it is quiet.
import { collapses } from '../../engine/graph/kinds.ts';
import { isBounded } from '../../engine/graph/lineage.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import { below } from '../../engine/graph/walk.ts';
import { hasEnded } from '../session/displayed.ts';
import { hasEvaluatedAll } from '../session/mutations.ts';
import type { Session } from '../session/state.ts';

export function isFinished(session: Session): boolean {
  const { plan, metrics, mutation, runs, graphChanged } = session;
  if (mutation || graphChanged || runs.length > 0) return false;
  const reports = new Map(metrics?.operators.map((report) => [report.id, report]));
  const failed = plan.nodes.flatMap(({ id }) => (reports.get(id)?.failed ? [id] : []));
  const cutOff = new Set(below(plan.edges, failed));
  const isOver = (id: string): boolean => {
    const report = reports.get(id);
    if (report === undefined) return false;
    return report.finished || report.failed === true || (cutOff.has(id) && report.isQuiet === true);
  };
  return (
    plan.nodes.every((node) => collapses(node) || isOver(node.id)) &&
    session.displays.every(({ install }) => hasEnded(session, install) || cutOff.has(install.instance))
  );
}

/** A failure ends a job that would never end. False as long as the plan is not known. */
export function isEndless(session: Session): boolean {
  const { plan, mutation, graphChanged } = session;
  const isPlanned = hasEvaluatedAll(session) && !mutation && !graphChanged;
  return isPlanned && !isBoundedPlan(plan);
}

function isBoundedPlan(plan: Plan): boolean {
  const read = new Set(plan.edges.map(({ from }) => from));
  return plan.nodes.every(({ id }) => read.has(id) || isBounded(plan, id));
}
