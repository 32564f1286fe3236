// The headers of a record, from what the user's function gave to the bytes in the record.
import { described } from '../../values/kind.ts';
import type { RecordHeaders } from './batch-builder.ts';

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

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
