// Rows as Avro: avsc and our own reader read the bytes, and an error names the field.
import assert from 'node:assert/strict';
import avsc, { type Schema } from 'avsc';
import { test } from 'vitest';
import { parseAvro } from '../../formats/avro-schema.ts';
import { BadRow, writeAvro } from '../../formats/avro-writer.ts';
import { ByteWriter } from '../../formats/byte-writer.ts';
import { avro, readBytes } from './read-bytes.ts';

function written(schema: unknown, row: unknown): Buffer {
  const writer = new ByteWriter();
  writer.begin();
  writeAvro(parseAvro(avro(schema)), row, writer);
  return writer.taken();
}
function problem(schema: unknown, row: unknown): string {
  try {
    return written(schema, row).toString('hex');
  } catch (error) {
    assert.ok(error instanceof BadRow, String(error));
    return error.message;
  }
}

const order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'big', type: 'long' },
    { name: 'count', type: 'int' },
    { name: 'price', type: 'double' },
    { name: 'weight', type: 'float' },
    { name: 'paid', type: 'boolean' },
    { name: 'note', type: ['null', 'string'] },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['OPEN', 'SHIPPED'] } },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'sizes', type: { type: 'map', values: 'int' } },
    { name: 'raw', type: 'bytes' },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 2 } },
    {
      name: 'lines',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Line',
          fields: [
            { name: 'sku', type: 'string' },
            { name: 'n', type: 'int' },
          ],
        },
      },
    },
    { name: 'source', type: 'string', default: 'web' },
  ],
};
const row = {
  id: 7,
  big: 9_007_199_254_740_993n,
  count: -3,
  price: 1.25,
  weight: 0.5,
  paid: true,
  note: null,
  state: 'SHIPPED',
  tags: ['a', 'é'],
  sizes: { s: 1, m: 2 },
  raw: new Uint8Array([1, 2]),
  hash: new Uint8Array([3, 4]),
  lines: [{ sku: 'x', n: 1 }],
  source: 'shop',
};

test('what is written is read again, bigints included', () => {
  assert.deepEqual(readBytes(avro(order), written(order, row)), row);
  const { source: _, note: _note, ...without } = row;
  const read = readBytes(avro(order), written(order, { ...without, extra: 1 }));
  assert.deepEqual(read, { ...row, source: 'web', note: null }, 'a missing field gets its default or null');
});

test('avsc reads what is written', () => {
  const type = avsc.Type.forSchema(order as Schema, { wrapUnions: false });
  const small = { ...row, big: 2 ** 40, note: 'hello'.repeat(500) };
  const read = type.fromBuffer(written(order, small)) as object;
  const plain = { ...small, raw: Buffer.from(row.raw), hash: Buffer.from(row.hash) };
  assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(plain)));
});

test('logical types take what they give, and what event time takes', () => {
  const round = (type: unknown, value: unknown): unknown => readBytes(avro(type), written(type, value));
  const time = new Date('2024-01-31T08:00:00.123Z');
  for (const unit of ['millis', 'micros', 'nanos']) {
    const type = { type: 'long', logicalType: `timestamp-${unit}` };
    for (const value of [time, time.getTime(), time.toISOString()]) assert.deepEqual(round(type, value), time);
    const local = { type: 'long', logicalType: `local-timestamp-${unit}` };
    const text = {
      millis: '2024-01-31T08:00:00.123',
      micros: '1901-01-31T08:00:00.123456',
      nanos: '2024-01-31T08:00:00.123456789',
    }[unit];
    assert.equal(round(local, text), text);
  }
  assert.deepEqual(round({ type: 'int', logicalType: 'date' }, time), new Date('2024-01-31T00:00:00Z'));
  assert.deepEqual(round({ type: 'int', logicalType: 'date' }, new Date(-1)), new Date('1969-12-31T00:00:00Z'));
  assert.equal(round({ type: 'int', logicalType: 'time-millis' }, 5), 5);
  assert.equal(round({ type: 'long', logicalType: 'time-micros' }, 0.601), 0.601);
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 2 };
  for (const value of ['12.30', '-0.01', '0.00', '-1.28', '1.27', '123456789012345678.90'])
    assert.equal(round(decimal, value), value);
  assert.equal(round(decimal, 12.3), '12.30');
  assert.equal(round(decimal, 5n), '5.00');
  const fixed = { type: 'fixed', name: 'D', size: 4, logicalType: 'decimal', precision: 9, scale: 2 };
  assert.equal(round(fixed, '-12.30'), '-12.30');
  const uuid = '00112233-4455-6677-8899-aabbccddeeff';
  assert.equal(round({ type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' }, uuid), uuid);
  const duration = { months: 1, days: 2, millis: 3 };
  assert.deepEqual(round({ type: 'fixed', name: 'U', size: 12, logicalType: 'duration' }, duration), duration);
});

test('an error names the field and what its schema wants', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ id: 'x' }, 'Its field "id" is "x"; its schema wants a long: a whole number, or a bigint beyond 2^53.'],
    [{ id: undefined }, 'Its field "id" is missing; its schema wants a long: a whole number, or a bigint beyond 2^53.'],
    [
      { id: 2 ** 53 },
      'Its field "id" is 9007199254740992; its schema wants a long: a whole number, or a bigint beyond 2^53.',
    ],
    [
      { big: 2n ** 63n },
      'Its field "big" is 9223372036854775808n; its schema wants a long: a whole number, or a bigint beyond 2^53.',
    ],
    [{ count: 2 ** 31 }, 'Its field "count" is 2147483648; its schema wants an int of 32 bits.'],
    [{ note: 3 }, 'Its field "note" is 3; its schema wants a string.'],
    [{ state: 'LOST' }, 'Its field "state" is "LOST"; its schema wants one of "OPEN", "SHIPPED".'],
    [{ tags: ['a', 1] }, 'Its field "tags[1]" is 1; its schema wants a string.'],
    [{ sizes: { s: 1.5 } }, 'Its field "sizes.s" is 1.5; its schema wants an int of 32 bits.'],
    [{ hash: new Uint8Array(3) }, 'Its field "hash" is 3 bytes; its schema wants a Uint8Array of 2 bytes.'],
    [
      { lines: [{ sku: 'x', n: 1 }, { sku: 'y' }] },
      'Its field "lines[1].n" is missing; its schema wants an int of 32 bits.',
    ],
  ];
  for (const [change, expected] of cases) assert.equal(problem(order, { ...row, ...change }), expected);
  assert.equal(problem(order, 5), 'It is 5; its schema wants a record shop.Order.');
  assert.equal(
    problem({ type: 'long', logicalType: 'timestamp-millis' }, 'x'),
    'It is "x"; it is no ISO-8601 date and time with a zone, such as 2024-01-31T08:00:00Z.',
  );
});

test('a union takes the branch that fits; among several records it wants the name', () => {
  const a = { type: 'record', name: 'A', fields: [{ name: 'x', type: 'int' }] };
  const b = { type: 'record', name: 'B', fields: [{ name: 'y', type: 'int' }] };
  const several = ['null', a, b];
  for (const value of [null, { A: { x: 1 } }, { B: { y: 2 } }])
    assert.deepEqual(readBytes(avro(several), written(several, value)), value);
  assert.match(problem(several, { x: 1 }), /must be \{ \[name\]: value \} with one of the names "null", "A", "B"/);
  assert.equal(problem(several, { B: { y: 'no' } }), 'Its field "B.y" is "no"; its schema wants an int of 32 bits.');
  const mixed = ['null', 'int', 'string', a];
  for (const value of [null, 1, 'a', { x: 2 }]) assert.deepEqual(readBytes(avro(mixed), written(mixed, value)), value);
  assert.equal(problem(mixed, true), 'It is true; its schema wants one of null, int, string, A.');
  assert.equal(problem(mixed, { x: 'no' }), 'Its field "x" is "no"; its schema wants an int of 32 bits.');
});

test('a row that contains itself is an error', () => {
  const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] };
  const loop: Record<string, unknown> = {};
  loop['next'] = loop;
  assert.match(problem(list, loop), /nested more than 500 levels/);
});

test('defaults of all types are written', () => {
  const type = {
    type: 'record',
    name: 'R',
    fields: [
      { name: 'b', type: 'bytes', default: '\u00ff\u0001' },
      { name: 'f', type: { type: 'fixed', name: 'F', size: 1 }, default: '\u0002' },
      { name: 'u', type: ['int', 'null'], default: 3 },
      { name: 'n', type: ['null', 'int'], default: null },
      { name: 'r', type: { type: 'record', name: 'I', fields: [{ name: 'x', type: 'int', default: 4 }] }, default: {} },
      { name: 'a', type: { type: 'array', items: 'int' }, default: [1, 2] },
      { name: 'd', type: { type: 'int', logicalType: 'date' }, default: 1 },
    ],
  };
  assert.deepEqual(readBytes(avro(type), written(type, {})), {
    b: new Uint8Array([255, 1]),
    f: new Uint8Array([2]),
    u: 3,
    n: null,
    r: { x: 4 },
    a: [1, 2],
    d: new Date('1970-01-02T00:00:00Z'),
  });
});

test('a union loses nothing that another of its types would keep', () => {
  const date = { type: 'int', logicalType: 'date' };
  const time = { type: 'long', logicalType: 'timestamp-millis' };
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 };
  const cases: readonly (readonly [readonly unknown[], readonly unknown[]])[] = [
    [
      ['null', 'float', date, time, decimal, 'double', 'string'],
      [null, 0.1, 0.5, 16_777_217, 5, new Date(0), new Date(1)],
    ],
    [
      ['null', time, decimal, 'int', 'string'],
      [new Date(1), 5, '12.30', '2024-01-31T08:00:00Z', 'x'],
    ],
    [
      ['null', 'float', 'long', 'string'],
      [16_777_217, 2n ** 60n, 0.5],
    ],
  ];
  for (const [union, values] of cases)
    for (const value of values) assert.deepEqual(readBytes(avro(union), written(union, value)), value);
  const single = ['null', 'float', 'string'];
  assert.equal(readBytes(avro(single), written(single, 0.1)), Math.fround(0.1));
});
