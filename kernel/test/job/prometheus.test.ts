// The metrics of an exported job: names of Flink and of Kafka's consumer, labels, and values.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { OperatorReport } from '../../executor/executor-protocol.ts';
import { prometheusText } from '../../job/prometheus.ts';
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
      { partition: '0', idle: false, lag: 4 },
      { partition: '1', idle: false, lag: 3 },
      { partition: '2', idle: true },
    ],
  },
};

test('each sample has its metric, its labels and its value', () => {
  const { uid, ...display } = { ...report, id: 'display/a/0', kind: 'display' as const };
  const reports = [report, { ...display, uid }];
  const text = prometheusText({ application: 'orders-1', session: createSession(), reports, uptimeMillis: 12.4 });
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
  assert.equal(samples.filter((line) => line.startsWith('kafka_consumer_fetch_manager_records_lag{')).length, 2);
  assert.equal(samples.filter((line) => line.includes('display')).length, 0, 'displays are no operators');
  for (const line of text.split('\n').filter((one) => one.startsWith('# TYPE')))
    assert.match(line, /^# TYPE \w+ (?:counter|gauge)$/);
});
