// One partition's part of a fetch answer as a chunk of columns, and what the answer says of the
// partition when it has none.
import { isAscii } from 'node:buffer';
import { SluiceError } from '../../errors/error.ts';
import { RecordsUnreadable } from './compression.ts';
import type { FetchedPartition } from './fetch-request.ts';
import type { Chunk } from './reader-messages.ts';
import { batchHeaders, committedBatches, readRecords } from './record-batch.ts';
import { kafkaErrors } from './requests.ts';
import { nameOf, type Split } from './split.ts';

/** Where a partition is to be read. */
export interface Progress {
  readonly split: Split;
  readonly next: number;
  /** Infinity: the read is unbounded. */
  readonly end: number;
  /** The read ends at the first record with this timestamp. */
  readonly endTime: number | undefined;
}

/**
 * The partition has answered, is read to its end, and had nothing. An answer without records is not
 * enough: it has none too when the answer is full, or when the broker waits because of a quota. And
 * behind an open transaction there may be records, so a partition with one is not read to its end.
 */
export function isSilent({ error, lastStable, highWatermark, start, end }: FetchedPartition, next: number): boolean {
  return error === kafkaErrors.none && start === end && next >= lastStable && lastStable >= highWatermark;
}
/** Records wait behind an open transaction. */
export function waitsForTransaction({ lastStable, highWatermark }: FetchedPartition, next: number): boolean {
  return next >= lastStable && lastStable < highWatermark;
}

/** `next` and `end` of the chunk may be those of the progress after it. undefined: no whole batch. */
export function chunkOf(answer: FetchedPartition, progress: Progress, keys: boolean | undefined): Chunk | undefined {
  const { bytes, start, end, aborted, lastStable } = answer;
  const { split, next: from, end: until, endTime } = progress;
  try {
    const batches = batchHeaders(bytes, start, end);
    const last = batches.at(-1);
    if (!last) return undefined;
    const committed = committedBatches(batches, bytes, aborted);
    let columns = readRecords(committed, bytes, from, until, keys);
    let next = Math.min(until, Math.max(from, last.lastOffset + 1));
    const beyond =
      endTime === undefined ? -1 : columns.timestamps.subarray(0, columns.count).findIndex((t) => t >= endTime);
    if (beyond >= 0) {
      next = columns.offsets[beyond]!;
      columns = readRecords(committed, bytes, from, next, keys);
    }
    return {
      split: nameOf(split),
      columns,
      ascii: isAscii(columns.values),
      next,
      epoch: lastEpoch(bytes, start, end),
      end: beyond >= 0 ? next : lastStable,
      ...(beyond >= 0 && { isLast: true }),
      bytes: Math.max(1, columns.values.length + (columns.keys?.bytes.length ?? 0)),
    };
  } catch (error) {
    const cause = error instanceof RecordsUnreadable ? error.message : `it is damaged (${String(error)}).`;
    throw new SluiceError('kafka-unreadable', `${nameOf(split)}@${from} cannot be read: ${cause}`, {
      partition: split.partition,
      offset: from,
    });
  }
}

/** The epoch of the leader that wrote the last whole batch. */
function lastEpoch(bytes: Buffer, start: number, end: number): number {
  const headerSize = 61;
  const sizeOfOffsetAndLength = 12;
  let epoch = -1;
  for (let at = start; at + headerSize <= end;) {
    const next = at + sizeOfOffsetAndLength + bytes.readInt32BE(at + 8);
    if (next > end || next <= at) break;
    epoch = bytes.readInt32BE(at + 12);
    at = next;
  }
  return epoch;
}
