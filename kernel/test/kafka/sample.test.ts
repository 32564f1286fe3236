// The second sample on a real broker: topic → window → topic, by `sluice run`, which arms sinks.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { rowsOf, runJson } from '../cli/json-run.ts';

const skip = whyNoKafka() !== undefined;
const minute = 60_000;
const begin = Date.UTC(2026, 0, 31, 12);
const minutes = 5;
const perMinute = 40;

/**
 * Two countries over four partitions, out of order within the sample's bound of ten seconds. At the
 * end each partition has an order far ahead, so that all minutes close.
 */
function orders(): { readonly partition: number; readonly value: unknown }[] {
  const counted = Array.from({ length: minutes * perMinute }, (_, n) => ({
    partition: n % 4,
    value: order(n, begin + Math.floor((n * minute) / perMinute) + ((n * 7) % 9) * 1000),
  }));
  const ahead = Array.from({ length: 4 }, (_, partition) => ({
    partition,
    value: order(10_000 + partition, begin + (minutes + 5) * minute),
  }));
  return [...counted, ...ahead, { partition: 0, value: 'not JSON' }];
}
function order(n: number, at: number): { country: string; amount: number; createdAt: string; id: string } {
  return { id: `o-${n}`, country: n % 3 === 0 ? 'DE' : 'CH', amount: n % 100, createdAt: new Date(at).toISOString() };
}
interface Total {
  readonly country: string;
  readonly windowStart: string;
  readonly orders: number;
  readonly amount: number;
}
function expectedTotals(): Map<string, { orders: number; amount: number }> {
  const totals = new Map<string, { orders: number; amount: number }>();
  for (const { value } of orders()) {
    if (typeof value === 'string') continue;
    const { country, amount, createdAt } = value as ReturnType<typeof order>;
    const at = Date.parse(createdAt);
    if (at >= begin + (minutes + 5) * minute) continue;
    const key = `${country} ${new Date(at - (at % minute)).toISOString()}`;
    const total = totals.get(key) ?? { orders: 0, amount: 0 };
    totals.set(key, { orders: total.orders + 1, amount: total.amount + amount });
  }
  return totals;
}
function asMap(totals: readonly Total[]): Map<string, { orders: number; amount: number }> {
  return new Map(
    totals.map(({ country, windowStart, orders, amount }) => [`${country} ${windowStart}`, { orders, amount }]),
  );
}
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
