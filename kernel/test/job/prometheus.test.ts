// The metrics of an exported job: names of Flink, of Kafka's clients and of Kafka Streams, labels,
// and values.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { OperatorReport } from '../../executor/executor-protocol.ts';
import type { Plan } from '../../../engine/graph/plan.ts';
import type { JobFigures } from '../../job/metric.ts';
import { prometheusText } from '../../job/prometheus.ts';
import { restarted } from '../../session/restarts.ts';
import { createSession } from '../../session/state.ts';

const report: OperatorReport = {
  ...{
    id: 'orders/orders/kafka#1',
    uid: 'orders/orders/kafka#1',
    name: 'kafka "orders"',
    cell: 'orders',
    kind: 'kafka',
  },
  ...{ recordsIn: 0, recordsOut: 12, inPerSecond: 0, outPerSecond: 3.5, busy: 0.25, idle: 0.75, backpressured: 0 },
  ...{ watermark: -Infinity, late: 0, lateDropped: 0, finished: false },
  source: {
    ...{ entries: 0, opened: 1, phase: 'live', errors: 2 },
    partitions: [
      { partition: '0', topic: 'orders', number: 0, read: 8, position: 90, idle: false, lag: 4 },
      { partition: '1', topic: 'orders', number: 1, read: 6, position: 70, idle: false, lag: 3 },
      { partition: '2', topic: 'orders', number: 2, idle: true },
    ],
  },
};

test('each sample has its metric, its labels and its value', () => {
  const { uid, ...display } = { ...report, id: 'display/a/0', kind: 'display' as const };
  const reports = [report, { ...display, uid }];
  const text = prometheusText({
    application: 'orders-1',
    session: createSession(),
    reports,
    uptimeMillis: 12.4,
    isEnding: false,
  });
  const labels =
    String.raw`job_name="orders-1",task_name="orders",operator_name="kafka \"orders\"",operator_id="orders/orders/kafka#1",subtask_index="0"`.replaceAll(
      '\\\\',
      '\\',
    );
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of [
    'flink_jobmanager_job_uptime{job_name="orders-1"} 12',
    'flink_jobmanager_job_numberOfCompletedCheckpoints{job_name="orders-1"} 0',
    `flink_taskmanager_job_task_operator_numRecordsOut{${labels}} 12`,
    `flink_taskmanager_job_task_operator_numRecordsOutPerSecond{${labels}} 3.5`,
    `flink_taskmanager_job_task_busyTimeMsPerSecond{${labels}} 250`,
    `flink_taskmanager_job_task_operator_currentOutputWatermark{${labels}} -Inf`,
    `flink_taskmanager_job_task_operator_numRecordsInErrors{${labels}} 2`,
    `flink_taskmanager_job_task_operator_pendingRecords{${labels}} 7`,
  ])
    assert.ok(samples.includes(line), `${line}\n${text}`);
  assert.equal(samples.filter((line) => line.includes('display')).length, 0, 'displays are no operators');
  for (const line of text.split('\n').filter((one) => one.startsWith('# TYPE')))
    assert.match(line, /^# TYPE \w+ (?:counter|gauge)$/);
});

test('the names of Kafka and Kafka Streams say topic and partition', () => {
  const sink: OperatorReport = {
    ...{ ...report, id: 'out', uid: 'out', name: 'to "totals"', cell: 'out', kind: 'kafkaSink', recordsIn: 9 },
    ...{ lateDropped: 1, source: undefined, status: { entries: 0, rowsWritten: 7, rowsLost: 2 } },
  };
  const session = createSession();
  const parameters = { topic: 'totals' };
  const plan = { ...session.plan, nodes: [{ id: 'out', kind: 'kafkaSink', parameters }] } as unknown as Plan;
  const textOf = (more: Partial<JobFigures>): string =>
    prometheusText({
      ...{ application: 'o', session: { ...session, plan }, reports: [report, sink], uptimeMillis: 1, isEnding: false },
      ...more,
    });
  const text = textOf({});
  const kafka = text.split('\n').filter((line) => /^(?:kafka_|flink_.*currentOffset)/.test(line));
  const source = String.raw`operator_id="orders/orders/kafka#1",operator_name="kafka \"orders\""`;
  const thread = 'thread_id="o-StreamThread-1"';
  const flinkSource = String.raw`job_name="o",task_name="orders",operator_name="kafka \"orders\"",operator_id="orders/orders/kafka#1",subtask_index="0"`;
  assert.deepEqual(kafka, [
    `flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset{${flinkSource},topic="orders",partition="0"} 89`,
    `flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset{${flinkSource},topic="orders",partition="1"} 69`,
    `kafka_consumer_fetch_manager_records_lag{client_id="o",${source},topic="orders",partition="0"} 4`,
    `kafka_consumer_fetch_manager_records_lag{client_id="o",${source},topic="orders",partition="1"} 3`,
    'kafka_consumer_fetch_manager_records_lag_max{client_id="o"} 4',
    `kafka_consumer_fetch_manager_records_consumed_total{client_id="o",${source},topic="orders",partition="0"} 8`,
    `kafka_consumer_fetch_manager_records_consumed_total{client_id="o",${source},topic="orders",partition="1"} 6`,
    String.raw`kafka_producer_topic_record_send_total{client_id="o",operator_id="out",operator_name="to \"totals\"",topic="totals"} 7`,
    String.raw`kafka_producer_topic_record_error_total{client_id="o",operator_id="out",operator_name="to \"totals\"",topic="totals"} 2`,
    'kafka_stream_client_state{client_id="o"} 1',
    'kafka_stream_alive_stream_threads{client_id="o"} 0',
    'kafka_stream_failed_stream_threads{client_id="o"} 0',
    `kafka_stream_thread_process_total{${thread}} 12`,
    `kafka_stream_thread_process_rate{${thread}} 3.5`,
    `kafka_stream_thread_commit_total{${thread}} 0`,
    `kafka_stream_task_dropped_records_total{${thread},task_id="orders"} 2`,
    `kafka_stream_task_dropped_records_total{${thread},task_id="out"} 1`,
    `kafka_stream_processor_node_process_total{${thread},task_id="orders",processor_node_id="orders/orders/kafka#1"} 12`,
    `kafka_stream_processor_node_process_total{${thread},task_id="out",processor_node_id="out"} 9`,
    `kafka_stream_topic_records_consumed_total{${thread},task_id="orders",processor_node_id="orders/orders/kafka#1",topic_name="orders"} 14`,
    `kafka_stream_topic_records_produced_total{${thread},task_id="out",processor_node_id="out",topic_name="totals"} 7`,
  ]);
  const stateIn = (more: Partial<JobFigures>): string | undefined => /client_state\{.*\} (\d)/.exec(textOf(more))?.[1];
  assert.equal(stateIn({ isEnding: true }), '3');
  assert.equal(stateIn({ session: { ...session, executor: 'ready' } }), '2');
  assert.equal(stateIn({ session: { ...session, executor: 'broken' }, isEnding: true }), '6');
});

test('restarts are counted further than their times are kept', () => {
  let session = createSession();
  for (let n = 1; n <= 150; n++) session = restarted(session, n);
  assert.equal(session.restarts.at.length, 100);
  const text = prometheusText({ application: 'o', session, reports: [], uptimeMillis: 1, isEnding: false });
  assert.match(text, /numRestarts\{job_name="o"\} 150\n/);
});
