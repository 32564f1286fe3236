// What records have beside their values, on a real broker with a real schema registry: keys and
// headers are sampled without a source, read in every format with meta: true, written by to(), and
// read by another client.
import assert from 'node:assert/strict';
import avsc from 'avsc';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, test } from 'vitest';
import type { SchemaText } from '../../graph/format-spec.ts';
import { listTopics, sampleRecords } from '../../connectors/kafka/topic-look.ts';
import type { Meta } from '../../connectors/kafka/meta-decoder.ts';
import { startBroker, whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { startProxy, startRegistry, type TestRegistry } from './registry.ts';
import { SinkDriver } from './sink-driver.ts';
import { type SourceDriver, sourceDrivers } from './source-driver.ts';

type SourceParameters = ConstructorParameters<typeof SourceDriver>[0];
type SinkParameters = ConstructorParameters<typeof SinkDriver>[0];
const skip = whyNoKafka() !== undefined;
const run = `keys-${process.pid}-`;
let client: IndependentClient;
let registry: TestRegistry;
onBroker(startBroker, (started) => ({ client } = started));
const drive = sourceDrivers();
beforeAll(async () => {
  if (skip) return;
  registry = await startRegistry();
  process.env['SLUICE_REGISTRY'] = registry.url;
}, 300_000);
afterAll(() => registry?.stop());

interface Message {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly partition?: number;
  readonly timestamp?: string;
  readonly headers?: Readonly<Record<string, Buffer | string>>;
}
async function filled(name: string, messages: readonly Message[], partitions = 1): Promise<string> {
  const topic = run + name;
  await client.createTopic(topic, partitions);
  const records = messages.map(({ headers, ...rest }) => ({ partition: 0, ...rest, ...(headers && { headers }) }));
  if (records.length > 0) await client.producer.send({ topic, messages: records });
  return topic;
}
function read(parameters: Omit<SourceParameters, 'from'>): SourceDriver {
  return drive({ from: 'earliest', meta: true, ...parameters });
}
async function all(parameters: Omit<SourceParameters, 'from'>): Promise<SourceDriver> {
  const driver = read({ until: 'latest', ...parameters });
  await driver.ended();
  return driver;
}
const metas = ({ rows }: SourceDriver): Meta[] => rows.map(({ value }) => (value as { meta: Meta }).meta);
const keys = (driver: SourceDriver): unknown[] => metas(driver).map(({ key }) => key);
function framed(id: number, payload: Uint8Array, index: readonly number[] = []): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, Buffer.from(index), payload]);
}
const avro = (schema: unknown): SchemaText => ({ type: 'AVRO', text: JSON.stringify(schema), references: [] });

test('topics are listed by name, with their partitions', { skip }, async () => {
  await client.createTopic(`${run}b`, 3);
  await client.createTopic(`${run}a`);
  const own = (await listTopics()).filter(({ topic }) => topic.startsWith(run));
  assert.deepEqual(own, [
    { topic: `${run}a`, partitions: 1, isInternal: false },
    { topic: `${run}b`, partitions: 3, isInternal: false },
  ]);
  await assert.rejects(listTopics('nowhere'), { code: 'kafka-no-connection' });
});

test('a sample has the newest records of all partitions, with keys and headers', { skip }, async () => {
  const topic = `${run}sampled`;
  await client.createTopic(topic, 3);
  const messages = Array.from({ length: 1_000 }, (_, n) => ({
    partition: n < 990 ? 0 : 1,
    value: n === 995 ? null : JSON.stringify({ n }),
    timestamp: String(1_000 + n),
    ...(n === 999 && { key: 'last', headers: { trace: 'ä', raw: Buffer.from([255]) } }),
  }));
  await client.producer.send({ topic, messages });
  const records = await sampleRecords(undefined, topic, 50);
  assert.equal(records.length, 50);
  const numbers = records.map(({ timestamp }) => timestamp - 1_000);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
    'oldest first',
  );
  assert.equal(numbers.at(-1), 999);
  const tombstone = records.find(({ timestamp }) => timestamp === 1_995);
  assert.equal(tombstone?.value, undefined);
  const last = records.at(-1)!;
  assert.deepEqual(
    { ...last, key: last.key?.toString(), value: last.value?.toString() },
    {
      topic,
      partition: 1,
      offset: 9,
      timestamp: 1_999,
      key: 'last',
      value: '{"n":999}',
      headers: { trace: 'ä', raw: Uint8Array.of(255) },
    },
  );
  assert.equal((await sampleRecords(undefined, topic, 5_000)).length, 1_000);
  const { groups } = await client.admin.listGroups();
  assert.deepEqual(groups, [], 'no group was joined');
});

test(
  'a sample of an empty topic is empty, and an unknown topic is an error that creates nothing',
  { skip },
  async () => {
    const topic = `${run}empty`;
    await client.createTopic(topic);
    assert.deepEqual(await sampleRecords(undefined, topic, 10), []);
    await assert.rejects(sampleRecords(undefined, `${run}emtpy`, 10), {
      code: 'kafka-unknown-topic',
      message: new RegExp(`Closest: "${topic}"`),
    });
    assert.ok(!(await client.admin.listTopics()).includes(`${run}emtpy`));
  },
);

test('an element has the place, the time, the key and the headers of its record', { skip }, async () => {
  const topic = await filled(
    'meta',
    [
      { value: '{"n":1}', key: 'a', timestamp: '1000', headers: { trace: 'x', raw: Buffer.from([255]) } },
      { value: '{"n":2}', timestamp: '2000', partition: 1 },
      { value: '3', key: Buffer.from([255]), timestamp: '3000', partition: 1 },
    ],
    2,
  );
  const source = await all({ topic, format: 'json' });
  const rows = source.rows.toSorted((a, b) => a.timestamp - b.timestamp).map(({ value }) => value);
  const place = { topic, partition: 1, key: null, headers: {} };
  assert.deepEqual(rows, [
    {
      n: 1,
      meta: {
        ...{ topic, partition: 0, offset: '0', timestamp: 1_000, key: 'a' },
        headers: { trace: 'x', raw: Uint8Array.of(255) },
      },
    },
    { n: 2, meta: { ...place, offset: '0', timestamp: 2_000 } },
    { value: 3, meta: { ...place, offset: '1', timestamp: 3_000, key: '/w==' } },
  ]);
});

test('keys are read in every format, and auto says what it found', { skip }, async () => {
  const value = '{}';
  const long = await registry.register(`${run}avro-key`, { schema: '"long"' });
  const [one, large] = [avsc.Type.forSchema('long').toBuffer(1), Buffer.from('808080808080808001', 'hex')];
  const proto = 'syntax = "proto3"; message Other { int32 a = 1; } message Key { int64 id = 1; }';
  const message = await registry.register(`${run}proto-key`, { schema: proto, schemaType: 'PROTOBUF' });
  const type = protobuf.parse(proto, new protobuf.Root()).root.lookupType('Key');
  const payload = type.encode(type.fromObject({ id: 7 })).finish();
  const object = await registry.register(`${run}json-key`, {
    schema: '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","required":["id"]}',
    schemaType: 'JSON',
  });
  const framedLong = [framed(long, one), framed(long, large)];
  const cases: readonly {
    readonly keys: readonly (Buffer | string)[];
    readonly spec: SourceParameters['keyFormat'];
    readonly found: readonly unknown[];
    readonly about?: string;
  }[] = [
    { keys: ['a', '7'], spec: { format: 'string' }, found: ['a', '7'] },
    { keys: ['7', '"a"', '{"id":1}'], spec: { format: 'json' }, found: [7, 'a', { id: 1 }] },
    { keys: [Buffer.from([0, 255])], spec: { format: 'bytes' }, found: [Uint8Array.of(0, 255)] },
    { keys: framedLong, spec: { format: 'avro' }, found: [1, 2n ** 55n] },
    { keys: framedLong, spec: { format: 'auto' }, found: [1, 2n ** 55n], about: 'keys: Avro (schema registry)' },
    { keys: [one], spec: { format: 'avro', schemaFile: avro('long') }, found: [1] },
    { keys: [framed(message, payload, [2, 2])], spec: { format: 'protobuf' }, found: [{ id: 7 }] },
    {
      keys: [Buffer.from(payload)],
      spec: { format: 'protobuf', schemaFile: { type: 'PROTOBUF', text: proto, references: [] }, message: 'Key' },
      found: [{ id: 7 }],
    },
    { keys: [framed(object, Buffer.from('{"id":2}'))], spec: { format: 'json-schema' }, found: [{ id: 2 }] },
    { keys: ['{"id":3}'], spec: { format: 'auto' }, found: [{ id: 3 }], about: 'keys: JSON' },
  ];
  for (const [i, { keys: written, spec, found, about }] of cases.entries()) {
    const topic = await filled(
      `format-${i}`,
      written.map((key) => ({ key, value })),
    );
    const source = await all({ topic, format: 'json', keyFormat: spec! });
    assert.deepEqual(keys(source), found, JSON.stringify(spec));
    assert.equal(source.source.status().format, about);
  }
});

test(
  'a key that cannot be read goes to errors with offset, schema id and cause, and others go on',
  { skip },
  async () => {
    const id = await registry.register(`${run}errors-key`, { schema: '"string"' });
    const topic = await filled('errors', [
      { key: framed(id, Buffer.from([2, 97])), value: '1' },
      { key: framed(id, Buffer.from([40, 97])), value: '2' },
      { key: framed(999_998, Buffer.from([0])), value: '3' },
      { key: 'no header', value: '4' },
      { key: framed(id, Buffer.from([2, 98])), value: '5' },
      { value: '6' },
    ]);
    const source = await all({ topic, format: 'json', keyFormat: { format: 'avro' } });
    assert.deepEqual(keys(source), ['a', 'b', null]);
    const problems = source.errors.map(({ offset, raw, error }) => [offset, raw, error.split(' It went')[0]]);
    assert.deepEqual(problems, [
      [
        '1',
        '2',
        `${topic}[0]@1: its key does not fit its schema ${id} (Avro): byte 1 begins something of 20 bytes, but 1 are left.`,
      ],
      ['2', '3', `${topic}[0]@2: its key has the schema id 999998, which ${registry.url} does not know.`],
      ['3', '4', `${topic}[0]@3: its key does not begin with a schema id (a byte 0, then 4 bytes).`],
    ]);
  },
);

test(
  'while the registry is away, keys of known schemas go on, and the partition of another one waits',
  { skip },
  async () => {
    const proxy = await startProxy(registry.url);
    process.env['SLUICE_REGISTRY_KEYS'] = proxy.url;
    const known = await registry.register(`${run}known`, { schema: '"int"' });
    const other = await registry.register(`${run}other`, { schema: '"boolean"' });
    const record = (id: number, byte: number, partition: number): Message => ({
      key: framed(id, Buffer.from([byte])),
      value: '{}',
      partition,
      headers: { byte: String(byte) },
    });
    const topic = await filled('away', [record(known, 2, 0)], 2);
    const source = read({ topic, format: 'json', keyFormat: { format: 'avro', registry: 'keys' } });
    await source.until('the first row', () => source.rows.length === 1);
    await proxy.goAway();
    const sent = [record(other, 1, 1), record(known, 6, 1), record(known, 4, 0)];
    await client.producer.send({ topic, messages: sent });
    await source.until('a known schema', () => source.rows.length === 2);
    await source.until('the reason', () => source.source.status().waiting?.includes(`schema ${other}`) === true);
    assert.deepEqual(keys(source), [1, 2]);
    await proxy.comeBack();
    await source.until('the rows that waited', () => source.rows.length === 4);
    assert.deepEqual(
      metas(source)
        .slice(2)
        .map(({ key, headers }) => [key, headers]),
      [
        [true, { byte: '1' }],
        [3, { byte: '6' }],
      ],
      'a record that is read again has its own headers',
    );
    await proxy.goAway();
  },
);

test('after a restore, the format that was found for keys stays', { skip }, async () => {
  const topic = await filled('restored', [
    { key: 'a', value: '{}' },
    { key: 'b', value: '{}' },
  ]);
  const parameters = { topic, meta: true, from: 'earliest', format: 'json', keyFormat: { format: 'auto' } } as const;
  const before = drive(parameters);
  await before.until('two rows', () => before.rows.length === 2);
  const snapshot = before.snapshot();
  before.close();
  await client.producer.send({ topic, messages: [{ key: '7', value: '{}', partition: 0 }] });
  const after = drive(parameters, { snapshot });
  await after.until('a row', () => after.rows.length === 1);
  assert.deepEqual(keys(after), ['7'], 'a text, as the first keys');
});

function write(parameters: Omit<SinkParameters, 'delivery'>): SinkDriver {
  return new SinkDriver({ delivery: 'at-least-once', key: { field: 'key' }, ...parameters });
}

test('keys are written as text, JSON, bytes and Avro, and another client reads them', { skip }, async (t) => {
  const schema = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] };
  const written = async (
    name: string,
    parameters: Partial<SinkParameters>,
    rows: readonly unknown[],
  ): Promise<(Buffer | null)[]> => {
    const topic = await filled(name, []);
    const sink = write({ topic, format: 'json', ...parameters });
    t.onTestFinished(() => sink.sink.close?.());
    await sink.write(rows.map((key, n) => ({ value: { n, key }, timestamp: n })));
    await sink.flush();
    return await keysSeenByOthers(topic, rows.length);
  };
  const texts = await written('as-text', {}, ['a', 7, 7n, true, null]);
  assert.deepEqual(
    texts.map((key) => key?.toString() ?? null),
    ['a', '7', '7', 'true', null],
  );
  const json = await written('as-json', { keyFormat: 'json' }, ['a', 7, { id: 1 }]);
  assert.deepEqual(json.map(String), ['"a"', '7', '{"id":1}']);
  assert.deepEqual(await written('as-bytes', { keyFormat: 'bytes' }, [Uint8Array.of(255)]), [Buffer.from([255])]);

  const refused = write({
    topic: await filled('as-avro', []),
    format: 'json',
    keyFormat: 'avro',
    keyAvro: { schemas: 'use', schemaFile: avro(schema) },
  });
  t.onTestFinished(() => refused.sink.close?.());
  const error = await refused.failed();
  assert.equal(error.code, 'registry-no-schema');
  assert.match(error.message, /The keySchemaFile is not registered under subject ".*as-avro-key"/);
  const register = { schemas: 'register', schemaFile: avro(schema) } as const;
  const [first] = await written('as-avro-2', { keyFormat: 'avro', keyAvro: register }, [{ id: 5 }, { id: 2n ** 60n }]);
  assert.deepEqual({ ...(avsc.Type.forSchema(schema as never).fromBuffer(first!.subarray(5)) as object) }, { id: 5 });
  const source = await all({ topic: `${run}as-avro-2`, format: 'auto', keyFormat: { format: 'auto' } });
  assert.deepEqual(keys(source), [{ id: 5 }, { id: 2n ** 60n }]);
  const latest = write({ topic: `${run}as-avro-2`, format: 'json', keyFormat: 'avro' });
  t.onTestFinished(() => latest.sink.close?.());
  await assert.rejects(latest.write([{ value: { key: { id: 'x' } }, timestamp: 1 }]), {
    code: 'kafka-bad-row',
    message: /its schema wants a long/i,
  });
  const wrong = write({ topic: `${run}as-bytes`, format: 'json', keyFormat: 'bytes' });
  t.onTestFinished(() => wrong.sink.close?.());
  await assert.rejects(wrong.write([{ value: { key: 'text' }, timestamp: 1 }]), {
    code: 'kafka-bad-row',
    message: /Its key is "text"; keyFormat "bytes" writes a Uint8Array/,
  });
});
async function keysSeenByOthers(topic: string, count: number): Promise<(Buffer | null)[]> {
  const consumer = client.kafka.consumer({ groupId: `${topic}-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const seen: (Buffer | null)[] = [];
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({ message }: { message: { key: Buffer | null } }): Promise<void> => {
      seen.push(message.key);
      if (seen.length === count) resolve();
      return Promise.resolve();
    };
    void consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return seen;
}
