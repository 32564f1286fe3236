// The compressions of record batches: what each producer writes is read, what is broken is refused,
// and what would be too large is refused before it is in memory.
import assert from 'node:assert/strict';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils/bundled';
import { test } from 'vitest';
import { type Compression, decompress } from '../../connectors/kafka/compression.ts';
import { RecordsUnreadable } from '../../connectors/kafka/records-unreadable.ts';
import { attributesOf, batch, type Codec, codecs, compressed, javaSnappy, readAll, recordsOf } from './made-batches.ts';

const codes = codecs.filter((codec) => codec !== 'none');
const read = (codec: Codec, bytes: Buffer, most?: number) =>
  decompress(attributesOf(codec) as Compression, bytes, most);

/**
 * Texts that compress well and badly, short and long. None is empty: the compressor of the test
 * fails at an empty one after its memory has grown, and a batch always has a record.
 */
const content = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 2000 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.integer({ min: 1, max: 5000 }))
    .map(([piece, times]) => Buffer.concat(new Array<Uint8Array>(times).fill(piece))),
);

test('what was compressed is read again', () => {
  fc.assert(
    fc.property(fc.constantFrom(...codes), content, (codec, given) => {
      const bytes = Buffer.from(given);
      assert.deepEqual(read(codec, compressed(codec, bytes)), bytes);
    }),
  );
});

test("Snappy of Java's producers is read: blocks behind a header", () => {
  const parts = ['{"a":1}', '', 'x'.repeat(40_000)].map((text) => Buffer.from(text));
  assert.deepEqual(read('snappy', javaSnappy(...parts)), Buffer.concat(parts));
  assert.deepEqual(read('snappy', javaSnappy()), Buffer.alloc(0));
});

test('LZ4 frames are read with every flag that producers set, and with the wrong checksum of old producers', () => {
  const block = Buffer.from('17610100506161616161', 'hex');
  // A literal "a", a copy of eleven, five literals.
  const expected = Buffer.from('a'.repeat(1 + 11 + 5));
  const size = Buffer.from([block.length, 0, 0, 0]);
  const end = Buffer.alloc(4);
  const frame = (flags: number, blockSize: number, optional: Buffer, blockChecksum: Buffer, contentChecksum: Buffer) =>
    Buffer.concat([
      Buffer.from('04224d18', 'hex'),
      Buffer.of(flags, blockSize),
      optional,
      Buffer.of(0),
      size,
      block,
      blockChecksum,
      end,
      contentChecksum,
    ]);
  const nothing = Buffer.alloc(0);
  for (const flags of [0x40, 0x60])
    for (const blockSize of [0x40, 0x50, 0x60, 0x70]) {
      assert.deepEqual(read('lz4', frame(flags, blockSize, nothing, nothing, nothing)), expected);
      assert.deepEqual(read('lz4', frame(flags | 0x10, blockSize, nothing, Buffer.alloc(4), nothing)), expected);
      assert.deepEqual(read('lz4', frame(flags | 0x08, blockSize, Buffer.alloc(8), nothing, nothing)), expected);
      assert.deepEqual(read('lz4', frame(flags | 0x04, blockSize, nothing, nothing, Buffer.alloc(4))), expected);
      assert.deepEqual(read('lz4', frame(flags | 0x1c, blockSize, Buffer.alloc(8), Buffer.alloc(4), end)), expected);
    }
});

test('a linked block of LZ4 may repeat bytes of the block before it, an independent one may not', () => {
  const stored = Buffer.concat([Buffer.from([5, 0, 0, 0x80]), Buffer.from('hello')]);
  // No literal, a copy of nine from five before, five literals.
  const copies = Buffer.concat([Buffer.from([9, 0, 0, 0, 0x05, 5, 0]), Buffer.from([0x50]), Buffer.from('world')]);
  const frame = (flags: number) =>
    Buffer.concat([Buffer.from([4, 0x22, 0x4d, 0x18, flags, 0x40, 0]), stored, copies, Buffer.alloc(4)]);
  assert.equal(read('lz4', frame(0x40)).toString(), 'hellohellohellworld');
  assert.throws(() => read('lz4', frame(0x60)), /^Error: its LZ4 data is broken\.$/);
});

test('broken compressed bytes are refused, and the next good ones are read', () => {
  const text = Buffer.from('{"a":1,"b":"hello hello hello hello"}\n'.repeat(40));
  const samples = codes.map((codec) => ({ codec, bytes: compressed(codec, text) }));
  samples.push({ codec: 'snappy', bytes: javaSnappy(text, text) });
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.nat(),
      fc.nat(255),
      fc.constantFrom('cut', 'change', 'insert', 'noise'),
      ({ codec, bytes }, place, byte, how) => {
        const at = place % bytes.length;
        const broken = {
          cut: bytes.subarray(0, at),
          change: Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at + 1)]),
          insert: Buffer.concat([bytes.subarray(0, at), Buffer.of(byte, byte), bytes.subarray(at)]),
          noise: Buffer.from(Array.from({ length: at }, (_, i) => (byte * (i + 1) * 31 + place) & 0xff)),
        }[how];
        try {
          assert.ok(Buffer.isBuffer(read(codec, broken, 1 << 20)));
        } catch (error) {
          assert.ok(error instanceof RecordsUnreadable, `${codec} ${how} ${at}: ${String(error)}`);
        }
        assert.deepEqual(
          read(codec, bytes),
          codec === 'snappy' && bytes[0] === 0x82 ? Buffer.concat([text, text]) : text,
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test('a small batch that would be large is refused with the way out, and without its memory', () => {
  const large = Buffer.alloc(3 << 20, 0x61);
  const bombs = codes.map((codec) => ({ codec, bytes: compressed(codec, large) }));
  bombs.push({ codec: 'snappy', bytes: javaSnappy(...new Array<Buffer>(3).fill(large.subarray(0, 1 << 20))) });
  for (const { codec, bytes } of bombs) {
    assert.throws(
      () => read(codec, bytes, (3 << 20) - 1),
      /^Error: its batch holds more than 3,145,727 bytes, /,
      codec,
    );
    assert.deepEqual(read(codec, bytes, 3 << 20), large);
  }
  const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x01]);
  assert.throws(
    () => read('snappy', claim),
    /^Error: its batch holds more than 67,108,864 bytes, the limit for one batch\./,
  );
  assert.throws(() => read('snappy', Buffer.from([0x80, 0x80, 0x80, 0x01])), /^Error: its Snappy data is broken\.$/);
});

test('a batch at the limit of its source is read, one above it is not', () => {
  const records = recordsOf('x'.repeat(5000));
  for (const codec of codes) {
    const bytes = batch({ records, codec });
    assert.equal(readAll(bytes, { maxBatchBytes: records[0]!.length }).length, 1);
    assert.throws(() => readAll(bytes, { maxBatchBytes: records[0]!.length - 1 }), /maxBatchBytes/);
  }
});

test('a compression that nobody knows is refused', () => {
  for (const attributes of [5, 6, 7])
    assert.throws(
      () => readAll(batch({ records: recordsOf('x'), attributes })),
      new RegExp(`^Error: its compression has the unknown number ${attributes}\\.$`),
    );
});

test('an LZ4 frame with a dictionary, and a frame of another kind, are refused', () => {
  const good = lz4Compress(Buffer.from('hello'));
  const changed = (at: number, byte: number) => {
    const bytes = Buffer.from(good);
    bytes[at] = byte;
    return bytes;
  };
  // A dictionary, another version, an unknown block size, a skippable frame.
  for (const bytes of [changed(4, 0x61), changed(4, 0xa0), changed(5, 0x30), changed(0, 0x50), Buffer.alloc(0)])
    assert.throws(() => read('lz4', bytes), /^Error: its LZ4 data is broken\.$/);
});

test('bytes of another compression than the batch names are refused', () => {
  const text = Buffer.from('{"a":1}'.repeat(20));
  const all = [gzipSync(text), zstdCompressSync(text), lz4Compress(text), snappyCompress(text)];
  for (const [codec, own] of [
    ['gzip', 0],
    ['zstd', 1],
    ['lz4', 2],
    ['snappy', 3],
  ] as const)
    for (const [index, bytes] of all.entries())
      if (index !== own) assert.throws(() => read(codec, bytes), RecordsUnreadable, `${codec} ${index}`);
});
