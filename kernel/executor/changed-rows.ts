// The changes of a table on their way to a display: the latest row of each key, and the rows that
// were deleted.
//
// Rows of a stream may be thinned out. In a table that would leave deleted rows on screen. So this
// knows the rows on screen: the newest `limit` of those that were sent, as
// kernel/protocol/kept-rows.ts keeps them. It holds no more than `limit` rows beside them, because
// further changes since the last frame would not be shown.
import { keptBytes } from '../protocol/kept-rows.ts';
import type { DisplayRow } from './display-rows.ts';

export interface ChangedRowsState {
  readonly pending: readonly (readonly [string, DisplayRow])[];
  readonly onScreen: readonly string[];
}

export class ChangedRows {
  limit = Infinity;
  /** Since the last frame, oldest first: a row, or that it has gone. */
  readonly #pending = new Map<string, DisplayRow>();
  #pendingRows = 0;
  #pendingBytes = 0;
  /** Keys, in the order of their rows' numbers. */
  readonly #onScreen = new Set<string>();

  put(key: string, row: DisplayRow): void {
    this.#forget(key);
    if (row.gone) {
      // Who has never seen it need not hear that it has gone.
      if (this.#onScreen.has(key)) this.#pending.set(key, row);
      return;
    }
    this.#pending.set(key, row);
    this.#pendingRows++;
    this.#pendingBytes += row.size ?? 0;
    while (this.#pendingRows > this.limit || (this.#pendingBytes > keptBytes && this.#pendingRows > 1))
      this.#dropOldest();
  }
  #forget(key: string): void {
    const former = this.#pending.get(key);
    if (!former) return;
    if (!former.gone) {
      this.#pendingRows--;
      this.#pendingBytes -= former.size ?? 0;
    }
    this.#pending.delete(key);
  }
  /** There are newer rows enough. What is on screen of it is out of date: it leaves. */
  #dropOldest(): void {
    for (const [key, row] of this.#pending) {
      if (row.gone) continue;
      this.#forget(key);
      if (this.#onScreen.has(key)) this.#pending.set(key, { ...row, value: undefined, size: undefined, gone: true });
      return;
    }
  }

  /** What a frame takes, in the order of the rows' numbers. */
  take(): DisplayRow[] {
    const rows = [...this.#pending].sort(([, a], [, b]) => a.n - b.n);
    for (const [key, { gone }] of rows) {
      this.#onScreen.delete(key);
      if (!gone) this.#onScreen.add(key);
    }
    for (const key of this.#onScreen) {
      if (this.#onScreen.size <= this.limit) break;
      this.#onScreen.delete(key);
    }
    this.#pending.clear();
    this.#pendingRows = 0;
    this.#pendingBytes = 0;
    return rows.map(([, row]) => row);
  }

  save(): ChangedRowsState {
    return { pending: [...this.#pending], onScreen: [...this.#onScreen] };
  }
  restore({ pending, onScreen }: ChangedRowsState): void {
    for (const key of onScreen) this.#onScreen.add(key);
    for (const [key, row] of pending) this.put(key, row);
  }
}
