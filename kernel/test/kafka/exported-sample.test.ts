// The seventh sample, exported and run on a real broker as it says: it is killed and started again,
// and its topic has each total once. Meanwhile its figures are those of the topics.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { startOwnBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { committedRecords } from '../../../engine/test/kafka/java-records.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { exported, folderOf, type Life, start } from '../cli/job-process.ts';
import { groupOffsets } from './group-offsets.ts';
import { asMap, expectedTotals, orders, type Total } from './sample-orders.ts';

const options = { skip: whyNoKafka() !== undefined, timeout: 600_000 };
let broker: Broker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));

const sample = join(import.meta.dirname, '../../../samples/07-export.sluice.ts');
const application = '07-export';
const least = 10;

test('07 as a job goes on after a kill, writes each total once, and shows its figures', options, async (t) => {
  const job = await exported(folderOf(t, {}), sample);
  const sent = orders();
  const early = 100;
  await client.createTopic('orders', 4);
  await client.send('orders', sent.slice(0, early));
  const environment = {
    ...{ SLUICE_BROKERS: broker.brokers, SLUICE_PARAM_least: String(least), SLUICE_CHECKPOINT_SECONDS: '0.3' },
  };
  const hasRead = async (life: Life, count: number): Promise<void> => {
    const isSo = async (): Promise<boolean> => (await groupOffsets(client, application, 'orders')) === count;
    await life.until(isSo, `the offsets of ${count} orders`);
  };
  const first = start(job, environment);
  await hasRead(first, early);
  await first.end('SIGKILL');

  const second = start(job, environment);
  await client.send('orders', sent.slice(early));
  await hasRead(second, sent.length);
  const expected = expectedTotals(least);
  /** The values of the samples with this name, by the value of one of their labels. */
  const valuesOf = async (name: string, label: string): Promise<Readonly<Record<string, number>>> => {
    const samples = (await second.metrics()).filter((one) => one.name === name);
    assert.ok(
      samples.every(({ labels }) => label in labels),
      `${name} has no ${label}`,
    );
    return Object.fromEntries(samples.map(({ labels, value }) => [labels[label]!, value]));
  };
  const partitionsOf = (name: string): Promise<unknown> =>
    valuesOf(`kafka_consumer_fetch_manager_${name}`, 'partition');
  // What the first process has read is no figure of the second one.
  const read = sent.slice(early).map(({ partition }) => String(partition));
  const byPartition = Object.fromEntries([...Map.groupBy(read, (one) => one)].map(([one, all]) => [one, all.length]));
  const produced = 'kafka_stream_topic_records_produced_total';
  // Figures are taken each second.
  const consumed = (): Promise<Readonly<Record<string, number>>> =>
    valuesOf('kafka_stream_topic_records_consumed_total', 'topic_name');
  const isKnown = async (): Promise<boolean> =>
    (await consumed())['orders']! >= read.length && (await valuesOf(produced, 'topic_name'))['country-totals']! > 0;
  await second.until(isKnown, 'all orders in the figures');
  assert.deepEqual(await partitionsOf('records_consumed_total'), byPartition);
  assert.deepEqual(await partitionsOf('records_lag'), { 0: 0, 1: 0, 2: 0, 3: 0 });
  assert.deepEqual(await valuesOf('kafka_consumer_fetch_manager_records_lag_max', 'client_id'), { [application]: 0 });
  assert.deepEqual(await consumed(), { orders: read.length });
  const dropped = await valuesOf('kafka_stream_task_dropped_records_total', 'task_id');
  assert.equal(dropped['orders'], 1, 'one record is no JSON');
  assert.deepEqual(await valuesOf('kafka_stream_client_state', 'client_id'), { [application]: 2 });
  const offsets = await valuesOf(
    'flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset',
    'partition',
  );
  const ends = await client.admin.fetchTopicOffsets('orders');
  assert.deepEqual(offsets, Object.fromEntries(ends.map(({ partition, high }) => [partition, Number(high) - 1])));
  const names = new Set((await second.metrics()).map(({ name }) => name));
  const readme = readFileSync(join(job, 'README.md'), 'utf8');
  for (const name of names) assert.ok(readme.includes(`\`${name}\``), `${name} is not in the README`);
  assert.ok(names.size > 30);

  assert.equal(await second.end('SIGTERM'), 0, JSON.stringify(second.log()));
  const rows = await committedRecords(client, broker.brokers, 'country-totals', expected.size);
  assert.deepEqual(asMap(rows.map(({ value }) => JSON.parse(value) as Total)), expected);
  for (const { key, value } of rows) assert.equal(key, (JSON.parse(value) as Total).country);
  assert.deepEqual(await client.admin.fetchTopicOffsets('country-totals').then(({ length }) => length), 2);
});
