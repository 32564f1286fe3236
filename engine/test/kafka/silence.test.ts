// The end of a silence on a real broker: a partition that was idle holds time back as soon as a
// transaction is open in it, and its records are not late when it is committed.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startBroker, whyNoKafka } from './broker.ts';
import { toMessage, type IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { SourceDriver } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));

test('a transaction that opens in an idle partition ends its idleness', { skip, timeout: 300_000 }, async (t) => {
  const topic = `silence-${process.pid}`;
  await client.createTopic(topic, 2);
  const begin = 1_700_000_000_000;
  const records = (partition: number, from: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({
      partition,
      value: { n: from + n },
      timestamp: begin + 100 * (from + n),
    }));
  await client.send(topic, records(0, 0, 1));
  const watermark = { outOfOrdernessMillis: 0, idlenessMillis: 700 };
  const source = new SourceDriver({ topic, from: 'earliest', format: 'json', watermark });
  t.onTestFinished(() => source.close());
  const idle = (): (boolean | undefined)[] => (source.source.status().partitions ?? []).map((one) => one.idle);
  await source.until('silence', () => idle().join() === 'true,true');
  const transactions = client.kafka.producer({
    transactionalId: topic,
    maxInFlightRequests: 1,
    idempotent: true,
    retry: { initialRetryTime: 10, retries: 50 },
  });
  await transactions.connect();
  const open = await transactions.transaction();
  await open.send({ topic, messages: records(1, 1, 10).map(toMessage) });
  await source.until('the open transaction', () => idle()[1] === false);
  const held = source.watermark;
  await client.send(topic, records(0, 1, 200));
  await source.until('the records of the other partition', () => source.rows.length === 201);
  assert.equal(source.watermark, held);
  await open.commit();
  await source.until('the committed rows', () => source.rows.length === 211);
  const last = source.rows.filter(({ partition }) => partition === 1);
  assert.equal(last.length, 10);
  assert.ok(last.every(({ timestamp }) => timestamp > held!));
  await transactions.disconnect();
});
