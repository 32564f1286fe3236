// Tracks the key groups that have changed since the last snapshot. An entry stores only the epoch
// of its last write. Its key group is computed when a snapshot first needs it. So an entry that is
// created and removed between two snapshots is never hashed.
import type { StateWriter } from '../contract/operator.ts';
import { keyGroupOf, keyGroups } from './key-group.ts';
import type { KeyRow } from './keys.ts';

/** The fields of every entry of keyed state. */
export interface Keyed {
  readonly row: KeyRow;
  /** The key group; −1 until a snapshot needs it. */
  group: number;
  /** The epoch of the last write. */
  touched: number;
}

export class ChangedGroups {
  /** To write an entry, set its `touched` to this. */
  epoch = 1;
  readonly #gone = new Uint8Array(keyGroups);

  /** The entry is removed from the state. */
  forget(entry: Keyed): void {
    if (entry.group >= 0) this.#gone[entry.group] = 1;
  }
  /**
   * The entry was restored from a snapshot. When it is removed, its group must be written again.
   */
  restored(entry: Keyed, group: number): void {
    entry.group = group;
    this.isNew = false;
  }
  /** No entry has ever been in a snapshot, so removed entries need no mark. */
  isNew = true;

  /**
   * Writes the changed groups. `tupleOf` returns an entry's key. `each` visits every entry with its
   * owner. `add` adds an entry to the content of its group.
   */
  write<E extends Keyed, O, C>(
    writer: StateWriter,
    tupleOf: (entry: E) => readonly unknown[],
    each: (visit: (entry: E, owner: O) => void) => void,
    empty: () => C,
    add: (content: C, entry: E, owner: O) => void,
  ): void {
    const changed = this.#gone.slice();
    each((entry) => {
      if (entry.touched !== this.epoch && !writer.full) return;
      if (entry.group < 0) entry.group = keyGroupOf(tupleOf(entry));
      changed[entry.group] = 1;
    });
    const contents: (C | undefined)[] = Array.from(changed, () => undefined);
    each((entry, owner) => {
      if (changed[entry.group] === 1) add((contents[entry.group] ??= empty()), entry, owner);
    });
    changed.forEach((isChanged, group) => {
      if (isChanged === 1) writer.group(group, contents[group]);
    });
    this.epoch++;
    this.isNew = false;
    this.#gone.fill(0);
  }
}
