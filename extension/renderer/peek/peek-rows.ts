// The rows that a peek's panel keeps: the newest, up to a limit. A row that is gone can be had
// again by another peek from its offset.
import type { PeekNews, PeekRow } from '../../../kernel/protocol/browse.ts';
import { shownValue } from '../../../kernel/protocol/values.ts';
import { type ReadRow, readRow, TableColumns } from '../table-columns.ts';

export const mostRows = 1_000;

export interface PeekedRow extends ReadRow {
  readonly peeked: PeekRow;
}

export class PeekRows {
  readonly columns = new TableColumns([
    { name: 'key', read: (row) => keyOf(row as PeekedRow) },
    { name: 'problem', read: (row) => (row as PeekedRow).peeked.problem },
  ]);
  /** In the order of arrival. */
  rows: readonly PeekedRow[] = [];
  /** How many were shown and are not kept. */
  dropped = 0;

  /** Returns whether a column has changed. */
  add({ rows }: PeekNews, now: number): boolean {
    const fresh = rows.map((peeked): PeekedRow => ({
      ...readRow({ n: peeked.n, t: peeked.t, partition: peeked.partition, offset: peeked.offset, value: peeked.value }),
      peeked,
    }));
    const all = [...this.rows, ...fresh];
    this.dropped += Math.max(0, all.length - mostRows);
    this.rows = all.slice(-mostRows);
    return this.columns.learn(fresh, now);
  }
}

function keyOf({ peeked }: PeekedRow): unknown {
  return peeked.key === undefined ? undefined : shownValue(peeked.key);
}
