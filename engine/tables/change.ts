// A change of a table: the record type between operators of tables. It has the new row of a key and
// the old row that it replaces; undefined means no row.
//
//   row, no old: insert      row and old: update      no row, old: delete
//
// A change with neither row nor old says that the key has no row from this time on, though it had
// none before. Only a table with versions by event time uses it; all others skip it. The timestamp
// of a change is the event time from which it is valid. null is no row, like a tombstone.
import { deepFreeze } from '../state/freeze.ts';
import { refusePromise } from '../values/promise.ts';

export interface Change {
  /** The tuple of the key's values. */
  readonly key: readonly unknown[];
  readonly row: unknown;
  readonly old: unknown;
}
type ChangeKind = 'insert' | 'update' | 'delete';

/** undefined: the change changes no row. */
function kindOfChange({ row, old }: Change): ChangeKind | undefined {
  if (row === undefined) return old === undefined ? undefined : 'delete';
  return old === undefined ? 'insert' : 'update';
}

/** An element of toStream(): `former` is the row that an update replaces or a delete removes. */
interface StreamedChange {
  readonly kind: ChangeKind;
  readonly row: unknown;
  readonly former?: unknown;
}
/** The change as toStream() gives it; undefined: it changes no row. */
export function streamedChange(change: Change): StreamedChange | undefined {
  const kind = kindOfChange(change);
  if (kind === undefined) return undefined;
  const { row, old } = change;
  return kind === 'insert' ? { kind, row } : { kind, row: row ?? old, former: old };
}

/** The row that user code returned. null becomes undefined; a Promise is an error. */
export function rowOfUser(value: unknown, what: string): unknown {
  if (typeof value === 'object') refusePromise(value, what);
  return rowOrNone(value);
}
/** The row that a source or an operator gave. null becomes undefined. */
export function rowOrNone(value: unknown): unknown {
  return value === null ? undefined : value;
}

/** Freezes a row in the test kit, because user code may keep it. */
export function frozen(row: unknown, freeze: boolean): unknown {
  if (freeze) deepFreeze(row);
  return row;
}
