// The rows of a chart as Vega's data. A row keeps its object, so that a frame contains only the
// inserted and removed rows.
import type { WireRow } from '../../kernel/protocol/displays.ts';
import { cannotBeShown, fromWire, setField } from '../../kernel/protocol/values.ts';
import { plainName } from './chart-names.ts';
import { openField, partialField } from './chart-spec.ts';
import { isRecord } from './value-tree.ts';

export type Datum = Record<string, unknown>;

export class ChartRows {
  #rows: readonly WireRow[] = [];
  /** undefined: the row cannot be shown. */
  #data: readonly (Datum | undefined)[] = [];
  readonly #problemByRow = new Map<WireRow, string>();
  readonly #temporalFields: readonly string[];

  constructor(temporalFields: readonly string[] = []) {
    this.#temporalFields = temporalFields;
  }

  /** Number of rows in the chart, without rows that cannot be shown. */
  get size(): number {
    return this.#rows.length - this.#problemByRow.size;
  }
  /** One reason for each row that cannot be shown. */
  problems: readonly string[] = [];
  /** Fields that hold dates. Vega gets them as numbers. */
  readonly dateFields = new Set<string>();

  *data(): Iterable<Datum> {
    for (const datum of this.#data) if (datum !== undefined) yield datum;
  }

  /**
   * The rows that Vega must insert and remove to show `rows`. Afterwards this object contains
   * `rows`. A row that stays is the same object; a row may have the number of another one that is
   * gone.
   */
  reconcile(rows: readonly WireRow[]): { readonly inserted: readonly Datum[]; readonly removed: readonly Datum[] } {
    const gone = this.#goneBefore(rows);
    const known = gone === undefined ? new Map(this.#rows.map((row, index) => [row, this.#data[index]])) : undefined;
    const data = gone === undefined ? [] : this.#data.slice(gone);
    const inserted: Datum[] = [];
    for (let index = data.length; index < rows.length; index++) {
      const row = rows[index]!;
      const stays = known?.has(row) === true;
      const datum = stays ? known.get(row) : this.#read(row);
      data.push(datum);
      if (stays) known.delete(row);
      else if (datum !== undefined) inserted.push(datum);
    }
    const removed = known === undefined ? this.#data.slice(0, gone) : [...known.values()];
    this.#rows = rows;
    this.#data = data;
    if (this.#problemByRow.size > 0 || this.problems.length > 0) this.#forgetProblems();
    return { inserted, removed: removed.filter((datum) => datum !== undefined) };
  }
  /**
   * The usual change, without a map: the first so many rows are gone, and new ones follow the rest.
   * undefined: another change.
   */
  #goneBefore(rows: readonly WireRow[]): number | undefined {
    const first = rows[0];
    const gone = first === undefined ? this.#rows.length : this.#rows.indexOf(first);
    if (gone < 0) return this.#rows.length === 0 ? 0 : undefined;
    const kept = this.#rows.length - gone;
    if (kept > rows.length) return undefined;
    for (let index = 0; index < kept; index++) if (this.#rows[gone + index] !== rows[index]) return undefined;
    return gone;
  }

  #read(row: WireRow): Datum | undefined {
    try {
      return datumOf(row, this.#temporalFields, this.dateFields);
    } catch (error) {
      this.#problemByRow.set(row, cannotBeShown(error));
      return undefined;
    }
  }
  #forgetProblems(): void {
    const present = new Set(this.#rows);
    for (const row of this.#problemByRow.keys()) if (!present.has(row)) this.#problemByRow.delete(row);
    this.problems = [...this.#problemByRow.values()];
  }
}

/** Throws an error for a row that cannot be decoded. */
export function datumOf(row: WireRow, temporalFields: readonly string[], dateFields: Set<string> = new Set()): Datum {
  const given = fromWire(row.value);
  if (isRecord(given))
    for (const [name, inner] of Object.entries(given)) if (inner instanceof Date) dateFields.add(plainName(name));
  const value = vegaValue(given, true);
  const datum: Datum = isRecord(value) ? value : { value };
  for (const field of temporalFields) {
    if (Object.hasOwn(datum, field) && !isDrawableTime(datum[field])) setField(datum, field, null);
  }
  if (row.partial === true || row.open === true) datum[partialField] = true;
  if (row.open === true) datum[openField] = true;
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
  // Vega groups rows in objects whose keys are values of the rows. The key `__proto__` would change
  // the prototype of all objects.
  if (value === '__proto__') return plainName(value);
  if (Array.isArray(value)) return value.map((inner) => vegaValue(inner));
  if (value instanceof Map || value instanceof Set)
    return Array.from(value as Iterable<unknown>, (inner) => vegaValue(inner));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([name]) => isRow || !conversions.includes(name));
  return Object.fromEntries(entries.map(([name, inner]) => [isRow ? plainName(name) : name, vegaValue(inner)]));
}

/**
 * Vega converts a nested object to a text or a number, for example as the name of a series. That
 * fails if the object has fields of these names that are no functions.
 */
const conversions = ['toString', 'valueOf'];
