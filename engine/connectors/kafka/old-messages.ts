// Reads the message formats 0 and 1, which Kafka wrote before 0.11. They may still be on a broker's
// disk, and brokers of 4.x hand them out as they are. A compressed message contains messages of the
// same format. In format 1 their offsets count from the first one, and the compressed message has
// the offset of the last one.
import { crc32 } from 'node:zlib';
import type { BatchHeader } from './batch-header.ts';
import { decompress } from './compression.ts';
import type { GrowingColumns } from './record-columns.ts';
import { RecordsUnreadable } from './records-unreadable.ts';

export function readMessages(
  batch: BatchHeader,
  bytes: Buffer,
  columns: GrowingColumns,
  from: number,
  until: number,
  most: number,
): void {
  const outer = content(bytes, batch.start, batch.end);
  if (batch.compression === 0) {
    const { start } = columns.stage(bytes.subarray(batch.start, batch.end), 1);
    const shift = start - batch.start;
    const { keyAt, keySize, valueAt, valueSize } = outer;
    columns.add(batch.lastOffset, batch.firstTimestamp, keyAt + shift, keySize, valueAt + shift, valueSize);
    return;
  }
  if (outer.valueSize < 0) throw new RecordsUnreadable('its compressed message contains nothing.');
  const inside = decompress(batch.compression, bytes.subarray(outer.valueAt, batch.end), most);
  const places = messagePlaces(inside, batch.format as 0 | 1);
  const lastInside = Number(inside.readBigInt64BE(places.at(-1)));
  const base = batch.format === 0 ? 0 : batch.lastOffset - lastInside;
  const { start } = columns.stage(inside, places.length);
  let previous = batch.baseOffset - 1;
  for (const [index, at] of places.entries()) {
    const offset = base + Number(inside.readBigInt64BE(at));
    if (!(offset > previous && offset <= batch.lastOffset))
      throw new RecordsUnreadable(
        `message ${index} of its compressed message has the offset ${offset}, and must lie between ${previous + 1} and ${batch.lastOffset}.`,
      );
    previous = offset;
    const end = places[index + 1] ?? inside.length;
    const { keyAt, keySize, valueAt, valueSize } = content(inside, at + (batch.format === 0 ? 18 : 26), end);
    if (offset < from || offset >= until) continue;
    const own = batch.format === 0 ? -1 : Number(inside.readBigInt64BE(at + 18));
    const timestamp = batch.logAppendTime ? batch.maxTimestamp : own;
    columns.add(offset, timestamp, start + keyAt, keySize, start + valueAt, valueSize);
  }
}

/** Where the messages inside a compressed one begin. */
function messagePlaces(bytes: Buffer, format: 0 | 1): number[] {
  const least = format === 0 ? 26 : 34;
  const places: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = at + least <= bytes.length ? at + 12 + bytes.readInt32BE(at + 8) : Infinity;
    const problem =
      next > bytes.length || next - at < least
        ? 'does not end where its size says'
        : bytes.readInt8(at + 16) !== format
          ? 'has another format'
          : (bytes.readInt8(at + 17) & 7) !== 0
            ? 'is compressed again'
            : bytes.readUInt32BE(at + 12) !== crc32(bytes.subarray(at + 16, next))
              ? 'has a wrong checksum'
              : undefined;
    if (problem !== undefined)
      throw new RecordsUnreadable(`message ${places.length} of its compressed message ${problem}.`);
    places.push(at);
    at = next;
  }
  if (places.length === 0) throw new RecordsUnreadable('its compressed message contains nothing.');
  return places;
}

interface Content {
  readonly keyAt: number;
  readonly keySize: number;
  readonly valueAt: number;
  readonly valueSize: number;
}

/** The key and the value, with their lengths before them, fill the bytes. */
function content(bytes: Buffer, start: number, end: number): Content {
  const keyAt = start + 4;
  const keySize = bytes.readInt32BE(start);
  const valueAt = keyAt + Math.max(0, keySize) + 4;
  if (valueAt <= end) {
    const valueSize = bytes.readInt32BE(valueAt - 4);
    if (valueAt + Math.max(0, valueSize) === end) return { keyAt, keySize, valueAt, valueSize };
  }
  throw new RecordsUnreadable('the key and the value of its message do not end where it ends.');
}
