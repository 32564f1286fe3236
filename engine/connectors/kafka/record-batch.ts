// Converts record batches, Kafka's unit on disk and on the wire (magic 2), to columns. All values
// of a partition's answer are in one buffer, beside their lengths, offsets and times. Aborted
// transactions and control records are left out, but the next offset is after them.
import { decompress, RecordsUnreadable, type Compression } from './compression.ts';
import type { AbortedTransaction } from './requests.ts';

/** Columns of equal length; everything in them can be transferred between threads. */
export interface RecordColumns {
  readonly count: number;
  /** All values, one after the other. */
  readonly values: Uint8Array<ArrayBuffer>;
  /** Bytes of each value; −1: the record has none (a tombstone). */
  readonly lengths: Int32Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  /** Epoch milliseconds; −1: the record has none. */
  readonly timestamps: Float64Array<ArrayBuffer>;
  /** The records' keys, if the reader asks for them, in the same form as the values. */
  readonly keys?: { readonly bytes: Uint8Array<ArrayBuffer>; readonly lengths: Int32Array<ArrayBuffer> };
}

// baseOffset 0, batchLength 8, leaderEpoch 12, magic 16, crc 17, attributes 21, lastOffsetDelta 23,
// firstTimestamp 27, maxTimestamp 35, producerId 43, producerEpoch 51, baseSequence 53, count 57,
// records 61
const headerSize = 61;
const sizeOfOffsetAndLength = 12;

interface BatchHeader {
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly compression: Compression;
  readonly logAppendTime: boolean;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly producer: bigint;
}

/** The complete batches between `start` and `end`; the last one of an answer may be cut off. */
export function batchHeaders(bytes: Buffer, start: number, end: number): BatchHeader[] {
  const found: BatchHeader[] = [];
  for (let at = start; at + headerSize <= end;) {
    const next = at + sizeOfOffsetAndLength + bytes.readInt32BE(at + 8);
    const magic = bytes.readInt8(at + 16);
    if (magic !== 2)
      throw new RecordsUnreadable(
        `it is in message format ${magic}, of Kafka before 0.11. Copy the topic with a current Kafka to read it.`,
      );
    if (next > end) break;
    const attributes = bytes.readInt16BE(at + 21);
    const baseOffset = Number(bytes.readBigInt64BE(at));
    found.push({
      start: at + headerSize,
      end: next,
      baseOffset,
      lastOffset: baseOffset + bytes.readInt32BE(at + 23),
      count: bytes.readInt32BE(at + 57),
      compression: (attributes & 7) as Compression,
      logAppendTime: (attributes & 8) !== 0,
      isTransactional: (attributes & 16) !== 0,
      isControl: (attributes & 32) !== 0,
      firstTimestamp: Number(bytes.readBigInt64BE(at + 27)),
      maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
      producer: bytes.readBigInt64BE(at + 43),
    });
    at = next;
  }
  return found;
}

/**
 * The batches with committed records. `aborted` is in the order of first offsets. An aborted
 * transaction is open from its first offset to its producer's next abort marker.
 */
export function committedBatches(
  batches: readonly BatchHeader[],
  bytes: Buffer,
  aborted: readonly AbortedTransaction[],
): BatchHeader[] {
  const abortedProducers = new Set<bigint>();
  let nextAborted = 0;
  return batches.filter((batch) => {
    while (nextAborted < aborted.length && aborted[nextAborted]!.firstOffset <= batch.lastOffset)
      abortedProducers.add(aborted[nextAborted++]!.producer);
    if (batch.isControl) {
      if (isAbortMarker(batch, bytes)) abortedProducers.delete(batch.producer);
      return false;
    }
    return !(batch.isTransactional && abortedProducers.has(batch.producer));
  });
}

function isAbortMarker(batch: BatchHeader, bytes: Buffer): boolean {
  const cursor = new RecordCursor(bytes, batch.start);
  cursor.varint();
  cursor.at += 1;
  cursor.skipVarint();
  cursor.skipVarint();
  const keySize = cursor.varint();
  const abort = 0;
  return keySize >= 4 && bytes.readInt16BE(cursor.at + 2) === abort;
}

/** Reads the records with `from ≤ offset < until`. */
export function readRecords(
  batches: readonly BatchHeader[],
  bytes: Buffer,
  from: number,
  until: number,
  withKeys = false,
): RecordColumns {
  const wanted = batches.filter((batch) => batch.lastOffset >= from && batch.baseOffset < until);
  const bodies = wanted.map((batch) =>
    batch.compression === 0
      ? bytes.subarray(batch.start, batch.end)
      : decompress(batch.compression, bytes.subarray(batch.start, batch.end)),
  );
  // A batch is longer than its values: lengths, offsets and keys stand between them.
  const capacity = bodies.reduce((sum, body) => sum + body.length, 0);
  const most = wanted.reduce((sum, batch) => sum + batch.count, 0);
  const values = Buffer.from(new ArrayBuffer(capacity));
  const lengths = new Int32Array(most);
  const offsets = new Float64Array(most);
  const timestamps = new Float64Array(most);
  const keyBytes = Buffer.from(new ArrayBuffer(withKeys ? capacity : 0));
  const keyLengths = new Int32Array(withKeys ? most : 0);
  let count = 0;
  let filled = 0;
  let keysFilled = 0;
  for (const [index, batch] of wanted.entries()) {
    const body = bodies[index]!;
    const cursor = new RecordCursor(body, 0);
    for (let i = 0; i < batch.count; i++) {
      const size = cursor.varint();
      const next = cursor.at + size;
      cursor.at += 1;
      const timestampDelta = cursor.varlong();
      const offset = batch.baseOffset + cursor.varint();
      if (offset >= from && offset < until) {
        const keySize = cursor.varint();
        if (withKeys) {
          keyLengths[count] = keySize;
          if (keySize > 0) keysFilled += body.copy(keyBytes, keysFilled, cursor.at, cursor.at + keySize);
        }
        if (keySize > 0) cursor.at += keySize;
        const valueSize = cursor.varint();
        if (valueSize > 0) {
          body.copy(values, filled, cursor.at, cursor.at + valueSize);
          filled += valueSize;
        }
        lengths[count] = valueSize;
        offsets[count] = offset;
        timestamps[count] = batch.logAppendTime ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta;
        count++;
      }
      cursor.at = next;
    }
  }
  const keys = withKeys && { keys: { bytes: keyBytes.subarray(0, keysFilled), lengths: keyLengths } };
  return { count, values: values.subarray(0, filled), lengths, offsets, timestamps, ...keys };
}

/** Walks over the numbers of a record. */
export class RecordCursor {
  readonly #bytes: Buffer;
  at: number;
  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }
  /** A zigzag integer of up to 32 bits. */
  varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let shift = 7; ; shift += 7) {
      byte = bytes[this.at++]!;
      value |= (byte & 0x7f) << shift;
      if (!(byte >= 0x80) || shift > 28) return (value >>> 1) ^ -(value & 1);
    }
  }
  /** A zigzag integer of up to 64 bits, exact up to 2^53. */
  varlong(): number {
    const bytes = this.#bytes;
    const start = this.at;
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (!(byte >= 0x80)) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    // Rare: a large value, which a double cannot hold exactly before the sign is removed.
    this.at = start;
    let zigzag = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[this.at++]!;
      zigzag |= BigInt(byte & 0x7f) << shift;
      if (!(byte >= 0x80)) break;
    }
    return Number(zigzag & 1n ? -((zigzag + 1n) >> 1n) : zigzag >> 1n);
  }
  skipVarint(): void {
    while (this.#bytes[this.at++]! >= 0x80);
  }
}
