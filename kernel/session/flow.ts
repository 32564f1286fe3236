// The running plan as a graph: operators above and below another one, and the one that holds others
// back.
import { collapses, isSource, kinds } from '../../engine/graph/kinds.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import { edgesByReader, edgesByWriter, reached, type Way } from '../../engine/graph/walk.ts';
import { backpressureLevel } from '../../engine/runtime/metrics.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';

/** The level of a share of backpressured time. */
export const levelOf = backpressureLevel;

export class Flow {
  readonly #inputs: ReadonlyMap<string, readonly Way[]>;
  readonly #outputs: ReadonlyMap<string, readonly Way[]>;
  readonly #sources: ReadonlySet<string>;
  readonly reportById: ReadonlyMap<string, OperatorReport>;

  constructor(plan: Plan, operators: readonly OperatorReport[]) {
    // keyBy is collapsed into the edge: it has no task and no report.
    const keyed = new Map(
      plan.nodes.filter(collapses).map(({ id }) => [id, plan.edges.find(({ to }) => to === id)?.from]),
    );
    const edges = plan.edges.flatMap(({ from, to }): Way[] => {
      const writer = keyed.has(from) ? keyed.get(from) : from;
      return keyed.has(to) || writer === undefined ? [] : [{ from: writer, to }];
    });
    this.#inputs = edgesByReader(edges);
    this.#outputs = edgesByWriter(edges);
    this.#sources = new Set(plan.nodes.filter(isSource).map(({ id }) => id));
    this.reportById = new Map(operators.map((report) => [report.id, report]));
  }

  isSource(id: string): boolean {
    return this.#sources.has(id);
  }
  inputsOf(id: string): readonly string[] {
    return (this.#inputs.get(id) ?? []).map(({ from }) => from);
  }
  /** The operator itself and everything it gets records from, nearest first. */
  upstream(id: string): readonly string[] {
    return [...reached([id], (at) => this.inputsOf(at))];
  }
  downstream(id: string): readonly string[] {
    return [...reached([id], (at) => (this.#outputs.get(at) ?? []).map(({ to }) => to))];
  }
  sourcesOf(ids: readonly string[]): readonly OperatorReport[] {
    const above = new Set(ids.flatMap((id) => this.upstream(id)));
    return [...above].flatMap((id) => {
      const report = this.reportById.get(id);
      return report?.source ? [report] : [];
    });
  }

  /**
   * The most downstream busy operator below a blocked one.
   * It is found for each blocked operator, because two branches may be held back by two operators.
   */
  culpritOf(blocked: string): OperatorReport | undefined {
    const candidates = this.downstream(blocked)
      .slice(1)
      .flatMap((id) => {
        const report = this.reportById.get(id);
        return report && !kinds[report.kind].conflates && levelOf(report.backpressured) === 'OK' ? [report] : [];
      });
    const busy = candidates.filter((report) => report.busy > 0.5);
    const among =
      busy.length > 0
        ? busy
        : candidates
            .slice()
            .sort((a, b) => b.busy - a.busy)
            .slice(0, 1);
    return among.find(
      (report) =>
        !this.downstream(report.id)
          .slice(1)
          .some((id) => among.some((o) => o.id === id)),
    );
  }
  culprits(): readonly OperatorReport[] {
    const found = new Map<string, OperatorReport>();
    for (const report of this.reportById.values()) {
      const culprit = levelOf(report.backpressured) === 'OK' ? undefined : this.culpritOf(report.id);
      if (culprit) found.set(culprit.id, culprit);
    }
    return [...found.values()];
  }
}
