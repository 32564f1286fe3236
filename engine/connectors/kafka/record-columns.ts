// The records of one partition as columns: all values are in one buffer, beside their lengths,
// offsets and times. Columns are made batch by batch, and grow.

/** Columns of equal length; everything in them can be transferred between threads. */
export interface RecordColumns {
  readonly count: number;
  /** All values, one after the other. */
  readonly values: Uint8Array<ArrayBuffer>;
  /** Bytes of each value; negative: the record has none (a tombstone). */
  readonly lengths: Int32Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  /** Epoch milliseconds; −1: the record has none. */
  readonly timestamps: Float64Array<ArrayBuffer>;
  /** The records' keys, if the reader asks for them, in the same form as the values. */
  readonly keys?: SideColumn;
  /**
   * The records' headers, if the reader asks for them: of each record the bytes behind its value,
   * which record-headers.ts reads. No bytes: the record has no headers.
   */
  readonly headers?: SideColumn;
}
/** Bytes one after the other, and how many belong to each record; negative: there are none. */
export interface SideColumn {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lengths: Int32Array<ArrayBuffer>;
}

/** The bytes of a column, which are not copied. From another thread they come as a Uint8Array. */
export function bufferOn({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Memory that columns hold. A record without value and key counts, too. */
export function heldBytes(columns: RecordColumns): number {
  return buffersOf(columns).reduce((sum, { byteLength }) => sum + byteLength, 0);
}
/** What a thread hands over when it hands over columns. */
export function buffersOf({ values, lengths, offsets, timestamps, keys, headers }: RecordColumns): ArrayBuffer[] {
  const sides = [keys, headers].flatMap((side) => (side ? [side.bytes.buffer, side.lengths.buffer] : []));
  return [values.buffer, lengths.buffer, offsets.buffer, timestamps.buffer, ...sides];
}

/** A length (4 bytes), an offset (8) and a timestamp (8). */
const bytesPerRecord = 20;

/** Which columns the reader wants beside values, offsets and timestamps. */
export interface WantedColumns {
  readonly withKeys?: boolean | undefined;
  readonly withHeaders?: boolean | undefined;
}

export interface ColumnsMark {
  readonly count: number;
  readonly filled: number;
  readonly keysFilled: number;
  readonly headersFilled: number;
}

/** Bytes that come one by one, beside the values. */
class GrowingSide {
  bytes = Buffer.from(new ArrayBuffer(0));
  lengths = new Int32Array(0);
  filled = 0;

  reserve(bytes: number, records: number): void {
    this.bytes = withRoom(this.bytes, this.filled + bytes);
    if (records > this.lengths.length) this.lengths = new Int32Array(this.lengths.buffer.transfer(4 * records));
  }
  add(index: number, from: Buffer, start: number, size: number): void {
    this.lengths[index] = size;
    if (size <= 0) return;
    from.copy(this.bytes, this.filled, start, start + size);
    this.filled += size;
  }
  finish(): SideColumn {
    return { bytes: withoutWaste(this.bytes, this.filled), lengths: this.lengths };
  }
}

export class GrowingColumns {
  readonly #keys: GrowingSide | undefined;
  readonly #headers: GrowingSide | undefined;
  #count = 0;
  #values = Buffer.from(new ArrayBuffer(0));
  #filled = 0;
  #lengths = new Int32Array(0);
  #offsets = new Float64Array(0);
  #timestamps = new Float64Array(0);

  constructor({ withKeys, withHeaders }: WantedColumns) {
    if (withKeys) this.#keys = new GrowingSide();
    if (withHeaders) this.#headers = new GrowingSide();
  }

  /** Bytes of the records so far. */
  get size(): number {
    return this.#filled + (this.#keys?.filled ?? 0) + (this.#headers?.filled ?? 0) + bytesPerRecord * this.#count;
  }

  /** Makes room for so many more bytes of each column, and so many more records. */
  reserve(bytes: number, records: number): void {
    this.#values = withRoom(this.#values, this.#filled + bytes);
    const capacity = this.#lengths.length;
    const needed = this.#count + records;
    const larger = needed <= capacity ? capacity : Math.max(needed, 2 * capacity);
    this.#keys?.reserve(bytes, larger);
    this.#headers?.reserve(bytes, larger);
    if (larger === capacity) return;
    this.#lengths = new Int32Array(this.#lengths.buffer.transfer(4 * larger));
    this.#offsets = new Float64Array(this.#offsets.buffer.transfer(8 * larger));
    this.#timestamps = new Float64Array(this.#timestamps.buffer.transfer(8 * larger));
  }

  /**
   * Puts the bytes of `records` records behind the values. `add` then moves each value to its place
   * within the same buffer, which takes half the time of a copy from another one.
   */
  stage(bytes: Buffer, records: number): { readonly staged: Buffer; readonly start: number; readonly end: number } {
    this.reserve(bytes.length, records);
    this.#values.set(bytes, this.#filled);
    return { staged: this.#values, start: this.#filled, end: this.#filled + bytes.length };
  }

  /**
   * Adds a record. Its key, its value and behind it its headers are staged. A negative size: there
   * is none.
   */
  add(
    offset: number,
    timestamp: number,
    keyAt: number,
    keySize: number,
    valueAt: number,
    valueSize: number,
    headersAt = 0,
    headersSize = 0,
  ): void {
    const index = this.#count++;
    this.#offsets[index] = offset;
    this.#timestamps[index] = timestamp;
    this.#lengths[index] = valueSize;
    // Before the value moves to where they may be.
    if (this.#keys) this.#keys.add(index, this.#values, keyAt, keySize);
    if (this.#headers) this.#headers.add(index, this.#values, headersAt, headersSize);
    if (valueSize > 0) {
      this.#values.copyWithin(this.#filled, valueAt, valueAt + valueSize);
      this.#filled += valueSize;
    }
  }

  /** The place after the records so far, for `reset`. */
  mark(): ColumnsMark {
    return {
      count: this.#count,
      filled: this.#filled,
      keysFilled: this.#keys?.filled ?? 0,
      headersFilled: this.#headers?.filled ?? 0,
    };
  }
  /** Takes away the records after the mark. */
  reset({ count, filled, keysFilled, headersFilled }: ColumnsMark): void {
    this.#count = count;
    this.#filled = filled;
    if (this.#keys) this.#keys.filled = keysFilled;
    if (this.#headers) this.#headers.filled = headersFilled;
  }

  finish(): RecordColumns {
    return {
      count: this.#count,
      values: withoutWaste(this.#values, this.#filled),
      lengths: this.#lengths,
      offsets: this.#offsets,
      timestamps: this.#timestamps,
      ...(this.#keys && { keys: this.#keys.finish() }),
      ...(this.#headers && { headers: this.#headers.finish() }),
    };
  }
}

function withRoom(bytes: Buffer<ArrayBuffer>, needed: number): Buffer<ArrayBuffer> {
  if (needed <= bytes.length) return bytes;
  return Buffer.from(bytes.buffer.transfer(Math.max(needed, 2 * bytes.length)));
}

/**
 * Keys and headers stand between the values, so the room was too large. Half of it may be wasted.
 */
function withoutWaste(bytes: Buffer<ArrayBuffer>, filled: number): Buffer<ArrayBuffer> {
  const kept = filled * 2 < bytes.length ? Buffer.from(bytes.buffer.transfer(filled)) : bytes;
  return kept.subarray(0, filled);
}
