// A topic that does not exist: one clear error in its cell with the closest name. No topic is
// created, and the session goes on.
import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { Folder, sluice } from '../cli/sluice.ts';
import { LiveSession } from '../session-live/live-session.ts';

test('an unknown topic is one error that offers the closest name', { skip: whyNoKafka() !== undefined }, async () => {
  const broker = await startBroker();
  const client = await independentClient(broker.brokers);
  vi.stubEnv('SLUICE_BROKERS', broker.brokers);
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
    vi.unstubAllEnvs();
    await client.close();
    await broker.stop();
  }
});

test('a run reports every wrong topic, not only the first', { skip: whyNoKafka() !== undefined }, async (t) => {
  const broker = await startBroker();
  vi.stubEnv('SLUICE_BROKERS', broker.brokers);
  t.onTestFinished(async () => {
    vi.unstubAllEnvs();
    await broker.stop();
  });
  const notebook = new Folder(t).write(
    'wrong.sluice.ts',
    `import { kafka } from 'sluice';
// %% id=one
kafka('missing-1').show();
// %% id=two
kafka('missing-2').show();
// %% id=three
kafka('missing-3').map((record) => record).show();
`,
  );
  const ran = await sluice('run', notebook, '--json');
  assert.equal(ran.code, 1);
  assert.deepEqual(ran.lines.flatMap(({ cell, error }) => (error ? [[cell, error.code]] : [])).sort(), [
    ['one', 'kafka-unknown-topic'],
    ['three', 'kafka-unknown-topic'],
    ['two', 'kafka-unknown-topic'],
  ]);
});
