// The lag of a topic on a real broker: exact at every look, counted by the committed records, and
// known while the source has no room to fetch.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PartitionStatus } from '../../contract/source.ts';
import { startBroker, whyNoKafka } from './broker.ts';
import { toMessage, type IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { SourceDriver } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
const hour = 3_600_000;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));

const partitionsOf = ({ source }: SourceDriver): readonly PartitionStatus[] => source.status().partitions ?? [];
const lagsOf = (driver: SourceDriver): (number | undefined)[] => partitionsOf(driver).map(({ lag }) => lag);

test('the lag of a slow consumer counts down to 0, exactly', { skip }, async (t) => {
  const topic = `lag-${process.pid}`;
  const lengths = [3000, 100, 0];
  await client.createTopic(topic, lengths.length);
  const begin = Date.now() - hour;
  for (const [partition, length] of lengths.entries())
    if (length > 0)
      await client.send(
        topic,
        Array.from({ length }, (_, n) => ({ partition, value: { n }, timestamp: begin + n })),
      );
  const driver = new SourceDriver({ topic, from: 'earliest', format: 'json' }, { roomPerPoll: 7 });
  t.onTestFinished(() => driver.close());
  await driver.until('the ends of all partitions', () => {
    const lags = lagsOf(driver);
    return lags.length === 3 && lags.every((lag) => lag !== undefined);
  });
  let looks = 0;
  await driver.until('the last record', () => {
    looks++;
    const read = lengths.map((_, partition) => driver.rows.filter((row) => row.partition === partition).length);
    const before = Date.now();
    const partitions = partitionsOf(driver);
    const after = Date.now();
    for (const [partition, { lag, lagMillis }] of partitions.entries()) {
      assert.equal(lag, lengths[partition]! - read[partition]!, `partition ${partition} at ${read.join()}`);
      const last = driver.rows.findLast((row) => row.partition === partition);
      if (lag === 0 || !last) assert.equal(lagMillis, undefined);
      else assert.ok(before <= last.timestamp + lagMillis! && last.timestamp + lagMillis! <= after, `${lagMillis} ms`);
    }
    return driver.rows.length === 3100;
  });
  assert.ok(looks > 100, `${looks} looks`);
  assert.deepEqual(lagsOf(driver), [0, 0, 0]);

  // A transaction that is open is no lag. Its end is one, with the offset of its mark.
  driver.isPaused = true;
  const producer = client.kafka.producer({
    transactionalId: topic,
    maxInFlightRequests: 1,
    idempotent: true,
    retry: { initialRetryTime: 10, retries: 50 },
  });
  await producer.connect();
  t.onTestFinished(() => producer.disconnect());
  const transaction = await producer.transaction();
  const messages = Array.from({ length: 10 }, (_, n) => toMessage({ partition: 1, value: { n } }));
  await transaction.send({ topic, messages });
  await client.send(topic, [{ partition: 2, value: {} }]);
  await driver.until('the record of another partition', () => lagsOf(driver)[2] === 1);
  assert.deepEqual(lagsOf(driver), [0, 0, 1]);
  await transaction.commit();
  await driver.until('the transaction', () => lagsOf(driver)[1] === 11);
  driver.resume();
  await driver.until('its records', () => driver.rows.length === 3111);
  await driver.until('the mark', () => lagsOf(driver).every((lag) => lag === 0));
});

test('the lag grows with the topic while the source has no room to fetch', { skip }, async (t) => {
  const topic = `lag-full-${process.pid}`;
  await client.createTopic(topic);
  const text = 'x'.repeat(10_000);
  const send = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += 50)
      await client.send(
        topic,
        Array.from({ length: 50 }, () => ({ partition: 0, value: { text } })),
      );
  };
  await send(1000);
  const driver = new SourceDriver({ topic, from: 'earliest', format: 'json' });
  t.onTestFinished(() => driver.close());
  driver.source.poll();
  driver.isPaused = true;
  await driver.until('the first end', () => lagsOf(driver)[0] !== undefined);
  const { length } = driver.rows;
  // 10 MB are more than the credit of a partition, so nothing more is fetched.
  await driver.until('what was there', () => lagsOf(driver)[0] === 1000 - length);
  await send(500);
  await driver.until('what was added', () => lagsOf(driver)[0] === 1500 - length);
  driver.resume();
  await driver.until('the rest', () => driver.rows.length === 1500);
  await driver.until('the end', () => lagsOf(driver)[0] === 0);
});
