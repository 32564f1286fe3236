// Message formats 0 and 1, which Kafka wrote before 0.11: single messages and compressed ones, read
// as Java's consumer reads them.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'vitest';
import { FetchedBatches } from '../../connectors/kafka/fetched-batches.ts';
import { RecordsUnreadable } from '../../connectors/kafka/records-unreadable.ts';
import {
  attribute,
  attributesOf,
  batch,
  type Codec,
  codecs,
  compressed,
  javaSnappy,
  message,
  readAll,
  recordsOf,
} from './made-batches.ts';

const bytesOf = (text: string) => Buffer.from(text);
const fromHex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const time = 1_480_000_000_000;

/** A compressed message with others inside. Their offsets are absolute in format 0. */
function wrapper(
  format: 0 | 1,
  codec: Exclude<Codec, 'none'>,
  lastOffset: number,
  offsets: readonly number[],
  { attributes = 0, timestamp = time, inside = undefined as Buffer | undefined } = {},
): Buffer {
  const messages = offsets.map((offset) =>
    message({ format, offset, timestamp: time + offset, key: bytesOf(`k${offset}`), value: bytesOf(`v${offset}`) }),
  );
  const value = compressed(codec, inside ?? Buffer.concat(messages));
  return message({ format, offset: lastOffset, timestamp, attributes: attributes | attributesOf(codec), value });
}

test('the bytes of the documentation: a message of each format', () => {
  // offset, size, CRC-32 of what follows it, magic, attributes, in format 1 the timestamp, key, value
  const zero = fromHex('000000000000002a 00000015 4c6f4409 00 00 00000001 6b 00000006 76616c756521');
  const one = fromHex('000000000000002b 0000001c 2253de34 01 00 0000015896f9d400 ffffffff 00000006 76616c756521');
  assert.deepEqual(readAll(Buffer.concat([zero, one])), [
    { offset: 42, timestamp: -1, key: 'k', value: 'value!' },
    { offset: 43, timestamp: 0x0000015896f9d400, key: undefined, value: 'value!' },
  ]);
});

test('the messages that kafkajs writes are read', () => {
  for (const version of [0, 1] as const) {
    const entries = [
      { key: bytesOf('a'), value: bytesOf('1'), timestamp: time },
      { key: null, value: bytesOf('2'), timestamp: time + 5 },
      { key: bytesOf('c'), value: null, timestamp: time + 9 },
    ];
    const set = kafkajsMessageSet({ messageVersion: version, compression: 0, entries }).buffer;
    // A producer sends −1, and the broker gives the offsets.
    for (let at = 0, offset = 7n; at < set.length; at += 12 + set.readInt32BE(at + 8))
      set.writeBigInt64BE(offset++, at);
    const timestamps = version === 0 ? [-1, -1, -1] : [time, time + 5, time + 9];
    assert.deepEqual(readAll(set), [
      { offset: 7, timestamp: timestamps[0], key: 'a', value: '1' },
      { offset: 8, timestamp: timestamps[1], key: undefined, value: '2' },
      { offset: 9, timestamp: timestamps[2], key: 'c', value: undefined },
    ]);
  }
});

test('messages inside a compressed one are read with all compressions', () => {
  for (const codec of codecs) {
    if (codec === 'none') continue;
    assert.deepEqual(
      readAll(wrapper(0, codec, 12, [10, 11, 12])).map(({ offset, timestamp, key, value }) => [
        offset,
        timestamp,
        key,
        value,
      ]),
      [10, 11, 12].map((offset) => [offset, -1, `k${offset}`, `v${offset}`]),
    );
    assert.deepEqual(
      readAll(wrapper(1, codec, 12, [0, 1, 2])).map(({ offset, timestamp, key, value }) => [
        offset,
        timestamp,
        key,
        value,
      ]),
      [0, 1, 2].map((inner) => [10 + inner, time + inner, `k${inner}`, `v${inner}`]),
    );
  }
  const inside = message({ format: 0, offset: 3, value: bytesOf('x') });
  const java = message({ format: 0, offset: 3, attributes: attributesOf('snappy'), value: javaSnappy(inside) });
  assert.deepEqual(
    readAll(java).map(({ offset, value }) => [offset, value]),
    [[3, 'x']],
  );
});

test('compaction leaves gaps among the messages of a compressed one, and their offsets stay', () => {
  assert.deepEqual(
    readAll(wrapper(1, 'gzip', 109, [2, 5, 9])).map(({ offset }) => offset),
    [102, 105, 109],
  );
  assert.deepEqual(
    readAll(wrapper(0, 'gzip', 109, [102, 105, 109])).map(({ offset }) => offset),
    [102, 105, 109],
  );
});

test('with LogAppendTime the messages inside have the time of the compressed one', () => {
  const bytes = wrapper(1, 'gzip', 1, [0, 1], { attributes: attribute.logAppendTime, timestamp: time + 777 });
  assert.deepEqual(
    readAll(bytes).map(({ timestamp }) => timestamp),
    [time + 777, time + 777],
  );
});

test('reading begins inside a compressed message, and ends there', () => {
  const bytes = wrapper(1, 'gzip', 14, [0, 1, 2, 3, 4]);
  const batches = new FetchedBatches({ bytes, start: 0, end: bytes.length, aborted: [] });
  const { columns, next } = batches.read(12, 14)!;
  assert.deepEqual([...columns.offsets.subarray(0, columns.count)], [12, 13]);
  assert.equal(next, 14);
});

test('one small message set is read, and the reader goes on after it', () => {
  const small = message({ format: 0, offset: 0, value: undefined });
  assert.equal(small.length, 26);
  const batches = new FetchedBatches({ bytes: small, start: 0, end: small.length, aborted: [] });
  const { columns, next } = batches.read(0, Infinity)!;
  assert.deepEqual([columns.count, columns.lengths[0], next], [1, -1, 1]);
});

test('a message has no epoch of a leader, a batch has one, and the last of an answer counts', () => {
  const epochOf = (...pieces: readonly Buffer[]): number => {
    const bytes = Buffer.concat(pieces);
    return new FetchedBatches({ bytes, start: 0, end: bytes.length, aborted: [] }).leaderEpoch;
  };
  const old = message({ format: 1, offset: 0, timestamp: time, value: bytesOf('old') });
  const current = batch({ records: recordsOf('new'), baseOffset: 1 });
  current.writeInt32BE(7, 12);
  assert.deepEqual([epochOf(old), epochOf(old, current), epochOf()], [-1, 7, -1]);
  assert.equal(epochOf(old, current.subarray(0, current.length - 1)), -1, 'a batch that is cut off does not count');
});

test('all formats may follow each other in one answer', () => {
  const bytes = Buffer.concat([
    message({ format: 0, offset: 0, value: bytesOf('zero') }),
    wrapper(0, 'snappy', 2, [1, 2]),
    message({ format: 1, offset: 3, timestamp: time, value: bytesOf('three') }),
    wrapper(1, 'lz4', 5, [0, 1]),
    batch({ records: recordsOf('six'), baseOffset: 6 }),
  ]);
  const all = readAll(bytes);
  assert.deepEqual(
    all.map(({ offset }) => offset),
    [0, 1, 2, 3, 4, 5, 6],
  );
  assert.deepEqual(
    all.map(({ value }) => value),
    ['zero', 'v1', 'v2', 'three', 'v0', 'v1', 'six'],
  );
  assert.deepEqual(readAll(bytes, { enough: 1 }), all);
});

test('a compressed message that is broken inside is refused', () => {
  const refused = (bytes: Buffer, sentence: RegExp) =>
    assert.throws(
      () => readAll(bytes),
      (error) => error instanceof RecordsUnreadable && sentence.test(error.message),
      String(sentence),
    );
  const inner = message({ format: 1, offset: 0, timestamp: time, value: bytesOf('x') });
  const inside = (bytes: Buffer) => wrapper(1, 'gzip', 5, [], { inside: bytes });
  assert.equal(readAll(inside(inner))[0]!.offset, 5);
  refused(inside(Buffer.alloc(0)), /^its compressed message contains nothing\.$/);
  refused(message({ format: 1, offset: 5, attributes: 1 }), /^its compressed message contains nothing\.$/);
  refused(inside(inner.subarray(0, -1)), /^message 0 of its compressed message does not end where its size says\.$/);
  refused(
    inside(Buffer.concat([inner, inner])),
    /^message 1 of its compressed message has the offset 5, and must lie between 6 and 5\.$/,
  );
  refused(
    inside(message({ format: 0, offset: 0, value: Buffer.alloc(20) })),
    /^message 0 of its compressed message has another format\.$/,
  );
  refused(inside(wrapper(1, 'gzip', 0, [0])), /^message 0 of its compressed message is compressed again\.$/);
  const changed = Buffer.from(inner);
  changed[changed.length - 1] = 0;
  refused(inside(changed), /^message 0 of its compressed message has a wrong checksum\.$/);
  refused(wrapper(0, 'gzip', 9, [10, 11]), /^message 0 of its compressed message has the offset 10, /);
});

test('a key or a value that ends outside its message is refused', () => {
  for (const keySize of [100, 2 ** 31 - 1, 3]) {
    const content = Buffer.alloc(14);
    content.writeInt32BE(keySize, 2);
    const bytes = Buffer.concat([Buffer.alloc(16), content]);
    bytes.writeInt32BE(4 + content.length, 8);
    bytes.writeUInt32BE(crc32OfKafkajs(content), 12);
    assert.throws(() => readAll(bytes), /^Error: the key and the value of its message do not end where it ends\.$/);
  }
});

interface KafkajsEncoder {
  readonly buffer: Buffer;
}
const require = createRequire(import.meta.url);
const kafkajsMessageSet = require('kafkajs/src/protocol/messageSet') as (set: object) => KafkajsEncoder;
const kafkajsCrc32 = require('kafkajs/src/protocol/crc32') as (encoder: KafkajsEncoder) => number;
function crc32OfKafkajs(bytes: Buffer): number {
  return kafkajsCrc32({ buffer: bytes }) >>> 0;
}
