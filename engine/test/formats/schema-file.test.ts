// Schema files: the type by format or extension, imports of .proto files, and files that cannot be
// used.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { readSchemaFile } from '../../formats/schema-file.ts';
import { readBytes } from './read-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-schema-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('the format decides what a file is, and with "auto" its extension', () => {
  assert.equal(readSchemaFile(file('a.avsc', '"int"'), 'auto').type, 'AVRO');
  assert.equal(readSchemaFile(file('a.proto', 'message M { }'), 'auto').type, 'PROTOBUF');
  assert.equal(readSchemaFile(file('a.json', '"int"'), 'avro').type, 'AVRO');
  assert.equal(readSchemaFile(file('a.json', '{}'), 'json-schema').type, 'JSON');
  assert.throws(() => readSchemaFile(file('a.json', '{}'), 'auto'), { code: 'schema-file', message: /Give format/ });
});

test('imports of a .proto file are found in its folder and above, and theirs too', () => {
  file('common/money.proto', 'syntax = "proto3"; package common; message Money { int64 cents = 1; }');
  file('shop/line.proto', 'syntax = "proto3"; import "common/money.proto"; message Line { common.Money price = 1; }');
  const order = file(
    'shop/order.proto',
    'syntax = "proto3"; import "line.proto"; import "google/protobuf/timestamp.proto"; import "missing.proto"; message Order { Line line = 1; google.protobuf.Timestamp at = 2; }',
  );
  const schema = readSchemaFile(order, 'protobuf');
  assert.deepEqual(schema.references.map(({ name }) => name).sort(), ['common/money.proto', 'line.proto']);
  assert.deepEqual(readBytes(schema, '0a 04 0a 02 08 05'), { line: { price: { cents: 5 } } });
  const circle = file('circle.proto', 'syntax = "proto3"; import "circle.proto"; message M { int32 a = 1; }');
  assert.deepEqual(readBytes(readSchemaFile(circle, 'auto'), '08 01'), { a: 1 });
});

test('a file that cannot be read is one error', () => {
  assert.throws(() => readSchemaFile(join(folder, 'none.avsc'), 'auto'), {
    code: 'schema-file',
    message: /cannot be read: ENOENT/,
  });
  assert.throws(() => readSchemaFile(folder, 'avro'), { code: 'schema-file' });
  assert.throws(() => readSchemaFile(file('bad.proto', '{'), 'auto'), {
    code: 'schema-file',
    message: /illegal token/,
  });
  assert.throws(() => readSchemaFile(file('large.avsc', 'x'.repeat(10 << 20)), 'auto'), {
    code: 'schema-file',
    message: /1048576 are allowed/,
  });
});
