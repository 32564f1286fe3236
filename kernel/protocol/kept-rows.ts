// The rule for the rows that a display keeps. Kernel and clients share it, so that snapshots and
// deltas give the same rows.
//
// A row replaces the older row with the same key. A row without a key replaces no other. A row with
// `gone` deletes the older row. Then the newest `limit` rows by `n` stay, and of these the rows
// whose event time is at most `lastMillis` before the newest event time. Of these the newest rows
// stay whose sizes add up to at most `keptBytes`. The array is in the order of first appearance: a
// row that replaces another takes its place.
import type { WireRow } from './displays.ts';

export interface Retention {
  readonly limit: number;
  readonly lastMillis?: number;
}

/** Total size of the rows that one display keeps. */
export const keptBytes = 8 * 1024 * 1024;

export function rowId(row: WireRow): string {
  // Rows of open windows are counted by themselves.
  if (row.open === true) return `~${String(row.n)}`;
  return row.key === undefined ? `#${String(row.n)}` : `=${row.key}`;
}

export function keepRows(
  kept: readonly WireRow[],
  arrived: readonly WireRow[],
  retention: Retention,
): readonly WireRow[] {
  if (arrived.length === 0) return kept;
  const all = isContinued(kept, arrived) ? [...kept, ...arrived] : undefined;
  if (all === undefined) return keepAnyRows(kept, arrived, retention);
  const newest = all.length > retention.limit ? all.slice(all.length - retention.limit) : all;
  return withinBytes(within(newest, retention));
}

/** Rows without keys whose numbers only grow, the usual case: no row replaces another. */
function isContinued(kept: readonly WireRow[], arrived: readonly WireRow[]): boolean {
  let last = -Infinity;
  for (const rows of [kept, arrived])
    for (const { n, key, gone, open } of rows) {
      if (n <= last || key !== undefined || gone === true || open === true) return false;
      last = n;
    }
  return true;
}

/** The plain form of the rule. */
function keepAnyRows(kept: readonly WireRow[], arrived: readonly WireRow[], retention: Retention): readonly WireRow[] {
  const byId = new Map<string, WireRow>();
  for (const rows of [kept, arrived]) {
    for (const row of rows) {
      const id = rowId(row);
      const older = byId.get(id);
      if (older === undefined || older.n < row.n) byId.set(id, row);
    }
  }
  const present = [...byId.values()].filter(({ gone }) => gone !== true);
  return withinBytes(within(recent(present, retention), retention));
}

/** The newest rows whose sizes add up to at most `keptBytes`. The newest row always stays. */
export function withinBytes<R extends { readonly n: number; readonly size?: number }>(
  rows: readonly R[],
): readonly R[] {
  if (sizeOf(rows) <= keptBytes) return rows;
  let total = 0;
  let least = Infinity;
  for (const { n, size = 0 } of rows.toSorted((a, b) => b.n - a.n)) {
    total += size;
    if (total > keptBytes && least < Infinity) break;
    least = n;
  }
  return rows.filter(({ n }) => n >= least);
}

export function sizeOf(rows: readonly { readonly size?: number }[]): number {
  let total = 0;
  for (const { size } of rows) total += size ?? 0;
  return total;
}

function recent(rows: readonly WireRow[], { limit }: Retention): readonly WireRow[] {
  if (rows.length <= limit) return rows;
  const newest = rows.map((row) => row.n).sort((a, b) => b - a);
  const least = limit > 0 ? (newest[limit - 1] ?? -Infinity) : Infinity;
  return rows.filter((row) => row.n >= least);
}

function within(rows: readonly WireRow[], { lastMillis }: Retention): readonly WireRow[] {
  if (lastMillis === undefined) return rows;
  let latest = -Infinity;
  for (const row of rows) if (row.t > latest) latest = row.t;
  return rows.filter((row) => row.t >= latest - lastMillis);
}
