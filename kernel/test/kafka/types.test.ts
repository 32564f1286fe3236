// The types of topics on a real broker with a real schema registry, by `sluice types` and by the
// browse service as an editor asks it. `sluice check` then uses them.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { freePorts, startBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { makeCertificate, startProxy, startRegistry, type TestRegistry } from '../../../engine/test/kafka/registry.ts';
import { sluice } from '../cli/sluice.ts';
import { startBrowse } from './browse-client.ts';

const skip = whyNoKafka() !== undefined;
const run = `types-${process.pid}-`;
const folder = mkdtempSync(join(tmpdir(), 'sluice-types-'));
const file = join(folder, '.sluice', 'topics.d.ts');
const notebook = join(folder, 'n.sluice.ts');
let client: IndependentClient;
let broker: Broker;
let registry: TestRegistry;
onBroker(startBroker, (started) => ({ broker, client } = started));
beforeAll(async () => {
  if (skip) return;
  registry = await startRegistry();
  process.env['SLUICE_REGISTRY'] = registry.url;
  await client.createTopic(`${run}json`, 2);
  await client.send(`${run}json`, [
    { value: { id: 'a', at: '2026-01-31T08:00:00Z', price: { amount: 1 } } },
    { value: { id: 'b', at: '2026-01-31T08:00:01Z', tags: ['x'] }, partition: 1 },
    { value: 'not JSON' },
    // 2^53 + 1 and 1: rows of the topic have the first as a bigint, and the second as a number.
    ...['9007199254740993', '1'].map((n) => ({ value: `{"id":"c","at":"2026-01-31T08:00:02Z","long":${n}}` })),
  ]);
  await client.createTopic(`${run}none`);
  await client.createTopic(`${run}unknown`);
  await client.producer.send({ topic: `${run}unknown`, messages: [{ value: framed(999_997, 0) }] });
  const version = (...more: readonly object[]): string =>
    JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'n', type: 'long' }, ...more] });
  const subject = `${run}avro-value`;
  const first = await registry.register(subject, { schema: version() });
  const note = { name: 'note', type: ['null', 'string'], default: null };
  const second = await registry.register(subject, { schema: version(note) });
  ids.push(first, second);
  await client.createTopic(`${run}avro`);
  await client.producer.send({
    topic: `${run}avro`,
    messages: [{ value: framed(first, 2) }, { value: framed(second, 4, 2, 2, 97) }, { value: framed(999_997, 0) }],
  });
  await registry.register(`${run}proto-value`, {
    schema:
      'syntax = "proto3"; message Order { string id = 1; repeated Line lines = 2; } message Line { int32 n = 1; }',
    schemaType: 'PROTOBUF',
  });
  await client.createTopic(`${run}proto`);
  await registry.register(`${run}schema-value`, {
    schema:
      '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"kind":{"enum":["a","b"]}},"required":["kind"]}',
    schemaType: 'JSON',
  });
  await client.createTopic(`${run}schema`);
}, 300_000);
afterAll(async () => {
  await registry?.stop();
  rmSync(folder, { recursive: true, force: true });
});
const ids: number[] = [];

function framed(id: number, ...payload: readonly number[]): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, Buffer.from(payload)]);
}
const types = (...parameters: readonly string[]) => sluice('types', ...parameters, '--out', file);

test('types come from records, and from the schemas of all versions, and check uses them', { skip }, async () => {
  const { code, out, err } = await types(...['json', 'avro', 'proto', 'schema'].map((name) => run + name));
  assert.equal(code, 0, err);
  assert.match(out, new RegExp(`${run}avro  Avro, schemas ${ids.join(', ')}\n`));
  assert.match(out, /Wrote 4 topics to .*topics\.d\.ts/);
  const text = readFileSync(file, 'utf8');
  for (const part of [
    `    /** Avro, schemas ${ids.join(', ')}. */\n    "${run}avro": {\n      /** An integer of 64 bits; beyond 2^53 it is a bigint. */\n      n: number;\n      note?: null | string;\n    };`,
    `    "${run}json": {\n      id: string;\n      /** A date and time in ISO 8601. */\n      at: string;`,
    'price?: {\n        amount: number;\n      };',
    'tags?: string[];',
    'long?: bigint | number;',
    `    "${run}proto": {\n      id: string;\n      lines: {\n        n: number;\n      }[];\n    };`,
    `    "${run}schema": {\n      kind: "a" | "b";\n    };`,
  ])
    assert.ok(text.includes(part), `${part}\n in \n${text}`);
  writeFileSync(
    notebook,
    `// %% id=orders
import { kafka } from 'sluice';
const orders = kafka('${run}json', { timestamp: 'at', meta: true });
orders.map((record) => [record.id, record.price?.amount, record.meta.partition, record.meta.key]);
`,
  );
  const good = await sluice('check', notebook);
  assert.equal(good.code, 0, good.out);
  writeFileSync(notebook, readFileSync(notebook, 'utf8').replace('record.id', 'record.name'));
  const bad = await sluice('check', notebook);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /ts2339.*'name'/);
});

test('typing again changes nothing, and a topic that fails loses nothing', { skip }, async () => {
  const before = readFileSync(file, 'utf8');
  const again = await types();
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /Nothing has changed in/);
  const failed = await types(...['none', 'jsno', 'unknown', 'json'].map((name) => run + name));
  assert.equal(failed.code, 1);
  assert.match(failed.err, /Nothing says what the rows of topic ".*none" are: it has no records, and subject/);
  assert.match(failed.err, new RegExp(`Topic "${run}jsno" is not on .*Closest: "${run}json"`));
  assert.match(failed.err, /3 of 4 topics could not be typed; their former types stay/);
  assert.match(failed.err, /topic ".*unknown" are: the schema registry .* does not know the schema id 999997/);
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('a registry or a broker that is away, or none, is one error, and the file stays', { skip }, async () => {
  const before = readFileSync(file, 'utf8');
  const [nobody] = await freePorts(1);
  const saved = { ...process.env };
  try {
    process.env['SLUICE_REGISTRY'] = `http://127.0.0.1:${nobody}`;
    const away = await types(`${run}avro`);
    assert.equal(away.code, 1);
    assert.match(away.err, /The schema registry http:.* cannot be asked about topic ".*avro": .*ECONNREFUSED/);
    delete process.env['SLUICE_REGISTRY'];
    assert.match(
      (await types(`${run}avro`)).err,
      /have schema ids, and there is no schema registry: set SLUICE_REGISTRY to its URL\./,
    );
    process.env['SLUICE_BROKERS'] = `127.0.0.1:${nobody}`;
    const none = await types(`${run}avro`, `${run}json`);
    assert.equal(none.code, 1);
    assert.match(none.err, /^Kafka cannot be reached[^\n]*\n$/);
  } finally {
    Object.assign(process.env, saved);
  }
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('--list prints the topics; without topics and without a file there is one error', { skip }, async () => {
  const { out } = await sluice('types', '--list');
  assert.deepEqual(
    out.split('\n').filter((line) => line.startsWith(run)),
    ['avro', 'json', 'none', 'proto', 'schema', 'unknown'].map((name) => run + name),
  );
  const other = join(folder, 'other.d.ts');
  const { code, err } = await sluice('types', '--out', other);
  assert.equal(code, 1);
  assert.match(err, /has no topics yet. Name topics to type, or give --all/);
  assert.ok(!existsSync(other));
});

test('an editor types a topic by the browse service, with the connections that it handed over', { skip }, async () => {
  const browse = startBrowse();
  try {
    await browse.ask('connections', { connections: { here: { brokers: broker.brokers } } });
    const own = join(folder, 'deep', '.sluice', 'topics.d.ts');
    const request = { connection: 'here', topic: `${run}json`, file: own };
    assert.deepEqual(await browse.ask('typeTopic', request), {
      about: 'JSON, inferred from records',
      hasChanged: true,
    });
    assert.match(readFileSync(own, 'utf8'), new RegExp(`"${run}json": \\{\\n      id: string;`));
    assert.equal((await browse.ask('typeTopic', request)).hasChanged, false);
    await assert.rejects(browse.ask('typeTopic', { ...request, topic: `${run}none` }), /Nothing says what the rows/);
  } finally {
    browse.close();
  }
});

test('an editor that knows no registry is told of its setting', { skip }, async () => {
  const saved = process.env['SLUICE_REGISTRY'];
  delete process.env['SLUICE_REGISTRY'];
  process.env['SLUICE_EDITOR'] = '1';
  const browse = startBrowse();
  try {
    await browse.ask('connections', { connections: { here: { brokers: broker.brokers } } });
    const request = { connection: 'here', topic: `${run}avro`, file };
    await assert.rejects(
      browse.ask('typeTopic', request),
      /no schema registry: give the connection a `registry` in the setting sluice.connections\./,
    );
  } finally {
    browse.close();
    process.env['SLUICE_REGISTRY'] = saved;
    delete process.env['SLUICE_EDITOR'];
  }
});

test('a registry of an authority of the system is trusted, and one of another authority is not', { skip }, async () => {
  const certificate = makeCertificate('ip:127.0.0.1');
  const proxy = await startProxy(registry.url, undefined, certificate);
  const authority = join(folder, 'authority.pem');
  writeFileSync(authority, certificate.pem);
  const saved = process.env['SLUICE_REGISTRY'];
  process.env['SLUICE_REGISTRY'] = proxy.url;
  try {
    const strange = await types(`${run}avro`);
    assert.equal(strange.code, 1);
    assert.match(strange.err, /cannot be trusted: .*Set SLUICE_REGISTRY_CA to the file of its certificate authority/);
    // OpenSSL takes the file for that of the system.
    process.env['SSL_CERT_FILE'] = authority;
    const trusted = await types(`${run}avro`);
    assert.equal(trusted.code, 0, trusted.err);
  } finally {
    process.env['SLUICE_REGISTRY'] = saved;
    delete process.env['SSL_CERT_FILE'];
    await proxy.goAway();
  }
});
