// Figures under the names of Kafka's clients and of Kafka Streams, as Micrometer writes them for
// Prometheus. A job has one thread, its client id is its application id, and its tasks are cells.
import { kinds } from '../../engine/graph/kinds.ts';
import { writtenTopic } from '../../engine/graph/written-topic.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import { isConnecting } from '../session/plan-end.ts';
import { type JobFigures, type JobMetric, type Labels, type Sample, sample } from './metric.ts';
import { ofPartitions } from './partition-metrics.ts';

type Application = Pick<JobFigures, 'application'>;
const clientOf = ({ application }: Application): Labels => ({ client_id: application });
const threadOf = ({ application }: Application): Labels => ({ thread_id: `${application}-StreamThread-1` });
const sourceLabels = (application: string, { id, name }: OperatorReport): Labels => ({
  ...{ client_id: application, operator_id: id, operator_name: name },
});
const isSource = ({ kind }: OperatorReport): boolean => kinds[kind].role === 'source';

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** Kafka Streams' numbers of its states. */
const states = { rebalancing: 1, running: 2, pendingShutdown: 3, error: 6 } as const;
function stateOf({ session, isEnding }: JobFigures): number {
  if (session.executor === 'broken') return states.error;
  if (isEnding) return states.pendingShutdown;
  const isRunning = session.executor === 'ready' && session.restarts.startsAt === undefined && !isConnecting(session);
  return isRunning ? states.running : states.rebalancing;
}

/** Those of operators that write to a topic, with its name. */
function ofSinks(
  { session, reports }: JobFigures,
  labelsOf: (report: OperatorReport, topic: string) => Labels,
  value: (report: OperatorReport) => number | undefined,
): readonly Sample[] {
  const topics = new Map(session.plan.nodes.map((node) => [node.id, writtenTopic(node)]));
  return reports.flatMap((report) => {
    const topic = topics.get(report.id);
    return topic === undefined ? [] : sample(labelsOf(report, topic), value(report));
  });
}
function producerSamples(
  figures: JobFigures,
  value: (report: OperatorReport) => number | undefined,
): readonly Sample[] {
  return ofSinks(figures, (report, topic) => ({ ...sourceLabels(figures.application, report), topic }), value);
}

function nodeLabels(figures: JobFigures, { id, cell }: OperatorReport): Labels {
  return { ...threadOf(figures), task_id: cell, processor_node_id: id };
}
/** What each source has read of each of its topics. */
function consumedByTopic(figures: JobFigures): readonly Sample[] {
  return figures.reports.flatMap((report) => {
    const known = (report.source?.partitions ?? []).filter(
      ({ topic, read }) => topic !== undefined && read !== undefined,
    );
    return [...Map.groupBy(known, ({ topic }) => topic!)].map(([topic, own]) => ({
      labels: { ...nodeLabels(figures, report), topic_name: topic },
      value: sum(own.map(({ read }) => read!)),
    }));
  });
}
function droppedByTask(figures: JobFigures): readonly Sample[] {
  return [...Map.groupBy(figures.reports, ({ cell }) => cell)].map(([cell, own]) => ({
    labels: { ...threadOf(figures), task_id: cell },
    value: sum(own.map(({ lateDropped, source }) => lateDropped + (source?.errors ?? 0))),
  }));
}
function largestLag({ reports }: JobFigures): number | undefined {
  const lags = reports.flatMap(({ source }) => source?.partitions?.flatMap(({ lag }) => lag ?? []) ?? []);
  return lags.length === 0 ? undefined : lags.reduce((most, lag) => Math.max(most, lag));
}

// prettier-ignore
export const kafkaMetrics: readonly JobMetric[] = [
  {
    ...{ name: 'kafka_consumer_fetch_manager_records_lag', kind: 'gauge', help: 'Records of a partition that wait.' },
    samples: (figures) => ofPartitions(figures, sourceLabels, ({ lag }) => lag),
  },
  {
    ...{ name: 'kafka_consumer_fetch_manager_records_lag_max', kind: 'gauge', help: 'The largest lag of a partition.' },
    samples: (figures) => sample(clientOf(figures), largestLag(figures)),
  },
  {
    ...{ name: 'kafka_consumer_fetch_manager_records_consumed_total', kind: 'counter' },
    help: 'Records of a partition that were read since the start or the last restart.',
    samples: (figures) => ofPartitions(figures, sourceLabels, ({ read }) => read),
  },
  {
    ...{ name: 'kafka_producer_topic_record_send_total', kind: 'counter', help: 'Rows that a topic has taken.' },
    samples: (figures) => producerSamples(figures, ({ status }) => status?.rowsWritten),
  },
  {
    ...{ name: 'kafka_producer_topic_record_error_total', kind: 'counter', help: 'Rows that are lost to a topic.' },
    samples: (figures) => producerSamples(figures, ({ status }) => status && (status.rowsLost ?? 0)),
  },
  {
    ...{ name: 'kafka_stream_client_state', kind: 'gauge' },
    help: '1: it starts or restarts, 2: it runs, 3: it ends, 6: it is broken. The numbers are those of Kafka Streams.',
    samples: (figures) => sample(clientOf(figures), stateOf(figures)),
  },
  {
    ...{ name: 'kafka_stream_alive_stream_threads', kind: 'gauge', help: '1, and 0 while no cell can run.' },
    samples: (figures) => sample(clientOf(figures), figures.session.executor === 'ready' ? 1 : 0),
  },
  {
    ...{ name: 'kafka_stream_failed_stream_threads', kind: 'counter', help: 'Restarts from a checkpoint.' },
    samples: (figures) => sample(clientOf(figures), figures.session.restarts.count),
  },
  {
    ...{ name: 'kafka_stream_thread_process_total', kind: 'counter', help: 'Records that all sources have emitted.' },
    samples: (figures) => sample(threadOf(figures), sum(figures.reports.filter(isSource).map(({ recordsOut }) => recordsOut))),
  },
  {
    ...{ name: 'kafka_stream_thread_process_rate', kind: 'gauge', help: 'The same, each second.' },
    samples: (figures) => sample(threadOf(figures), sum(figures.reports.filter(isSource).map(({ outPerSecond }) => outPerSecond))),
  },
  {
    ...{ name: 'kafka_stream_thread_commit_total', kind: 'counter', help: 'Checkpoints that are complete.' },
    samples: (figures) => sample(threadOf(figures), figures.session.checkpoints.completed),
  },
  {
    ...{ name: 'kafka_stream_task_dropped_records_total', kind: 'counter' },
    help: 'Records of a cell that were rejected, or were late without a reader.',
    samples: droppedByTask,
  },
  {
    ...{ name: 'kafka_stream_processor_node_process_total', kind: 'counter' },
    help: 'Records that an operator has taken, or a source has emitted.',
    samples: (figures) =>
      figures.reports.flatMap((report) =>
        sample(nodeLabels(figures, report), isSource(report) ? report.recordsOut : report.recordsIn),
      ),
  },
  {
    ...{ name: 'kafka_stream_topic_records_consumed_total', kind: 'counter' },
    help: 'Records of a topic that a source has read.',
    samples: consumedByTopic,
  },
  {
    ...{ name: 'kafka_stream_topic_records_produced_total', kind: 'counter' },
    help: 'Rows that a topic has taken from a sink.',
    samples: (figures) =>
      ofSinks(figures, (report, topic_name) => ({ ...nodeLabels(figures, report), topic_name }), ({ status }) => status?.rowsWritten),
  },
];
