// The headers of the record batches in an answer of a broker. A batch is believed only after its
// length, its checksum, its counts and its offsets have been checked. A batch that is broken ends
// the list: the ones before it are read first, and the next answer begins with it.
//
// Batches have format 2 since Kafka 0.11. In the formats 0 and 1 a batch is one message; a
// compressed message contains others (see old-messages.ts).
import { crc32 } from 'node:zlib';
import { crc32c } from '@platformatic/wasm-utils/bundled';
import { type Compression, decompress, defaultMaxBatchBytes } from './compression.ts';
import { RecordCursor } from './record-cursor.ts';
import { RecordsUnreadable, tooLarge } from './records-unreadable.ts';

export interface BatchHeader {
  readonly format: 0 | 1 | 2;
  /** Where its records lie; of a message: its key and value. */
  readonly start: number;
  readonly end: number;
  /** No record has a lower offset. */
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The epoch of the leader that wrote it; −1: its format has none. */
  readonly leaderEpoch: number;
  /** The number of records; of a compressed message it is not known. */
  readonly count: number;
  readonly compression: Compression;
  readonly logAppendTime: boolean;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** A control batch that ends its producer's transaction, whose records do not count. */
  readonly isAbortMarker: boolean;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly producer: bigint;
}

// All formats: baseOffset 0, length 8 (of what follows it), magic 16.
const sizeOfOffsetAndLength = 12;
const sizeUpToMagic = 17;
// Format 2: leaderEpoch 12, crc 17, attributes 21, lastOffsetDelta 23, firstTimestamp 27,
// maxTimestamp 35, producerId 43, producerEpoch 51, baseSequence 53, count 57, records 61.
const headerSize = 61;
// Formats 0 and 1: crc 12, attributes 17, then format 1 has a timestamp; key and value with their
// lengths.
const leastMessage = [26, 34] as const;

/**
 * The complete batches between `start` and `end`; the last one of an answer may be cut off. Throws
 * if the first one is broken. `most`: bytes of a batch, also of a control batch when it is
 * decompressed; by default 64 MB.
 */
export function batchHeaders(bytes: Buffer, start: number, end: number, most = defaultMaxBatchBytes): BatchHeader[] {
  const found: BatchHeader[] = [];
  for (let at = start; at + sizeUpToMagic <= end;) {
    const next = at + sizeOfOffsetAndLength + bytes.readInt32BE(at + 8);
    try {
      checkFrame(bytes, at, next, most);
      if (next > end) break;
      found.push(checkedHeader(bytes, at, next, found.at(-1)?.lastOffset ?? -1, most));
    } catch (error) {
      if (found.length === 0) throw error;
      break;
    }
    at = next;
  }
  return found;
}

/** The bytes that an answer must have so that its first batch is complete. */
export function bytesOfFirstBatch(bytes: Buffer, start: number, end: number): number {
  return end - start < sizeOfOffsetAndLength ? sizeUpToMagic : sizeOfOffsetAndLength + bytes.readInt32BE(start + 8);
}

function checkFrame(bytes: Buffer, at: number, next: number, most: number): void {
  const magic = bytes.readInt8(at + 16);
  if (magic < 0 || magic > 2)
    throw new RecordsUnreadable(`its batch has the message format ${magic}, and only 0, 1 and 2 are known.`);
  const least = magic === 2 ? headerSize : leastMessage[magic as 0 | 1];
  if (next - at < least)
    throw new RecordsUnreadable(`its batch has a length of ${next - at} bytes, and the least is ${least}.`);
  if (next - at > most) throw tooLarge(most);
}

function checkedHeader(bytes: Buffer, at: number, next: number, previous: number, most: number): BatchHeader {
  const magic = bytes.readInt8(at + 16);
  const isCurrent = magic === 2;
  const header = isCurrent ? currentHeader(bytes, at, next) : messageHeader(bytes, at, next, magic as 0 | 1, previous);
  const stored = bytes.readUInt32BE(at + (isCurrent ? 17 : 12));
  const computed = isCurrent ? crc32c(bytes.subarray(at + 21, next)) : crc32(bytes.subarray(at + 16, next));
  if (stored !== computed)
    throw new RecordsUnreadable(
      `the checksum of its batch is ${hex(stored)}, but that of its bytes is ${hex(computed)}. They were changed after they were written.`,
    );
  const { baseOffset, lastOffset, count, isControl } = header;
  if (!(baseOffset >= 0 && baseOffset <= lastOffset && Number.isSafeInteger(lastOffset)))
    throw new RecordsUnreadable(`its batch has the offsets ${baseOffset} to ${lastOffset}.`);
  if (baseOffset <= previous)
    throw new RecordsUnreadable(`its batch begins at offset ${baseOffset}, and the one before it ends at ${previous}.`);
  if (!(count >= 0 && count <= lastOffset - baseOffset + 1))
    throw new RecordsUnreadable(`its batch has ${count} records at the offsets ${baseOffset} to ${lastOffset}.`);
  return isControl ? { ...header, isAbortMarker: isAbortMarker(header, bytes, most) } : header;
}

function currentHeader(bytes: Buffer, at: number, next: number): BatchHeader {
  const attributes = bytes.readInt16BE(at + 21);
  const baseOffset = Number(bytes.readBigInt64BE(at));
  return {
    format: 2,
    start: at + headerSize,
    end: next,
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(at + 23),
    leaderEpoch: bytes.readInt32BE(at + 12),
    count: bytes.readInt32BE(at + 57),
    compression: (attributes & 7) as Compression,
    logAppendTime: (attributes & 8) !== 0,
    isTransactional: (attributes & 16) !== 0,
    isControl: (attributes & 32) !== 0,
    isAbortMarker: false,
    firstTimestamp: Number(bytes.readBigInt64BE(at + 27)),
    maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
    producer: bytes.readBigInt64BE(at + 43),
  };
}

function messageHeader(bytes: Buffer, at: number, next: number, format: 0 | 1, previous: number): BatchHeader {
  const attributes = bytes.readInt8(at + 17);
  const offset = Number(bytes.readBigInt64BE(at));
  const compression = (attributes & 7) as Compression;
  const timestamp = format === 0 ? -1 : Number(bytes.readBigInt64BE(at + 18));
  return {
    format,
    start: at + (format === 0 ? 18 : 26),
    end: next,
    // A compressed message has the offset of the last message inside.
    baseOffset: compression === 0 ? offset : Math.min(offset, previous + 1),
    lastOffset: offset,
    leaderEpoch: -1,
    count: 1,
    compression,
    logAppendTime: format === 1 && (attributes & 8) !== 0,
    isTransactional: false,
    isControl: false,
    isAbortMarker: false,
    firstTimestamp: timestamp,
    maxTimestamp: timestamp,
    producer: -1n,
  };
}

/**
 * The key of a control record is its version and its type. A control batch has one record;
 * compaction may leave it empty.
 */
function isAbortMarker({ count, compression, start, end }: BatchHeader, bytes: Buffer, most: number): boolean {
  if (count === 0 && start === end) return false;
  const body = decompress(compression, bytes.subarray(start, end), most);
  const cursor = new RecordCursor(body, 0);
  let type: number | undefined;
  for (let i = 0; i < count; i++) {
    const size = cursor.varint();
    const recordEnd = cursor.at + size;
    cursor.at += 1;
    cursor.varlong();
    cursor.varint();
    const keySize = cursor.varint();
    if (size < 0 || keySize < 4 || cursor.at + keySize > recordEnd || recordEnd > body.length)
      throw new RecordsUnreadable('its control record, the end of a transaction, has no type.');
    type ??= body.readInt16BE(cursor.at + 2);
    cursor.at = recordEnd;
  }
  if (cursor.at !== body.length)
    throw new RecordsUnreadable(`its control batch has ${body.length - cursor.at} bytes behind its ${count} records.`);
  const abort = 0;
  return type === abort;
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
