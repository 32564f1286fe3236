// Values as bytes, for everything that outlives a process: MessagePack, so that any language reads
// them. Part of format 1 of saved state. What MessagePack has no type for is an extension:
//
//   type 0   1 byte: 0 undefined, 1 a hole in an array
//   type 1   a bigint: sign (0 or 1), then its magnitude, big-endian; none for 0n
//   type 2   a Date: its epoch milliseconds as a double, big-endian; NaN if it is invalid
//   type 3   a Map: a MessagePack map        type 4   a Set: a MessagePack array
//   type 5   a string with a lone surrogate: its code units, 16 bits each, big-endian
//   type 6   another view or a buffer: an array of its class and its bytes, as they lie in memory
//   type 7   an error: a map of name, message and stack     type 8   a RegExp: [source, flags]
//   type 9   4 bytes: the number of an object of this value that comes again. Objects are numbered
//            from 0 in the order in which they begin: arrays, maps, bin, and types 2, 3, 4, 6, 7, 8
//
// Type 9 is written only in a value of many objects, whose parts may be shared very often.
// Elsewhere a shared object is written again.
//
// A number is an integer of up to 32 bits, or else a double; −0 is a double. A Uint8Array is `bin`.
// A plain object is a map with its names in their order, and an instance is written as its fields.
//
// Why no library: of msgpackr, @msgpack/msgpack and cbor-x, each loses −0, renames or refuses a
// field `__proto__`, and replaces lone surrogates. The tests read these bytes with
// @msgpack/msgpack.
import { types } from 'node:util';
import { SluiceError } from '../errors/error.ts';
import { classOf, described, kindOf } from './kind.ts';

/** More levels are a cycle. State has 500 levels at most; its operator adds some. */
const deepestWritten = 1_000;
/** Objects of a value that are written without a look at what is shared. */
const fewObjects = 10_000;

export class ValueWriter {
  bytes: Buffer;
  at = 0;
  /** Objects of the present value so far. */
  #objects = 0;
  /** Their numbers, once there are many. */
  #numbers: Map<object, number> | undefined;

  /** `size`: bytes that it has room for at the start. */
  constructor(size = 1 << 12) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  /** A copy of what was written. */
  taken(): Uint8Array {
    return new Uint8Array(this.bytes.subarray(0, this.at));
  }

  // --------------------------------------------------------------------------------- single parts

  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + more));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }
  uint32(value: number): void {
    this.reserve(4);
    this.at = this.bytes.writeUInt32BE(value, this.at);
  }
  double(value: number): void {
    this.reserve(8);
    this.at = this.bytes.writeDoubleBE(value, this.at);
  }
  raw(bytes: Uint8Array, length = bytes.length): void {
    this.reserve(length);
    if (length < 32) for (let i = 0; i < length; i++) this.bytes[this.at + i] = bytes[i]!;
    else this.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.at);
    this.at += length;
  }
  /** Writes something behind its length of 32 bits. */
  measured(write: () => void): void {
    this.uint32(0);
    const start = this.at;
    write();
    this.bytes.writeUInt32BE(this.at - start, start - 4);
  }

  // --------------------------------------------------------------------------------------- values

  /** Throws for a function, a symbol, a Promise, and for a value that contains itself. */
  value(value: unknown): void {
    this.#objects = 0;
    this.#numbers = undefined;
    this.#value(value, 0);
  }
  /**
   * Writes an array of the next items, up to `most` of them, and none behind `mostBytes`. Returns
   * how many there are.
   */
  items(items: Iterator<unknown>, most: number, mostBytes: number): number {
    this.#objects = 0;
    this.#numbers = undefined;
    this.reserve(3);
    this.bytes[this.at] = 0xdc;
    this.at += 3;
    const start = this.at;
    let count = 0;
    while (count < most && this.at - start < mostBytes) {
      const next = items.next();
      if (next.done === true) break;
      this.#value(next.value, 1);
      count++;
    }
    this.bytes.writeUInt16BE(count, start - 2);
    return count;
  }
  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'number':
        return this.#number(value);
      case 'string':
        return this.#string(value);
      case 'boolean':
        return this.byte(value ? 0xc3 : 0xc2);
      case 'undefined':
        return this.#short(0, 0);
      case 'bigint':
        return this.#bigint(value);
      case 'object':
        return value === null ? this.byte(0xc0) : this.#object(value, depth);
      default:
        throw unwritable(value);
    }
  }

  #number(value: number): void {
    if (value !== (value | 0) || Object.is(value, -0)) {
      this.reserve(9);
      if (value > 0 && value <= 0xffffffff && Number.isInteger(value)) {
        this.bytes[this.at++] = 0xce;
        this.at = this.bytes.writeUInt32BE(value, this.at);
        return;
      }
      this.bytes[this.at++] = 0xcb;
      this.at = this.bytes.writeDoubleBE(value, this.at);
    } else if (value >= -32 && value < 128) {
      this.byte(value & 0xff);
    } else if (value > 0 && value < 0x10000) {
      this.reserve(3);
      this.bytes[this.at++] = 0xcd;
      this.bytes[this.at++] = value >> 8;
      this.bytes[this.at++] = value & 0xff;
    } else {
      this.reserve(5);
      this.bytes[this.at++] = value > 0 ? 0xce : 0xd2;
      this.at = this.bytes.writeInt32BE(value, this.at);
    }
  }
  #string(text: string): void {
    // Short texts without accents are the usual ones. A loop is cheaper than a call into Node.
    if (text.length < 32) {
      this.reserve(1 + text.length);
      const start = this.at + 1;
      let i = 0;
      for (; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        this.bytes[start + i] = code;
      }
      if (i === text.length) {
        this.bytes[this.at] = 0xa0 | i;
        this.at = start + i;
        return;
      }
    }
    if (!text.isWellFormed()) return this.#codeUnits(text);
    const length = Buffer.byteLength(text);
    this.#head(length, length < 32 ? 0xa0 | length : undefined, 0xd9, 0xda, 0xdb);
    this.reserve(length);
    this.at += this.bytes.write(text, this.at);
  }
  #codeUnits(text: string): void {
    this.#extension(5, () => {
      for (let i = 0; i < text.length; i++) {
        this.byte(text.charCodeAt(i) >> 8);
        this.byte(text.charCodeAt(i) & 0xff);
      }
    });
  }
  #bigint(value: bigint): void {
    let hex = (value < 0n ? -value : value).toString(16);
    if (hex.length % 2 === 1) hex = `0${hex}`;
    const magnitude = value === 0n ? Buffer.alloc(0) : Buffer.from(hex, 'hex');
    this.#extension(1, () => {
      this.byte(value < 0n ? 1 : 0);
      this.raw(magnitude);
    });
  }

  #object(value: object, depth: number): void {
    if (depth > deepestWritten)
      throw new SluiceError(
        'not-storable',
        'A value contains itself, or is nested more than 1,000 levels deep. Keep flat data.',
      );
    const known = this.#numbers?.get(value);
    if (known !== undefined) {
      this.reserve(6);
      this.bytes[this.at++] = 0xd6;
      this.bytes[this.at++] = 9;
      return this.uint32(known);
    }
    const number = this.#objects++;
    if (number === fewObjects) this.#numbers = new Map();
    this.#newObject(value, depth);
    // Noted at its end: an object that contains itself is never found, and gets too deep.
    this.#numbers?.set(value, number);
  }
  #newObject(value: object, depth: number): void {
    switch (kindOf(value)) {
      case 'array':
        return this.#array(value as unknown[], depth);
      case 'Date':
        this.reserve(10);
        this.bytes[this.at++] = 0xd7;
        this.bytes[this.at++] = 2;
        return this.double((value as Date).getTime());
      case 'Uint8Array':
        // A user may call a method of Buffer on what is read.
        return Buffer.isBuffer(value) ? this.#view('Buffer', value) : this.#bin(value as Uint8Array);
      case 'Map':
        return this.#extension(3, () => {
          const map = value as Map<unknown, unknown>;
          this.#head(map.size, map.size < 16 ? 0x80 | map.size : undefined, undefined, 0xde, 0xdf);
          for (const [key, inner] of map) {
            this.#value(key, depth + 1);
            this.#value(inner, depth + 1);
          }
        });
      case 'Set':
        return this.#extension(4, () => this.#array([...(value as Set<unknown>)], depth));
      case 'instance':
        return this.#instance(value, depth);
      default:
        return this.#fields(value, depth);
    }
  }
  #array(items: readonly unknown[], depth: number): void {
    const { length } = items;
    this.#head(length, length < 16 ? 0x90 | length : undefined, undefined, 0xdc, 0xdd);
    for (let i = 0; i < length; i++) {
      const item = items[i];
      if (item === undefined && !(i in items)) this.#short(0, 1);
      else this.#value(item, depth + 1);
    }
  }
  #fields(value: object, depth: number): void {
    const names = Object.keys(value);
    this.#head(names.length, names.length < 16 ? 0x80 | names.length : undefined, undefined, 0xde, 0xdf);
    for (const name of names) {
      this.#string(name);
      this.#value((value as Record<string, unknown>)[name], depth + 1);
    }
  }
  #instance(value: object, depth: number): void {
    if (types.isPromise(value)) throw unwritable(value);
    if (types.isAnyArrayBuffer(value)) return this.#view(classOf(value), new Uint8Array(value));
    if (ArrayBuffer.isView(value))
      return this.#view(classOf(value), new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    if (types.isRegExp(value)) return this.#extension(8, () => this.#array([value.source, value.flags], depth));
    if (!types.isNativeError(value)) return this.#fields(value, depth);
    const { name, message, stack } = value;
    this.#extension(7, () => this.#fields({ name, message, stack }, depth));
  }
  #view(className: string, bytes: Uint8Array): void {
    this.#extension(6, () => {
      this.byte(0x92);
      this.#string(className);
      this.#bin(bytes);
    });
  }
  #bin(bytes: Uint8Array): void {
    this.#head(bytes.length, undefined, 0xc4, 0xc5, 0xc6);
    this.raw(bytes);
  }

  // -------------------------------------------------------------------------------------- headers

  /** The shortest of the headers that can hold the length. */
  #head(length: number, fixed: number | undefined, of8: number | undefined, of16: number, of32: number): void {
    if (fixed !== undefined) return this.byte(fixed);
    if (of8 !== undefined && length < 0x100) {
      this.byte(of8);
      this.byte(length);
    } else if (length < 0x10000) {
      this.byte(of16);
      this.byte(length >> 8);
      this.byte(length & 0xff);
    } else {
      this.byte(of32);
      this.uint32(length);
    }
  }
  /** An extension of one byte. */
  #short(type: number, byte: number): void {
    this.reserve(3);
    this.bytes[this.at++] = 0xd4;
    this.bytes[this.at++] = type;
    this.bytes[this.at++] = byte;
  }
  /** An extension whose length is known when it is written. */
  #extension(type: number, write: () => void): void {
    this.byte(0xc9);
    this.uint32(0);
    this.byte(type);
    const start = this.at;
    write();
    this.bytes.writeUInt32BE(this.at - start, start - 5);
  }
}

function unwritable(value: unknown): SluiceError {
  return new SluiceError('not-storable', `${described(value)} cannot be stored.`);
}

/** The bytes of one value. */
export function valueBytes(value: unknown): Uint8Array {
  const writer = new ValueWriter();
  writer.value(value);
  return writer.taken();
}
