// The types of topics accept the rows of which they were made, whatever the rows or the schemas
// are.
import assert from 'node:assert/strict';
import avsc, { type Schema } from 'avsc';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { test } from 'vitest';
import { parseAvro } from '../../../engine/formats/avro-schema.ts';
import { ByteReader } from '../../../engine/formats/byte-reader.ts';
import { parseProtobuf } from '../../../engine/formats/protobuf-schema.ts';
import { bareReader } from '../../../engine/formats/record-readers.ts';
import type { SchemaText, SchemaType } from '../../../engine/graph/format-spec.ts';
import { typeOfAvro } from '../../topics/avro-types.ts';
import { typeOfJsonSchema } from '../../topics/json-schema-types.ts';
import { typeOfProtobuf } from '../../topics/protobuf-types.ts';
import { merged, type RowType, typeText } from '../../topics/row-type.ts';
import { pathOfTopic } from '../../topics/type-path.ts';
import { typeOfValues } from '../../topics/value-types.ts';
import { refusals, type TypedRows } from './accepts.ts';

const schemaText = (type: SchemaType, text: string): SchemaText => ({ type, text, references: [] });
const shown = (type: RowType | undefined): string => (type ? typeText(type).replace(/\s+/g, ' ') : 'nothing');

test('a field that some records lack is optional, and other values make a union', () => {
  const cases: readonly (readonly [readonly unknown[], string])[] = [
    [[{ a: 1 }, { a: 2, b: 'x' }], '{ a: number; b?: string; }'],
    [[{ a: 1 }, { a: null }, { a: 'x' }], '{ a: number | null | string; }'],
    [[{ a: { b: 1 } }, { a: { c: true } }], '{ a: { b?: number; c?: boolean; }; }'],
    [[{ a: [] }, { a: [1] }, { a: ['x'] }], '{ a: (number | string)[]; }'],
    [[{ a: [] }], '{ a: unknown[]; }'],
    [[{}], 'Record<string, unknown>'],
    [[{ 'not-a-name': 1, $ok: 2, '0': 3 }], '{ "0": number; "not-a-name": number; $ok: number; }'],
    [[1, 'x'], 'number | string'],
    [[{ a: 1n }], '{ a: bigint; }'],
    [[{ a: 1n }, { a: 2 }], '{ a: bigint | number; }'],
    [[], 'nothing'],
  ];
  for (const [values, expected] of cases) assert.equal(shown(typeOfValues(values)), expected);
});

test('texts that are all dates are noted, and one that is none takes the note away', () => {
  const times = [{ at: '2026-01-31T08:00:00Z', day: '2026-01-31' }];
  assert.equal(
    shown(typeOfValues(times)),
    '{ /** A date and time in ISO 8601. */ at: string; /** A date in ISO 8601. */ day: string; }',
  );
  assert.equal(shown(typeOfValues([...times, { at: 'soon', day: '2026-13-31' }])), '{ at: string; day: string; }');
});

test('objects whose field names are data become maps', () => {
  const rows = Array.from({ length: 30 }, (_, n) => ({ id: n, seen: { [`user-${n}`]: n, [`user-${n + 40}`]: null } }));
  assert.equal(shown(typeOfValues(rows)), '{ id: number; seen: Record<string, number | null>; }');
});

test('law: the type of sampled rows accepts each of them', () => {
  const samples: TypedRows[] = [];
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 4 }), { minLength: 1, maxLength: 6 }), (rows) => {
      const text = JSON.stringify(rows);
      // In the text of a program, __proto__ in an object sets its prototype.
      fc.pre(!text.includes('__proto__'));
      const parsed = JSON.parse(text) as unknown[];
      samples.push({ type: typeOfValues(parsed)!, rows: parsed });
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(refusals(samples), []);
});

test('the law can fail: a row of another type is refused', () => {
  assert.equal(refusals([{ type: typeOfValues([{ a: 1 }])!, rows: [{ a: 'x' }] }]).length, 1);
});

/** Reads what another library wrote, as a topic does. */
function rowsOf(schema: SchemaText, payloads: readonly Uint8Array[], message?: string): unknown[] {
  const read = bareReader(schema, message);
  return payloads.map((payload) => {
    const reader = new ByteReader();
    reader.begin(Buffer.from(payload), 0, payload.length);
    return read(reader);
  });
}

test('the type of an Avro schema accepts the rows that are read with it', () => {
  const schema: Schema = {
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'state', type: { type: 'enum', name: 'State', symbols: ['OPEN', 'SHIPPED'] } },
      { name: 'note', type: ['null', 'string'] },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'local', type: { type: 'long', logicalType: 'local-timestamp-micros' } },
      { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
      { name: 'raw', type: 'bytes' },
      { name: 'tags', type: { type: 'map', values: 'int' } },
      {
        name: 'lines',
        type: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'n', type: 'int' }] } },
      },
      {
        name: 'either',
        type: ['null', 'Line', { type: 'record', name: 'Other', fields: [{ name: 'o', type: 'string' }] }],
      },
      { name: 'parent', type: ['null', 'Order'] },
    ],
  } as unknown as Schema;
  const type = avsc.Type.forSchema(schema, { wrapUnions: true });
  const order = (id: number, parent: unknown, either: unknown): object => ({
    ...{ id, state: 'OPEN', note: id === 1 ? null : { string: 'x' }, at: 5, local: 6, price: Buffer.from([1, 44]) },
    ...{ raw: Buffer.from([1]), tags: { a: 1 }, lines: [{ n: 1 }], either, parent },
  });
  const payloads = [
    order(1, null, { Line: { n: 1 } }),
    order(2, { Order: order(3, { Order: order(4, null, null) }, null) }, { Other: { o: 'x' } }),
  ].map((value) => type.toBuffer(value));
  const text = schemaText('AVRO', JSON.stringify(schema));
  const found = typeOfAvro(parseAvro(text), pathOfTopic('t0'));
  assert.deepEqual(refusals([{ type: found, rows: rowsOf(text, payloads) }]), []);
  const fields = shown(found);
  for (const part of [
    'state: "OPEN" | "SHIPPED";',
    'note: null | string;',
    'at: Date;',
    'either: null | { Line: { n: number; }; } | { Other: { o: string; }; };',
    'parent: null | Topics["t0"];',
  ])
    assert.ok(fields.includes(part), `${part} in ${fields}`);
  assert.equal(refusals([{ type: found, rows: [{ id: 1 }] }]).length, 1);
});

test('names that every object has are names of messages, fields and enums', () => {
  for (const name of ['constructor', 'toString', '__proto__', '__proto___']) {
    const text = `syntax = "proto3"; message ${name} { int32 ${name} = 1; enum E { ${name} = 0; } E e = 2; }`;
    const found = typeOfProtobuf(parseProtobuf(schemaText('PROTOBUF', text)).at([0]), pathOfTopic('t'));
    assert.equal(shown(found), `{ ${name}: number; e: "${name}"; }`);
  }
});

test('the type of a Protobuf message accepts the rows that are read with it', () => {
  const file = `syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/struct.proto";
    message Money { int64 cents = 1; }
    message Order {
      string id = 1; Money price = 2; repeated Money parts = 3; map<string, Money> by = 4; optional bool gift = 5;
      oneof how { string card = 6; int32 cash = 7; }
      enum State { OPEN = 0; SHIPPED = 1; } State state = 8;
      google.protobuf.Timestamp at = 9; google.protobuf.Struct more = 10; bytes raw = 11; Order parent = 12;
    }`;
  const text = schemaText('PROTOBUF', file);
  const written = protobuf.parse(file, new protobuf.Root()).root;
  for (const name of ['timestamp', 'struct'])
    written.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)!.nested!);
  written.resolveAll();
  const order = written.lookupType('Order');
  const payloads = [
    {},
    { id: 'a', price: { cents: 5 }, parts: [{ cents: 1 }], by: { x: {} }, gift: true, card: 'c', state: 1 },
    { at: { seconds: 5 }, more: { fields: { x: { numberValue: 1 } } }, raw: Buffer.from([1]), parent: { parent: {} } },
  ].map((value) => order.encode(order.fromObject(value)).finish());
  const found = typeOfProtobuf(parseProtobuf(text).named('Order'), pathOfTopic('t0'));
  assert.deepEqual(refusals([{ type: found, rows: rowsOf(text, payloads, 'Order') }]), []);
  assert.match(
    shown(found),
    /price\?: \{ .*cents: number; \}; parts: \{ .*\}\[\]; by: Record<string, \{ .*gift\?: boolean;/,
  );
  assert.match(shown(found), /state: "OPEN" \| "SHIPPED"; at\?: Date;.*parent\?: Topics\["t0"\];/);
});

test('the type of a JSON Schema accepts rows that fit it', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    required: ['id', 'kind'],
    properties: {
      id: { type: 'integer' },
      kind: { enum: ['a', 'b', null] },
      at: { type: 'string', format: 'date-time' },
      price: { $ref: 'price.json' },
      tags: { type: 'object', additionalProperties: { type: 'number' } },
      lines: { type: 'array', items: { allOf: [{ $ref: '#/definitions/line' }, { required: ['n'] }] } },
      either: { oneOf: [{ type: 'string' }, { type: 'object', properties: { x: { type: ['boolean', 'null'] } } }] },
      next: { $ref: '#' },
      any: {},
    },
    definitions: { line: { type: 'object', properties: { n: { type: 'number' } } } },
  };
  const text: SchemaText = {
    ...schemaText('JSON', JSON.stringify(schema)),
    references: [{ name: 'price.json', text: '{"type":"number","minimum":0}' }],
  };
  const found = typeOfJsonSchema(text, pathOfTopic('t0'));
  const rows = [
    { id: 1, kind: 'a' },
    { id: 2, kind: null, at: '2026-01-01T00:00:00Z', price: 5, tags: { a: 1 }, lines: [{ n: 1 }], either: 'x' },
    { id: 3, kind: 'b', either: { x: null }, next: { id: 4, kind: 'a', next: { id: 5, kind: 'b' } }, any: [1] },
  ];
  assert.deepEqual(refusals([{ type: found, rows }]), []);
  assert.match(shown(found), /price\?: number; tags\?: Record<string, number>; lines\?: \{ n: number; \}\[\];/);
  assert.match(shown(found), /next\?: Topics\["t0"\]; any\?: unknown;/);
});

test('a schema that grows without end is cut, and ends', () => {
  const record = (n: number): unknown => ({
    type: 'record',
    name: `R${n}`,
    fields:
      n === 0
        ? []
        : [
            { name: 'a', type: record(n - 1) },
            { name: 'b', type: `R${n - 1}` },
          ],
  });
  const type = typeOfAvro(parseAvro(schemaText('AVRO', JSON.stringify(record(40)))), pathOfTopic('t0'));
  assert.ok(typeText(type).length < 1_000_000);
  assert.deepEqual(refusals([{ type, rows: [] }]), []);
  const definitions = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => [
      `d${n}`,
      { allOf: [{ $ref: `#/definitions/d${n + 1}` }, { $ref: `#/definitions/d${n + 1}` }] },
    ]),
  );
  const json = schemaText('JSON', JSON.stringify({ $ref: '#/definitions/d0', definitions }));
  assert.equal(shown(typeOfJsonSchema(json, pathOfTopic('t0'))), 'unknown');
});

test('two versions of a schema give one type, in which a new field is optional', () => {
  const version = (fields: readonly object[]): RowType =>
    typeOfAvro(parseAvro(schemaText('AVRO', JSON.stringify({ type: 'record', name: 'R', fields }))), undefined);
  const first = version([
    { name: 'a', type: 'int' },
    { name: 'b', type: 'int' },
  ]);
  const second = version([
    { name: 'a', type: ['null', 'int'] },
    { name: 'c', type: 'string' },
  ]);
  assert.equal(shown(merged(first, second)), '{ a: number | null; b?: number; c?: string; }');
});
