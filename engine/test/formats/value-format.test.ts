// Formats of values: the values that each reads, the records that it refuses and why, and how a
// record waits for its schema.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SluiceError } from '../../errors/error.ts';
import { FoundFormat } from '../../formats/found-format.ts';
import { framedReader } from '../../formats/record-readers.ts';
import type { FormatName, SchemaText } from '../../graph/format-spec.ts';
import {
  type GivenFormat,
  openFormat,
  type RecordBytes,
  type Schemas,
  type SchemaState,
  type ValueFormat,
} from '../../formats/value-format.ts';
import { avro, hex, proto } from './read-bytes.ts';

const record = (bytes: Buffer): RecordBytes => ({ bytes, slice: (start, end) => bytes.toString('utf8', start, end) });
const none = (): undefined => undefined;

function read(format: ValueFormat, bytes: string | Buffer): unknown {
  const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  const around = Buffer.concat([Buffer.from('{{'), content, Buffer.from('}}')]);
  const outcome = format.read(record(around), 2, 2 + content.length);
  return outcome === 'value' ? format.value : outcome === 'problem' ? `problem${format.problem}` : outcome;
}
const framed = (id: number, payload: string): Buffer => {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, hex(payload)]);
};

/** A registry whose answers come when the test says so. */
class Registry implements Schemas {
  readonly states = new Map<number, SchemaState>();
  readonly asked: number[] = [];
  readonly listeners = new Set<() => void>();
  trouble: string | undefined;
  get(id: number): SchemaState {
    const known = this.states.get(id);
    if (known) return known;
    this.asked.push(id);
    const fetching: SchemaState = { kind: 'fetching' };
    this.states.set(id, fetching);
    return fetching;
  }
  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  answer(id: number, schema: SchemaText): void {
    this.states.set(id, { kind: 'known', type: schema.type, read: framedReader(schema) });
    for (const listener of this.listeners) listener();
  }
}
const row = (name: string): SchemaText => avro({ type: 'record', name: 'R', fields: [{ name, type: 'int' }] });

test('json, string and bytes read what they are', () => {
  const open = (format: FormatName): ValueFormat => openFormat({ format }, none);
  assert.deepEqual(read(open('json'), '{"a":1}'), { a: 1 });
  assert.match(String(read(open('json'), '{"a":')), /^problem is not JSON: /);
  assert.equal(read(open('string'), 'é{'), 'é{');
  assert.equal(read(open('string'), ''), '');
  assert.equal(read(open('string'), Buffer.from([0xff])), 'problem is no text in UTF-8');
  const bytes = read(open('bytes'), Buffer.from([1, 2])) as Uint8Array;
  assert.deepEqual(bytes, new Uint8Array([1, 2]));
  assert.equal(bytes.buffer.byteLength, 2, 'a copy');
});

test('a record waits for its schema, and each is read with its own', () => {
  const registry = new Registry();
  const format = openFormat({ format: 'avro' }, () => registry);
  let told = 0;
  const stop = format.watch!(() => told++);
  assert.equal(read(format, framed(7, '02')), 'schema');
  assert.equal(read(format, framed(7, '02')), 'schema');
  assert.deepEqual(registry.asked, [7]);
  registry.answer(7, row('a'));
  assert.equal(told, 1);
  assert.deepEqual(read(format, framed(7, '02')), { a: 1 });
  assert.equal(read(format, framed(8, '02')), 'schema');
  registry.answer(8, row('b'));
  assert.deepEqual(read(format, framed(8, '02')), { b: 1 });
  assert.deepEqual(read(format, framed(7, '04')), { a: 2 }, 'an earlier version comes again');
  stop();
  assert.equal(registry.listeners.size, 0);
});

test('a record that is refused says its schema and the cause', () => {
  const registry = new Registry();
  const format = openFormat({ format: 'avro' }, () => registry);
  registry.answer(7, row('a'));
  registry.answer(8, proto('syntax = "proto3"; message M { int32 a = 1; }'));
  registry.states.set(9, { kind: 'unusable', problem: 'has the schema id 9, which http://r does not know' });
  const cases: readonly (readonly [Buffer | string, string])[] = [
    ['{"a":1}', ' does not begin with a schema id (a byte 0, then 4 bytes)'],
    [hex('00 00'), ' does not begin with a schema id (a byte 0, then 4 bytes)'],
    [framed(7, ''), ' does not fit its schema 7 (Avro): byte 0 begins something of 1 bytes, but 0 are left'],
    [framed(7, '02 02'), ' does not fit its schema 7 (Avro): 1 of its bytes are left over'],
    [framed(8, '00'), ' has the schema 8, which is Protobuf and not Avro'],
    [framed(9, '00'), ' has the schema id 9, which http://r does not know'],
  ];
  for (const [bytes, problem] of cases) assert.equal(read(format, bytes), `problem${problem}`);
  assert.deepEqual(read(format, framed(7, '02')), { a: 1 }, 'the next record is read');
});

test('what is final for the registry is thrown', () => {
  const registry = new Registry();
  const error = new SluiceError('registry-refused', 'no');
  registry.states.set(7, { kind: 'failed', error });
  const format = openFormat({ format: 'avro' }, () => registry);
  assert.throws(() => read(format, framed(7, '00')), error);
});

test('a format with schemas needs a registry or a file', () => {
  for (const format of ['avro', 'protobuf', 'json-schema'] as const)
    assert.throws(() => openFormat({ format }, none), { code: 'registry-no-connection' });
  const fromFile = openFormat({ format: 'avro', schemaFile: row('a') }, none);
  assert.deepEqual(read(fromFile, hex('02')), { a: 1 });
  assert.equal(
    read(fromFile, framed(7, '02')),
    'problem does not fit the Avro schema of the file: 5 of its bytes are left over (it may begin with a schema id, which only a registry explains)',
  );
  const schemaFile = proto('syntax = "proto3"; message A { int32 a = 1; } message B { int32 b = 1; }');
  assert.deepEqual(read(openFormat({ format: 'protobuf', schemaFile, message: 'B' }, none), hex('08 01')), { b: 1 });
  const wrong: GivenFormat = { format: 'protobuf', schemaFile, message: 'C' };
  assert.throws(() => openFormat(wrong, none), { code: 'bad-schema', message: /it has no message "C"/ });
});

// -------------------------------------------------------------------------------------------- auto

function found(records: readonly (string | Buffer)[], registry?: Registry): FoundFormat {
  const format = new FoundFormat({}, () => registry);
  for (const one of records) {
    const bytes = Buffer.from(one);
    format.look(record(bytes), 0, bytes.length);
  }
  return format;
}

test('auto finds the format from the first records', () => {
  const cases: readonly (readonly [readonly (string | Buffer)[], string])[] = [
    [['{"a":1}'], 'JSON'],
    [['42', '43'], 'JSON'],
    [['hello', 'world', '42'], 'text'],
    [['not json', '{"a":1}'], 'JSON'],
    [['{"a":', 'x'], 'JSON'],
    [[Buffer.from([0xff, 0xfe])], 'bytes'],
    [[Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])], 'bytes'],
    [['a\u0001b'], 'bytes'],
    [[`"${'x'.repeat(100_000)}"`], 'JSON'],
    [['é'.repeat(50_001)], 'text'],
  ];
  for (const [records, expected] of cases) {
    const format = found(records);
    const last = Buffer.from(records.at(-1)!);
    format.read(record(last), 0, last.length);
    assert.equal(format.about, expected);
  }
});

test('auto reads Avro, Protobuf and JSON Schema by their schema ids, and says what it found', () => {
  const registry = new Registry();
  registry.answer(7, row('a'));
  registry.answer(8, proto('syntax = "proto3"; message M { int32 a = 1; }'));
  const format = found([framed(7, '02'), framed(7, '02'), 'x'], registry);
  assert.equal(format.about, undefined);
  assert.deepEqual(read(format, framed(7, '02')), { a: 1 });
  assert.equal(format.about, 'Avro (schema registry)');
  assert.deepEqual(read(format, framed(8, '00 08 05')), { a: 5 });
  assert.match(String(read(format, 'x')), /does not begin with a schema id/);
});

test('auto keeps what it found, also in a reader that continues', () => {
  const format = found(['x']);
  assert.equal(read(format, 'x'), 'x');
  assert.equal(read(format, '{"a":1}'), '{"a":1}');
  const next = new FoundFormat({}, none);
  next.restore(format.kind!);
  assert.equal(read(next, '{"a":1}'), '{"a":1}');
});

test('auto without a registry says what the records need', () => {
  const format = found([framed(7, '02')]);
  assert.throws(() => read(format, framed(7, '02')), {
    code: 'registry-no-connection',
    message: /first records begin with a schema id, and there is no schema registry/,
  });
  const keys = new FoundFormat({}, () => undefined, 'key');
  assert.throws(() => read(keys, framed(7, '02')), {
    code: 'registry-no-connection',
    message: /The keys of the first records begin with a schema id, .* or give keyFormat: "bytes"/,
  });
});

test('auto tells its listeners when a schema has come, whenever they began to listen', () => {
  const registry = new Registry();
  const format = found([framed(7, '02')], registry);
  let told = 0;
  const stop = format.watch(() => told++);
  assert.equal(read(format, framed(7, '02')), 'schema');
  registry.trouble = 'down';
  assert.equal(format.trouble, 'down');
  registry.answer(7, row('a'));
  assert.equal(told, 1);
  stop();
  assert.equal(registry.listeners.size, 0);
});

test('an empty record is no vote', () => {
  const format = new FoundFormat({}, none);
  assert.match(String(read(format, '')), /is not JSON/);
  assert.equal(format.kind, undefined);
  assert.equal(read(format, 'x'), 'x');
  assert.equal(read(format, ''), '', 'an empty text is a text');
});
