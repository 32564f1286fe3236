// Records of a compacted topic as rows of a table. A tombstone deletes the row of its key, for
// every key format.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { KeyReader } from '../../connectors/kafka/key-reader.ts';
import { type DecoderSpec, RecordDecoder } from '../../connectors/kafka/record-decoder.ts';
import { TableDecoder } from '../../connectors/kafka/table-decoder.ts';
import type { FormatSpec } from '../../graph/format-spec.ts';
import { FunctionTable } from '../../graph/plan.ts';

function recordsOf(spec: DecoderSpec): RecordDecoder {
  const rows = new RecordDecoder(spec, new FunctionTable(), 'customers');
  rows.open();
  return rows;
}
function tableOf(spec: DecoderSpec, keyFormat?: FormatSpec): TableDecoder {
  const keys = new KeyReader(keyFormat);
  keys.open();
  return new TableDecoder('id', recordsOf(spec), keys);
}
const decoder = (keyFormat?: FormatSpec): TableDecoder => tableOf({ timestamp: { field: 'at' } }, keyFormat);
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

test('a tombstone is a problem until a record shows how its topic writes keys', () => {
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

test('that no key agreed with its field is known after a restore, too', () => {
  const before = decoder();
  assert.ok(decode(before, row(5), 1, 'user-5'));
  const decoded = decoder();
  decoded.form = before.form;
  assert.equal(decode(decoded, undefined, 9, 'user-5'), false);
  assert.match(decoded.problem, /its key, user-5, does not say which "id"\. A key is that value as text or as JSON/);
});

test('a timestamp in Kafka that is no time in milliseconds is no event time', () => {
  const rows = recordsOf({});
  const one = { bytes: Buffer.from('1'), slice: () => '1' };
  for (const [timestamp, problem] of [
    [2 ** 63, / has the timestamp 9223372036854776000 in Kafka, which is no time/],
    [1.7e18, / has the timestamp 1700000000000000000 in Kafka, which is no time in epoch milliseconds/],
    [8.64e15 + 1, /at most 8\.64e15/],
    [-1, / has no timestamp in Kafka/],
  ] as const) {
    assert.equal(rows.decode(one, 0, 1, timestamp), false, String(timestamp));
    assert.match(rows.problem, problem);
    const table = tableOf({});
    table.form = 'text';
    assert.equal(decode(table, undefined, timestamp, 'c-7'), false, String(timestamp));
    assert.match(table.problem, problem);
  }
  assert.ok(rows.decode(one, 0, 1, 8.64e15));
  assert.ok(rows.decode(one, 0, 1, 0));
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
