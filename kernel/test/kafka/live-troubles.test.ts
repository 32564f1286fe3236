// What people meet or give wrong about topics and brokers, in one live session beside a cell that
// goes on. Each is one clear error or trouble of its own cell, and passes when its reason has gone.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, test, type TestContext } from 'vitest';
import { freePorts, startOwnBroker, whyNoKafka, type OwnBroker } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { LiveNotebook } from './live-notebook.ts';

const skip = whyNoKafka();
let broker: OwnBroker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));

/** It accepts each connection and never answers. */
let silent: Server;
beforeAll(async () => {
  if (skip !== undefined) return;
  silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  for (const topic of ['orders', 'held', 'wild', 'written']) await client.createTopic(topic, 1);
  await client.send('orders', [{ value: { n: 0 } }, { value: { n: 1 } }]);
  const at = Date.UTC(2024, 0, 1);
  const times = [at, 'noon', -9e15, 9.3e18, null, at + 1];
  await client.send(
    'wild',
    times.map((time, n) => ({ value: { n, at: time } })),
  );
});
afterAll(() => void silent?.close());

const cells = {
  ticks: "import { generate, kafka, view } from 'sluice';\ngenerate({ rate: 50 }, ({ n }) => ({ n })).show();",
  orders: "kafka('orders', { from: 'earliest' }).show();",
  typo: "kafka('ordes', { from: 'earliest' }).show();",
  beyond: "kafka('orders', { from: { offsets: { 0: '7' } } }).show();",
  silent: "kafka('orders', { connection: 'silent' }).show();",
  held: "kafka('held', { from: 'earliest' }).show();",
  wild: "const wild = kafka('wild', { from: 'earliest', timestamp: 'at' });\nview(wild, wild.errors);",
  written: "generate({ rate: 50 }, ({ n }) => ({ n })).to('written', { delivery: 'at-least-once' });",
} as const;
type CellName = keyof typeof cells;

function open(t: TestContext): Promise<LiveNotebook<CellName>> {
  const { port } = silent.address() as { port: number };
  const connections = { default: { brokers: broker.brokers }, silent: { brokers: `127.0.0.1:${port}` } };
  return LiveNotebook.open(t, { cells, connections, first: 'ticks' });
}

describe.skipIf(skip !== undefined)('topics and brokers in a live session', () => {
  test('a topic with a typo and offsets that are not there are one error each', async (t) => {
    const notebook = await open(t);
    for (const [cell, code, text] of [
      ['typo', 'kafka-unknown-topic', /"ordes".*"orders"/],
      [
        'beyond',
        'kafka-bad-offsets',
        /^orders\[0\] holds the offsets 0 to 2; `from\.offsets` asks for 7\. Give one of them/,
      ],
    ] as const) {
      await notebook.run(cell);
      await notebook.until(cell, () => notebook.errors(cell).length > 0 && notebook.state(cell).phase === 'failed');
      const [error, ...more] = notebook.errors(cell);
      assert.deepEqual([error!.code, more], [code, []], error!.message);
      assert.match(error!.message, text);
      await notebook.goesOn('ticks');
    }
    await notebook.run('orders');
    await notebook.until('orders', () => notebook.rows('orders').length === 2);
  });

  test('a broker that accepts and never answers is named after the seconds that it had, fewer than ten', async (t) => {
    const notebook = await open(t);
    await notebook.run('silent');
    await notebook.until('silent', () => notebook.trouble('silent') !== '');
    const trouble = notebook.trouble('silent');
    const [, seconds] =
      /127\.0\.0\.1:\d+ accepted the connection but did not answer within (\d+) s/.exec(trouble) ?? [];
    assert.ok(Number(seconds) < 10, trouble);
    assert.match(trouble, /trying again$/);
    assert.deepEqual(notebook.errors('silent'), []);
    await notebook.goesOn('ticks');
  });

  test('a transaction that holds the reader back is said with its age, until it ends', async (t) => {
    const notebook = await open(t);
    const transactions = client.kafka.producer({ transactionalId: 'held', maxInFlightRequests: 1, idempotent: true });
    await transactions.connect();
    t.onTestFinished(() => transactions.disconnect());
    const transaction = await transactions.transaction();
    await transaction.send({ topic: 'held', messages: [{ value: '{"n":1}' }] });
    await notebook.run('held');
    await notebook.until('held', () => /open transaction/.test(notebook.trouble('held')));
    assert.match(
      notebook.trouble('held'),
      /^held\[0\] waits for an open transaction of "held" that begins at offset 0 \(since (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\)/,
    );
    assert.deepEqual([notebook.rows('held'), notebook.errors('held')], [[], []]);
    await notebook.goesOn('ticks');
    await transaction.commit();
    await notebook.until('held', () => notebook.rows('held').length === 1 && notebook.trouble('held') === '');
  });

  test('records with times that no clock has are rejected by name, and those around them are read', async (t) => {
    const notebook = await open(t);
    await notebook.run('wild');
    await notebook.until('wild', () => notebook.rows('wild').length === 2 && notebook.rows('wild', 1).length === 4);
    const rejected = notebook.rows('wild', 1) as readonly { readonly offset: string; readonly error: string }[];
    assert.deepEqual(rejected.map(({ offset }) => offset).sort(), ['1', '2', '3', '4']);
    for (const { offset, error } of rejected) assert.match(error, /"at"/, `${offset}: ${error}`);
    await notebook.until('wild', () => notebook.state('wild').rejected !== undefined);
    assert.deepEqual(notebook.errors('wild'), []);
    await notebook.goesOn('ticks');
  });

  test('cells that run while the broker is down are live when it is back, without a restart', async (t) => {
    const notebook = await open(t);
    await broker.kill();
    await notebook.run('orders', 'written');
    await notebook.connection.request('arm', { cell: 'written', armed: true });
    for (const cell of ['orders', 'written'] as const) {
      await notebook.until(cell, () => /refused the connection/.test(notebook.trouble(cell)));
      assert.match(notebook.trouble(cell), new RegExp(broker.brokers));
      assert.deepEqual(notebook.errors(cell), []);
    }
    await notebook.goesOn('ticks');
    await broker.start();
    await notebook.until('orders', () => notebook.rows('orders').length === 2);
    await client.send('orders', [{ value: { n: 2 } }]);
    await notebook.until('orders', () => notebook.rows('orders').length === 3);
    const written = async (): Promise<number> => Number((await client.admin.fetchTopicOffsets('written'))[0]!.high);
    while ((await written()) === 0) await notebook.goesOn('ticks');
    for (const cell of ['orders', 'written'] as const)
      await notebook.until(cell, () => notebook.trouble(cell) === '' && notebook.state(cell).phase === 'live');
  });

  test('an advertised name that nobody reaches is named as that, and passes when it is right', async (t) => {
    const notebook = await open(t);
    const [port] = await freePorts(1);
    await broker.kill();
    broker.configure({ 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` });
    await broker.start();
    await notebook.run('orders');
    await notebook.until('orders', () => /advertised/.test(notebook.trouble('orders')));
    assert.match(
      notebook.trouble('orders'),
      new RegExp(`broker 1 is reached by its advertised name 127\\.0\\.0\\.1:${port} \\(advertised\\.listeners\\)`),
    );
    assert.deepEqual(notebook.errors('orders'), []);
    await notebook.goesOn('ticks');
    await broker.kill();
    broker.configure({});
    await broker.start();
    await notebook.until('orders', () => notebook.rows('orders').length >= 2 && notebook.trouble('orders') === '');
  });
});
