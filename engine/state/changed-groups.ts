// Which key groups have changed since the last snapshot. An entry only notes in which epoch it was written; its group is computed when a snapshot first
// needs it, so that entries which come and go between two snapshots are never hashed.
import type { StateWriter } from '../contract/operator.ts';
import { keyGroupOf, keyGroups } from './key-group.ts';
import type { KeyRow } from './keys.ts';

/** What every piece of keyed state carries. */
export interface Keyed {
  readonly row: KeyRow;
  /** −1 until a snapshot needs it. */
  group: number;
  /** The epoch of the last write. */
  touched: number;
}

export class ChangedGroups {
  /** Whoever writes an entry sets its `touched` to this. */
  epoch = 1;
  readonly #gone = new Uint8Array(keyGroups);

  /** The entry leaves the state. */
  forget(entry: Keyed): void {
    if (entry.group >= 0) this.#gone[entry.group] = 1;
  }
  /** The entry comes from a snapshot, in which its group has content that must not outlive it. */
  restored(entry: Keyed, group: number): void {
    entry.group = group;
    this.isNew = false;
  }
  /** No entry has ever been in a snapshot: nothing needs to be forgotten. */
  isNew = true;

  /** Writes the groups that have changed. `tupleOf` gives an entry's key; `each` visits every entry with what it belongs to; `add` puts one into its group's content. */
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
