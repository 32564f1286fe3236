// Watermark alignment on topics of a real broker: between the partitions of a topic, and between
// two topics.
import assert from 'node:assert/strict';
import { afterAll, test } from 'vitest';
import { startBroker, whyNoKafka } from './broker.ts';
import type { IndependentClient, TestMessage } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { SourceDriver, type Row } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
const drivers: SourceDriver[] = [];

onBroker(startBroker, (started) => ({ client } = started));
afterAll(() => {
  for (const driver of drivers) driver.close();
});
async function filled(name: string, partitions: number, messages: readonly TestMessage[]): Promise<string> {
  const topic = `a${process.pid}-${name}`;
  await client.createTopic(topic, partitions);
  await client.send(topic, messages);
  return topic;
}
const parameters = (topic: string, maxDriftMillis: number) => ({
  topic,
  from: 'earliest' as const,
  format: 'json' as const,
  timestamp: { field: 'at' },
  watermark: { outOfOrdernessMillis: 0, alignment: { group: 'g', maxDriftMillis } },
});
const newest = (rows: readonly Row[], partition: number): number =>
  Math.max(-Infinity, ...rows.filter((row) => row.partition === partition).map(({ timestamp }) => timestamp));

test('a partition that is ahead of the others of its topic waits, and none loses a record', { skip }, async () => {
  const dense = Array.from({ length: 300 }, (_, n) => ({ partition: 0, value: { at: n * 10 } }));
  const sparse = Array.from({ length: 300 }, (_, n) => ({ partition: 1, value: { at: n * 1000 } }));
  const topic = await filled('partitions', 2, [...sparse, ...dense]);
  const source = new SourceDriver({ ...parameters(topic, 500), until: 'latest' });
  drivers.push(source);
  await source.ended();
  assert.equal(source.rows.length, 600);
  source.rows.forEach(({ partition, timestamp }, at) => {
    const before = source.rows.slice(0, at);
    const other = newest(before, 1 - partition);
    // The end of the other partition is behind this one, so no partition waits any more.
    if (before.filter((row) => row.partition !== partition).length === 300) return;
    assert.ok(
      newest(before, partition) <= other + 500,
      `partition ${partition} gave ${timestamp} after ${newest(before, partition)}, the other was at ${other}`,
    );
  });
});

test('a silent partition holds the others, and the reason says so', { skip }, async () => {
  const topic = await filled(
    'silent',
    2,
    [1, 2, 3].map((n) => ({ partition: 0, value: { at: n * 1000 } })),
  );
  const source = new SourceDriver(parameters(topic, 500));
  drivers.push(source);
  await source.until('its first row', () => source.rows.length === 1);
  await source.until('the reason', () => source.source.status().waiting !== undefined);
  assert.equal(source.source.status().waiting, `waits for "${topic}", which has no record yet (alignment group "g")`);
  await client.send(topic, [{ partition: 1, value: { at: 5000 } }]);
  await source.until('the others', () => source.rows.length === 4);
  assert.equal(source.source.status().waiting, undefined, 'the other one is ahead, but has nothing to give');
  await client.send(topic, [{ partition: 1, value: { at: 6000 } }]);
  await source.until('the reason', () => source.source.status().waiting !== undefined);
  assert.equal(
    source.source.status().waiting,
    `waits for "${topic}": this source is 2 s ahead, and at most 500 ms are allowed (alignment group "g")`,
  );
  await client.send(topic, [{ partition: 0, value: { at: 4500 } }]);
  await source.until('the one that was held', () => source.rows.length === 6);
});
