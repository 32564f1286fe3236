// The batches in a broker's answer about one partition. Their records are handed out in pieces, so
// that an answer which grows a thousandfold when it is decompressed never is in memory as a whole.
import { batchHeaders, bytesOfFirstBatch, type BatchHeader } from './batch-header.ts';
import { defaultMaxBatchBytes } from './compression.ts';
import { committedBatches, readRecords, type ReadOptions } from './record-batch.ts';
import type { RecordColumns } from './record-columns.ts';
import { RecordsUnreadable } from './records-unreadable.ts';
import type { AbortedTransaction } from './requests.ts';

export interface FetchedBytes {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** In the order of their first offset. */
  readonly aborted: readonly AbortedTransaction[];
}
export interface ReadPiece {
  readonly columns: RecordColumns;
  /** The offset after this piece, and after what is left out behind it. */
  readonly next: number;
}

export class FetchedBatches {
  #bytes: Buffer;
  readonly #options: ReadOptions;
  /** Batches that have not been read. */
  #left: readonly BatchHeader[];
  /** The offset after the last batch; undefined: there is no complete batch. */
  readonly #end: number | undefined;
  /** The epoch of the leader that wrote the last batch; −1: unknown. */
  readonly leaderEpoch: number;
  /**
   * The answer ends within its first batch, which has so many bytes. The partition must be asked
   * for as many.
   */
  readonly needs: number | undefined;

  /** Throws RecordsUnreadable, as `read` does. */
  constructor({ bytes, start, end, aborted }: FetchedBytes, options: ReadOptions = {}) {
    this.#bytes = bytes;
    this.#options = options;
    const batches = batchHeaders(bytes, start, end, options.maxBatchBytes ?? defaultMaxBatchBytes);
    this.#left = committedBatches(batches, aborted);
    const last = batches.at(-1);
    this.#end = last && last.lastOffset + 1;
    this.leaderEpoch = last?.leaderEpoch ?? -1;
    this.needs = last || end === start ? undefined : bytesOfFirstBatch(bytes, start, end);
  }

  get isRead(): boolean {
    return this.#left.length === 0;
  }

  /** Bytes of the batches that have not been read. */
  get size(): number {
    return this.#left.reduce((sum, { start, end }) => sum + end - start, 0);
  }
  /** Copies what has not been read. So it keeps no bytes of other partitions in memory. */
  keepOwnBytes(): void {
    const from = this.#left[0]?.start ?? 0;
    this.#bytes = Buffer.from(this.#bytes.subarray(from, this.#left.at(-1)?.end ?? 0));
    this.#left = this.#left.map((batch) => ({ ...batch, start: batch.start - from, end: batch.end - from }));
  }

  /** The next records with `from ≤ offset < until`. undefined: the answer has no complete batch. */
  read(from: number, until: number): ReadPiece | undefined {
    if (this.#end === undefined) return undefined;
    if (this.#end <= from)
      throw new RecordsUnreadable(`the broker answers with the records up to offset ${this.#end - 1}.`);
    const { read, ...columns } = readRecords(this.#left, this.#bytes, from, until, this.#options);
    const last = this.#left[read - 1];
    this.#left = this.#left.slice(read);
    const after = this.isRead || !last ? this.#end : last.lastOffset + 1;
    return { columns, next: Math.min(until, Math.max(from, after)) };
  }
}
