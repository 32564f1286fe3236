// What a state table knows of entries, of windows, and of how an operator saves them.
import type { StateSchema } from '../contract/operator.ts';
import type { KeyRow } from './keys.ts';

/** The fields of every entry of keyed state. */
export interface Keyed {
  readonly row: KeyRow;
  /** The epoch of the last write; below 0: the entry is gone since that epoch. */
  touched: number;
  /** The epoch of the last snapshot that has written the entry; 0: none has. */
  written: number;
  /** Bytes of its record in the last snapshot that has written it. */
  savedBytes: number;
}
/** The saved entries of a namespace in one key group, and the bytes of their records. */
export interface SavedGroup {
  entries: number;
  bytes: number;
}

/** A window or a slice: all its entries are removed together. */
export interface Namespace {
  readonly start: number;
  /** What is saved of it, by key group. undefined: nothing is. */
  savedGroups: Map<number, SavedGroup> | undefined;
  /** The epoch in which it was dropped; 0: it is there. */
  droppedAt: number;
}

/** How the entries of an operator are saved. */
export interface EntryForm<E> {
  readonly schema: StateSchema;
  tupleOf(entry: E): readonly unknown[];
  labelOf?(entry: E): unknown;
  /** By the columns of the schema. It is written at once, so it may be the state itself. */
  contentOf(entry: E): readonly unknown[];
}
