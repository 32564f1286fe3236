// Laws of record batches: a read returns the written records, and two halves give the whole.
// kafkajs, another implementation of the protocol, writes batches and checksums to compare with.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { crc32c } from '@platformatic/wasm-utils/bundled';
import fc from 'fast-check';
import { test } from 'vitest';
import { BatchBuilder } from '../../connectors/kafka/batch-builder.ts';
import { batchHeaders } from '../../connectors/kafka/batch-header.ts';
import { committedBatches, readRecords } from '../../connectors/kafka/record-batch.ts';
import { readAll, rowsOf, withChecksums } from './made-batches.ts';

interface Row {
  readonly key: string | undefined;
  readonly value: string;
  readonly timestamp: number;
}
const row: fc.Arbitrary<Row> = fc.record({
  key: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
  value: fc.string({ unit: 'grapheme', maxLength: 300 }),
  timestamp: fc.oneof(
    fc.integer({ min: 0, max: 8.64e15 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  ),
});

function built(rows: readonly Row[]): BatchBuilder {
  const builder = new BatchBuilder();
  for (const { key, value, timestamp } of rows)
    builder.append(key === undefined ? undefined : Buffer.from(key), value, timestamp);
  return builder;
}
/** The batch as a broker would give it back: at an offset. */
function stored(builder: BatchBuilder, baseOffset: number): Buffer {
  const bytes = Buffer.from(builder.stamped(7n, 0, 0));
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  return bytes;
}
function read(bytes: Buffer, from = 0, until = Infinity) {
  return rowsOf(readRecords(batchHeaders(bytes, 0, bytes.length), bytes, from, until)).map(
    ({ value, timestamp, offset }) => ({ value, timestamp, offset }),
  );
}

test('reading what was written gives the same rows, from any offset to any other', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(row, { minLength: 1 }), { minLength: 1, maxLength: 4 }),
      fc.nat(2 ** 40),
      fc.nat(30),
      fc.nat(30),
      (batches, base, skipFirst, take) => {
        let offset = base;
        const all: object[] = [];
        const parts = batches.map((rows) => {
          const bytes = stored(built(rows), offset);
          for (const { value, timestamp } of rows) all.push({ value, timestamp, offset: offset++ });
          return bytes;
        });
        const bytes = Buffer.concat(parts);
        assert.deepEqual(read(bytes), all);
        assert.deepEqual(
          read(bytes, base + skipFirst, base + skipFirst + take),
          all.slice(skipFirst, skipFirst + take),
        );
      },
    ),
  );
});

test('a batch that is cut off at the end of an answer is left for the next one', () => {
  const bytes = Buffer.concat([
    stored(built([{ key: undefined, value: 'a', timestamp: 1 }]), 0),
    stored(built([{ key: undefined, value: 'b', timestamp: 1 }]), 1),
  ]);
  for (let end = 0; end <= bytes.length; end++) {
    const headers = batchHeaders(bytes, 0, end);
    assert.equal(headers.length, end === bytes.length ? 2 : end >= bytes.length / 2 ? 1 : 0);
  }
});

test('two halves are the whole', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 20 }), (rows) => {
      const whole = built(rows);
      const [first, second] = whole.halves();
      const halves = [...read(stored(first, 0)), ...read(stored(second, first.count))];
      assert.deepEqual(halves, read(stored(whole, 0)));
      assert.ok(first.count > 0 && second.count > 0);
    }),
  );
});

test('aborted transactions are left out batch by batch, also when producers and transactions follow each other', () => {
  interface Made {
    readonly producer: bigint;
    readonly kind: 'data' | 'plain' | 'commit' | 'abort';
  }
  const made: Made[] = [
    { producer: 1n, kind: 'data' },
    { producer: 2n, kind: 'data' },
    { producer: 1n, kind: 'abort' },
    { producer: 2n, kind: 'data' },
    { producer: 1n, kind: 'data' },
    { producer: 3n, kind: 'plain' },
    { producer: 2n, kind: 'commit' },
    { producer: 1n, kind: 'commit' },
    { producer: 1n, kind: 'data' },
    { producer: 1n, kind: 'abort' },
  ];
  const bytes = withChecksums(
    Buffer.concat(
      made.map(({ producer, kind }, offset) => {
        const builder = new BatchBuilder();
        // The key of a control record is its version and its type: 0 aborts, 1 commits.
        const key =
          kind === 'abort' ? Buffer.from([0, 0, 0, 0]) : kind === 'commit' ? Buffer.from([0, 0, 0, 1]) : undefined;
        builder.append(key, String(offset), 1);
        const batch = Buffer.from(builder.stamped(producer, 0, 0));
        batch.writeBigInt64BE(BigInt(offset), 0);
        batch.writeInt16BE(kind === 'plain' ? 0 : kind === 'data' ? 16 : 48, 21);
        return batch;
      }),
    ),
  );
  const aborted = [
    { producer: 1n, firstOffset: 0 },
    { producer: 1n, firstOffset: 8 },
  ];
  const seen = committedBatches(batchHeaders(bytes, 0, bytes.length), aborted).map(({ baseOffset }) => baseOffset);
  assert.deepEqual(seen, [1, 3, 4, 5]);
});

test('the checksum is CRC-32C, as kafkajs computes it', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 5000 }), (bytes) => {
      assert.equal(crc32c(bytes), crc32cOfKafkajs(bytes) >>> 0);
    }),
  );
});

test('the batches that kafkajs writes are read: keys, values, headers, both compressions that it has', async () => {
  const rows = Array.from({ length: 500 }, (_, i) => ({
    key: i % 3 === 0 ? undefined : `key-${i}`,
    value: i % 7 === 0 ? undefined : JSON.stringify({ i, text: 'é'.repeat(i % 40) }),
  }));
  const [none, gzip] = [0, 1];
  for (const compression of [none, gzip]) {
    const records = rows.map(({ key, value }, offsetDelta) =>
      kafkajsRecord({
        offsetDelta,
        timestampDelta: offsetDelta * 1000,
        key: key === undefined ? null : Buffer.from(key),
        value: value === undefined ? null : Buffer.from(value),
        headers: offsetDelta % 5 === 0 ? { trace: 'abc', list: ['1', '2'] } : {},
      }),
    );
    const firstTimestamp = 1_700_000_000_000;
    const batch = await kafkajsBatch({ compression, records, firstTimestamp, lastOffsetDelta: rows.length - 1 });
    assert.deepEqual(
      readAll(batch.buffer),
      rows.map((row, i) => ({ ...row, offset: i, timestamp: firstTimestamp + i * 1000 })),
    );
  }
});

interface KafkajsEncoder {
  readonly buffer: Buffer;
}
const require = createRequire(import.meta.url);
const crc32cOfKafkajs = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Uint8Array) => number;
const kafkajsRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => KafkajsEncoder;
const { RecordBatch: kafkajsBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  readonly RecordBatch: (batch: object) => Promise<KafkajsEncoder>;
};
