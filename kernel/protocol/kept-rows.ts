// The rule for the rows that a display keeps. Kernel and clients share it, so that snapshots and
// deltas give the same rows.
//
// A row replaces the older row with the same key. A row without a key replaces no other. A row with
// `gone` deletes the older row. Then the newest `limit` rows by `n` stay, and of these the rows
// whose event time is at most `lastMillis` before the newest event time. The array is in the order
// of first appearance: a row that replaces another takes its place.
import type { WireRow } from './displays.ts';

export interface Retention {
  readonly limit: number;
  readonly lastMillis?: number;
}

export function rowId(row: WireRow): string {
  return row.key === undefined ? `#${String(row.n)}` : `=${row.key}`;
}

export function keepRows(
  kept: readonly WireRow[],
  arrived: readonly WireRow[],
  retention: Retention,
): readonly WireRow[] {
  if (arrived.length === 0) return kept;
  const byId = new Map<string, WireRow>();
  for (const rows of [kept, arrived]) {
    for (const row of rows) {
      const id = rowId(row);
      const older = byId.get(id);
      if (older === undefined || older.n < row.n) byId.set(id, row);
    }
  }
  return within(
    recent(
      [...byId.values()].filter(({ gone }) => gone !== true),
      retention,
    ),
    retention,
  );
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
