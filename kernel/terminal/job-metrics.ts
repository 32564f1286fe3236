// Converts the measurements of a session to the contract's JobMetrics. They are the last line of
// `sluice run --json`.
import type { JobMetrics, OperatorMetrics } from '../../engine/api/surface.ts';
import { isLeaf } from '../../engine/graph/kinds.ts';
import { rejections } from '../../engine/runtime/metrics.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import { levelOf } from '../session/flow.ts';

export function jobMetrics(operators: readonly OperatorReport[]): JobMetrics {
  return { operators: operators.filter((report) => !isLeaf(report)).map(operatorMetrics) };
}

function operatorMetrics(report: OperatorReport): OperatorMetrics {
  const { id, name, recordsIn, recordsOut, busy, idle, backpressured, watermark } = report;
  return {
    ...{ id, name, recordsIn, recordsOut },
    recordsInPerSecond: report.inPerSecond,
    recordsOutPerSecond: report.outPerSecond,
    ...{ busy, idle, backpressured },
    backpressure: levelOf(backpressured),
    ...(watermark !== undefined && { watermark }),
    lateRecordsDropped: report.late,
    ...(report.source && rejections(report.source)),
  };
}
