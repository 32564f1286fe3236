// Avro's binary encoding as rows: bytes written by hand from the specification, bytes of avsc for
// random schemas, and bytes that no writer would make.
import assert from 'node:assert/strict';
import avsc, { type Schema } from 'avsc';
import fc from 'fast-check';
import { test } from 'vitest';
import { BadRecord } from '../../formats/byte-reader.ts';
import { bareReader } from '../../formats/record-readers.ts';
import { avro, hex, readBytes, readWith } from './read-bytes.ts';

const record = (...fields: readonly (readonly [string, unknown])[]): unknown => ({
  type: 'record',
  name: 'R',
  fields: fields.map(([name, type]) => ({ name, type })),
});

test('the examples of the specification are read', () => {
  assert.deepEqual(readBytes(avro(record(['a', 'long'], ['b', 'string'])), '36 06 66 6f 6f'), { a: 27, b: 'foo' });
  assert.deepEqual(readBytes(avro({ type: 'array', items: 'long' }), '04 06 36 00'), [3, 27]);
  assert.deepEqual(readBytes(avro(['null', 'string']), '02 02 61'), 'a');
  assert.deepEqual(readBytes(avro(['null', 'string']), '00'), null);
  for (const [bytes, value] of [
    ['00', 0],
    ['01', -1],
    ['02', 1],
    ['03', -2],
    ['7f', -64],
    ['80 01', 64],
  ] as const)
    assert.equal(readBytes(avro('long'), bytes), value);
});

test('a block with a negative count has its size behind the count', () => {
  assert.deepEqual(readBytes(avro({ type: 'array', items: 'long' }), '03 04 06 36 02 02 00'), [3, 27, 1]);
  assert.deepEqual(readBytes(avro({ type: 'map', values: 'int' }), '01 06 02 61 02 02 02 62 04 00'), { a: 1, b: 2 });
});

test('a long is a number as long as it is exact, else a bigint', () => {
  const zigzag = (value: bigint): Buffer => {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return Buffer.from([...bytes, Number(rest)]);
  };
  const edges = [0n, 2n ** 27n, 2n ** 28n, 2n ** 31n, 2n ** 52n, 2n ** 53n, 2n ** 56n, 2n ** 62n, 2n ** 63n - 1n];
  const near = edges.flatMap((edge) => [edge - 1n, edge, edge + 1n]).flatMap((one) => [one, -one, -one - 1n]);
  const inRange = (value: bigint): boolean => value === BigInt.asIntN(64, value);
  const check = (value: bigint): void => {
    const expected = Number.isSafeInteger(Number(value)) ? Number(value) : value;
    assert.equal(readBytes(avro('long'), zigzag(value)), expected === 0 ? 0 : expected, String(value));
  };
  near.filter(inRange).forEach(check);
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), check));
});

test('logical types become dates, exact texts and milliseconds', () => {
  const as = (type: string, logicalType: string, more: object = {}): unknown => ({ type, logicalType, ...more });
  const of = (type: string, logicalType: string, bytes: string, more: object = {}): unknown =>
    readBytes(avro(as(type, logicalType, more)), bytes);
  // 2024-01-31 is day 19753; 08:00:00.123 that day is 1706688000123 ms.
  assert.deepEqual(of('int', 'date', 'd2 b4 02'), new Date('2024-01-31T00:00:00Z'));
  assert.deepEqual(of('long', 'timestamp-millis', 'f6 c1 c1 e8 ab 63'), new Date('2024-01-31T08:00:00.123Z'));
  const long = avsc.Type.forSchema('long');
  const micros = long.toBuffer(1_706_688_000_123_456).toString('hex');
  assert.deepEqual(of('long', 'timestamp-micros', micros), new Date('2024-01-31T08:00:00.123Z'));
  assert.equal(of('long', 'local-timestamp-micros', micros), '2024-01-31T08:00:00.123456');
  assert.deepEqual(of('long', 'timestamp-micros', '01'), new Date(-1), 'what is cut off is cut towards the past');
  assert.equal(of('long', 'local-timestamp-micros', '01'), '1969-12-31T23:59:59.999999');
  assert.equal(of('int', 'time-millis', '02'), 1);
  assert.equal(of('long', 'time-micros', 'd2 09'), 0.617);
  const decimal = { precision: 9, scale: 2 };
  assert.equal(of('bytes', 'decimal', '04 04 ce', decimal), '12.30');
  assert.equal(of('bytes', 'decimal', '02 ff', decimal), '-0.01');
  assert.equal(of('bytes', 'decimal', '00', decimal), '0.00');
  const big = { precision: 30, scale: 0 };
  assert.equal(of('bytes', 'decimal', '14 7f ff ff ff ff ff ff ff ff ff', big), '604462909807314587353087');
  assert.equal(of('string', 'uuid', '02 61'), 'a');
  const fixed = (size: number, logicalType: string, bytes: string): unknown =>
    readBytes(avro({ type: 'fixed', name: 'F', size, logicalType, ...decimal }), bytes);
  assert.equal(fixed(16, 'uuid', '00112233445566778899aabbccddeeff'), '00112233-4455-6677-8899-aabbccddeeff');
  assert.deepEqual(fixed(12, 'duration', '01000000 02000000 03000000'), { months: 1, days: 2, millis: 3 });
  assert.equal(fixed(2, 'decimal', 'ff 9c'), '-1.00');
  assert.equal(of('int', 'color', '02'), 1, 'an unknown logical type is the type below it');
  assert.deepEqual(of('bytes', 'decimal', '02 01', { precision: 1, scale: 2 }), new Uint8Array([1]));
});

test('a time that no Date can hold is a bad record', () => {
  const schema = avro({ type: 'long', logicalType: 'timestamp-millis' });
  assert.throws(() => readBytes(schema, 'fe ff ff ff ff ff ff ff ff 01'), BadRecord);
});

test('a union is its value; only among several records and maps the value has a name', () => {
  const point = { type: 'record', name: 'Point', namespace: 'geo', fields: [{ name: 'x', type: 'int' }] };
  const line = { type: 'record', name: 'Line', namespace: 'geo', fields: [{ name: 'y', type: 'int' }] };
  assert.deepEqual(readBytes(avro(['null', point]), '02 02'), { x: 1 });
  assert.equal(readBytes(avro(['int', 'string', 'double']), '02 02 61'), 'a');
  const several = avro(['null', point, line]);
  assert.deepEqual(readBytes(several, '02 02'), { 'geo.Point': { x: 1 } });
  assert.deepEqual(readBytes(several, '04 02'), { 'geo.Line': { y: 1 } });
  assert.equal(readBytes(several, '00'), null);
  assert.deepEqual(readBytes(avro([{ type: 'map', values: 'int' }, point]), '02 02'), { 'geo.Point': { x: 1 } });
});

test('types of references, namespaces and circles are found', () => {
  const currency = { type: 'enum', name: 'Currency', namespace: 'shop', symbols: ['EUR', 'USD'] };
  const money = {
    type: 'record',
    name: 'shop.Money',
    fields: [
      { name: 'currency', type: 'Currency' },
      { name: 'cents', type: 'long' },
    ],
  };
  const schema = avro(record(['price', 'shop.Money']), currency, money);
  assert.deepEqual(readBytes(schema, '02 0a'), { price: { currency: 'USD', cents: 5 } });
  const list = record(['value', 'int'], ['next', ['null', 'R']]);
  assert.deepEqual(readBytes(avro(list), '02 02 04 00'), { value: 1, next: { value: 2, next: null } });
});

test('names of JavaScript are names like others', () => {
  const fields = ['__proto__', 'constructor', 'toString', 'a-b', '"', 'row'];
  const row = readBytes(avro(record(...fields.map((name) => [name, 'int'] as const))), '02 04 06 08 0a 0c');
  assert.deepEqual(
    Object.entries(row as object),
    fields.map((name, index) => [name, index + 1]),
  );
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
  const map = readBytes(avro({ type: 'map', values: 'int' }), '02 12 5f5f70726f746f5f5f 02 00');
  assert.deepEqual(Object.entries(map as object), [['__proto__', 1]]);
});

test('bytes are a copy, not a view of the chunk', () => {
  const bytes = readBytes(avro('bytes'), '04 01 02') as Uint8Array;
  assert.deepEqual([bytes, bytes.buffer.byteLength, bytes.constructor], [new Uint8Array([1, 2]), 2, Uint8Array]);
});

// --------------------------------------------------------------------------------- laws with avsc

interface Case {
  readonly schema: unknown;
  readonly value: unknown;
}
let names = 0;
const leaves: readonly fc.Arbitrary<Case>[] = [
  fc.constant({ schema: 'null', value: null }),
  fc.boolean().map((value) => ({ schema: 'boolean', value })),
  fc.integer().map((value) => ({ schema: 'int', value })),
  // The widest range of avsc's longs without a type of its own.
  fc.integer({ min: 1 - 2 ** 52, max: 2 ** 52 - 1 }).map((value) => ({ schema: 'long', value })),
  fc.float({ noNaN: true }).map((value) => ({ schema: 'float', value })),
  fc.double({ noNaN: true }).map((value) => ({ schema: 'double', value })),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((value) => ({ schema: 'string', value })),
  fc.uint8Array({ maxLength: 20 }).map((value) => ({ schema: 'bytes', value: Buffer.from(value) })),
  fc.uint8Array({ maxLength: 9 }).map((value) => ({
    schema: { type: 'fixed', name: `F${names++}`, size: value.length },
    value: Buffer.from(value),
  })),
  fc.nat(2).map((index) => ({
    schema: { type: 'enum', name: `E${names++}`, symbols: ['A', 'B', 'C'] },
    value: ['A', 'B', 'C'][index],
  })),
];
const { any } = fc.letrec<{ any: Case; leaf: Case; nested: Case }>((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('nested')),
  leaf: fc.oneof(...leaves),
  nested: fc.oneof(
    fc.array(tie('any'), { maxLength: 5 }).map((fields) => ({
      schema: {
        type: 'record',
        name: `R${names++}`,
        fields: fields.map(({ schema }, index) => ({ name: `f${index}`, type: schema })),
      },
      value: Object.fromEntries(fields.map(({ value }, index) => [`f${index}`, value])),
    })),
    fc.tuple(tie('any'), fc.nat(3)).map(([{ schema, value }, count]) => ({
      schema: { type: 'array', items: schema },
      value: Array.from({ length: count }, () => value),
    })),
    fc.tuple(tie('any'), fc.uniqueArray(fc.string(), { maxLength: 3 })).map(([{ schema, value }, keys]) => ({
      schema: { type: 'map', values: schema },
      value: Object.fromEntries(keys.filter((key) => key !== '__proto__').map((key) => [key, value])),
    })),
    fc
      .tuple(tie('leaf'), fc.boolean())
      .filter(([{ schema }]) => schema !== 'null')
      .map(([{ schema, value }, isNull]) => ({
        schema: ['null', schema],
        value: isNull ? null : value,
      })),
  ),
}));
const bytesOf = ({ schema, value }: Case): Buffer =>
  avsc.Type.forSchema(schema as Schema, { wrapUnions: false }).toBuffer(value);
const asUint8 = (value: unknown): unknown => {
  if (Buffer.isBuffer(value)) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(asUint8);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asUint8(inner)]));
};

test('law: what avsc writes is read', () => {
  fc.assert(
    fc.property(any, (one) => assert.deepEqual(readBytes(avro(one.schema), bytesOf(one)), asUint8(one.value))),
    { numRuns: 300 },
  );
});

test('law: a record that is cut anywhere, or has a byte more, is a bad record', () => {
  fc.assert(
    fc.property(any, fc.nat(), (one, at) => {
      const bytes = bytesOf(one);
      const read = bareReader(avro(one.schema));
      assert.throws(() => readWith(read, Buffer.concat([bytes, Buffer.from([0])])), BadRecord);
      if (bytes.length > 0) assert.throws(() => readWith(read, bytes.subarray(0, at % bytes.length)), BadRecord);
    }),
    { numRuns: 200 },
  );
});

test('law: any bytes are a value or a bad record, and nothing else', () => {
  fc.assert(
    fc.property(any, fc.uint8Array({ maxLength: 60 }), ({ schema }, bytes) => {
      try {
        readBytes(avro(schema), bytes);
      } catch (error) {
        assert.ok(error instanceof BadRecord, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

// ------------------------------------------------------------------------------------ hostile
// input

test('a few bytes that describe a billion values are a bad record at once', () => {
  const billion = '80 a8 d6 b9 07';
  for (const items of ['null', 'int', record(), { type: 'fixed', name: 'F', size: 0 }]) {
    const began = process.cpuUsage();
    assert.throws(() => readBytes(avro({ type: 'array', items }), billion), BadRecord);
    const { user, system } = process.cpuUsage(began);
    assert.ok(user + system < 2_000_000, `${user + system} µs`);
  }
});

test('types that double at each level make no more values than the limit', () => {
  let inner: unknown = 'null';
  const named: unknown[] = [];
  for (let level = 0; level < 60; level++) {
    const name = `L${level}`;
    named.push({ type: 'record', name, fields: ['a', 'b'].map((field) => ({ name: field, type: inner })) });
    inner = name;
  }
  assert.throws(() => readBytes(avro(inner, ...named), ''), /make more than a million values/);
});

test('a record that contains itself without end is a bad record', () => {
  assert.throws(() => readBytes(avro(record(['r', 'R'])), ''), BadRecord);
  const list = avro(record(['next', ['null', 'R']]));
  assert.throws(() => readBytes(list, Buffer.alloc(10_000, 2)), /nested more than 100 levels/);
});

test('a bad record says where it stopped to fit', () => {
  const schema = avro(record(['id', 'long'], ['name', 'string'], ['ok', 'boolean']));
  const problem = (bytes: string): string => {
    try {
      return JSON.stringify(readBytes(schema, bytes));
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(problem('02 06 66 6f'), 'byte 2 begins something of 3 bytes, but 2 are left');
  assert.equal(problem('02 05'), 'byte 2 begins a negative length, -3');
  assert.equal(problem('02 02 61 02'), 'byte 3 is 2, which is no boolean');
  assert.equal(problem('02 02 61 01 00'), '1 of its bytes are left over');
  assert.equal(problem('ff ff ff ff ff ff ff ff ff 02'), 'byte 9 ends a number of more than 64 bits');
  assert.throws(() => readBytes(avro('int'), hex('80 80 80 80 20')), /has more than 32 bits/);
  assert.throws(() => readBytes(avro({ type: 'enum', name: 'E', symbols: ['A'] }), '02'), /has no such symbol/);
  assert.throws(() => readBytes(avro(['null', 'int']), '04'), /has no such type/);
});
