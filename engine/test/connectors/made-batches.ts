// Record batches and old messages made by hand from Kafka's documentation of its protocol, with
// every field open to a test: right ones, broken ones, and broken ones with a right checksum.
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c, lz4Compress, snappyCompress } from '@platformatic/wasm-utils/bundled';
import { FetchedBatches, type FetchedBytes } from '../../connectors/kafka/fetched-batches.ts';
import type { ReadOptions } from '../../connectors/kafka/record-batch.ts';
import type { RecordColumns } from '../../connectors/kafka/record-columns.ts';

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof codecs)[number];
export const attributesOf = (codec: Codec): number => codecs.indexOf(codec);
export const attribute = { logAppendTime: 8, transactional: 16, control: 32 } as const;

export function compressed(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes);
    case 'snappy':
      return snappyCompress(bytes);
    case 'lz4':
      return lz4Compress(bytes);
    case 'zstd':
      return zstdCompressSync(bytes);
  }
}

/** Snappy as Java's producers write it: a header, then blocks with their lengths. */
export function javaSnappy(...parts: readonly Buffer[]): Buffer {
  const header = Buffer.from('82534e41505059000000000100000001', 'hex');
  const blocks = parts.map((part) => snappyCompress(part));
  return Buffer.concat([header, ...blocks.flatMap((block) => [int32(block.length), block])]);
}

// ---------------------------------------------------------------------------------------- format 2

export interface MadeRecord {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key?: Buffer | undefined;
  readonly value?: Buffer | undefined;
  readonly headers?: readonly (readonly [string, Buffer | undefined])[];
  /** Instead of the right size. */
  readonly size?: number;
}
export function record({ offsetDelta = 0, timestampDelta = 0, key, value, headers = [], size }: MadeRecord): Buffer {
  const body = Buffer.concat([
    Buffer.of(0),
    zigzag(timestampDelta),
    zigzag(offsetDelta),
    sized(key),
    sized(value),
    zigzag(headers.length),
    ...headers.flatMap(([name, content]) => [sized(Buffer.from(name)), sized(content)]),
  ]);
  return Buffer.concat([zigzag(size ?? body.length), body]);
}

export interface MadeBatch {
  readonly records?: readonly Buffer[];
  /** Instead of the records: the bytes behind the header. */
  readonly body?: Buffer;
  readonly codec?: Codec;
  readonly attributes?: number;
  readonly baseOffset?: number | bigint;
  readonly lastOffsetDelta?: number;
  readonly count?: number;
  readonly firstTimestamp?: number;
  readonly maxTimestamp?: number;
  readonly producer?: bigint;
  /** Instead of the right length. */
  readonly length?: number;
  readonly magic?: number;
}
export function batch({ records = [], codec = 'none', ...made }: MadeBatch): Buffer {
  const body = made.body ?? compressed(codec, Buffer.concat(records));
  const { count = records.length, firstTimestamp = 1_700_000_000_000 } = made;
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(made.baseOffset ?? 0), 0);
  header.writeInt32BE(made.length ?? 49 + body.length, 8);
  header.writeInt8(made.magic ?? 2, 16);
  header.writeInt16BE((made.attributes ?? 0) | attributesOf(codec), 21);
  header.writeInt32BE(made.lastOffsetDelta ?? Math.max(0, count - 1), 23);
  header.writeBigInt64BE(BigInt(firstTimestamp), 27);
  header.writeBigInt64BE(BigInt(made.maxTimestamp ?? firstTimestamp), 35);
  header.writeBigInt64BE(made.producer ?? -1n, 43);
  header.writeInt16BE(-1, 51);
  header.writeInt32BE(-1, 53);
  header.writeInt32BE(count, 57);
  const bytes = Buffer.concat([header, body]);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

/** Records with the offset deltas 0, 1, 2 … */
export function recordsOf(...values: readonly (string | undefined)[]): Buffer[] {
  return values.map((value, offsetDelta) =>
    record({ offsetDelta, value: value === undefined ? undefined : Buffer.from(value) }),
  );
}

// --------------------------------------------------------------------------------- formats 0 and 1

export interface MadeMessage {
  readonly format: 0 | 1;
  readonly offset: number;
  readonly attributes?: number;
  /** Of format 1. */
  readonly timestamp?: number;
  readonly key?: Buffer | undefined;
  readonly value?: Buffer | undefined;
}
export function message({ format, offset, attributes = 0, timestamp = -1, key, value }: MadeMessage): Buffer {
  const content = Buffer.concat([
    Buffer.of(format, attributes),
    ...(format === 1 ? [int64(timestamp)] : []),
    ...[key, value].flatMap((bytes) => (bytes ? [int32(bytes.length), bytes] : [int32(-1)])),
  ]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(content));
  return Buffer.concat([int64(offset), int32(4 + content.length), checksum, content]);
}

// -------------------------------------------------------------------------------------- checksums

/** A copy in which the checksum of each batch is right, as far as the lengths lead to batches. */
export function withChecksums(given: Uint8Array): Buffer {
  const bytes = Buffer.from(given);
  for (let at = 0; at + 26 <= bytes.length;) {
    const next = at + 12 + bytes.readInt32BE(at + 8);
    if (next < at + 26 || next > bytes.length) break;
    const isCurrent = bytes[at + 16] === 2;
    if (isCurrent) bytes.writeUInt32BE(crc32c(bytes.subarray(at + 21, next)), at + 17);
    else bytes.writeUInt32BE(crc32(bytes.subarray(at + 16, next)), at + 12);
    at = next;
  }
  return bytes;
}

// ---------------------------------------------------------------------------------------- reading

export interface ReadRow {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
}
export function rowsOf({ count, values, lengths, offsets, timestamps, keys }: RecordColumns): ReadRow[] {
  let [at, keysAt] = [0, 0];
  const textOf = (bytes: Uint8Array, start: number, length: number): string | undefined =>
    length < 0 ? undefined : Buffer.from(bytes.subarray(start, start + length)).toString();
  return Array.from({ length: count }, (_, i) => {
    const [length, keyLength] = [lengths[i]!, keys?.lengths[i] ?? -1];
    const value = textOf(values, at, length);
    const key = keys && textOf(keys.bytes, keysAt, keyLength);
    at += Math.max(0, length);
    keysAt += Math.max(0, keyLength);
    return { offset: offsets[i]!, timestamp: timestamps[i]!, key, value };
  });
}

/** All records of an answer, piece by piece; with keys. */
export function readAll(
  bytes: Buffer,
  options: ReadOptions & Partial<FetchedBytes> & { from?: number } = {},
): ReadRow[] {
  const { start = 0, end = bytes.length, aborted = [], from = 0 } = options;
  const batches = new FetchedBatches({ bytes, start, end, aborted }, { withKeys: true, ...options });
  const rows: ReadRow[] = [];
  for (let next = from; ;) {
    const piece = batches.read(next, Infinity);
    if (!piece) return rows;
    rows.push(...rowsOf(piece.columns));
    next = piece.next;
    if (batches.isRead) return rows;
  }
}

export function zigzag(value: number): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
function sized(bytes: Buffer | undefined): Buffer {
  return bytes ? Buffer.concat([zigzag(bytes.length), bytes]) : zigzag(-1);
}
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
