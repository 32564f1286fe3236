// The rows of a chart as Vega's data. A row keeps its object, so that a frame contains only the
// inserted and removed rows.
import type { WireRow } from '../../kernel/protocol/displays.ts';
import { cannotBeShown, fromWire, setField } from '../../kernel/protocol/values.ts';
import { partialField } from './chart-spec.ts';
import { rowId } from '../../kernel/protocol/kept-rows.ts';
import { isRecord } from './value-tree.ts';

export type Datum = Record<string, unknown>;

export class ChartRows {
  #byId = new Map<string, { readonly row: WireRow; readonly datum: Datum | undefined }>();
  readonly #problemById = new Map<string, string>();
  readonly #temporalFields: readonly string[];

  constructor(temporalFields: readonly string[] = []) {
    this.#temporalFields = temporalFields;
  }

  /** Number of rows in the chart, without rows that cannot be shown. */
  get size(): number {
    return this.#byId.size - this.problems.length;
  }
  /** One reason for each row that cannot be shown. */
  problems: readonly string[] = [];

  *data(): Iterable<Datum> {
    for (const { datum } of this.#byId.values()) if (datum !== undefined) yield datum;
  }

  /**
   * The rows that Vega must insert and remove to show `rows`. Afterwards this object contains
   * `rows`.
   */
  reconcile(rows: readonly WireRow[]): { readonly inserted: readonly Datum[]; readonly removed: readonly Datum[] } {
    const inserted: Datum[] = [];
    const removed: Datum[] = [];
    const next = new Map<string, { readonly row: WireRow; readonly datum: Datum | undefined }>();
    for (const row of rows) {
      const id = rowId(row);
      const known = this.#byId.get(id);
      // A row that stays is the same object. After a re-run of the cell, another row may have its
      // number.
      if (known !== undefined && known.row === row) {
        next.set(id, known);
        continue;
      }
      const datum = this.#read(row);
      if (datum !== undefined) inserted.push(datum);
      next.set(id, { row, datum });
    }
    for (const [id, { datum }] of this.#byId)
      if (datum !== undefined && next.get(id)?.datum !== datum) removed.push(datum);
    this.#byId = next;
    if (this.#problemById.size > 0) this.#forgetProblems();
    return { inserted, removed };
  }

  #read(row: WireRow): Datum | undefined {
    try {
      return datumOf(row, this.#temporalFields);
    } catch (error) {
      this.#problemById.set(rowId(row), cannotBeShown(error));
      return undefined;
    }
  }
  #forgetProblems(): void {
    for (const id of this.#problemById.keys())
      if (!this.#byId.has(id) || this.#byId.get(id)?.datum !== undefined) this.#problemById.delete(id);
    this.problems = [...this.#problemById.values()];
  }
}

/** Throws an error for a row that cannot be decoded. */
function datumOf(row: WireRow, temporalFields: readonly string[]): Datum {
  const value = vegaValue(fromWire(row.value), true);
  const datum: Datum = isRecord(value) ? value : { value };
  for (const field of temporalFields) {
    if (Object.hasOwn(datum, field) && !isDrawableTime(datum[field])) setField(datum, field, null);
  }
  if (row.partial === true) datum[partialField] = true;
  return datum;
}

const lastTime = 8.64e15;

/** One time that is no date would leave the whole axis without a scale. */
function isDrawableTime(value: unknown): boolean {
  return Math.abs(timeOf(value)) <= lastTime;
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
function vegaValue(value: unknown, isRow = false): unknown {
  if (value instanceof Date) return vegaValue(value.getTime());
  if (typeof value === 'bigint') return vegaValue(Number(value));
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (value === '__proto__') return protoName;
  if (Array.isArray(value)) return value.map((inner) => vegaValue(inner));
  if (value instanceof Map || value instanceof Set)
    return Array.from(value as Iterable<unknown>, (inner) => vegaValue(inner));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([name]) => isRow || !conversions.includes(name));
  return Object.fromEntries(entries.map(([name, inner]) => [name, vegaValue(inner)]));
}

/**
 * Vega groups rows in objects whose keys are values of the rows. The key `__proto__` would change
 * the prototype of all objects. With an invisible character it is a key like any other.
 */
const protoName = '__proto__\u200b';

/**
 * Vega converts a nested object to a text or a number, for example as the name of a series. That
 * fails if the object has fields of these names that are no functions.
 */
const conversions = ['toString', 'valueOf'];
