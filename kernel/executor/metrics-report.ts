// The figures of all operators, once a second: one report for each instance, the last figures of
// sources that have left the plan, and what waits.
import { isSinkTask } from '../../engine/runtime/sink-drain.ts';
import type { SourceStatus } from '../../engine/contract/source.ts';
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';
import { taskMetrics } from '../../engine/runtime/metrics.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import type { Task } from '../../engine/runtime/task.ts';
import type { ExecutorEvent, OperatorReport } from './executor-protocol.ts';
import { leavingSinks, snapshotWaits } from './waits.ts';

type Metrics = Extract<ExecutorEvent, { kind: 'metrics' }>;

export class MetricsReport {
  readonly #runtime: Runtime;
  #lastAt = performance.now();
  #left: OperatorReport[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * A mutation is about to remove sources. What they have read and rejected is reported once more.
   */
  leaving(next: Plan): void {
    const stays = new Set(next.nodes.map(({ id }) => id));
    const nodes = nodesOf(this.#runtime);
    const now = performance.now();
    for (const task of this.#runtime.tasks.values())
      if (task.isSource && !stays.has(task.id)) this.#left.push(...operatorReports(task, nodes, now).slice(0, 1));
  }

  /** Rates and shares are those since the last report. */
  take(): Metrics {
    const now = performance.now();
    const elapsed = now - this.#lastAt;
    this.#lastAt = now;
    const thread = Math.min(1, this.#runtime.takeBusyMillis() / elapsed);
    const nodes = nodesOf(this.#runtime);
    const operators = [...this.#runtime.tasks.values()].flatMap((task) => operatorReports(task, nodes, now));
    const waits = snapshotWaits(this.#runtime);
    const sinks = leavingSinks(this.#runtime);
    const left = this.#left.splice(0);
    return {
      ...{ kind: 'metrics', at: Date.now(), operators, thread },
      ...(left.length > 0 && { left }),
      ...(waits && { snapshotWaits: waits }),
      ...(sinks.length > 0 && { leavingSinks: sinks }),
    };
  }
}

function nodesOf({ plan }: Runtime): ReadonlyMap<string, PlanNode> {
  return new Map(plan.nodes.map((node) => [node.id, node]));
}

function operatorReports(task: Task, nodes: ReadonlyMap<string, PlanNode>, now: number): OperatorReport[] {
  // A source that nobody wants any more (take has enough) gives nothing either.
  const finished = task.status === 'ended' || (task.isSource && task.output.abandoned);
  const isQuiet = !task.gate.ready && !task.isInsideCall && task.inFlight === 0;
  return taskMetrics(task, now).map((row, index): OperatorReport => {
    const node = nodes.get(row.id)!;
    const isHead = index === 0;
    const status = isHead ? task.operatorStatus() : undefined;
    const source = task.source ? (status as SourceStatus | undefined) : undefined;
    return {
      ...{ id: row.id, uid: node.uid, name: row.name, cell: node.group, kind: node.kind },
      recordsIn: row.recordsIn,
      recordsOut: row.recordsOut,
      inPerSecond: row.recordsInPerSecond,
      outPerSecond: row.recordsOutPerSecond,
      ...{ busy: row.busy, idle: row.idle, backpressured: row.backpressured },
      ...(row.watermark !== undefined && { watermark: row.watermark }),
      late: row.lateRecords,
      lateDropped: row.lateRecordsDropped,
      finished,
      ...(task.status === 'failed' && { failed: true }),
      ...(isHead && isSinkTask(task) && task.unfinished > 0 && { unwritten: task.unfinished }),
      ...(isQuiet && { isQuiet }),
      ...(status && { status }),
      ...(source && { source }),
    };
  });
}
