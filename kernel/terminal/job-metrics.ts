// Converts the measurements of a session to the contract's JobMetrics. They are the last line of
// `sluice run --json`.
import type { JobMetrics, OperatorMetrics } from '../../engine/api/surface.ts';
import { isLeaf } from '../../engine/graph/kinds.ts';
import { sourceMetrics } from '../../engine/runtime/metrics.ts';
import type { ExecutorEvent, OperatorReport } from '../executor/executor-protocol.ts';
import type { Session } from '../session/state.ts';
import { levelOf } from '../session/flow.ts';

/** The reports of a job: its operators, and sources that ran only for a pull that is over. */
export class JobReports {
  readonly #left = new Map<string, OperatorReport>();
  #operators: readonly OperatorReport[] = [];

  add({ operators, left = [] }: Extract<ExecutorEvent, { kind: 'metrics' }>): void {
    this.#operators = operators;
    for (const report of left) this.#left.set(report.id, report);
  }
  get all(): readonly OperatorReport[] {
    const running = new Set(this.#operators.map(({ id }) => id));
    const left = [...this.#left.values()].filter(({ id }) => !running.has(id));
    return [...this.#operators, ...left];
  }
}

export function jobMetrics(session: Session, reports: readonly OperatorReport[]): JobMetrics {
  const leftOut = leftOutByOperator(session);
  const shown = reports.filter((report) => !isLeaf(report));
  return { operators: shown.map((report) => operatorMetrics(report, leftOut.get(report.id))) };
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

function operatorMetrics(report: OperatorReport, rowsLeftOut: number | undefined): OperatorMetrics {
  const { id, name, recordsIn, recordsOut, busy, idle, backpressured, watermark } = report;
  return {
    ...{ id, name, recordsIn, recordsOut },
    recordsInPerSecond: report.inPerSecond,
    recordsOutPerSecond: report.outPerSecond,
    ...{ busy, idle, backpressured },
    backpressure: levelOf(backpressured),
    ...(watermark !== undefined && { watermark }),
    lateRecordsDropped: report.late,
    ...(report.source && sourceMetrics(report.source)),
    ...(rowsLeftOut !== undefined && { rowsLeftOut }),
  };
}
