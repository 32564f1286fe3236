// Builds a record batch. Rows are encoded when they arrive. The producer's number, epoch and
// sequence are written when the batch is sent.
import { crc32c } from '@platformatic/wasm-utils/bundled';
import { RecordCursor } from './record-cursor.ts';
import { compress, compressionNumber, type CompressionName } from './compress.ts';

const headerSize = 61;
const attributesAt = 21;
/** An attribute: the rows are of a transaction. */
const transactional = 0x10;
/**
 * Kafka's default limit of a batch is 1 MiB. A larger row gets its own batch, and the broker
 * accepts or refuses it.
 */
const batchBytes = 512 << 10;
/** With this many rows, a batch does not wait for more. */
const batchRows = 20_000;
/** A record's numbers, at most: sizes, deltas, attributes. */
const numbersSize = 32;

/** The headers of a record. The bytes are encoded as Kafka writes them. */
export interface RecordHeaders {
  readonly count: number;
  readonly bytes: Uint8Array;
}
const noHeaders: RecordHeaders = { count: 0, bytes: new Uint8Array(0) };

/** The value of a row. A text is written in UTF-8. */
export type Value = string | Uint8Array;

/** A row of a batch, for messages. */
export interface BatchRow {
  readonly key: Buffer | undefined;
  readonly value: Buffer;
  readonly timestamp: number;
  readonly headers: RecordHeaders;
}

export class BatchBuilder {
  #bytes: Buffer;
  #length = headerSize;
  #firstTimestamp = 0;
  #maxTimestamp = -Infinity;
  #compressed: Buffer | undefined;
  count = 0;

  /** `capacity`: the bytes that it has room for at first. */
  constructor(capacity = 0) {
    this.#bytes = Buffer.allocUnsafe(Math.max(16 << 10, capacity));
  }
  get size(): number {
    return this.#length;
  }
  /** Room for a row whose key, value and headers have this many bytes? */
  takes(size: number): boolean {
    return this.count === 0 || (this.#length + size + numbersSize <= batchBytes && this.count < batchRows);
  }

  append(
    key: Uint8Array | undefined,
    value: Value,
    timestamp: number,
    headers = noHeaders,
    valueSize = Buffer.byteLength(value),
  ): void {
    if (this.count === 0) this.#firstTimestamp = timestamp;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    const timestampDelta = timestamp - this.#firstTimestamp;
    const keySize = key === undefined ? -1 : key.length;
    const attributesSize = 1;
    const size =
      attributesSize +
      varlongSize(timestampDelta) +
      varlongSize(this.count) +
      varlongSize(keySize) +
      Math.max(0, keySize) +
      varlongSize(valueSize) +
      valueSize +
      varlongSize(headers.count) +
      headers.bytes.length;
    this.#room(varlongSize(size) + size);
    this.#varlong(size);
    this.#bytes[this.#length++] = 0;
    this.#varlong(timestampDelta);
    this.#varlong(this.count);
    this.#varlong(keySize);
    if (key) this.#copy(key);
    this.#varlong(valueSize);
    if (typeof value === 'string') this.#length += this.#bytes.write(value, this.#length);
    else this.#copy(value);
    this.#varlong(headers.count);
    this.#copy(headers.bytes);
    this.count++;
  }

  /**
   * The finished batch. It can be called again for another producer or sequence, with the same
   * rows. −1 for all three: the broker does not recognise a repeated batch.
   */
  stamped(
    producer: bigint,
    epoch: number,
    sequence: number,
    compression: CompressionName = 'none',
    isTransactional = false,
  ): Buffer {
    const bytes = this.#withBody(compression);
    bytes.writeBigInt64BE(0n, 0);
    bytes.writeInt32BE(bytes.length - 12, 8);
    bytes.writeInt32BE(-1, 12);
    bytes.writeInt8(2, 16);
    bytes.writeInt16BE(compressionNumber(compression) | (isTransactional ? transactional : 0), attributesAt);
    bytes.writeInt32BE(this.count - 1, 23);
    bytes.writeBigInt64BE(BigInt(this.#firstTimestamp), 27);
    bytes.writeBigInt64BE(BigInt(this.#maxTimestamp), 35);
    bytes.writeBigInt64BE(producer, 43);
    bytes.writeInt16BE(epoch, 51);
    bytes.writeInt32BE(sequence, 53);
    bytes.writeInt32BE(this.count, 57);
    bytes.writeUInt32BE(crc32c(bytes.subarray(attributesAt)), 17);
    return bytes;
  }
  /** The batch with room for its header. A batch is compressed once. */
  #withBody(compression: CompressionName): Buffer {
    if (compression === 'none') return this.#bytes.subarray(0, this.#length);
    this.#compressed ??= Buffer.concat([
      Buffer.alloc(headerSize),
      compress(compression, this.#bytes.subarray(headerSize, this.#length)),
    ]);
    return this.#compressed;
  }

  /** A copy for a snapshot. The batch itself may be on its way to a broker. */
  saved(): Uint8Array {
    const copy = Buffer.from(this.#bytes.subarray(0, this.#length));
    copy.writeBigInt64BE(BigInt(this.#firstTimestamp), 27);
    copy.writeBigInt64BE(BigInt(this.#maxTimestamp), 35);
    copy.writeInt32BE(this.count, 57);
    return Uint8Array.from(copy);
  }
  static restored(bytes: Uint8Array): BatchBuilder {
    const builder = new BatchBuilder();
    const copy = Buffer.from(bytes);
    builder.#bytes = copy;
    builder.#length = copy.length;
    builder.#firstTimestamp = Number(copy.readBigInt64BE(27));
    builder.#maxTimestamp = Number(copy.readBigInt64BE(35));
    builder.count = copy.readInt32BE(57);
    return builder;
  }

  /** The same rows in two batches, for a topic that takes only smaller ones. */
  halves(): [BatchBuilder, BatchBuilder] {
    const halves: [BatchBuilder, BatchBuilder] = [new BatchBuilder(), new BatchBuilder()];
    let i = 0;
    for (const { key, value, timestamp, headers } of this.rows())
      halves[i++ < this.count / 2 ? 0 : 1].append(key, value, timestamp, headers);
    return halves;
  }
  /** undefined: the batch has no row with this number. */
  row(index: number): BatchRow | undefined {
    return this.rows().drop(index).next().value ?? undefined;
  }
  *rows(): IteratorObject<BatchRow, undefined> {
    const bytes = this.#bytes;
    const cursor = new RecordCursor(bytes, headerSize);
    const next = (size: number): Buffer => bytes.subarray(cursor.at, (cursor.at += Math.max(0, size)));
    for (let i = 0; i < this.count; i++) {
      const size = cursor.varint();
      const end = cursor.at + size;
      cursor.at++;
      const timestamp = this.#firstTimestamp + cursor.varlong();
      cursor.varint();
      const keySize = cursor.varint();
      const key = keySize < 0 ? undefined : next(keySize);
      const value = next(cursor.varint());
      const count = cursor.varint();
      yield { key, value, timestamp, headers: { count, bytes: next(end - cursor.at) } };
    }
    return undefined;
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + size, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
  #copy(part: Uint8Array): void {
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }
  /** A zigzag integer, exact up to 2^53. */
  #varlong(value: number): void {
    if (Math.abs(value) >= exactZigzag) {
      let rest = zigzagOfLarge(value);
      for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      this.#bytes[this.#length++] = Number(rest);
      return;
    }
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 0x80;
    this.#bytes[this.#length++] = rest;
  }
}

/** Below, twice the value is still exact. */
const exactZigzag = 2 ** 51;
function zigzagOfLarge(value: number): bigint {
  return value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value);
}
export function varlongSize(value: number): number {
  let size = 1;
  if (Math.abs(value) >= exactZigzag) for (let rest = zigzagOfLarge(value); rest >= 0x80n; rest >>= 7n) size++;
  else for (let rest = value < 0 ? -2 * value - 1 : 2 * value; rest >= 0x80; rest = Math.floor(rest / 128)) size++;
  return size;
}
