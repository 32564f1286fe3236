// Reads numbers, texts and bytes from one record, never beyond its end. Avro and Protobuf are made
// of the same parts.
//
// Each read throws BadRecord when the record is too short. `charge` bounds the values of a record:
// a few bytes can describe a million values (an array of nulls), so bytes alone are no limit.
import { textOf } from '../values/short-text.ts';

/** The bytes do not fit the schema, or they are no record of the format. */
export class BadRecord extends Error {}

/** Values that each record may have, and more for each of its bytes. */
const freeValues = 1_000_000;
const valuesPerByte = 16;
/** Levels of a type that contains itself. */
const deepest = 100;
const two27 = 2 ** 27;
const two28 = 2 ** 28;
const two32 = 2 ** 32;
const none = Buffer.alloc(0);

export class ByteReader {
  bytes: Buffer = none;
  at = 0;
  end = 0;
  /** The last varint: bits 0–27, 28–55 and 56–63. */
  #low = 0;
  #middle = 0;
  #high = 0;
  #start = 0;
  #length = 0;
  #valuesLeft = 0;
  #depth = 0;

  begin(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.#start = start;
    this.#length = end - start;
    this.#valuesLeft = freeValues + valuesPerByte * (end - start);
    this.#depth = 0;
  }
  /** Bytes from the start of the record, for messages. */
  get position(): number {
    return this.at - this.#start;
  }
  charge(values: number): void {
    if ((this.#valuesLeft -= values) < 0)
      throw new BadRecord(`its ${this.#length} bytes make more than a million values`);
  }
  enter(): void {
    if (++this.#depth > deepest) throw new BadRecord(`it is nested more than ${deepest} levels deep`);
  }
  leave(): void {
    this.#depth--;
  }

  byte(): number {
    if (this.at >= this.end) throw this.#tooShort(1);
    return this.bytes[this.at++]!;
  }
  /** Moves over `count` bytes, and returns their start. */
  take(count: number): number {
    const start = this.at;
    if (!(count >= 0 && count <= this.end - start)) throw this.#tooShort(count);
    this.at = start + count;
    return start;
  }
  #tooShort(count: number): BadRecord {
    const left = this.end - this.at;
    return count < 0
      ? new BadRecord(`byte ${this.position} begins a negative length, ${count}`)
      : new BadRecord(`byte ${this.position} begins something of ${count} bytes, but ${left} are left`);
  }

  // --------------------------------------------------------------------------------------- varints

  #varint(): void {
    let byte = this.byte();
    let low = byte & 0x7f;
    let middle = 0;
    let high = 0;
    for (let shift = 7; byte > 0x7f && shift < 28; shift += 7) {
      byte = this.byte();
      low |= (byte & 0x7f) << shift;
    }
    for (let shift = 0; byte > 0x7f && shift < 28; shift += 7) {
      byte = this.byte();
      middle |= (byte & 0x7f) << shift;
    }
    if (byte > 0x7f) {
      byte = this.byte();
      high = byte & 0x7f;
      if (byte > 0x7f) {
        byte = this.byte();
        if (byte > 1) throw new BadRecord(`byte ${this.position - 1} ends a number of more than 64 bits`);
        high |= byte << 7;
      }
    }
    this.#low = low;
    this.#middle = middle;
    this.#high = high;
  }

  /** Zigzag, 64 bits: a number, or a bigint beyond ±(2^53 − 1). */
  zigzag64(): number | bigint {
    this.#varint();
    const low = this.#low;
    const middle = this.#middle;
    if (middle === 0 && this.#high === 0) return (low >>> 1) ^ -(low & 1);
    const isNegative = (low & 1) === 1;
    if (this.#high === 0 && middle < 2 ** 26) {
      const half = middle * two27 + (low >>> 1);
      if (!isNegative) return half;
      if (half < Number.MAX_SAFE_INTEGER) return -half - 1;
    }
    const half = this.#unsigned() >> 1n;
    return isNegative ? -half - 1n : half;
  }
  /** Zigzag, 32 bits. */
  zigzag32(): number {
    const value = this.zigzag64();
    if (value !== (Number(value) | 0))
      throw new BadRecord(`the number ${value} before byte ${this.position} has more than 32 bits`);
    return value;
  }
  /** Zigzag, a count or a length. */
  zigzagLength(): number {
    const value = this.zigzag64();
    if (typeof value === 'bigint') throw new BadRecord(`the length before byte ${this.position} is ${value}`);
    return value;
  }

  uint64(): number | bigint {
    this.#varint();
    return this.#high === 0 && this.#middle < 2 ** 25 ? this.#middle * two28 + this.#low : this.#unsigned();
  }
  int64(): number | bigint {
    const value = this.uint64();
    return typeof value === 'number' ? value : exact(BigInt.asIntN(64, value));
  }
  uint32(): number {
    this.#varint();
    return (this.#low | (this.#middle << 28)) >>> 0;
  }
  int32(): number {
    this.#varint();
    return this.#low | (this.#middle << 28);
  }
  boolean(): boolean {
    this.#varint();
    return (this.#low | this.#middle | this.#high) !== 0;
  }
  #unsigned(): bigint {
    return BigInt(this.#high * two28 + this.#middle) * BigInt(two28) + BigInt(this.#low);
  }

  // -------------------------------------------------------------------------------- fixed sizes

  float(): number {
    return this.bytes.readFloatLE(this.take(4));
  }
  double(): number {
    return this.bytes.readDoubleLE(this.take(8));
  }
  fixed32(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }
  signedFixed32(): number {
    return this.bytes.readInt32LE(this.take(4));
  }
  fixed64(): number | bigint {
    const start = this.take(8);
    const high = this.bytes.readUInt32LE(start + 4);
    return high < 2 ** 21 ? high * two32 + this.bytes.readUInt32LE(start) : this.bytes.readBigUInt64LE(start);
  }
  signedFixed64(): number | bigint {
    return exact(this.bytes.readBigInt64LE(this.take(8)));
  }

  // ------------------------------------------------------------------------------ texts and bytes

  text(length: number): string {
    const start = this.take(length);
    return textOf(this.bytes, start, this.at, 16);
  }
  /** A copy: the record's bytes belong to a larger buffer. */
  slice(length: number): Uint8Array {
    const start = this.take(length);
    return new Uint8Array(this.bytes.subarray(start, this.at));
  }
}

/** A bigint as a number, if the number is exact. */
export function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
