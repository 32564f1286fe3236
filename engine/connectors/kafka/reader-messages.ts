// The messages between a source and its reader thread.
import type { Connection } from '../../connections/connection.ts';
import type { OffsetReset, StartFrom, StopAt } from '../../graph/parameters.ts';
import type { Json } from '../../graph/spec.ts';
import type { RecordColumns } from './record-columns.ts';
import type { Split, SplitPosition } from './split.ts';
import type { Trouble } from './troubles.ts';

export interface ReadRequest {
  readonly connection: Connection;
  /** The name, or the text of the pattern. */
  readonly topic: string;
  readonly pattern?: { readonly source: string; readonly flags: string };
  readonly discoveryMillis: number;
  readonly from: StartFrom;
  readonly until?: StopAt | undefined;
  /** Absent: an error. */
  readonly offsetReset?: OffsetReset | undefined;
  /** The records' keys are wanted, too. */
  readonly keys?: boolean;
  /** And so are their headers. */
  readonly headers?: boolean;
  /** Most bytes of a batch when it is decompressed. */
  readonly maxBatchBytes?: number | undefined;
  /** The splits that an earlier reader found. `from` and `until` were resolved by that reader. */
  readonly known: readonly Split[];
  /** The splits whose start the earlier reader did not find. `from` and `until` hold for them. */
  readonly unresolved: readonly Split[];
  /** There was an earlier reader. What appeared since its first look is read from its beginning. */
  readonly hasLooked: boolean;
}

export interface Chunk {
  /** The name of the split. */
  readonly split: string;
  readonly columns: RecordColumns;
  /** All values are ASCII: one byte is one character. */
  readonly ascii: boolean;
  /** false: no value has 16 digits in a row. The reader looks, because the source has less time. */
  readonly longDigits?: boolean;
  /**
   * The offset after this chunk. There may be a gap after its last record (transaction markers,
   * compaction).
   */
  readonly next: number;
  /** The epoch of the leader that wrote its last batch. */
  readonly epoch: number;
  /** The partition's end when it was fetched. */
  readonly end: number;
  /** The part of the reader's credit that this chunk uses: the memory of its columns. */
  readonly bytes: number;
  /** The first record at or after the split's `endTime` comes next, so the split ends here. */
  readonly isLast?: boolean;
  /**
   * The chunk has no records, but goes from one offset to another: see offset-gone.ts.
   */
  readonly lost?: { readonly from: number; readonly to: number };
}

/** An offset of a split, which it names. */
export interface SplitPlace {
  readonly split: string;
  readonly offset: number;
}

/** A SluiceError on its way between threads. */
export interface ReaderError {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, Json | undefined>>;
}

export type ToSource =
  /** Splits that no earlier message named. The source assigns those that it wants to read. */
  | {
      readonly kind: 'found';
      readonly splits: readonly SplitPosition[];
      /** They exist, and their start is not known yet. They hold time back. */
      readonly unresolved: readonly Split[];
    }
  /** Their topic was deleted, and the source reads all topics of a pattern. */
  | { readonly kind: 'gone'; readonly splits: readonly string[] }
  | { readonly kind: 'chunks'; readonly chunks: readonly Chunk[] }
  /** These splits answered, were read to their end, and had nothing. `offset`: where that was. */
  | { readonly kind: 'silent'; readonly splits: readonly SplitPlace[] }
  /**
   * There is something at or behind the positions of these splits, and no chunk of it yet: the
   * answer was full, or a transaction is open. `offset`: the end of their committed records.
   */
  | { readonly kind: 'behind'; readonly splits: readonly SplitPlace[] }
  /** These splits do not answer at present: no leader, no connection, a quota. */
  | { readonly kind: 'unanswered'; readonly splits: readonly string[] }
  /** Splits that wait for credit, and their ends at present: they are not fetched. */
  | { readonly kind: 'ends'; readonly splits: readonly SplitPlace[] }
  /** The `endTime` of these splits has passed, and they are read to their end. */
  | { readonly kind: 'ended'; readonly splits: readonly SplitPlace[] }
  /**
   * An error that no further attempt can mend. The reader reads these splits no more; what it
   * handed over before comes before the error.
   */
  | ({ readonly kind: 'splits-failed'; readonly splits: readonly string[] } & ReaderError)
  /** All failures that are being retried at present. */
  | { readonly kind: 'troubles'; readonly troubles: readonly Trouble[] }
  /** The whole source has failed. */
  | ({ readonly kind: 'failed' } & ReaderError);

export type ToReader =
  /** Reads these splits from here on. */
  | { readonly kind: 'assign'; readonly splits: readonly SplitPosition[] }
  /** Reads these splits no more. What they had in flight is dropped by both sides. */
  | { readonly kind: 'revoke'; readonly splits: readonly string[] }
  /** For the next connection to a broker, and the next log-in. */
  | { readonly kind: 'connection'; readonly connection: Connection }
  /**
   * The source can emit nothing of what it has: those splits are ahead of other sources, or have
   * used up their share. It needs records of other splits.
   */
  | { readonly kind: 'blocked'; readonly needed: readonly string[] }
  /** A chunk was emitted: its bytes may be fetched again. */
  | { readonly kind: 'credit'; readonly split: string; readonly bytes: number };

/** One end of the channel between the two. */
export interface ReaderPort {
  postMessage(message: ToSource, transfer: ArrayBuffer[]): void;
  on(event: 'message', listener: (message: ToReader) => void): void;
}
