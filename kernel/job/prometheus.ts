// The figures of an exported job in Prometheus' text format. The names are those that Flink's
// Prometheus reporter gives (flink_…), and those of Kafka's consumer lag as Micrometer gives them
// (kafka_consumer_…), so that dashboards of both find them.
import { isLeaf } from '../../engine/graph/kinds.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { Session } from '../session/state.ts';

export interface JobFigures {
  readonly application: string;
  readonly session: Session;
  readonly reports: readonly OperatorReport[];
  /** Since the start of the process. */
  readonly uptimeMillis: number;
}

type Labels = Readonly<Record<string, string>>;
interface Sample {
  readonly labels: Labels;
  readonly value: number;
}
interface Metric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export function prometheusText(figures: JobFigures): string {
  return [...jobMetrics(figures), ...operatorMetrics(figures)].map(metricText).join('');
}

function jobMetrics({ application, session, uptimeMillis }: JobFigures): readonly Metric[] {
  const { checkpoints, restarts } = session;
  const { last, completed, failed } = checkpoints;
  const labels = { job_name: application };
  const of = (name: string, kind: Metric['kind'], help: string, value: number | undefined): Metric => ({
    ...{ name: `flink_jobmanager_job_${name}`, kind, help },
    samples: value === undefined ? [] : [{ labels, value }],
  });
  return [
    of('uptime', 'gauge', 'Milliseconds since the process started.', Math.round(uptimeMillis)),
    of('numRestarts', 'counter', 'Restarts from a checkpoint in this process.', restarts.at.length),
    of('numberOfCompletedCheckpoints', 'counter', 'Checkpoints that are complete.', completed),
    of('numberOfFailedCheckpoints', 'counter', 'Checkpoints that have failed.', failed),
    of('lastCheckpointDuration', 'gauge', 'Milliseconds of the last checkpoint.', last?.millis),
    of('lastCheckpointSize', 'gauge', 'Bytes that were written for the last checkpoint.', last?.newBytes),
    of('lastCheckpointFullSize', 'gauge', 'Bytes that a restore of the last checkpoint reads.', last?.bytes),
    of('lastCheckpointCompletedTimestamp', 'gauge', 'Epoch milliseconds of the last checkpoint.', last?.takenAt),
  ];
}

function operatorMetrics({ application, reports }: JobFigures): readonly Metric[] {
  const operators = reports.filter((report) => !isLeaf(report));
  const labelsOf = ({ id, name, cell }: OperatorReport): Labels => ({
    ...{ job_name: application, task_name: cell, operator_name: name, operator_id: id, subtask_index: '0' },
  });
  const of = (
    name: string,
    kind: Metric['kind'],
    help: string,
    value: (report: OperatorReport) => number | undefined,
  ): Metric => ({
    ...{ name: `flink_taskmanager_job_task_${name}`, kind, help },
    samples: operators.flatMap((report): Sample[] => {
      const found = value(report);
      return found === undefined ? [] : [{ labels: labelsOf(report), value: found }];
    }),
  });
  const perSecond = (share: number): number => Math.round(share * 1000);
  return [
    of('operator_numRecordsIn', 'counter', 'Records that it has taken.', ({ recordsIn }) => recordsIn),
    of('operator_numRecordsOut', 'counter', 'Records that it has emitted.', ({ recordsOut }) => recordsOut),
    of('operator_numRecordsInPerSecond', 'gauge', 'Over the last second.', ({ inPerSecond }) => inPerSecond),
    of('operator_numRecordsOutPerSecond', 'gauge', 'Over the last second.', ({ outPerSecond }) => outPerSecond),
    of('operator_currentOutputWatermark', 'gauge', 'Epoch milliseconds.', ({ watermark }) => watermark),
    of('operator_numLateRecordsDropped', 'counter', 'Late records without a reader.', ({ lateDropped }) => lateDropped),
    of('busyTimeMsPerSecond', 'gauge', 'Of the last second.', ({ busy }) => perSecond(busy)),
    of('idleTimeMsPerSecond', 'gauge', 'Of the last second.', ({ idle }) => perSecond(idle)),
    of('backPressuredTimeMsPerSecond', 'gauge', 'Of the last second.', ({ backpressured }) => perSecond(backpressured)),
    of('operator_numRecordsInErrors', 'counter', 'Records that a source rejected.', ({ source }) => source?.errors),
    of('operator_pendingRecords', 'gauge', 'Records of a topic that wait.', pendingOf),
    lagMetric(application, operators),
  ];
}

function pendingOf({ source }: OperatorReport): number | undefined {
  const known = source?.partitions?.flatMap(({ lag }) => lag ?? []) ?? [];
  return known.length === 0 ? undefined : known.reduce((sum, lag) => sum + lag, 0);
}
function lagMetric(application: string, operators: readonly OperatorReport[]): Metric {
  return {
    name: 'kafka_consumer_fetch_manager_records_lag',
    kind: 'gauge',
    help: 'Records of a partition that wait.',
    samples: operators.flatMap(({ id, name, source }) =>
      (source?.partitions ?? []).flatMap(({ partition, lag }): Sample[] =>
        lag === undefined
          ? []
          : [{ labels: { client_id: application, operator_id: id, operator_name: name, partition }, value: lag }],
      ),
    ),
  };
}

function metricText({ name, kind, help, samples }: Metric): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${numberText(value)}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`;
}
function labelsText(labels: Labels): string {
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}
function numberText(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
}
