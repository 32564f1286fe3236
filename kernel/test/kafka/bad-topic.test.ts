// A topic that does not exist: one clear error in its cell with the closest name. No topic is
// created, and the session goes on.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { LiveSession } from '../session-live/live-session.ts';

test('an unknown topic is one error that offers the closest name', { skip: whyNoKafka() !== undefined }, async () => {
  const broker = await startBroker();
  const client = await independentClient(broker.brokers);
  const former = process.env['SLUICE_BROKERS'];
  process.env['SLUICE_BROKERS'] = broker.brokers;
  try {
    await client.createTopic('orders', 2);
    const topics = (await client.admin.listTopics()).sort();
    await using session = new LiveSession();
    session.edit(
      'ticks',
      `import { generate, kafka } from 'sluice';\ngenerate({ rate: 100 }, ({ n }) => ({ n })).show();`,
    );
    await session.ran('ticks');
    session.edit('orders', `const orders = kafka('ordres');\norders.show();`);
    const [result] = await session.run('orders');
    const error = result!.ok
      ? await session.until(
          () => session.state('orders')!.errors[0],
          (seen) => seen !== undefined,
          'the error',
        )
      : result!.error;
    assert.equal(error!.code, 'kafka-unknown-topic');
    assert.equal(error!.message, `Topic "ordres" is not on ${broker.brokers}. Closest: "orders".`);
    const total = session.total('ticks');
    await session.until(
      () => session.total('ticks'),
      (now) => now > total + 20,
      'rows of the other cell',
    );
    assert.deepEqual((await client.admin.listTopics()).sort(), topics, 'looking creates no topic');

    session.edit('orders', `const orders = kafka('orders', { from: 'earliest' });\norders.show();`);
    await session.ran('orders');
    await client.send('orders', [{ value: { id: 'o-1' } }]);
    await session.until(
      () => session.rows('orders'),
      (rows) => rows.length === 1,
      'the order',
    );
    assert.deepEqual(session.state('orders')!.errors, []);
  } finally {
    if (former === undefined) delete process.env['SLUICE_BROKERS'];
    else process.env['SLUICE_BROKERS'] = former;
    await client.close();
    await broker.stop();
  }
});
