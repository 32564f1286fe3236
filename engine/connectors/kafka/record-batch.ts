// Converts record batches, Kafka's unit on disk and on the wire, to columns. Aborted transactions
// and control records are left out. Each record is checked: its size, its offset, and that its key,
// value and headers end where it ends.
import type { BatchHeader } from './batch-header.ts';
import { decompress, defaultMaxBatchBytes } from './compression.ts';
import { readMessages } from './old-messages.ts';
import { GrowingColumns, type RecordColumns, type WantedColumns } from './record-columns.ts';
import { RecordCursor } from './record-cursor.ts';
import { RecordsUnreadable } from './records-unreadable.ts';
import type { AbortedTransaction } from './requests.ts';

/**
 * The batches with committed records. `aborted` is in the order of first offsets. An aborted
 * transaction is open from its first offset to its producer's next abort marker.
 */
export function committedBatches(
  batches: readonly BatchHeader[],
  aborted: readonly AbortedTransaction[],
): BatchHeader[] {
  const abortedProducers = new Set<bigint>();
  let nextAborted = 0;
  return batches.filter((batch) => {
    while (nextAborted < aborted.length && aborted[nextAborted]!.firstOffset <= batch.lastOffset)
      abortedProducers.add(aborted[nextAborted++]!.producer);
    if (batch.isControl) {
      if (batch.isAbortMarker) abortedProducers.delete(batch.producer);
      return false;
    }
    return !(batch.isTransactional && abortedProducers.has(batch.producer));
  });
}

export interface ReadOptions extends WantedColumns {
  /** Most bytes of a batch when it is decompressed. */
  readonly maxBatchBytes?: number;
  /** With so many bytes of records, no further batch is read. */
  readonly enough?: number;
}

/**
 * Reads the records with `from ≤ offset < until`. `read`: the number of batches that were read.
 * Batches are decompressed one by one. Throws if the first one cannot be read; a later one that
 * cannot be read is left to the next call.
 */
export function readRecords(
  batches: readonly BatchHeader[],
  bytes: Buffer,
  from: number,
  until: number,
  { maxBatchBytes = defaultMaxBatchBytes, enough = Infinity, ...wanted }: ReadOptions = {},
): RecordColumns & { readonly read: number } {
  const columns = new GrowingColumns(wanted);
  const plainBytes = batches.reduce(
    (sum, { compression, start, end }) => sum + (compression === 0 ? end - start : 0),
    0,
  );
  columns.reserve(Math.min(enough, plainBytes), 0);
  let read = 0;
  for (const batch of batches) {
    if (read > 0 && columns.size >= enough) break;
    const before = columns.mark();
    try {
      if (batch.lastOffset >= from && batch.baseOffset < until)
        if (batch.format === 2) readBatch(batch, bodyOf(batch, bytes, maxBatchBytes), columns, from, until);
        else readMessages(batch, bytes, columns, from, until, maxBatchBytes);
    } catch (error) {
      if (read === 0) throw error;
      columns.reset(before);
      break;
    }
    read++;
  }
  return { ...columns.finish(), read };
}

function bodyOf({ compression, start, end }: BatchHeader, bytes: Buffer, most: number): Buffer {
  return decompress(compression, bytes.subarray(start, end), most);
}

/** Six numbers of a byte at least, and the attributes. */
const leastRecord = 7;

function readBatch(
  { count, baseOffset, lastOffset, logAppendTime, maxTimestamp, firstTimestamp }: BatchHeader,
  body: Buffer,
  columns: GrowingColumns,
  from: number,
  until: number,
): void {
  if (count * leastRecord > body.length)
    throw new RecordsUnreadable(`its batch has ${body.length} bytes, too few for ${count} records.`);
  const { staged, start, end: bodyEnd } = columns.stage(body, count);
  const cursor = new RecordCursor(staged, start);
  let previous = baseOffset - 1;
  for (let i = 0; i < count; i++) {
    const size = cursor.varint();
    const end = cursor.at + size;
    cursor.at += 1;
    const timestampDelta = cursor.varlong();
    const offset = baseOffset + cursor.varint();
    const keySize = cursor.varint();
    const keyAt = cursor.at;
    if (keySize > 0) cursor.at += keySize;
    const valueSize = cursor.varint();
    const valueAt = cursor.at;
    if (valueSize > 0) cursor.at += valueSize;
    const headersAt = cursor.at;
    const headers = cursor.varint();
    if (headers !== 0) skipHeaders(cursor, headers, end);
    // A read beyond the record has moved the cursor beyond its end.
    if (cursor.at !== end || end > bodyEnd)
      throw new RecordsUnreadable(`record ${i} of its batch does not end where its size says.`);
    if (offset <= previous || offset > lastOffset)
      throw new RecordsUnreadable(
        `record ${i} of its batch has the offset ${offset}, and must lie between ${previous + 1} and ${lastOffset}.`,
      );
    previous = offset;
    if (offset >= from && offset < until) {
      const timestamp = logAppendTime ? maxTimestamp : firstTimestamp + timestampDelta;
      const headersSize = headers === 0 ? 0 : end - headersAt;
      columns.add(offset, timestamp, keyAt, keySize, valueAt, valueSize, headersAt, headersSize);
    }
  }
  if (cursor.at !== bodyEnd)
    throw new RecordsUnreadable(`its batch has ${bodyEnd - cursor.at} bytes behind its ${count} records.`);
}

function skipHeaders(cursor: RecordCursor, headers: number, end: number): void {
  for (let i = 0; i < headers && cursor.at <= end; i++) {
    const keySize = cursor.varint();
    cursor.at += keySize;
    const valueSize = cursor.varint();
    if (valueSize > 0) cursor.at += valueSize;
    if (keySize < 0) break;
  }
  if (headers < 0 || cursor.at !== end)
    throw new RecordsUnreadable('the headers of a record do not end where it ends.');
}
