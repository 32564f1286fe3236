// The backpressure panel: one row per operator, the cost per record of the operator that limits the
// flow, and five minutes of history.
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { BackpressurePart, OperatorRow, PartChange } from '../protocol/displays.ts';
import { Flow, levelOf } from '../session/flow.ts';
import type { Metrics } from '../session/state.ts';
import { kinds } from '../../engine/graph/kinds.ts';
import type { Plan } from '../../engine/graph/plan.ts';

const historyPoints = 300;

/** One object per session, because every panel shows the same figures. */
export class BackpressureHistory {
  #operators: readonly OperatorRow[] = [];
  #thread = 0;
  readonly #points = new Map<string, { name: string; points: number[] }>();

  update(plan: Plan, metrics: Metrics): void {
    this.#operators = operatorRows(plan, metrics.operators);
    this.#thread = metrics.thread;
    const running = new Set(this.#operators.map(({ id }) => id));
    for (const id of this.#points.keys()) if (!running.has(id)) this.#points.delete(id);
    for (const { id, name, backpressured } of this.#operators) {
      const history = this.#points.get(id) ?? { name, points: [] };
      history.points.push(backpressured);
      if (history.points.length > historyPoints) history.points.shift();
      this.#points.set(id, history);
    }
  }

  part(id: string): BackpressurePart {
    const history = [...this.#points].map(([operator, { name, points }]) => ({
      id: operator,
      name,
      points: [...points],
    }));
    return { kind: 'backpressure', id, operators: this.#operators, history, thread: this.#thread };
  }
  change(id: string): PartChange {
    const points = Object.fromEntries(this.#operators.map((row) => [row.id, row.backpressured]));
    return { kind: 'backpressure', id, operators: this.#operators, points, thread: this.#thread };
  }
}

/**
 * Rows in the order of the plan, cell by cell. Displays are left out, because they conflate and
 * never hold an operator back.
 */
export function operatorRows(plan: Plan, operators: readonly OperatorReport[]): readonly OperatorRow[] {
  const flow = new Flow(plan, operators);
  const culprits = new Set(flow.culprits().map(({ id }) => id));
  const place = new Map(plan.nodes.map(({ id }, index) => [id, index]));
  return operators
    .filter(({ kind }) => !kinds[kind].conflates)
    .toSorted((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0))
    .map((report) => operatorRow(report, culprits.has(report.id)));
}

function operatorRow(report: OperatorReport, isCulprit: boolean): OperatorRow {
  const { id, name, cell, inPerSecond, outPerSecond, recordsIn, recordsOut, busy, idle, backpressured } = report;
  return {
    ...{ id, name, cell, inPerSecond, outPerSecond, recordsIn, recordsOut, busy, idle, backpressured },
    level: levelOf(backpressured),
    ...(isCulprit && { culprit: limitsTheFlow(report) }),
    ...(report.watermark !== undefined && { watermark: report.watermark }),
    late: report.late,
    ...(report.source && { opened: report.source.opened }),
  };
}

function limitsTheFlow({ busy, inPerSecond, kind }: OperatorReport): string {
  if (kinds[kind].isReadByCell) return 'limits the flow: its cell does not take more rows';
  if (inPerSecond <= 0) return 'limits the flow: its function has not returned';
  const micros = (busy / inPerSecond) * 1e6;
  return `limits the flow: ${micros >= 10_000 ? `${(micros / 1000).toFixed(0)} ms` : `${micros.toFixed(0)} µs`} a record`;
}
