// The rows of a chart as Vega's data. A row keeps its object, so that a frame contains only the
// inserted and removed rows.
import type { WireRow } from '../../kernel/protocol/displays.ts';
import { fromWire } from '../../kernel/protocol/values.ts';
import { partialField } from './chart-spec.ts';
import { rowId } from '../../kernel/protocol/kept-rows.ts';
import { isRecord } from './value-tree.ts';

export type Datum = Record<string, unknown>;

export class ChartRows {
  #byId = new Map<string, { readonly row: WireRow; readonly datum: Datum }>();

  get size(): number {
    return this.#byId.size;
  }

  *data(): Iterable<Datum> {
    for (const { datum } of this.#byId.values()) yield datum;
  }

  /**
   * The rows that Vega must insert and remove to show `rows`. Afterwards this object contains
   * `rows`.
   */
  reconcile(rows: readonly WireRow[]): { readonly inserted: readonly Datum[]; readonly removed: readonly Datum[] } {
    const inserted: Datum[] = [];
    const removed: Datum[] = [];
    const next = new Map<string, { readonly row: WireRow; readonly datum: Datum }>();
    for (const row of rows) {
      const id = rowId(row);
      const known = this.#byId.get(id);
      // A row that stays is the same object. After a re-run of the cell, another row may have its
      // number.
      if (known !== undefined && known.row === row) {
        next.set(id, known);
        continue;
      }
      const datum = datumOf(row);
      inserted.push(datum);
      next.set(id, { row, datum });
    }
    for (const [id, { datum }] of this.#byId) if (next.get(id)?.datum !== datum) removed.push(datum);
    this.#byId = next;
    return { inserted, removed };
  }
}

function datumOf(row: WireRow): Datum {
  const value = numbers(fromWire(row.value));
  const datum: Datum = isRecord(value) ? value : { value };
  if (row.partial === true) datum[partialField] = true;
  return datum;
}

/**
 * The event time in a datum's field: epoch milliseconds, or an ISO string, which a transform of the
 * spec converts to a date.
 */
export function timeOf(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : Number(value);
}

/**
 * Vega works with finite numbers, so dates become epoch milliseconds, and a bigint becomes a
 * number, which is exact enough for a pixel. A number without a place on an axis becomes null.
 */
function numbers(value: unknown): unknown {
  if (value instanceof Date) return numbers(value.getTime());
  if (typeof value === 'bigint') return numbers(Number(value));
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(numbers);
  if (value instanceof Map || value instanceof Set) return Array.from(value as Iterable<unknown>, numbers);
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, numbers(inner)]));
  return value;
}
