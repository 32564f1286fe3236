// An exported job on a broker with TLS and log-in and on a schema registry with TLS and log-in: it
// reads and writes Avro with no right but those that it needs, goes on after a kill, and shows no
// secret. A wrong password is one error.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import avsc, { type Schema } from 'avsc';
import { afterAll, beforeAll, test } from 'vitest';
import { whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { followTopics } from '../../../engine/test/kafka/console-consumer.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import {
  makeCertificate,
  type RegistryProxy,
  startProxy,
  startRegistry,
  type TestRegistry,
} from '../../../engine/test/kafka/registry.ts';
import { allow, startSecuredBroker, type SecuredBroker } from '../../../engine/test/kafka/secured-broker.ts';
import { exported, folderOf, start } from '../cli/job-process.ts';
import { groupOffsets } from './group-offsets.ts';

const skip = whyNoKafka() !== undefined;
let broker: SecuredBroker;
let client: IndependentClient;
let registry: TestRegistry;
let proxy: RegistryProxy;
onBroker(startSecuredBroker, (started) => ({ broker, client } = started));

const registryPassword = 'reg1stry-5ecret';
const certificate = skip ? undefined : makeCertificate('ip:127.0.0.1');
beforeAll(async () => {
  if (skip) return;
  registry = await startRegistry();
  proxy = await startProxy(registry.url, `job:${registryPassword}`, certificate);
}, 300_000);
afterAll(async () => {
  await proxy?.goAway();
  await registry?.stop();
});

const schemaOf = (name: string, fields: Readonly<Record<string, string>>): object => ({
  ...{ type: 'record', name },
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
});
const orderSchema = schemaOf('Order', { k: 'string', v: 'int' });
const totalSchema = schemaOf('Total', { k: 'string', n: 'int', total: 'int' });

const notebook = `// %% id=orders
import { configure, count, kafka, sum } from 'sluice';
configure({ checkpoint: { interval: '300ms' } });
const orders = kafka<{ k: string; v: number }>('orders', { connection: 'prod', from: 'earliest' });

// %% id=out
orders.keyBy('k').aggregate({ n: count(), total: sum('v') }).to('totals', {
  connection: 'prod', key: 'k', delivery: 'exactly-once', format: 'avro', schemaFile: 'total.avsc', schemas: 'register',
});
`;
const application = 'secured';
const keys = 3;

/** Orders `from` to `to`, in Confluent's frame. */
async function sendOrders(id: number, from: number, to: number): Promise<void> {
  const type = avsc.Type.forSchema(orderSchema as Schema);
  const messages = Array.from({ length: to - from }, (_, i) => {
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(id, 1);
    return { partition: 0, value: Buffer.concat([frame, type.toBuffer({ k: `k${(from + i) % keys}`, v: from + i })]) };
  });
  await client.producer.send({ topic: 'orders', messages });
}

interface Total {
  readonly k: string;
  readonly n: number;
  readonly total: number;
}
/** The committed totals, as Java's consumer reads their bytes. */
async function committedTotals(count: number): Promise<readonly Total[]> {
  const last = 'the last record';
  await client.producer.send({ topic: 'totals', messages: [{ partition: 0, value: last }] });
  const consumer = await followTopics(broker.brokers, ['totals'], [], {
    'value.deserializer': 'org.apache.kafka.common.serialization.BytesDeserializer',
  });
  const types = new Map<number, avsc.Type>();
  const rows: Total[] = [];
  for await (const line of consumer.lines) {
    if (line === last) break;
    const bytes = Buffer.from(
      line.replaceAll(/\\x([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    );
    assert.equal(bytes[0], 0, line);
    const id = bytes.readUInt32BE(1);
    if (!types.has(id)) {
      const { schema } = (await (await fetch(`${registry.url}/schemas/ids/${id}`)).json()) as { schema: string };
      types.set(id, avsc.Type.forSchema(JSON.parse(schema) as Schema));
    }
    rows.push({ ...(types.get(id)!.fromBuffer(bytes.subarray(5)) as Total) });
  }
  await consumer.close();
  assert.equal(rows.length, count);
  return rows;
}

test(
  'a job logs in to broker and registry, goes on after a kill, and shows no secret',
  { skip, timeout: 600_000 },
  async (t) => {
    const folder = folderOf(t, {
      ...{ 'n.sluice.ts': notebook, 'total.avsc': JSON.stringify(totalSchema) },
      ...{ 'registry-ca.pem': certificate!.pem, password: `${registryPassword}\n` },
    });
    const job = await exported(folder);
    await client.createTopic('orders', 1);
    await client.createTopic('totals', 1);
    const id = await registry.register('orders-value', { schema: JSON.stringify(orderSchema) });
    await allow(client, 'ann', [
      { topic: 'orders', rights: ['READ', 'DESCRIBE'] },
      { topic: 'totals', rights: ['WRITE', 'DESCRIBE'] },
      { transactions: 'sluice-', rights: ['WRITE', 'DESCRIBE'] },
      ...[application, `${application}.instance`].map((group) => ({ group, rights: ['READ'] as const })),
    ]);
    const prod = {
      ...{ brokers: broker.at.sasl, tls: { ca: broker.files.ca } },
      sasl: { mechanism: 'scram-sha-512', username: 'ann', password: { env: 'ANN_PASSWORD' } },
      registry: {
        ...{ url: proxy.url, username: 'job', password: { file: join(folder, 'password') } },
        ca: join(folder, 'registry-ca.pem'),
      },
    };
    const environment = {
      ...{ SLUICE_CONNECTIONS: JSON.stringify({ prod }), SLUICE_APPLICATION_ID: application },
      ANN_PASSWORD: broker.passwords.ann,
    };
    const wrong = start(job, { ...environment, ANN_PASSWORD: 'wr0ng-5ecret' });
    assert.notEqual((await wrong.ended).code, 0);
    const errors = wrong.log().filter(({ level }) => level === 'error');
    assert.deepEqual([...new Set(errors.map(({ code }) => code))], ['kafka-login'], JSON.stringify(wrong.log()));

    await sendOrders(id, 0, 60);
    const lives = [wrong];
    for (const count of [60, 120]) {
      const life = start(job, environment);
      lives.push(life);
      const hasAll = async (): Promise<boolean> => (await groupOffsets(client, application, 'orders')) === count;
      await life.until(hasAll, `the offsets of ${count} orders`);
      if (count === 120) assert.equal(await life.end('SIGTERM'), 0, JSON.stringify(life.log()));
      else await life.end('SIGKILL');
      assert.deepEqual(
        life.log().filter(({ level, message }) => level !== 'info' && !message.startsWith('The job goes on from')),
        [],
      );
      if (count === 60) await sendOrders(id, 60, 120);
    }

    const sums = Array.from({ length: keys }, () => 0);
    const expected = Array.from({ length: 120 }, (_, v): Total => {
      const key = v % keys;
      return { k: `k${key}`, n: Math.floor(v / keys) + 1, total: (sums[key]! += v) };
    });
    assert.deepEqual(await committedTotals(expected.length), expected);

    const state = readdirSync(job, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = state.map(({ name, parentPath }) => readFileSync(join(parentPath, name), 'latin1'));
    for (const secret of [broker.passwords.ann, registryPassword, 'wr0ng-5ecret'])
      for (const text of [...texts, ...lives.map((life) => JSON.stringify(life.log()))])
        assert.ok(!text.includes(secret));
  },
);
