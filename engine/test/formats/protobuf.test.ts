// Protobuf's binary encoding as rows: bytes from the specification, bytes of protobufjs's own
// writer, and bytes that no writer would make.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { test } from 'vitest';
import { BadRecord } from '../../formats/byte-reader.ts';
import { whyUnusable } from '../../formats/limits.ts';
import { bareReader, framedReader } from '../../formats/record-readers.ts';
import { hex, proto, readBytes, readWith } from './read-bytes.ts';

const file = (text: string): string => `syntax = "proto3"; package shop;\n${text}`;
const message = (fields: string): string => file(`message M { ${fields} }`);

test('the examples of the specification are read', () => {
  assert.deepEqual(readBytes(proto(message('int32 a = 1;')), '08 96 01'), { a: 150 });
  assert.deepEqual(readBytes(proto(message('string b = 2;')), '12 07 74 65 73 74 69 6e 67'), { b: 'testing' });
  const inner = `${message('Inner c = 3;')} message Inner { int32 a = 1; }`;
  assert.deepEqual(readBytes(proto(inner), '1a 03 08 96 01'), { c: { a: 150 } });
  const list = proto(message('repeated int32 f = 6;'));
  assert.deepEqual(readBytes(list, '32 06 03 8e 02 9e a7 05'), { f: [3, 270, 86942] }, 'packed');
  assert.deepEqual(readBytes(list, '30 03 30 8e 02 32 03 9e a7 05'), { f: [3, 270, 86942] }, 'packed and not, mixed');
});

test('fields that were not written have their defaults; with presence they are absent', () => {
  const fields = `int32 i = 1; string s = 2; bool b = 3; bytes y = 4; double d = 5; int64 l = 6; E e = 7;
    repeated string r = 8; map<string, int32> m = 9; optional int32 o = 10; M n = 11; oneof x { int32 p = 12; string q = 13; }`;
  const schema = proto(`${message(fields)} enum E { NONE = 0; SOME = 1; }`);
  const expected = { i: 0, s: '', b: false, y: new Uint8Array(0), d: 0, l: 0, e: 'NONE', r: [], m: {} };
  assert.deepEqual(readBytes(schema, ''), expected);
  assert.deepEqual(readBytes(schema, '50 00 5a 00 60 00'), { ...expected, o: 0, n: expected, p: 0 });
  assert.deepEqual(readBytes(schema, '60 05 6a 01 61'), { ...expected, q: 'a' }, 'the last member of a oneof counts');
  const proto2 = proto('syntax = "proto2"; message M { required int32 a = 1; optional int32 b = 2 [default = 5]; }');
  assert.deepEqual(readBytes(proto2, '08 01'), { a: 1 });
});

test('64-bit integers are numbers as long as they are exact, else bigints', () => {
  const types = ['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'] as const;
  const text = message(types.map((type, index) => `${type} f${index} = ${index + 1};`).join(' '));
  const read = bareReader(proto(text));
  const type = protobuf.parse(text).root.lookupType('shop.M');
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.nat(60), (large, shift) => {
      const signed = large >> BigInt(shift);
      const unsigned = BigInt.asUintN(64, signed);
      const values = [signed, unsigned, signed, unsigned, signed];
      const fields = Object.fromEntries(values.map((value, index) => [`f${index}`, String(value)]));
      const row = readWith(read, type.encode(type.fromObject(fields)).finish()) as Record<string, number | bigint>;
      for (const [index, value] of values.entries()) {
        const got = row[`f${index}`]!;
        assert.equal(BigInt(got), value);
        assert.equal(typeof got, Number.isSafeInteger(Number(value)) ? 'number' : 'bigint');
      }
    }),
  );
  assert.deepEqual(readBytes(proto(message('int32 a = 1;')), '08 ff ff ff ff ff ff ff ff ff 01'), { a: -1 });
});

test('what protobufjs writes is read: messages, maps, enums, lists and all kinds of numbers', () => {
  const text = file(`message Order {
      message Line { string sku = 1; int32 count = 2; }
      enum State { OPEN = 0; SHIPPED = 1; }
      string id = 1; repeated Line lines = 2; map<string, Line> by_sku = 3; State state = 4; repeated State states = 5;
      map<int64, string> names = 6; map<bool, double> flags = 7; bytes raw = 8;
      float f = 9; double d = 10; sint32 z = 11; uint32 u = 12; fixed32 x = 13; sfixed32 y = 14; bool b = 15;
      Order parent = 16; repeated string tags = 17; repeated double doubles = 18;
    }`);
  const type = protobuf.parse(text, new protobuf.Root(), { keepCase: true }).root.lookupType('shop.Order');
  const row = {
    id: 'ä1',
    lines: [
      { sku: 'a', count: -1 },
      { sku: '', count: 0 },
    ],
    by_sku: { a: { sku: 'a', count: 3 }, b: { sku: 'b', count: 0 } },
    state: 'SHIPPED',
    states: ['OPEN', 'SHIPPED', 'OPEN'],
    names: { 5: 'five', '-6': 'minus six' },
    flags: { true: 1.5, false: 0 },
    raw: new Uint8Array([0, 255]),
    f: 0.5,
    d: -1e300,
    z: -2147483648,
    u: 4294967295,
    x: 4294967295,
    y: -5,
    b: true,
    parent: undefined as unknown,
    tags: ['x'.repeat(100), ''],
    doubles: [1, 2.5],
  };
  const empty = readBytes(proto(text), '') as typeof row;
  const written = type.encode(type.fromObject({ ...row, parent: { id: 'p' } })).finish();
  assert.deepEqual(readBytes(proto(text), written), { ...row, parent: { ...empty, id: 'p' } });
});

test('a number without a name in its enum stays a number; the first of two names counts', () => {
  const enums = 'enum E { option allow_alias = true; NONE = 0; ONE = 1; UNO = 1; }';
  const schema = proto(`${message('E e = 1; repeated E r = 2;')} ${enums}`);
  assert.deepEqual(readBytes(schema, '08 07 12 03 00 01 05'), { e: 7, r: ['NONE', 'ONE', 5] });
});

test('well-known types are values', () => {
  const imports = ['timestamp', 'duration', 'wrappers', 'struct', 'any', 'empty']
    .map((name) => `import "google/protobuf/${name}.proto";`)
    .join(' ');
  const schema = proto(
    `syntax = "proto3"; ${imports} import "confluent/type/decimal.proto"; message M { google.protobuf.Timestamp t = 1; google.protobuf.Duration d = 2;
     google.protobuf.Int64Value w = 3; google.protobuf.Struct s = 4; google.protobuf.StringValue n = 5; google.protobuf.Any a = 6;
     confluent.type.Decimal x = 7; google.protobuf.Empty e = 8; repeated google.protobuf.BoolValue l = 9; }`,
  );
  const root = new protobuf.Root();
  for (const name of ['timestamp', 'duration', 'wrappers', 'struct', 'any', 'empty'])
    root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)!.nested!);
  const decimal =
    'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }';
  protobuf.parse(decimal, root);
  const type = protobuf.parse(schema.text, root).root.lookupType('M');
  const list = [
    { nullValue: 0 },
    { boolValue: true },
    { numberValue: 1.5 },
    { stringValue: 'v' },
    { structValue: { fields: {} } },
  ];
  const written = type.encode(
    type.fromObject({
      t: { seconds: 1, nanos: 500_000_999 },
      d: { seconds: -1, nanos: -500_000_000 },
      w: { value: 5 },
      s: { fields: { k: { listValue: { values: list } } } },
      n: {},
      a: { type_url: 'x', value: Buffer.from([1]) },
      x: { value: Buffer.from([0x04, 0xce]), precision: 4, scale: 2 },
      e: {},
      l: [{}, { value: true }],
    }),
  );
  assert.deepEqual(readBytes(schema, written.finish()), {
    t: new Date(1500),
    d: -1500,
    w: 5,
    s: { k: [null, true, 1.5, 'v', {}] },
    n: '',
    a: { type_url: 'x', value: new Uint8Array([1]) },
    x: '12.30',
    e: {},
    l: [false, true],
  });
});

test('groups, unknown fields and messages in parts are read as the specification says', () => {
  const group = proto(
    'syntax = "proto2"; message M { optional group Part = 1 { optional int32 a = 2; } optional int32 b = 3; }',
  );
  const read = readBytes(group, '0b 10 05 0c 18 07') as Record<string, unknown>;
  assert.deepEqual(Object.values(read), [{ a: 5 }, 7]);
  const one = proto(message('int32 a = 1;'));
  const unknown = '10 05 19 0000000000000000 22 02 6161 2d 00000000 33 08 01 43 44 34';
  assert.deepEqual(readBytes(one, `${unknown} 08 01`), { a: 1 });
  assert.deepEqual(readBytes(one, '0a 01 61 08 02'), { a: 2 }, 'a field of another wire type is unknown');
  const nested = proto(`${message('N n = 1;')} message N { int32 a = 1; int32 b = 2; repeated int32 c = 3; }`);
  assert.deepEqual(readBytes(nested, '0a 04 08 01 18 07 0a 04 10 02 18 08'), { n: { a: 1, b: 2, c: [7, 8] } });
});

test('the message index chooses the type', () => {
  const schema = proto(
    file('message A { int32 a = 1; } message B { message C { int32 c = 1; } message D { int32 d = 1; } }'),
  );
  const read = framedReader(schema);
  assert.deepEqual(readWith(read, hex('00 08 05')), { a: 5 });
  assert.deepEqual(readWith(read, hex('02 00 08 05')), { a: 5 });
  assert.deepEqual(readWith(read, hex('04 02 02 08 05')), { d: 5 });
  assert.throws(() => readWith(read, hex('02 08 08 05')), /it has no message \[4\]/);
  assert.throws(() => readWith(read, hex('80 01')), /its message index has 64 parts/);
});

test('a message of a file is chosen by its name; the first is the default', () => {
  const schema = proto(file('enum E { X = 0; } message A { int32 a = 1; } message B { message C { int32 c = 1; } }'));
  assert.deepEqual(readBytes(schema, '08 05'), { a: 5 });
  assert.deepEqual(readBytes(schema, '08 05', 'B.C'), { c: 5 });
  assert.deepEqual(readBytes(schema, '08 05', 'shop.B.C'), { c: 5 });
  assert.throws(() => readBytes(schema, '', 'Z'), /it has no message "Z". It has "shop.A", "shop.B", "shop.B.C"/);
});

test('imports are found by name, and types of other packages too', () => {
  const references = {
    'shop/money.proto': 'syntax = "proto3"; package money; message Money { int64 cents = 1; }',
    'shop/base.proto':
      'syntax = "proto3"; import "shop/money.proto"; package shop; message Base { money.Money price = 1; }',
  };
  const schema = proto(
    file('import "shop/base.proto"; import "buf/validate.proto"; message M { Base base = 1; }'),
    references,
  );
  assert.deepEqual(readBytes(schema, '0a 04 0a 02 08 05'), { base: { price: { cents: 5 } } });
});

test('options of a custom kind are no obstacle', () => {
  const schema = proto(
    'syntax = "proto3"; import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { string rule = 50000; } message M { int32 a = 1 [(rule) = "x"]; }',
  );
  assert.deepEqual(readBytes(schema, '08 01'), { a: 1 });
});

test('names of JavaScript are names like others', () => {
  const schema = proto(message('int32 constructor = 1; int32 toString = 2; map<string, int32> m = 3;'));
  const row = readBytes(schema, '08 01 10 02 1a 0d 0a 09 5f5f70726f746f5f5f 10 05') as { m: object };
  assert.deepEqual(Object.entries(row.m), [['__proto__', 5]]);
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
  assert.deepEqual({ ...row, m: 0 }, { constructor: 1, toString: 2, m: 0 });
  assert.deepEqual(readBytes(proto(file('message constructor { int32 a = 1; }')), '08 01'), { a: 1 });
});

const strange = [
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
  '__proto___',
  '__proto____',
  'toString_',
];

test('a field, list, map, member of a oneof, enum or message may have any of these names', () => {
  for (const name of strange) {
    const entries = (fields: string, bytes: string): unknown => {
      const row = readBytes(proto(message(fields)), bytes) as object;
      assert.equal(Object.getPrototypeOf(row), Object.prototype, name);
      return Object.entries(row);
    };
    assert.deepEqual(entries(`int32 ${name} = 1;`, '08 05'), [[name, 5]]);
    assert.deepEqual(entries(`int32 ${name} = 1;`, ''), [[name, 0]]);
    assert.deepEqual(entries(`optional int32 ${name} = 1;`, '08 05'), [[name, 5]]);
    assert.deepEqual(entries(`repeated int32 ${name} = 1;`, '08 05 08 06'), [[name, [5, 6]]]);
    assert.deepEqual(entries(`map<string, int32> ${name} = 1;`, '0a 05 0a 01 61 10 07'), [[name, { a: 7 }]]);
    const parts = `message In { int32 a = 1; int32 b = 2; } optional In ${name} = 1;`;
    assert.deepEqual(entries(parts, '0a 02 08 01 0a 02 10 02'), [[name, { a: 1, b: 2 }]], 'merged');
    const members = `oneof ${name}_ { int32 ${name} = 1; int32 other = 2; }`;
    assert.deepEqual(entries(members, '08 05 10 06'), [['other', 6]]);
    assert.deepEqual(entries(members, '10 06 08 05'), [[name, 5]]);
    assert.deepEqual(entries(`oneof ${name} { int32 a = 1; }`, '08 05'), [['a', 5]]);
    const enums = `enum E { ${name} = 0; OTHER = 1; } E e = 1;`;
    assert.deepEqual([entries(enums, ''), entries(enums, '08 01')], [[['e', name]], [['e', 'OTHER']]]);
    const text = `syntax = "proto3"; package ${name}; message ${name} { message ${name} { int32 a = 1; } ${name} in = 1; }`;
    assert.deepEqual(readBytes(proto(text), '0a 02 08 05'), { in: { a: 5 } });
    const read = bareReader(proto(text), `${name}.${name}.${name}`);
    assert.deepEqual(readWith(read, hex('08 05')), { a: 5 });
    assert.throws(() => bareReader(proto(text), 'Missing'), {
      message: new RegExp(`no message "Missing". It has "${name}.${name}", "${name}.${name}.${name}"`),
    });
  }
});

test('an imported file may have any of these names', () => {
  const text = file('import "constructor/__proto__.proto"; message M { constructor.In in = 1; }');
  const imported = 'syntax = "proto3"; package constructor; message In { int32 a = 1; }';
  assert.deepEqual(readBytes(proto(text, { 'constructor/__proto__.proto': imported }), '0a 02 08 05'), {
    in: { a: 5 },
  });
});

test('names that differ by underscores stay apart', () => {
  const fields = strange.map((name, index) => `int32 ${name} = ${index + 1};`).join(' ');
  const bytes = strange.flatMap((_, index) =>
    index < 15 ? [(index + 1) << 3, index] : [((index + 1) << 3) | 0x80, 1, index],
  );
  const row = readBytes(proto(message(fields)), Buffer.from(bytes).toString('hex')) as object;
  assert.deepEqual(
    Object.entries(row).map(([name]) => name),
    strange,
  );
  assert.deepEqual(
    Object.values(row),
    strange.map((_, index) => index),
  );
});

// ------------------------------------------------------------------------------------ hostile
// input

test('a schema that is none says what is wrong', () => {
  const problem = (text: string): string => {
    try {
      bareReader(proto(text));
      return 'none';
    } catch (error) {
      return whyUnusable(error);
    }
  };
  assert.match(problem('{}'), /illegal token/);
  assert.match(problem(message('Missing a = 1;')), /no such.*Missing/i);
  assert.match(problem('syntax = "proto3";'), /no message/);
  assert.match(problem(message('int32 a = 1; int32 b = 1;')), /duplicate id 1/);
  assert.match(problem(`message M { ${'message N { '.repeat(5_000)}`), /depth|deep/);
  assert.match(problem(`// ${'x'.repeat(10 << 20)}`), /characters; 1,048,576 are allowed/);
  const many = Array.from({ length: 5_000 }, (_, index) => `int32 a${index} = ${index + 1};`).join('');
  assert.match(problem(message(many)), /more than 4,000 declarations in a file/);
});

test('law: any bytes are a row or a bad record, and nothing else', () => {
  const text = message(
    'int32 a = 1; string b = 2; M c = 3; repeated M d = 4; map<string, M> e = 5; repeated double f = 6; bytes g = 7; repeated sint64 h = 8;',
  );
  const read = bareReader(proto(text));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        readWith(read, bytes);
      } catch (error) {
        assert.ok(error instanceof BadRecord, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('messages in messages, and groups in groups, are bounded', () => {
  const read = bareReader(proto(message('M c = 3;')));
  let bytes = Buffer.alloc(0);
  for (let level = 0; level < 150; level++) {
    const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
    bytes = Buffer.concat([Buffer.from([0x1a, ...length]), bytes]);
  }
  assert.throws(() => readWith(read, bytes), /nested more than 100 levels/);
  assert.throws(() => readWith(read, Buffer.alloc(100_000, 0x0b)), /nested more than 100 levels/);
});
