// Everything that people give wrong about a secured broker and its schemas, in one live session,
// beside a cell that goes on. Each mistake is one clear error of its own cell.
import assert from 'node:assert/strict';
import avsc from 'avsc';
import { afterAll, beforeAll, describe, test, type TestContext } from 'vitest';
import { whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import {
  startProxy,
  startRegistry,
  type RegistryProxy,
  type TestRegistry,
} from '../../../engine/test/kafka/registry.ts';
import { allow, startSecuredBroker, type SecuredBroker } from '../../../engine/test/kafka/secured-broker.ts';
import { startTokenEndpoint, type TokenEndpoint } from '../../../engine/test/kafka/token-endpoint.ts';
import { isAlive } from '../../client/registry.ts';
import type { ConnectionDefinition, ConnectionDefinitions, SaslDefinition } from '../../protocol/connections.ts';
import { LiveNotebook } from './live-notebook.ts';

const skip = whyNoKafka();
let broker: SecuredBroker;
let client: IndependentClient;
let registry: TestRegistry;
/** The registry as the session reaches it: with a password, and it can go away. */
let proxy: RegistryProxy;
let tokens: TokenEndpoint;
onBroker(startSecuredBroker, (started) => ({ broker, client } = started));

const wrongPassword = 'wr0ng-5ecret';
const registryPassword = 's3cret';
const type = avsc.Type.forSchema({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'customer', type: 'string' },
  ],
});
let schemaId: number;

beforeAll(async () => {
  if (skip !== undefined) return;
  registry = await startRegistry();
  proxy = await startProxy(registry.url, `ann:${registryPassword}`);
  tokens = await startTokenEndpoint();
  tokens.answer = { status: 401, body: { error: 'invalid_client', error_description: 'No such client' } };
  schemaId = await registry.register('avro-value', { schema: JSON.stringify(type.schema()) });
  await registry.register('totals-value', { schema: JSON.stringify(type.schema()) });
  for (const topic of ['orders', 'avro', 'unknown', 'unfit', 'totals']) await client.createTopic(topic, 1);
  await client.send('orders', [{ value: { n: 0 } }]);
  const good = framed(schemaId, type.toBuffer({ id: 1, customer: 'ann' }));
  const records = {
    avro: [good],
    unknown: [good, framed(999_999, Buffer.from([0])), good],
    // A text of 20 bytes begins, and the record ends.
    unfit: [good, framed(schemaId, Buffer.from([2, 40, 97])), good],
  };
  for (const [topic, values] of Object.entries(records))
    await client.producer.send({ topic, messages: values.map((value) => ({ value })) });
  await allow(client, 'ann', [{ topic: 'orders', rights: ['READ', 'DESCRIBE'] }]);
}, 300_000);
afterAll(async () => {
  tokens?.close();
  await proxy?.goAway();
  await registry?.stop();
});

function framed(id: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, payload]);
}

function connections(): ConnectionDefinitions {
  const tls = { ca: broker.files.ca };
  const password = (value: string): SaslDefinition => ({
    ...{ mechanism: 'scram-sha-256', username: 'ann' },
    password: { value },
  });
  const endpoint: SaslDefinition = {
    ...{ mechanism: 'oauthbearer', tokenEndpoint: tokens.url, clientId: 'sluice' },
    clientSecret: { value: 'client-5ecret' },
  };
  const command = ['no-such-program'];
  const schemas = (value: string): ConnectionDefinition => ({
    brokers: broker.brokers,
    registry: { url: proxy.url, username: 'ann', password: { value } },
  });
  return {
    good: { brokers: broker.at.sasl, tls, sasl: password(broker.passwords.ann) },
    wrongPassword: { brokers: broker.at.sasl, tls, sasl: password(wrongPassword) },
    expired: { brokers: broker.at.expired, tls },
    wrongHost: { brokers: broker.at.wrongHost, tls },
    tlsInPlain: { brokers: broker.at.tls },
    plainInTls: { brokers: broker.brokers, tls },
    refusedToken: { brokers: broker.at.sasl, tls, sasl: endpoint },
    noTokenProgram: { brokers: broker.at.sasl, tls, sasl: { mechanism: 'oauthbearer', tokenCommand: command } },
    schemas: schemas(registryPassword),
    wrongRegistryPassword: schemas(wrongPassword),
  };
}

const read = (topic: string, connection: string): string =>
  `kafka('${topic}', { connection: '${connection}', from: 'earliest' }).show();`;
const withErrors = (topic: string): string =>
  `const ${topic} = kafka('${topic}', { connection: 'schemas', from: 'earliest', format: 'avro' });\nview(${topic}, ${topic}.errors);`;
const cells = {
  ticks: "import { generate, kafka, view } from 'sluice';\ngenerate({ rate: 100 }, ({ n }) => ({ n })).show();",
  good: read('orders', 'good'),
  wrongPassword: read('orders', 'wrongPassword'),
  expired: read('orders', 'expired'),
  wrongHost: read('orders', 'wrongHost'),
  tlsInPlain: read('orders', 'tlsInPlain'),
  plainInTls: read('orders', 'plainInTls'),
  refusedToken: read('orders', 'refusedToken'),
  noTokenProgram: read('orders', 'noTokenProgram'),
  wrongRegistryPassword: read('avro', 'wrongRegistryPassword'),
  registryDown: read('avro', 'schemas'),
  unknown: withErrors('unknown'),
  unfit: withErrors('unfit'),
  unfitRow: "generate({ rate: 10 }, ({ n }) => ({ id: n })).to('totals', { connection: 'schemas', format: 'avro' });",
} as const;
type CellName = keyof typeof cells;

const open = (t: TestContext): Promise<LiveNotebook<CellName>> =>
  LiveNotebook.open(t, { cells, connections: connections(), first: 'ticks' });

/** Code, and what the error says: the problem, and the way out. */
const refusals: readonly [CellName, string, RegExp][] = [
  [
    'wrongPassword',
    'kafka-login',
    /refused the log-in of user "ann" \(SCRAM-SHA-256\)\. Correct sasl\.username or sasl\.password in connection "wrongPassword" of the setting sluice\.connections\.$/,
  ],
  [
    'expired',
    'kafka-tls',
    /^The certificate of 127\.0\.0\.1:\d+ expired on \d{4}-\d\d-\d\d\. Renew it at the broker\.$/,
  ],
  [
    'wrongHost',
    'kafka-tls',
    /^The certificate of \S+ is for broker\.example, not for 127\.0\.0\.1\. Give the name in it as tls\.serverName in connection "wrongHost"/,
  ],
  ['tlsInPlain', 'kafka-tls', /speaks TLS, and connection "tlsInPlain" .* has no `tls`\. Give it "tls": true\.$/],
  ['plainInTls', 'kafka-tls', /does not speak TLS\. Leave `tls` out of connection "plainInTls"/],
  [
    'refusedToken',
    'kafka-token',
    /^The token endpoint \S+ gave no token: it answers 401 \(No such client\)\. Correct sasl\.tokenEndpoint, clientId/,
  ],
  [
    'noTokenProgram',
    'kafka-token',
    /^The token command no-such-program gave no token: there is no such program\. Correct sasl\.tokenCommand/,
  ],
  [
    'wrongRegistryPassword',
    'registry-refused',
    /^The schema registry \S+ answers 401 \(not authenticated\)\. It does not accept the user and password\. Correct registry\.username and registry\.password of connection "wrongRegistryPassword"/,
  ],
];

describe.skipIf(skip !== undefined)('bad input in a live session', () => {
  test('each mistake is one clear error of its cell, and all others go on', async (t) => {
    const notebook = await open(t);
    const { pid } = notebook.connection.entry;
    const isRefused = (cell: CellName): boolean => notebook.errors(cell).length > 0;
    for (const [cell, name, text] of refusals) {
      await notebook.run(cell);
      await notebook.until(cell, () => isRefused(cell));
      await notebook.goesOn('ticks');
      const [error, ...more] = notebook.errors(cell);
      assert.deepEqual([error!.code, more], [name, []], error!.message);
      assert.match(error!.message, text);
      await notebook.until(cell, () => notebook.state(cell).phase === 'failed');
      assert.deepEqual(
        notebook.state(cell).errors.map(({ message }) => message),
        [error!.message],
      );
    }

    // All of them at once, again, and a cell that is right among them.
    await notebook.run(...refusals.map(([cell]) => cell), 'good');
    for (const [cell] of refusals) await notebook.until(cell, () => isRefused(cell));
    await notebook.until('good', () => notebook.rows('good').length === 1);
    await notebook.goesOn('ticks');
    assert.deepEqual([notebook.errors('good'), isAlive(pid)], [[], true]);
    const shown = JSON.stringify(refusals.map(([cell]) => notebook.errors(cell)));
    for (const secret of [wrongPassword, broker.passwords.ann, 'client-5ecret']) assert.ok(!shown.includes(secret));
  });

  test('a registry that is down is named, and the cell goes on when it is back', async (t) => {
    const notebook = await open(t);
    await proxy.goAway();
    await notebook.run('registryDown');
    const trouble = (): string => notebook.state('registryDown').trouble ?? '';
    await notebook.until('registryDown', () => trouble() !== '');
    assert.match(
      trouble(),
      new RegExp(`schema ${schemaId} cannot be fetched from ${proxy.url}: .*ECONNREFUSED.*; trying again`),
    );
    await notebook.goesOn('ticks');
    assert.deepEqual(notebook.errors('registryDown'), []);
    const tested = async (name: string) => (await notebook.connection.request('testConnection', { name })).error;
    const away = await tested('schemas');
    assert.deepEqual([away?.step, away?.code], ['registry', 'registry-away']);
    assert.match(
      away!.message,
      /does not answer: .*ECONNREFUSED.*\. Start it, or correct registry\.url of connection "schemas"/,
    );
    await proxy.comeBack();
    assert.equal(await tested('schemas'), undefined);
    const refused = await tested('wrongRegistryPassword');
    assert.deepEqual([refused?.step, refused?.code], ['registry', 'registry-refused']);
    await notebook.until('registryDown', () => notebook.rows('registryDown').length === 1);
    await notebook.until('registryDown', () => trouble() === '');
  });

  test('a record whose schema is not known or does not fit is named, and those around it are read', async (t) => {
    const notebook = await open(t);
    for (const [cell, problem] of [
      ['unknown', `unknown[0]@1 has the schema id 999999, which ${proxy.url} does not know.`],
      ['unfit', `unfit[0]@1 does not fit its schema ${schemaId} (Avro): `],
    ] as const) {
      await notebook.run(cell);
      await notebook.until(cell, () => notebook.rows(cell).length === 2 && notebook.rows(cell, 1).length === 1);
      const [rejected] = notebook.rows(cell, 1) as [{ readonly offset: string; readonly error: string }];
      assert.ok(rejected.error.startsWith(problem), rejected.error);
      assert.equal(rejected.offset, '1');
      await notebook.until(cell, () => notebook.state(cell).rejected !== undefined);
      const [about] = notebook.state(cell).rejected!;
      assert.equal(about!.text, `1 of 3 records of kafka ${cell} was rejected so far`);
      assert.ok(about!.first?.startsWith(problem), about!.first);
      assert.deepEqual(notebook.errors(cell), []);
      await notebook.goesOn('ticks');
    }
  });

  test('a row that does not fit the schema of its topic is one error of the sink', async (t) => {
    const notebook = await open(t);
    await notebook.run('unfitRow');
    await notebook.connection.request('arm', { cell: 'unfitRow', armed: true });
    await notebook.until('unfitRow', () => notebook.errors('unfitRow').length > 0);
    const [error, ...more] = notebook.errors('unfitRow');
    assert.deepEqual([error!.code, more], ['kafka-bad-row', []], error!.message);
    assert.match(error!.message, /Its field "customer" is missing; its schema wants a string/);
    await notebook.goesOn('ticks');
  });
});
