// The snapshot columns of windows: one key group as columns. An entry has the start of its window
// or slice, its key, and its content. Also the text of a key and window in errors.
import { SluiceError } from '../errors/error.ts';
import type { Contents } from '../aggregates/accumulators.ts';
import type { StateReader, StateWriter } from '../contract/operator.ts';
import type { ChangedGroups, Keyed } from '../state/changed-groups.ts';
import type { KeyRow, Keys } from '../state/keys.ts';
import { describedRow } from '../values/kind.ts';

interface GroupContent {
  readonly starts: number[];
  /** The packed key of each entry. */
  readonly keys: unknown[];
  readonly kept: unknown[][];
}
interface Columns<A extends Keyed> {
  readonly keys: Keys;
  readonly contents: Contents<A>;
  readonly changed: ChangedGroups;
}

/** `each` visits every entry with its window or slice. */
export function writeColumns<A extends Keyed, O extends { readonly start: number }>(
  writer: StateWriter,
  { keys, contents, changed }: Columns<A>,
  each: (visit: (entry: A, owner: O) => void) => void,
): void {
  changed.write<A, O, GroupContent>(
    writer,
    ({ row }) => keys.tuple(row),
    each,
    () => ({ starts: [], keys: [], kept: Array.from({ length: contents.columns }, () => []) }),
    (content, entry, { start }) => {
      content.starts.push(start);
      content.keys.push(keys.pack(entry.row));
      contents.pack(entry, content.kept);
    },
  );
}

/**
 * `enter` gets each entry's start and key, and a function that makes the entry from the key's row.
 */
export function readColumns<A extends Keyed>(
  reader: StateReader,
  { keys, contents, changed }: Columns<A>,
  name: string,
  enter: (start: number, row: KeyRow, entryOf: (row: KeyRow) => A) => void,
): void {
  for (const [group, content] of reader.groups()) {
    if (content === undefined) continue;
    const { starts, keys: packed, kept } = content as GroupContent;
    checkColumns(kept, contents.columns, name);
    starts.forEach((start, index) =>
      enter(start, keys.unpack(packed[index]), (row) => {
        const entry = contents.unpack(row, changed.epoch, kept, index);
        changed.restored(entry, group);
        return entry;
      }),
    );
  }
}

/** The key and window of user code, for errors. */
export function windowText(row: KeyRow, start: number, end: number): string {
  return `${describedRow(row)}window ${new Date(start).toISOString()} to ${new Date(end).toISOString()}`;
}

export function checkColumns(kept: readonly unknown[][], columns: number, name: string): void {
  if (kept.length === columns) return;
  throw new SluiceError(
    'other-state',
    `The state of "${name}" was written by other aggregates. Rebuild it, or give it a new .id().`,
  );
}
