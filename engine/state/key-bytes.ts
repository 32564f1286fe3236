// Canonical key bytes: the same key has the same bytes on every machine and in every version. A
// value is a type tag and its content. Content of variable length starts with its length. The
// tuple's length is not written, because its values are self-delimiting. Fixed for savepoint format
// 1.
//
//   00 null · 01 false · 02 true · 03 number (IEEE 754, big-endian, −0 as 0)
//   04 string (length, UTF-8) · 05 bigint (sign, length, magnitude) · 06 Date (as 03)
//   07 Uint8Array (length, bytes) · 08 array (length, values)
//   09 object (number of fields; each its name as in 04 without tag, then its value; by name)
//
// Lengths are 32 bits, big-endian. A lone surrogate is encoded like any other code point below 2¹⁶,
// so different strings have different bytes.
import { refuseDeepKey, refuseKey } from './key-value.ts';
import { kindOf } from '../values/kind.ts';

let bytes = new Uint8Array(256);
let view = new DataView(bytes.buffer);
let length = 0;

/**
 * Calls `use` with the bytes of a tuple. The next call overwrites the buffer, so `use` must not
 * keep it.
 */
export function withKeyBytes<R>(tuple: readonly unknown[], use: (bytes: Uint8Array, length: number) => R): R {
  length = 0;
  for (const value of tuple) writeValue(value, 0);
  return use(bytes, length);
}

export function keyBytes(tuple: readonly unknown[]): Uint8Array {
  return withKeyBytes(tuple, (buffer, used) => buffer.slice(0, used));
}

function writeValue(value: unknown, depth: number): void {
  if (typeof value === 'string') {
    writeByte(4);
    return writeString(value);
  }
  if (typeof value === 'number') {
    if (value - value !== 0) return refuseKey(value);
    writeByte(3);
    return writeNumber(value);
  }
  switch (kindOf(value)) {
    case 'null':
      return writeByte(0);
    case 'boolean':
      return writeByte(value === true ? 2 : 1);
    case 'bigint':
      writeByte(5);
      return writeBigint(value as bigint);
    case 'Date': {
      const millis = (value as Date).getTime();
      if (Number.isNaN(millis)) return refuseKey(value);
      writeByte(6);
      return writeNumber(millis);
    }
    case 'Uint8Array':
      writeByte(7);
      return writeBytes(value as Uint8Array);
    case 'array':
      refuseDeepKey(depth);
      writeByte(8);
      writeLength((value as unknown[]).length);
      for (const inner of value as unknown[]) writeValue(inner, depth + 1);
      return;
    case 'object': {
      refuseDeepKey(depth);
      const names = Object.keys(value as object).sort();
      writeByte(9);
      writeLength(names.length);
      for (const name of names) {
        writeString(name);
        writeValue((value as Record<string, unknown>)[name], depth + 1);
      }
      return;
    }
    default:
      return refuseKey(value);
  }
}

function reserve(more: number): void {
  if (length + more <= bytes.length) return;
  const larger = new Uint8Array(Math.max(bytes.length * 2, length + more));
  larger.set(bytes);
  bytes = larger;
  view = new DataView(bytes.buffer);
}
function writeByte(byte: number): void {
  reserve(1);
  bytes[length++] = byte;
}
function writeLength(count: number): void {
  reserve(4);
  view.setUint32(length, count);
  length += 4;
}
function writeNumber(value: number): void {
  reserve(8);
  view.setFloat64(length, value === 0 ? 0 : value);
  length += 8;
}
function writeBytes(value: Uint8Array): void {
  writeLength(value.length);
  reserve(value.length);
  bytes.set(value, length);
  length += value.length;
}
function writeString(text: string): void {
  reserve(4 + text.length * 3);
  const start = length + 4;
  let at = start;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
    } else {
      const low = (code & 0xfc00) === 0xd800 ? text.charCodeAt(i + 1) : 0;
      if ((low & 0xfc00) === 0xdc00) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        i++;
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      } else {
        bytes[at++] = 0xe0 | (code >> 12);
      }
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[at++] = 0x80 | (code & 0x3f);
  }
  view.setUint32(length, at - start);
  length = at;
}
function writeBigint(value: bigint): void {
  let hex = (value < 0n ? -value : value).toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  writeByte(value < 0n ? 1 : 0);
  writeBytes(Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16)));
}
