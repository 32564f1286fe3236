// Walks over the numbers of a record (format 2), whose size depends on their value. A read beyond
// the bytes counts as zeros and moves the cursor beyond the end, so the reader compares the places.
import { RecordsUnreadable } from './records-unreadable.ts';

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
    for (let shift = 7; shift <= 28; shift += 7) {
      byte = bytes[this.at++]!;
      value |= (byte & 0x7f) << shift;
      if (!(byte >= 0x80)) return (value >>> 1) ^ -(value & 1);
    }
    throw new RecordsUnreadable('a number in a record has more than five bytes.');
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
      if (!(byte >= 0x80)) return Number(zigzag & 1n ? -((zigzag + 1n) >> 1n) : zigzag >> 1n);
    }
    throw new RecordsUnreadable('a number in a record has more than ten bytes.');
  }
}
