// How windows and slices save their entries, and the text of a key and window in errors.
import type { Contents } from '../aggregates/accumulators.ts';
import { labelOf } from '../state/key-label.ts';
import type { KeyRow, Keys } from '../state/keys.ts';
import type { EntryForm, Keyed } from '../state/keyed.ts';
import { describedRow } from '../values/kind.ts';

/** The namespace is the start of the window or slice. */
export function windowForm<A extends Keyed>(keys: Keys, { columns, pack }: Contents<A>, of: string): EntryForm<A> {
  return {
    schema: { namespace: `start of the ${of}, epoch ms`, ...(keys.fields && { key: keys.fields }), columns },
    tupleOf: ({ row }) => keys.tuple(row),
    labelOf: ({ row }) => labelOf(row, keys),
    contentOf: pack,
  };
}

/** The key and window of user code, for errors. */
export function windowText(row: KeyRow, start: number, end: number): string {
  return `${describedRow(row)}window ${new Date(start).toISOString()} to ${new Date(end).toISOString()}`;
}
