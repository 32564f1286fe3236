// Records of a compacted topic as rows of a table. A tombstone deletes the row of its key, for
// every key format.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { KeyReader } from '../../connectors/kafka/key-reader.ts';
import { RecordDecoder } from '../../connectors/kafka/record-decoder.ts';
import { TableDecoder } from '../../connectors/kafka/table-decoder.ts';
import type { FormatSpec } from '../../graph/format-spec.ts';
import { FunctionTable } from '../../graph/plan.ts';

function decoder(keyFormat?: FormatSpec): TableDecoder {
  const rows = new RecordDecoder({ timestamp: { field: 'at' } }, new FunctionTable(), 'customers');
  const keys = new KeyReader(keyFormat);
  rows.open();
  keys.open();
  return new TableDecoder('id', rows, keys);
}
function decode(decoded: TableDecoder, text: string | undefined, timestamp: number, key?: string | Buffer): boolean {
  const bytes = Buffer.from(text ?? '');
  const record = { bytes, slice: (start: number, end: number) => bytes.toString('utf8', start, end) };
  return decoded.decode(
    record,
    0,
    text === undefined ? -1 : bytes.length,
    timestamp,
    key === undefined ? key : Buffer.from(key),
  );
}
const row = (id: unknown): string => JSON.stringify({ id, at: 5 });

for (const [form, id, key] of [
  ['text', 'c-7', 'c-7'],
  ['text', '7', '7'],
  ['json', 7, '7'],
  ['json', 'c-7', '"c-7"'],
  ['json', true, 'true'],
  ['field', 7, '{"id":7,"region":"eu"}'],
] as const)
  test(`a key that is ${form} names the row that a tombstone deletes: ${key}`, () => {
    const decoded = decoder();
    assert.ok(decode(decoded, row(id), 1, key));
    assert.deepEqual(decoded.value, { key: id, row: { id, at: 5 } });
    assert.equal(decoded.timestamp, 5, 'a row has the time that it says');
    assert.equal(decoded.form, form);
    assert.ok(decode(decoded, undefined, 9, key));
    assert.deepEqual(decoded.value, { key: id, row: null });
    assert.equal(decoded.timestamp, 9, 'a tombstone has that of its record');
  });

test('a tombstone before any row deletes nothing, and is no error', () => {
  const decoded = decoder();
  assert.ok(decode(decoded, undefined, 9, 'c-7'));
  assert.equal(decoded.value, undefined);
});

test('a tombstone whose key says nothing about the field is one', () => {
  const decoded = decoder();
  assert.ok(decode(decoded, row('c-7'), 1, 'another'));
  assert.equal(decode(decoded, undefined, 9, 'another'), false);
  assert.match(decoded.problem, /deletes a row of the table, but its key, another, does not say which "id"/);
  assert.ok(decode(decoded, row('c-8'), 1, undefined));
  assert.equal(decode(decoded, undefined, 9, undefined), false);
  assert.ok(decode(decoded, row('c-9'), 1, 'c-9'), 'the first that shows it counts');
  assert.ok(decode(decoded, undefined, 9, 'c-7'));
  assert.deepEqual(decoded.value, { key: 'c-7', row: null });
});

test('what is no row of the table is an error', () => {
  const decoded = decoder();
  for (const [text, problem] of [
    ['{"at":5}', / has no "id", so it is no row of the table/],
    ['5', /"at"/],
    ['{', / is not JSON/],
    ['{"id":1}', /"at"/],
  ] as const) {
    assert.equal(decode(decoded, text, 1, '1'), false, text);
    assert.match(decoded.problem, problem);
  }
});

test('with a key format, a key is what the format reads: the value, or a row with the field', () => {
  const key = { type: 'record', name: 'K', fields: [{ name: 'id', type: 'long' }] };
  for (const schema of ['long', key]) {
    const decoded = decoder({
      format: 'avro',
      schemaFile: { type: 'AVRO', text: JSON.stringify(schema), references: [] },
    });
    assert.ok(decode(decoded, row(7), 1, Buffer.from([14])));
    assert.ok(decode(decoded, undefined, 9, Buffer.from([16])));
    assert.deepEqual(decoded.value, { key: 8, row: null });
    assert.ok(decode(decoded, row(9), 1, Buffer.from([])), 'a row needs no key');
    assert.equal(decode(decoded, undefined, 9, Buffer.from([])), false);
    assert.match(decoded.problem, /^: its key does not fit the Avro schema of the file: byte 0/);
  }
});
