// When everything that runs has ended.
//
// The branch below an operator that failed gets no end. It is over when it is quiet.
import { collapses, kinds } from '../../engine/graph/kinds.ts';
import { below } from '../../engine/graph/walk.ts';
import { hasEnded } from './displayed.ts';
import type { Session } from './state.ts';

/** All sources have ended, all results have been emitted, and every row has been shown. */
export function allOver(session: Session): boolean {
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

/** A source had no contact yet with what it reads, and has not failed. */
export function isConnecting({ plan, metrics }: Session): boolean {
  const reports = new Map(metrics?.operators.map((report) => [report.id, report]));
  return plan.nodes.some(({ id, kind }) => {
    const report = reports.get(id);
    if (kinds[kind].role !== 'source' || report?.failed === true) return false;
    return report === undefined || report.source?.phase === 'connecting';
  });
}
