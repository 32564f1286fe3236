// The state of one window, for all keys together: under the default trigger all keys of a window
// fire at once.
import type { Keyed, Namespace, SavedGroup } from '../state/keyed.ts';
import { KeyMap } from '../state/key-map.ts';

export class Pane<A extends Keyed> extends KeyMap<A> implements Namespace {
  readonly start: number;
  readonly end: number;
  /** The window has fired. A later element fires it again for its key. */
  hasFired: boolean;
  savedGroups: Map<number, SavedGroup> | undefined;
  droppedAt = 0;
  /** All entries in the order of arrival. Firings and snapshots iterate over them. */
  entries: A[] = [];
  #windowStart: Date | undefined;
  #windowEnd: Date | undefined;

  constructor(start: number, end: number, hasFired: boolean) {
    super();
    this.start = start;
    this.end = end;
    this.hasFired = hasFired;
  }
  /** The bounds in results. All results share them, because elements are immutable. */
  get windowStart(): Date {
    return (this.#windowStart ??= new Date(this.start));
  }
  get windowEnd(): Date {
    return (this.#windowEnd ??= new Date(this.end));
  }
  /**
   * Empties a removed window, to save memory. Old hash tables of a map may still refer to the pane.
   * Once such a table is in V8's old generation, collections of the young generation keep
   * everything that it refers to.
   */
  override clear(): void {
    super.clear();
    this.entries = [];
  }
  enter(entry: A): void {
    // A literal takes one slot, push would take 17. There may be a million windows of one key.
    if (this.entries.length === 0) this.entries = [entry];
    else this.entries.push(entry);
  }
}
