// What is kept of one window: everything of its keys, together, because under the default trigger all keys of a window fire at once.
import type { Keyed } from '../state/changed-groups.ts';
import { KeyMap } from '../state/key-map.ts';

export class Pane<A extends Keyed> extends KeyMap<A> {
  readonly start: number;
  readonly end: number;
  /** It has fired; an element that still comes fires it again for its key. */
  hasFired: boolean;
  /** All that is in the maps, in the order of arrival: what firings and snapshots walk through. */
  entries: A[] = [];
  #windowStart: Date | undefined;
  #windowEnd: Date | undefined;

  constructor(start: number, end: number, hasFired: boolean) {
    super();
    this.start = start;
    this.end = end;
    this.hasFired = hasFired;
  }
  /** The bounds as results carry them: one pair for all of them, elements being immutable. */
  get windowStart(): Date {
    return (this.#windowStart ??= new Date(this.start));
  }
  get windowEnd(): Date {
    return (this.#windowEnd ??= new Date(this.end));
  }
  /**
   * The window is gone. Tables that a map has outgrown may still refer to the pane, and once one of them is in V8's old generation, collections of the young one
   * take whatever it refers to for alive: an empty pane costs nothing then.
   */
  override clear(): void {
    super.clear();
    this.entries = [];
  }
  enter(entry: A): void {
    // A literal takes one slot where push would take 17: there may be a million windows of one key.
    if (this.entries.length === 0) this.entries = [entry];
    else this.entries.push(entry);
  }
}
