// The messages between a source and its reader thread.
import type { StartFrom, StopAt } from '../../graph/parameters.ts';
import type { Json } from '../../graph/spec.ts';
import type { RecordColumns } from './record-columns.ts';

/** Partition → offset. */
export type Offsets = Readonly<Record<number, number>>;

export interface ReadRequest {
  readonly brokers: readonly string[];
  /** Where `brokers` is set, for messages: "SLUICE_BROKERS". */
  readonly variable: string;
  readonly topic: string;
  readonly from: StartFrom;
  readonly until?: StopAt | undefined;
  /** The records' keys are wanted, too. */
  readonly keys?: boolean;
  /** Most bytes of a batch when it is decompressed. */
  readonly maxBatchBytes?: number | undefined;
  /**
   * The offsets that an earlier reader had reached, and its end offsets. `from` and `until` were
   * resolved by that reader.
   */
  readonly resume?: { readonly next: Offsets; readonly ends?: Offsets };
}

export interface Chunk {
  readonly partition: number;
  readonly columns: RecordColumns;
  /** All values are ASCII: one byte is one character. */
  readonly ascii: boolean;
  /**
   * The offset after this chunk. There may be a gap after its last record (transaction markers,
   * compaction).
   */
  readonly next: number;
  /** The partition's end when it was fetched. */
  readonly end: number;
  /** The part of the reader's credit that this chunk uses: the memory of its columns. */
  readonly bytes: number;
}

export type ToSource =
  /** Where each partition begins, and ends when the source is bounded. */
  | { readonly kind: 'started'; readonly next: Offsets; readonly ends?: Offsets }
  | { readonly kind: 'chunks'; readonly chunks: readonly Chunk[] }
  /** A failure that is being retried; undefined: it has passed. */
  | { readonly kind: 'trouble'; readonly text: string | undefined }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, Json | undefined>>;
    };

export type ToReader =
  /** A chunk was emitted: its bytes may be fetched again. */
  { readonly kind: 'credit'; readonly partition: number; readonly bytes: number };

/** One end of the channel between the two. */
export interface ReaderPort {
  postMessage(message: ToSource, transfer: ArrayBuffer[]): void;
  on(event: 'message', listener: (message: ToReader) => void): void;
}
