// The second sample on a real broker: topic → window → topic, by `sluice run`, which arms sinks.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { rowsOf, runJson } from '../cli/json-run.ts';
import { asMap, expectedTotals, orders, type Total } from './sample-orders.ts';

const skip = whyNoKafka() !== undefined;
const sorted = <V>(map: Map<string, V>): [string, V][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

test('02 counts a topic by country and minute, and writes what it shows into a topic', { skip }, async () => {
  const broker = await startBroker();
  const client = await independentClient(broker.brokers);
  try {
    await client.createTopic('orders', 4);
    await client.createTopic('order-totals', 1);
    await client.send('orders', orders());
    const expected = expectedTotals();
    let errors = 0;
    let seen = 0;
    const { lines } = await runJson('samples/02-kafka.sluice.ts', '300s', {
      environment: { SLUICE_BROKERS: broker.brokers },
      isEnough: ({ cell, row }) => {
        if (cell === 'errors' && row) errors++;
        if (cell === 'totals' && row) seen++;
        return errors >= 1 && seen >= expected.size;
      },
    });
    const shown = asMap(rowsOf(lines, 'totals') as unknown as Total[]);
    assert.deepEqual(sorted(shown), sorted(expected));
    assert.equal(rowsOf(lines, 'orders').length, orders().length - 1);
    assert.match(String(rowsOf(lines, 'errors')[0]?.['error']), /orders\[0\]@/);

    const written: Total[] = [];
    const consumer = client.kafka.consumer({ groupId: `sample-${process.pid}` });
    await consumer.connect();
    await consumer.subscribe({ topic: 'order-totals', fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: ({ message }) => {
            const total = JSON.parse(message.value!.toString()) as Total;
            assert.equal(message.key?.toString(), total.country);
            written.push(total);
            if (written.length === expected.size) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    assert.deepEqual(sorted(asMap(written)), sorted(expected));
  } finally {
    await client.close();
    await broker.stop();
  }
});
