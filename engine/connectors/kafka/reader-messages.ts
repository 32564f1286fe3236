// The messages between a source and its reader thread.
import type { StartFrom, StopAt } from '../../graph/parameters.ts';
import type { Json } from '../../graph/spec.ts';
import type { RecordColumns } from './record-columns.ts';
import type { Split, SplitPosition } from './split.ts';
import type { Trouble } from './troubles.ts';

export interface ReadRequest {
  readonly brokers: readonly string[];
  /** Where `brokers` is set, for messages: "SLUICE_BROKERS". */
  readonly variable: string;
  /** The name, or the text of the pattern. */
  readonly topic: string;
  readonly pattern?: { readonly source: string; readonly flags: string };
  readonly discoveryMillis: number;
  readonly from: StartFrom;
  readonly until?: StopAt | undefined;
  /** The records' keys are wanted, too. */
  readonly keys?: boolean;
  /** Most bytes of a batch when it is decompressed. */
  readonly maxBatchBytes?: number | undefined;
  /** The splits that an earlier reader found. `from` and `until` were resolved by that reader. */
  readonly known: readonly Split[];
  /** The earlier reader found all splits. What appeared since then is read from its beginning. */
  readonly isComplete: boolean;
}

export interface Chunk {
  /** The name of the split. */
  readonly split: string;
  readonly columns: RecordColumns;
  /** All values are ASCII: one byte is one character. */
  readonly ascii: boolean;
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
  | { readonly kind: 'silent'; readonly splits: readonly { readonly split: string; readonly offset: number }[] }
  /** Splits that wait for credit, and their ends at present: they are not fetched. */
  | { readonly kind: 'ends'; readonly splits: readonly { readonly split: string; readonly offset: number }[] }
  /** The `endTime` of these splits has passed, and they are read to their end. */
  | { readonly kind: 'ended'; readonly splits: readonly { readonly split: string; readonly offset: number }[] }
  /** All failures that are being retried at present. */
  | { readonly kind: 'troubles'; readonly troubles: readonly Trouble[] }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, Json | undefined>>;
    };

export type ToReader =
  /** Reads these splits from here on. */
  | { readonly kind: 'assign'; readonly splits: readonly SplitPosition[] }
  /** Reads these splits no more. What they had in flight is dropped by both sides. */
  | { readonly kind: 'revoke'; readonly splits: readonly string[] }
  /** A chunk was emitted: its bytes may be fetched again. */
  | { readonly kind: 'credit'; readonly split: string; readonly bytes: number };

/** One end of the channel between the two. */
export interface ReaderPort {
  postMessage(message: ToSource, transfer: ArrayBuffer[]): void;
  on(event: 'message', listener: (message: ToReader) => void): void;
}
