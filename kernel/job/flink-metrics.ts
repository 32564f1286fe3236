// Figures under the names that Flink's Prometheus reporter gives, so that its dashboards find them.
import type { OperatorReport } from '../executor/executor-protocol.ts';
import { type JobFigures, type JobMetric, type Labels, sample } from './metric.ts';
import { ofPartitions } from './partition-metrics.ts';

function ofJob(
  name: string,
  kind: JobMetric['kind'],
  help: string,
  value: (figures: JobFigures) => number | undefined,
): JobMetric {
  return {
    ...{ name: `flink_jobmanager_job_${name}`, kind, help },
    samples: (figures) => sample({ job_name: figures.application }, value(figures)),
  };
}
function ofOperators(
  name: string,
  kind: JobMetric['kind'],
  help: string,
  value: (report: OperatorReport) => number | undefined,
): JobMetric {
  return {
    ...{ name: `flink_taskmanager_job_task_${name}`, kind, help },
    samples: ({ application, reports }) =>
      reports.flatMap((report) => sample(labelsOf(application, report), value(report))),
  };
}
function labelsOf(application: string, { id, name, cell }: OperatorReport): Labels {
  return { job_name: application, task_name: cell, operator_name: name, operator_id: id, subtask_index: '0' };
}

const perSecond = (share: number): number => Math.round(share * 1000);

function pendingOf({ source }: OperatorReport): number | undefined {
  const known = source?.partitions?.flatMap(({ lag }) => lag ?? []) ?? [];
  return known.length === 0 ? undefined : known.reduce((sum, lag) => sum + lag, 0);
}

type Checkpointed = JobFigures['session']['checkpoints']['last'];
const last = ({ session }: JobFigures): Checkpointed => session.checkpoints.last;

// prettier-ignore
export const flinkMetrics: readonly JobMetric[] = [
  ofJob('uptime', 'gauge', 'Milliseconds since the process started.', ({ uptimeMillis }) => Math.round(uptimeMillis)),
  ofJob('numRestarts', 'counter', 'Restarts from a checkpoint in this process.', ({ session }) => session.restarts.count),
  ofJob('numberOfCompletedCheckpoints', 'counter', 'Checkpoints that are complete.', ({ session }) => session.checkpoints.completed),
  ofJob('numberOfFailedCheckpoints', 'counter', 'Checkpoints that have failed.', ({ session }) => session.checkpoints.failed),
  ofJob('lastCheckpointDuration', 'gauge', 'Milliseconds of the last checkpoint.', (figures) => last(figures)?.millis),
  ofJob('lastCheckpointSize', 'gauge', 'Bytes that were written for the last checkpoint.', (figures) => last(figures)?.newBytes),
  ofJob('lastCheckpointFullSize', 'gauge', 'Bytes that a restore of the last checkpoint reads.', (figures) => last(figures)?.bytes),
  ofJob('lastCheckpointCompletedTimestamp', 'gauge', 'Epoch milliseconds of the last checkpoint.', (figures) => last(figures)?.takenAt),
  ofOperators('operator_numRecordsIn', 'counter', 'Records that an operator has taken.', ({ recordsIn }) => recordsIn),
  ofOperators('operator_numRecordsOut', 'counter', 'Records that an operator has emitted.', ({ recordsOut }) => recordsOut),
  ofOperators('operator_numRecordsInPerSecond', 'gauge', 'Over the last second.', ({ inPerSecond }) => inPerSecond),
  ofOperators('operator_numRecordsOutPerSecond', 'gauge', 'Over the last second.', ({ outPerSecond }) => outPerSecond),
  ofOperators('operator_currentOutputWatermark', 'gauge', 'Epoch milliseconds.', ({ watermark }) => watermark),
  ofOperators('operator_numLateRecordsDropped', 'counter', 'Late records without a reader.', ({ lateDropped }) => lateDropped),
  ofOperators('busyTimeMsPerSecond', 'gauge', 'Of the last second.', ({ busy }) => perSecond(busy)),
  ofOperators('idleTimeMsPerSecond', 'gauge', 'Of the last second.', ({ idle }) => perSecond(idle)),
  ofOperators('backPressuredTimeMsPerSecond', 'gauge', 'Of the last second.', ({ backpressured }) => perSecond(backpressured)),
  ofOperators('operator_numRecordsInErrors', 'counter', 'Records that a source rejected.', ({ source }) => source?.errors),
  ofOperators('operator_pendingRecords', 'gauge', 'Records of the topics of a source that wait.', pendingOf),
  {
    ...{ name: 'flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset', kind: 'gauge' },
    help: 'The offset before the next record of a partition.',
    samples: (figures) =>
      ofPartitions(figures, labelsOf, ({ position }) => (position === undefined ? undefined : position - 1)),
  },
];
