// Formats, all on one real broker with one real schema registry: records of other clients are read,
// other clients read ours, and a registry that is away, closed or not trusted harms only the
// records that need it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avsc, { type Schema } from 'avsc';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, test } from 'vitest';
import type { SchemaText } from '../../graph/format-spec.ts';
import { startOwnBroker, whyNoKafka, type OwnBroker } from './broker.ts';
import { independentClient, type IndependentClient } from './independent-client.ts';
import { type Certificate, makeCertificate, startProxy, startRegistry, type TestRegistry } from './registry.ts';
import { SinkDriver } from './sink-driver.ts';
import { SourceDriver } from './source-driver.ts';

type SourceParameters = ConstructorParameters<typeof SourceDriver>[0];
const skip = whyNoKafka() !== undefined;
const folder = mkdtempSync(join(tmpdir(), 'sluice-registry-'));
const run = `t${Date.now()}-`;
let broker: OwnBroker;
let registry: TestRegistry;
let client: IndependentClient;
let certificate: Certificate;
const opened: { close(): void }[] = [];

beforeAll(async () => {
  if (skip) return;
  [broker, registry] = await Promise.all([startOwnBroker(), startRegistry()]);
  process.env['SLUICE_BROKERS'] = broker.brokers;
  process.env['SLUICE_REGISTRY'] = registry.url;
  client = await independentClient(broker.brokers);
  certificate = makeCertificate('dns:localhost,ip:127.0.0.1');
  writeFileSync(join(folder, 'ca.pem'), certificate.pem);
}, 300_000);
afterAll(async () => {
  for (const one of opened) one.close();
  await client?.close();
  await Promise.all([registry?.stop(), broker?.stop()]);
  rmSync(folder, { recursive: true });
});

function read(parameters: Omit<SourceParameters, 'from'>): SourceDriver {
  const driver = new SourceDriver({ from: 'earliest', ...parameters });
  opened.push(driver);
  return driver;
}
const all = async (parameters: Omit<SourceParameters, 'from'>): Promise<SourceDriver> => {
  const driver = read({ until: 'latest', ...parameters });
  await driver.ended();
  return driver;
};
const values = ({ rows }: SourceDriver): unknown[] => rows.map(({ value }) => value);
function write(parameters: Omit<ConstructorParameters<typeof SinkDriver>[0], 'delivery'>): SinkDriver {
  const driver = new SinkDriver({ delivery: 'at-least-once', ...parameters });
  opened.push({ close: () => driver.sink.close?.() });
  return driver;
}
function framed(id: number, payload: Uint8Array, index: readonly number[] = []): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, Buffer.from(index), payload]);
}
interface Message {
  readonly value: Buffer | string | null;
  readonly key?: Buffer;
  readonly partition?: number;
}
async function filled(name: string, messages: readonly Message[], partitions = 1): Promise<string> {
  const topic = run + name;
  await client.createTopic(topic, partitions);
  await add(topic, messages);
  return topic;
}
async function add(topic: string, messages: readonly Message[]): Promise<void> {
  await client.producer.send({ topic, messages: messages.map((one) => ({ partition: 0, ...one })) });
}
const order = (...more: readonly object[]): Schema =>
  ({
    type: 'record',
    name: 'Order',
    namespace: 'shop',
    fields: [{ name: 'id', type: 'long' }, { name: 'state', type: 'shop.State' }, ...more],
  }) as Schema;
const state: Schema = { type: 'enum', name: 'State', namespace: 'shop', symbols: ['OPEN', 'SHIPPED'] };

test(
  'Avro with references: each record is read with its own version, and auto says what it found',
  { skip },
  async () => {
    const stateSubject = `${run}state`;
    await registry.register(stateSubject, { schema: JSON.stringify(state) });
    const references = [{ name: 'shop.State', subject: stateSubject, version: 1 }];
    const at = { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } };
    const subject = `${run}avro-value`;
    const ids: number[] = [];
    for (const schema of [
      order(),
      order({ name: 'note', type: ['null', 'string'], default: null }, { ...at, default: 0 }),
    ])
      ids.push(await registry.register(subject, { schema: JSON.stringify(schema), references }));
    const nested = (...more: readonly object[]): avsc.Type => {
      const schema = order(...more) as { fields: { name: string; type: unknown }[] };
      schema.fields[1]!.type = state;
      return avsc.Type.forSchema(schema as unknown as Schema, { wrapUnions: false });
    };
    const first = nested();
    const second = nested({ name: 'note', type: ['null', 'string'] }, { name: 'at', type: 'long' });
    const topic = await filled('avro', [
      { value: framed(ids[0]!, first.toBuffer({ id: 1, state: 'OPEN' })) },
      { value: framed(ids[1]!, second.toBuffer({ id: 2, state: 'SHIPPED', note: 'x', at: 5 })) },
      { value: framed(ids[0]!, first.toBuffer({ id: 3, state: 'OPEN' })) },
    ]);
    for (const format of ['avro', 'auto'] as const) {
      const source = await all({ topic, format });
      assert.deepEqual(values(source), [
        { id: 1, state: 'OPEN' },
        { id: 2, state: 'SHIPPED', note: 'x', at: new Date(5) },
        { id: 3, state: 'OPEN' },
      ]);
      assert.equal(source.source.status().format, format === 'auto' ? 'Avro (schema registry)' : undefined);
    }
  },
);

test('Protobuf with an import and a message index, JSON Schema with a reference', { skip }, async () => {
  const money = 'syntax = "proto3"; package shop; message Money { int64 cents = 1; }';
  const file =
    'syntax = "proto3"; package shop; import "money.proto"; message Other { int32 a = 1; } message Line { Money price = 1; }';
  await registry.register(`${run}money`, { schema: money, schemaType: 'PROTOBUF' });
  const references = [{ name: 'money.proto', subject: `${run}money`, version: 1 }];
  const id = await registry.register(`${run}proto-value`, { schema: file, schemaType: 'PROTOBUF', references });
  const root = protobuf.parse(money, new protobuf.Root()).root;
  const line = protobuf.parse(file, root).root.lookupType('shop.Line');
  const payload = line.encode(line.fromObject({ price: { cents: '9007199254740993' } })).finish();
  const topic = await filled('proto', [{ value: framed(id, payload, [2, 2]) }]);
  assert.deepEqual(values(await all({ topic, format: 'protobuf' })), [{ price: { cents: 9_007_199_254_740_993n } }]);

  const draft = '"$schema":"http://json-schema.org/draft-07/schema#"';
  await registry.register(`${run}price`, { schema: `{${draft},"type":"number","minimum":0}`, schemaType: 'JSON' });
  const schema = `{${draft},"type":"object","properties":{"price":{"$ref":"price.json"}},"required":["price"]}`;
  const json = await registry.register(`${run}json-value`, {
    schema,
    schemaType: 'JSON',
    references: [{ name: 'price.json', subject: `${run}price`, version: 1 }],
  });
  const checked = await filled('json', [
    { value: framed(json, Buffer.from('{"price":5}')) },
    { value: framed(json, Buffer.from('{"price":-1}')) },
  ]);
  const source = await all({ topic: checked, format: 'json-schema' });
  assert.deepEqual(values(source), [{ price: 5 }]);
  assert.match(
    source.errors[0]!.error,
    new RegExp(`\\[0\\]@1 does not fit its schema ${json} \\(JSON Schema\\): its price must be >= 0`),
  );
});

const everyAvro = {
  type: 'record',
  name: 'Every',
  fields: [
    {
      name: 'prices',
      type: { type: 'map', values: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    },
    { name: 'choice', type: ['int', 'string'] },
    {
      name: 'either',
      type: [
        'null',
        { type: 'record', name: 'Line', fields: [{ name: 'n', type: 'int' }] },
        { type: 'record', name: 'Other', fields: [{ name: 'o', type: 'string' }] },
      ],
    },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
    { name: 'clock', type: { type: 'long', logicalType: 'time-micros' } },
    { name: 'local', type: { type: 'long', logicalType: 'local-timestamp-micros' } },
    { name: 'uuid', type: { type: 'string', logicalType: 'uuid' } },
    { name: 'span', type: { type: 'fixed', name: 'Span', size: 12, logicalType: 'duration' } },
  ],
};
const uuid = '00112233-4455-6677-8899-aabbccddeeff';
const everyProtobuf = `syntax = "proto3"; message Order {
  enum State { OPEN = 0; SHIPPED = 1; } State state = 1; repeated State states = 2;
  map<string, int64> counts = 3; map<int32, Line> lines = 4;
} message Line { int32 n = 1; }`;

/** The payload that another library writes, and the row that it is. */
const every: readonly (readonly ['avro' | 'protobuf', SchemaText, () => Uint8Array, unknown])[] = [
  [
    'avro',
    { type: 'AVRO', text: JSON.stringify(everyAvro), references: [] },
    () =>
      avsc.Type.forSchema(everyAvro as unknown as Schema, { wrapUnions: true }).toBuffer({
        ...{ prices: { a: Buffer.from([1, 44]) }, choice: { string: 'x' }, either: { Other: { o: 'y' } }, day: 19_753 },
        ...{ clock: 1_500, local: 6, uuid, span: Buffer.from('010000000200000003000000', 'hex') },
      }),
    {
      ...{ prices: { a: '3.00' }, choice: 'x', either: { Other: { o: 'y' } }, day: new Date('2024-01-31') },
      ...{ clock: 1.5, local: '1970-01-01T00:00:00.000006', uuid, span: { months: 1, days: 2, millis: 3 } },
    },
  ],
  [
    'protobuf',
    { type: 'PROTOBUF', text: everyProtobuf, references: [] },
    () => {
      const order = protobuf.parse(everyProtobuf, new protobuf.Root()).root.lookupType('Order');
      const row = { state: 1, states: [0, 1], counts: { a: '9007199254740993' }, lines: { 7: { n: 1 } } };
      return order.encode(order.fromObject(row)).finish();
    },
    {
      ...{ state: 'SHIPPED', states: ['OPEN', 'SHIPPED'] },
      ...{ counts: { a: 9_007_199_254_740_993n }, lines: { 7: { n: 1 } } },
    },
  ],
];
for (const [format, schemaFile, payload, row] of every)
  test(`all types of ${format} are read, with a registry, and with a schema file and none`, { skip }, async () => {
    const { text: schema, type: schemaType } = schemaFile;
    const id = await registry.register(`${run}every-${format}-value`, { schema, schemaType });
    const index = format === 'protobuf' ? [0] : [];
    const withId = await filled(`every-${format}`, [{ value: framed(id, payload(), index) }]);
    assert.deepEqual(values(await all({ topic: withId, format })), [row]);
    const bare = await filled(`bare-${format}`, [{ value: Buffer.from(payload()) }]);
    const message = format === 'protobuf' ? { message: 'Order' } : {};
    delete process.env['SLUICE_REGISTRY'];
    try {
      assert.deepEqual(values(await all({ topic: bare, format, schemaFile, ...message })), [row]);
    } finally {
      process.env['SLUICE_REGISTRY'] = registry.url;
    }
  });

test('a record that cannot be read goes to errors with offset, schema id and cause', { skip }, async () => {
  const id = await registry.register(`${run}errors-value`, {
    schema: '{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}',
  });
  const topic = await filled('errors', [
    { value: framed(id, Buffer.from([2, 97])) },
    { value: framed(id, Buffer.from([40, 97])) },
    { value: framed(999_999, Buffer.from([0])) },
    { value: 'no header' },
    { value: null },
    { value: framed(id, Buffer.from([2, 98])) },
  ]);
  const source = await all({ topic, format: 'avro' });
  assert.deepEqual(values(source), [{ a: 'a' }, { a: 'b' }]);
  assert.deepEqual(
    source.errors.map(({ offset }) => offset),
    ['1', '2', '3', '4'],
  );
  const problems = source.errors.map(({ error }) => error.slice(error.indexOf('@') + 3, error.indexOf(' It went')));
  assert.deepEqual(problems, [
    `does not fit its schema ${id} (Avro): byte 1 begins something of 20 bytes, but 1 are left.`,
    `has the schema id 999999, which ${registry.url} does not know.`,
    'does not begin with a schema id (a byte 0, then 4 bytes).',
    'has no value (it is a tombstone).',
  ]);
  assert.equal(source.errors[0]!.raw, framed(id, Buffer.from([40, 97])).toString(), 'bytes that are text');
  const binary = await filled('binary', [{ value: framed(id, Buffer.from([255])) }]);
  assert.equal(
    (await all({ topic: binary, format: 'avro' })).errors[0]!.raw,
    framed(id, Buffer.from([255])).toString('base64'),
  );
});

test(
  'while the registry is away, known schemas go on, and only the partition with an unknown one waits',
  { skip },
  async () => {
    const proxy = await startProxy(registry.url);
    process.env['SLUICE_REGISTRY_AWAY'] = proxy.url;
    const one = await registry.register(`${run}one`, { schema: '"long"' });
    const two = await registry.register(`${run}two`, { schema: '"string"' });
    const topic = await filled('away', [{ value: framed(one, Buffer.from([2])) }], 2);
    const source = read({
      topic,
      format: 'avro',
      registry: 'away',
      watermark: { outOfOrdernessMillis: 0, idlenessMillis: 300 },
    });
    await source.until('the first row', () => source.rows.length === 1);
    await proxy.goAway();
    await add(topic, [
      { value: framed(two, Buffer.from([2, 97])), partition: 1 },
      { value: framed(one, Buffer.from([4])), partition: 1 },
      { value: framed(one, Buffer.from([6])) },
    ]);
    await source.until('a known schema', () => source.rows.length === 2);
    await source.until('the reason', () => source.source.status().waiting?.includes('ECONNREFUSED') === true);
    assert.match(
      source.source.status().waiting!,
      new RegExp(`^schema ${two} cannot be fetched from .*; trying again$`),
    );
    assert.deepEqual(values(source), [1, 3]);
    await proxy.comeBack();
    await source.until('the rows that waited', () => source.rows.length === 4);
    assert.deepEqual(
      source.rows.filter(({ partition }) => partition === 1).map(({ value }) => value),
      ['a', 2],
    );
    assert.equal(source.errors.length, 0);
    await proxy.goAway();
  },
);

test('a registry with TLS and basic auth is read; without trust or password there is one error', { skip }, async () => {
  const auth = 'ann:s3cret';
  const proxy = await startProxy(registry.url, auth, certificate);
  const id = await registry.register(`${run}tls`, { schema: '"long"' });
  const topic = await filled('tls', [{ value: framed(id, Buffer.from([2])) }]);
  const name = 'SLUICE_REGISTRY_SAFE';
  const attempt = async (environment: Readonly<Record<string, string>>): Promise<string> => {
    for (const variable of [name, `${name}_AUTH`, `${name}_CA`]) delete process.env[variable];
    Object.assign(process.env, environment);
    const source = read({ topic, format: 'auto', registry: 'safe' });
    try {
      await source.until('a row', () => source.rows.length === 1);
      return JSON.stringify(values(source));
    } catch (error) {
      assert.ok(!(error as Error).message.includes('s3cret'));
      return (error as { code: string }).code;
    }
  };
  const trusted = { [name]: proxy.url, [`${name}_CA`]: join(folder, 'ca.pem') };
  assert.equal(await attempt({ ...trusted, [`${name}_AUTH`]: auth }), '[1]');
  assert.equal(await attempt({ ...trusted, [`${name}_AUTH`]: 'ann:wrong-s3cret' }), 'registry-refused');
  assert.equal(await attempt(trusted), 'registry-refused');
  assert.equal(await attempt({ [name]: proxy.url, [`${name}_AUTH`]: auth }), 'registry-tls', 'an unknown authority');
  const other = makeCertificate('dns:elsewhere');
  writeFileSync(join(folder, 'other.pem'), other.pem);
  const wrongName = await startProxy(registry.url, auth, other);
  const environment = { [name]: wrongName.url, [`${name}_CA`]: join(folder, 'other.pem'), [`${name}_AUTH`]: auth };
  assert.equal(await attempt(environment), 'registry-tls', 'another host name');
  const plain = { ...trusted, [name]: registry.url.replace('http:', 'https:') };
  assert.equal(await attempt(plain), 'registry-tls', 'TLS where there is none');
  await Promise.all([proxy.goAway(), wrongName.goAway()]);
});

test('Avro is written with a schema that is registered or only used, and others read it', { skip }, async () => {
  const schema = {
    type: 'record',
    name: 'Total',
    fields: [
      { name: 'who', type: 'string' },
      { name: 'sum', type: 'long' },
    ],
  };
  const schemaFile: SchemaText = { type: 'AVRO', text: JSON.stringify(schema), references: [] };
  const topic = await filled('totals', []);
  const refused = write({ topic, format: 'avro', avro: { schemas: 'use', schemaFile } });
  assert.equal((await refused.failed()).code, 'registry-no-schema');
  const rows = [{ value: { who: 'ann', sum: 2n ** 60n }, timestamp: 1 }];
  const sink = write({ topic, format: 'avro', avro: { schemas: 'register', schemaFile } });
  await sink.write(rows);
  await sink.flush();
  for (const avro of [{ schemas: 'use', schemaFile }, { schemas: 'use' }] as const) {
    const again = write({ topic, format: 'avro', avro });
    await again.write([{ value: { who: 'bob', sum: 5 }, timestamp: 2 }]);
    await again.flush();
  }
  assert.deepEqual(values(await all({ topic, format: 'auto' })), [
    { who: 'ann', sum: 2n ** 60n },
    { who: 'bob', sum: 5 },
    { who: 'bob', sum: 5 },
  ]);
  const seen = await seenByOthers(topic, 3);
  const type = avsc.Type.forSchema(schema as Schema);
  assert.deepEqual({ ...(type.fromBuffer(seen[2]!.subarray(5)) as object) }, { who: 'bob', sum: 5 });
  const bad = write({ topic, format: 'avro', avro: { schemas: 'use' } });
  await assert.rejects(bad.write([{ value: { who: 'ann' }, timestamp: 1 }]), {
    code: 'kafka-bad-row',
    message: /Its field "sum" is missing; its schema wants a long/,
  });
  const other: SchemaText = { ...schemaFile, text: '"int"' };
  await registry.register(`${run}strict-value`, { schema: schemaFile.text });
  await fetch(`${registry.url}/config/${run}strict-value`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: '{"compatibility":"BACKWARD"}',
  });
  const strict = await filled('strict', []);
  const conflict = write({ topic: strict, format: 'avro', avro: { schemas: 'register', schemaFile: other } });
  assert.equal((await conflict.failed()).code, 'registry-refused-schema');
});
async function seenByOthers(topic: string, count: number): Promise<Buffer[]> {
  const consumer = client.kafka.consumer({ groupId: `${topic}-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const seen: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    void consumer
      .run({
        eachMessage: async ({ message }) => {
          seen.push(message.value!);
          if (seen.length === count) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return seen;
}

test('bytes and texts are written and found again; a table reads Avro keys', { skip }, async () => {
  const bytes = await filled('bytes', []);
  const sink = write({ topic: bytes, format: 'bytes' });
  await sink.write([{ value: new Uint8Array([255, 0]), timestamp: 1 }]);
  await sink.flush();
  assert.deepEqual(values(await all({ topic: bytes, format: 'auto' })), [new Uint8Array([255, 0])]);
  const texts = await filled('texts', []);
  const lines = write({ topic: texts, format: 'string' });
  await lines.write([{ value: 'hello', timestamp: 1 }]);
  await lines.flush();
  assert.deepEqual(values(await all({ topic: texts, format: 'auto' })), ['hello']);

  const id = await registry.register(`${run}table-key`, { schema: '"long"' });
  const key = (n: number): Buffer => framed(id, Buffer.from([n * 2]));
  const topic = await filled('table', [
    { key: key(1), value: '{"id":1}' },
    { key: key(2), value: '{"id":2}' },
    { key: key(1), value: null },
  ]);
  const source = await all({ topic, format: 'json', tableKey: 'id', keyFormat: { format: 'avro' } });
  assert.deepEqual(values(source), [
    { key: 1, row: { id: 1 } },
    { key: 2, row: { id: 2 } },
    { key: 1, row: null },
  ]);
});
