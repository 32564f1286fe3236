// Builds a record batch. Rows are encoded when they arrive. The producer's number, epoch and
// sequence are written when the batch is sent.
import { crc32c } from './crc32c.ts';
import { RecordCursor } from './record-batch.ts';

const headerSize = 61;
/**
 * Kafka's default limit of a batch is 1 MiB. A larger row gets its own batch, and the broker
 * accepts or refuses it.
 */
const batchBytes = 512 << 10;
/** With this many rows, a batch does not wait for more. */
const batchRows = 20_000;

export class BatchBuilder {
  #bytes = Buffer.allocUnsafe(16 << 10);
  #length = headerSize;
  #firstTimestamp = 0;
  #maxTimestamp = -Infinity;
  count = 0;

  get size(): number {
    return this.#length;
  }
  /** Room for a row of this many bytes? */
  takes(size: number): boolean {
    return this.count === 0 || (this.#length + size <= batchBytes && this.count < batchRows);
  }

  append(key: Uint8Array | undefined, value: string | Uint8Array, timestamp: number): void {
    const valueSize = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    if (this.count === 0) this.#firstTimestamp = timestamp;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    const timestampDelta = timestamp - this.#firstTimestamp;
    const keySize = key === undefined ? -1 : key.length;
    const size =
      // One byte for the attributes, and one for the number of headers, which is 0.
      2 +
      varlongSize(timestampDelta) +
      varlongSize(this.count) +
      varlongSize(keySize) +
      Math.max(0, keySize) +
      varlongSize(valueSize) +
      valueSize;
    this.#room(varlongSize(size) + size);
    this.#varlong(size);
    this.#bytes[this.#length++] = 0;
    this.#varlong(timestampDelta);
    this.#varlong(this.count);
    this.#varlong(keySize);
    if (key) {
      this.#bytes.set(key, this.#length);
      this.#length += keySize;
    }
    this.#varlong(valueSize);
    if (typeof value === 'string') this.#bytes.write(value, this.#length);
    else this.#bytes.set(value, this.#length);
    this.#length += valueSize;
    this.#varlong(0);
    this.count++;
  }

  /**
   * The finished batch. It can be called again for another producer or sequence, with the same
   * rows.
   */
  stamped(producer: bigint, epoch: number, sequence: number): Buffer {
    const bytes = this.#bytes;
    bytes.writeBigInt64BE(0n, 0);
    bytes.writeInt32BE(this.#length - 12, 8);
    bytes.writeInt32BE(-1, 12);
    bytes.writeInt8(2, 16);
    bytes.writeInt16BE(0, 21);
    bytes.writeInt32BE(this.count - 1, 23);
    bytes.writeBigInt64BE(BigInt(this.#firstTimestamp), 27);
    bytes.writeBigInt64BE(BigInt(this.#maxTimestamp), 35);
    bytes.writeBigInt64BE(producer, 43);
    bytes.writeInt16BE(epoch, 51);
    bytes.writeInt32BE(sequence, 53);
    bytes.writeInt32BE(this.count, 57);
    const attributesAt = 21;
    bytes.writeUInt32BE(crc32c(bytes, attributesAt, this.#length), 17);
    return bytes.subarray(0, this.#length);
  }

  /** The same rows in two batches, for a topic that takes only smaller ones. */
  halves(): [BatchBuilder, BatchBuilder] {
    const halves: [BatchBuilder, BatchBuilder] = [new BatchBuilder(), new BatchBuilder()];
    const bytes = this.#bytes;
    const cursor = new RecordCursor(bytes, headerSize);
    for (let i = 0; i < this.count; i++) {
      cursor.varint();
      cursor.at++;
      const timestamp = this.#firstTimestamp + cursor.varlong();
      cursor.varint();
      const keySize = cursor.varint();
      const key = keySize < 0 ? undefined : bytes.subarray(cursor.at, cursor.at + keySize);
      cursor.at += Math.max(0, keySize);
      const valueSize = cursor.varint();
      const value = bytes.toString('utf8', cursor.at, cursor.at + valueSize);
      cursor.at += valueSize;
      cursor.varint();
      halves[i < this.count / 2 ? 0 : 1].append(key, value, timestamp);
    }
    return halves;
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + size, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
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
function varlongSize(value: number): number {
  let size = 1;
  if (Math.abs(value) >= exactZigzag) for (let rest = zigzagOfLarge(value); rest >= 0x80n; rest >>= 7n) size++;
  else for (let rest = value < 0 ? -2 * value - 1 : 2 * value; rest >= 0x80; rest = Math.floor(rest / 128)) size++;
  return size;
}
