// A change of a table: what flows between the operators of tables. The row of a key, and the one it takes the place of; undefined is no row.
//
//   row, no old     the key has come        row and old     another row for it        no row, old     it has gone
//
// Neither row nor old says that a key is not there at this time though it never was: a table that is versioned by event time wants to know, everybody else
// passes it over. The timestamp of the change is the event time from which on it holds. null is no row, as a tombstone is none.
import { deepFreeze } from '../state/freeze.ts';

export interface Change {
  /** The tuple of the key's values. */
  readonly key: readonly unknown[];
  readonly row: unknown;
  readonly old: unknown;
}
export type ChangeKind = 'insert' | 'update' | 'delete';

/** undefined: nothing has changed for who reads rows. */
export function kindOfChange({ row, old }: Change): ChangeKind | undefined {
  if (row === undefined) return old === undefined ? undefined : 'delete';
  return old === undefined ? 'insert' : 'update';
}

/** What user code or a source gave as a row. */
export function rowOrNone(value: unknown): unknown {
  return value === null ? undefined : value;
}

/** What user code may keep and change, under the test kit. */
export function frozen(row: unknown, freeze: boolean): unknown {
  if (freeze) deepFreeze(row);
  return row;
}
