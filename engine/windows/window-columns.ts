// What the window operators say in the same way: the window at work, in an error, and what windows keep, in a snapshot: one key group as columns, an entry with the start of what it belongs to (a window, or a slice), its key, and its content.
import { SluiceError } from '../errors/error.ts';
import type { Contents } from '../aggregates/accumulators.ts';
import type { StateReader, StateWriter } from '../contract/operator.ts';
import type { ChangedGroups, Keyed } from '../state/changed-groups.ts';
import type { KeyRow, Keys } from '../state/keys.ts';
import { describedRow } from '../values/kind.ts';

interface GroupContent {
  readonly starts: number[];
  /** Packed. */
  readonly keys: unknown[];
  readonly kept: unknown[][];
}
interface Columns<A extends Keyed> {
  readonly keys: Keys;
  readonly contents: Contents<A>;
  readonly changed: ChangedGroups;
}

/** `each` visits every entry with what it belongs to. */
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

/** `enter` gets each entry's start and key, and how to make it of the key's row. */
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

/** The key and window that user code is working on, for errors. */
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
