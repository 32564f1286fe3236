// One partition's part of a fetch answer as a chunk of columns, and what the answer says of the
// partition when it has none.
import { isAscii } from 'node:buffer';
import { SluiceError } from '../../errors/error.ts';
import { hasLongDigits } from '../../formats/integers.ts';
import type { FetchedPartition } from './fetch-request.ts';
import { FetchedBatches } from './fetched-batches.ts';
import type { Chunk } from './reader-messages.ts';
import type { ReadOptions } from './record-batch.ts';
import { heldBytes } from './record-columns.ts';
import { RecordsUnreadable } from './records-unreadable.ts';
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
  /** An answer of which a part has been handed over. */
  rest: FetchedRest | undefined;
  /** The size of a batch that was larger than the last answer. */
  needs: number | undefined;
}
export interface FetchedRest {
  /** Its bytes are with the batches. */
  readonly answer: FetchedPartition;
  readonly batches: FetchedBatches;
}
const noBytes = Buffer.alloc(0);

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

export interface ChunkOptions extends ReadOptions {
  /** Bytes that the partition was asked for. */
  readonly asked: number;
}

/**
 * Keeps an answer, or what is left of it, until the source may get more of the partition. `read`:
 * its batches, of which some are read.
 */
export function keepRest(
  answer: FetchedPartition,
  progress: Progress,
  options: ReadOptions,
  read?: FetchedBatches,
): void {
  if (progress.rest) return;
  const batches = read ?? new FetchedBatches(answer, options);
  batches.keepOwnBytes();
  progress.rest = { answer: { ...answer, bytes: noBytes }, batches };
}

/**
 * The next chunk of an answer. `next` and `end` of the chunk may be those of the progress after it.
 * undefined: no whole batch. What is left of the answer stays in `progress.rest`.
 */
export function chunkOf(answer: FetchedPartition, progress: Progress, options: ChunkOptions): Chunk | undefined {
  const { lastStable } = answer;
  const { split, next: from, end: until, endTime } = progress;
  try {
    const batches = progress.rest?.batches ?? new FetchedBatches(answer, options);
    const { needs, leaderEpoch: epoch } = batches;
    if (needs !== undefined && needs <= options.asked)
      throw new RecordsUnreadable(`its batch of ${needs} bytes does not arrive as a whole.`);
    progress.needs = needs;
    const piece = batches.read(from, until);
    const hasRest = piece !== undefined && !batches.isRead && piece.next < until;
    if (!hasRest) progress.rest = undefined;
    else keepRest(answer, progress, options, batches);
    if (!piece) return undefined;
    let { columns, next } = piece;
    const beyond =
      endTime === undefined ? -1 : columns.timestamps.subarray(0, columns.count).findIndex((t) => t >= endTime);
    if (beyond >= 0) {
      next = columns.offsets[beyond]!;
      progress.rest = undefined;
      columns = { ...columns, count: beyond };
    }
    return {
      split: nameOf(split),
      columns,
      ascii: isAscii(columns.values),
      longDigits: hasLongDigits(columns.values),
      next,
      epoch,
      end: beyond >= 0 ? next : lastStable,
      ...(beyond >= 0 && { isLast: true }),
      bytes: Math.max(1, heldBytes(columns)),
    };
  } catch (error) {
    const cause = error instanceof RecordsUnreadable ? error.message : `it is damaged (${String(error)}).`;
    throw new SluiceError(
      'kafka-unreadable',
      `${nameOf(split)}@${from} cannot be read: ${cause} To leave it out, start at a later offset with from: { offsets }.`,
      { partition: split.partition, offset: from },
    );
  }
}
