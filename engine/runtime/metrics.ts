// Metrics of the tasks of a runtime, one row per operator. Measured runs tell how a task's busy
// time splits over its stages.
import type { JobMetrics, OperatorMetrics } from '../api/surface.ts';
import type { SourceStatus } from '../contract/source.ts';
import type { Runtime } from './runtime.ts';
import type { Task } from './task.ts';

/** OK ≤ 0.10 < LOW ≤ 0.5 < HIGH. */
export function backpressureLevel(share: number): 'OK' | 'LOW' | 'HIGH' {
  if (share <= 0.1) return 'OK';
  return share <= 0.5 ? 'LOW' : 'HIGH';
}

export function jobMetrics(runtime: Runtime): JobMetrics {
  return { operators: [...runtime.tasks.values()].flatMap((task) => taskMetrics(task)) };
}

export function taskMetrics(task: Task, now = performance.now()): OperatorMetrics[] {
  const { nodes } = task.chain;
  const status = task.operatorStatus();
  const shares = task.load.accounting.shares(now);
  const split = stageShares(task);
  const inRate = task.load.inRate.perSecond(task.recordsIn - task.contentIn, now);
  const outRate = task.load.outRate.perSecond(task.output.recordsOut - task.output.contentOut, now);
  return nodes.map((node, index) => {
    const isHead = index === 0;
    const isTail = index === nodes.length - 1;
    const recordsIn = isHead ? task.recordsIn : reached(task, index);
    const recordsOut = isTail ? task.output.recordsOut : reached(task, index + 1);
    const scale = (count: number): number => (task.recordsIn === 0 ? 0 : (inRate * count) / task.recordsIn);
    const busy = shares.busy * split[index]!;
    return {
      id: node.id,
      name: node.name,
      recordsIn,
      recordsOut,
      recordsInPerSecond: isHead ? inRate : scale(recordsIn),
      recordsOutPerSecond: isTail ? outRate : scale(recordsOut),
      busy,
      idle: Math.max(0, 1 - busy - shares.backpressured),
      backpressured: shares.backpressured,
      backpressure: backpressureLevel(shares.backpressured),
      ...(Number.isFinite(task.watermark) && { watermark: task.watermark }),
      lateRecords: isHead ? task.late : 0,
      lateRecordsDropped: isHead ? task.lateDropped : 0,
      ...(isHead && status?.note !== undefined && { note: status.note }),
      ...(isHead && task.source && status && sourceMetrics(status as SourceStatus)),
    };
  });
}

/** Of a source, in the words of the contract. */
export function sourceMetrics({
  errors,
  firstRejection,
  mayBeMissing,
  partitions = [],
}: SourceStatus): Pick<
  OperatorMetrics,
  'recordsRejected' | 'firstRejection' | 'mayBeMissing' | 'lag' | 'failedPartitions'
> {
  const lag = partitions.flatMap(({ partition, lag: records, lagMillis }) =>
    records === undefined
      ? []
      : [{ partition, records, seconds: lagMillis === undefined ? null : Math.round(lagMillis) / 1000 }],
  );
  const failedPartitions = partitions.flatMap(({ partition, position = null, failed: error }) =>
    error === undefined ? [] : [{ partition, offset: position, error }],
  );
  return {
    recordsRejected: errors,
    ...(firstRejection !== undefined && { firstRejection }),
    ...(mayBeMissing !== undefined && { mayBeMissing }),
    ...(lag.length > 0 && { lag }),
    ...(failedPartitions.length > 0 && { failedPartitions }),
  };
}

function reached(task: Task, index: number): number {
  const headIsStage = task.stages !== undefined && task.stages.reached.length === task.chain.nodes.length;
  return task.stages?.reached[headIsStage ? index : index - 1] ?? 0;
}

/**
 * Shares of the task's busy time, per operator; they add up to 1. Without measurements they are
 * equal.
 */
function stageShares(task: Task): number[] {
  const count = task.chain.nodes.length;
  const millis = task.stages?.millis;
  const total = millis?.reduce((sum, one) => sum + one, 0) ?? 0;
  if (!millis || millis.length !== count || total === 0) {
    // Stages behind an operator are not measured: the time counts for the operator.
    return Array.from({ length: count }, (_, index) => (millis?.length === count ? 1 / count : index === 0 ? 1 : 0));
  }
  return Array.from(millis, (one) => one / total);
}
