// The headers of a record: from what the user's function gave to the bytes in the record, and back.
import { isUtf8 } from 'node:buffer';
import { described } from '../../values/kind.ts';
import type { RecordHeaders } from './batch-builder.ts';
import { RecordCursor } from './record-cursor.ts';

/** The headers, or the problem as the end of a sentence that begins with "Its headers". */
export function recordHeaders(given: unknown): RecordHeaders | string | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given !== 'object' || Array.isArray(given) || given instanceof Uint8Array)
    return `are ${described(given)}. Give an object with a text or bytes for each name`;
  const parts: Uint8Array[] = [];
  const entries = Object.entries(given);
  for (const [name, value] of entries) {
    const bytes = bytesOf(value);
    if (bytes === undefined) return `have "${name}", which is ${described(value)}. Give a text or bytes`;
    const nameBytes = Buffer.from(name);
    parts.push(varint(nameBytes.length), nameBytes);
    if (bytes === null) parts.push(varint(-1));
    else parts.push(varint(bytes.length), bytes);
  }
  return { count: entries.length, bytes: Buffer.concat(parts) };
}

/** null: a header without a value. undefined: no header can hold it. */
function bytesOf(value: unknown): Uint8Array | null | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  return value === null || value instanceof Uint8Array ? value : undefined;
}

/** Headers by name, as elements have them. */
export type HeaderValues = Readonly<Record<string, string | Uint8Array | null>>;

/**
 * Reads the headers of a record, whose sizes were checked with its batch. A value is a text if its
 * bytes are UTF-8. Of several headers with one name, the last one counts.
 */
export function readHeaders(bytes: Buffer, start: number, size: number): HeaderValues {
  if (size <= 0) return {};
  const cursor = new RecordCursor(bytes, start);
  const next = (length: number): Buffer => bytes.subarray(cursor.at, (cursor.at += length));
  const count = cursor.varint();
  const entries: [string, string | Uint8Array | null][] = [];
  for (let i = 0; i < count; i++) {
    const name = next(cursor.varint()).toString('utf8');
    const length = cursor.varint();
    entries.push([name, length < 0 ? null : textOrBytes(next(length))]);
  }
  return Object.fromEntries(entries);
}
function textOrBytes(bytes: Buffer): string | Uint8Array {
  return isUtf8(bytes) ? bytes.toString('utf8') : Uint8Array.from(bytes);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
