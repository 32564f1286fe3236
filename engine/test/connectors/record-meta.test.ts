// The field `meta` of elements: what it has, for values of every form, and that keys and headers
// stay with their records.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { BatchBuilder } from '../../connectors/kafka/batch-builder.ts';
import { batchHeaders } from '../../connectors/kafka/batch-header.ts';
import { KeyReader } from '../../connectors/kafka/key-reader.ts';
import { MetaDecoder } from '../../connectors/kafka/meta-decoder.ts';
import { keyOf, openChunk } from '../../connectors/kafka/open-chunk.ts';
import { readRecords } from '../../connectors/kafka/record-batch.ts';
import { RecordDecoder } from '../../connectors/kafka/record-decoder.ts';
import { recordHeaders } from '../../connectors/kafka/record-headers.ts';
import type { SplitState } from '../../connectors/kafka/split.ts';
import type { FormatSpec } from '../../graph/format-spec.ts';
import { FunctionTable } from '../../graph/plan.ts';

interface Written {
  readonly key?: Uint8Array | undefined;
  readonly value: Uint8Array;
  readonly headers?: object;
}
type Read = { readonly value: unknown } | { readonly problem: string };

/** Writes the records as a batch, and reads them as a source with meta: true does. */
function readBack(records: readonly Written[], keyFormat?: FormatSpec): Read[] {
  const builder = new BatchBuilder();
  for (const [i, { key, value, headers }] of records.entries()) {
    const encoded = recordHeaders(headers);
    assert.ok(typeof encoded !== 'string');
    builder.append(key, value, 1_000 + i, encoded);
  }
  const bytes = builder.stamped(-1n, -1, -1);
  bytes.writeBigInt64BE(40n, 0);
  const batches = batchHeaders(bytes, 0, bytes.length, 1 << 20);
  const columns = readRecords(batches, bytes, 40, Infinity, { withKeys: true, withHeaders: true });
  const state = { split: { topic: 't', partition: 3 }, name: 't[3]' } as SplitState;
  const open = openChunk({ split: 't[3]', columns, ascii: false, next: 0, epoch: 0, end: 0, bytes: 0 }, state);
  const values = new RecordDecoder({ format: 'json' }, new FunctionTable(), 't');
  values.open();
  const keys = new KeyReader(keyFormat);
  keys.open();
  keys.look(columns.keys!, columns.count);
  const decoder = new MetaDecoder(values, keys);
  return records.map((_, i): Read => {
    open.at++;
    const start = open.bytesAt;
    open.bytesAt += Math.max(0, columns.lengths[i]!);
    const key = keyOf(open, i);
    const isElement = decoder.decode(open.text, start, columns.lengths[i]!, columns.timestamps[i]!, key, open);
    return isElement ? { value: decoder.value } : { problem: decoder.problem };
  });
}
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const meta = { topic: 't', partition: 3, offset: '40', timestamp: 1_000, key: null, headers: {} };

test('a value with fields gets one more, another value stands beside it', () => {
  const cases: readonly (readonly [unknown, unknown])[] = [
    [{ a: 1 }, { a: 1, meta }],
    [
      { meta: 'own', a: 1 },
      { a: 1, meta: { ...meta, own: 'own' } },
    ],
    [5, { value: 5, meta }],
    ['text', { value: 'text', meta }],
    [null, { value: null, meta }],
    [[1, 2], { value: [1, 2], meta }],
  ];
  for (const [value, expected] of cases) assert.deepEqual(readBack([{ value: json(value) }]), [{ value: expected }]);
});

test('a key is a text without a format, and base64 if it is none', () => {
  const keys = [Buffer.from('customer-7'), Buffer.from([0, 255]), undefined, Buffer.from('')];
  const read = readBack(keys.map((key) => ({ key, value: json({}) })));
  assert.deepEqual(
    read.map((one) => ('value' in one ? (one.value as { meta: { key: unknown } }).meta.key : one)),
    ['customer-7', 'AP8=', null, ''],
  );
});

test('a key that its format cannot read rejects its record only, and the reason says that it is the key', () => {
  const avro: FormatSpec = { format: 'avro', schemaFile: { type: 'AVRO', text: '"long"', references: [] } };
  const records = [Buffer.from([4]), Buffer.from([4, 4]), Buffer.from([6])].map((key) => ({ key, value: json({}) }));
  const [first, second, third] = readBack(records, avro);
  assert.deepEqual(first, { value: { meta: { ...meta, key: 2 } } });
  assert.deepEqual(second, {
    problem: ': its key does not fit the Avro schema of the file: 1 of its bytes are left over',
  });
  assert.deepEqual(third, { value: { meta: { ...meta, offset: '42', timestamp: 1_002, key: 3 } } });
});

test('auto looks at several keys before it decides', () => {
  const keys = ['7', 'customer-7', 'customer-8'].map((key) => ({ key: Buffer.from(key), value: json({}) }));
  const read = readBack(keys, { format: 'auto' });
  assert.deepEqual(
    read.map((one) => ('value' in one ? (one.value as { meta: { key: unknown } }).meta.key : one)),
    ['7', 'customer-7', 'customer-8'],
  );
});

test('law: keys and headers stay with their records, whatever lies between them', () => {
  const bytes = fc.uint8Array({ maxLength: 12 });
  const header = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constant(null),
    fc.constant(Uint8Array.of(255, 1)),
  );
  const name = fc.oneof(fc.string({ maxLength: 6 }), fc.constant('__proto__'));
  const record = fc.record({
    key: fc.option(bytes, { nil: undefined }),
    value: fc.string({ maxLength: 40 }),
    headers: fc.array(fc.tuple(name, header), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  });
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
      const written = records.map(({ value, ...rest }) => ({ ...rest, value: json({ value }) }));
      const read = readBack(written, { format: 'bytes' });
      for (const [i, { key, value, headers }] of records.entries()) {
        const expected = { topic: 't', partition: 3, offset: String(40 + i), timestamp: 1_000 + i };
        const shown = { ...expected, key: key ?? null, headers };
        assert.deepEqual(read[i], { value: { value, meta: shown } });
      }
    }),
  );
});
