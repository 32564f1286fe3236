// Converts the measurements of a session to the contract's JobMetrics. They are the last line of
// `sluice run --json`.
import type { JobMetrics, OperatorMetrics } from '../../engine/api/surface.ts';
import { isLeaf, kinds } from '../../engine/graph/kinds.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import { sourceMetrics } from '../../engine/runtime/metrics.ts';
import type { ExecutorEvent, OperatorReport } from '../executor/executor-protocol.ts';
import type { Session } from '../session/state.ts';
import { levelOf } from '../session/flow.ts';

type RowRefused = Extract<ExecutorEvent, { kind: 'row-refused' }>;

/** The reports of a job: its operators, and sources that ran only for a pull that is over. */
export class JobReports {
  /** Rows that pulls left out, by the operators above the pull, the nearest first. */
  readonly #refused: { readonly above: readonly string[]; readonly count: number }[] = [];
  readonly #left = new Map<string, OperatorReport>();
  #operators: readonly OperatorReport[] = [];

  add({ operators, left = [] }: Extract<ExecutorEvent, { kind: 'metrics' }>): void {
    this.#operators = operators;
    for (const report of left) this.#left.set(report.id, report);
  }
  /** Of a display the session counts them. `plan` has the pull. */
  refused({ display, count }: Pick<RowRefused, 'display' | 'count'>, plan: Plan): void {
    const pull = plan.nodes.find(({ kind, uid }) => kinds[kind].isReadByCell && uid === display.replace(' ', '/'));
    if (pull) this.#refused.push({ above: operatorsAbove(plan, pull.id), count });
  }
  /**
   * By the operator that emitted them; by the source above if that operator ended with its pull.
   */
  get pulledLeftOut(): ReadonlyMap<string, number> {
    const known = new Set(this.all.map(({ id }) => id));
    const counts = new Map<string, number>();
    for (const { above, count } of this.#refused) {
      const id = above.find((one) => known.has(one));
      if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + count);
    }
    return counts;
  }
  get all(): readonly OperatorReport[] {
    const running = new Set(this.#operators.map(({ id }) => id));
    const left = [...this.#left.values()].filter(({ id }) => !running.has(id));
    return [...this.#operators, ...left];
  }
}

export function jobMetrics(session: Session, reports: JobReports): JobMetrics {
  const leftOut = leftOutByOperator(session);
  const { pulledLeftOut } = reports;
  const countOf = (id: string): number => (leftOut.get(id) ?? 0) + (pulledLeftOut.get(id) ?? 0);
  const shown = reports.all.filter((report) => !isLeaf(report));
  return { operators: shown.map((report) => operatorMetrics(report, countOf(report.id))) };
}

/** Upwards by the first input of each. */
function operatorsAbove({ edges }: Plan, id: string): readonly string[] {
  const above: string[] = [];
  for (let at = fromOf(edges, id); at !== undefined && !above.includes(at); at = fromOf(edges, at)) above.push(at);
  return above;
}
function fromOf(edges: Plan['edges'], id: string): string | undefined {
  return edges.find(({ to }) => to === id)?.from;
}

/** The notes of operators, for a person. Copies for late cells have the same note. */
export function notesOf(reports: readonly OperatorReport[]): readonly string[] {
  const notes = reports.flatMap((report) => (isLeaf(report) ? [] : (report.status?.note ?? [])));
  return [...new Set(notes)];
}

/** Rows that displays have left out, by the operator that emitted them. */
function leftOutByOperator({ cells, plan }: Session): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { instance, count } of [...cells.values()].flatMap(({ active }) => active?.leftOut ?? [])) {
    const from = plan.edges.find(({ to }) => to === instance)?.from;
    if (from !== undefined) counts.set(from, (counts.get(from) ?? 0) + count);
  }
  return counts;
}

function operatorMetrics(report: OperatorReport, rowsLeftOut: number): OperatorMetrics {
  const { id, name, recordsIn, recordsOut, busy, idle, backpressured, watermark } = report;
  return {
    ...{ id, name, recordsIn, recordsOut },
    recordsInPerSecond: report.inPerSecond,
    recordsOutPerSecond: report.outPerSecond,
    ...{ busy, idle, backpressured },
    backpressure: levelOf(backpressured),
    ...(watermark !== undefined && { watermark }),
    lateRecords: report.late,
    lateRecordsDropped: report.lateDropped,
    ...(report.status?.note !== undefined && { note: report.status.note }),
    ...(report.source && sourceMetrics(report.source)),
    ...(rowsLeftOut > 0 && { rowsLeftOut }),
  };
}
