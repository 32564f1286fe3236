// The columns of a live table: their order, width and alignment, and the text of their cells.
// Columns are added and become wider. They are never removed and never shrink.
import type { WireRow } from '../../kernel/protocol/displays.ts';
import { shownValue } from '../../kernel/protocol/values.ts';
import { aligned, clock, count, day, number, utc } from './format.ts';
import type { ValueKind } from './value-tree.ts';
import { isRecord, kindOf, valueText } from './value-tree.ts';

export interface ReadRow {
  readonly row: WireRow;
  readonly value: unknown;
}
export interface TableCell {
  readonly text: string;
  readonly title: string;
  readonly kind: ValueKind;
}
export interface Column {
  readonly name: string;
  /** In characters. */
  width: number;
  alignsRight: boolean;
  read(row: ReadRow): unknown;
  /** Number of decimals of all numbers in the column, so that their points are aligned. */
  decimals: number;
  kind: ValueKind | undefined;
  readonly isOwn: boolean;
}

const widest = 44;
/** An object with some fields, such as the value that a sink would write. */
const widestNested = 80;
const mostDecimals = 6;

/** A column of the table itself, which is there when a row has a value in it. */
export interface OwnColumn {
  readonly name: string;
  readonly read: (row: ReadRow) => unknown;
}

export class TableColumns {
  readonly columns: Column[] = [];
  readonly #own: readonly OwnColumn[];
  readonly #byName = new Map<string, Column>();
  #showsDay = false;
  #timeField: string | undefined;

  constructor(own: readonly OwnColumn[] = []) {
    this.#own = own;
  }

  /** Adds and widens columns for these rows. Returns true if a column changed. */
  learn(rows: readonly ReadRow[], now: number): boolean {
    let changed = false;
    if (this.columns.length === 0 && rows.length > 0) {
      this.#add('time', true, ({ row }) => new Date(row.t));
      this.#timeField = namesOf(rows[0]!.value).find((name) => name !== '' && isInstantOf(rows[0]!, name));
      changed = true;
    }
    for (const read of rows) {
      this.#showsDay ||= day(read.row.t) !== day(now);
      if (read.row.partition !== undefined && !this.#byName.has('\0offset')) {
        this.#add('partition:offset', true, ({ row }) =>
          row.partition === undefined
            ? undefined
            : `${String(row.partition)}:${row.offset === undefined ? '' : count(row.offset)}`,
        );
        changed = true;
      }
      for (const { name, read: readOwn } of this.#own) {
        if (this.#byName.has(`\0${name}`) || readOwn(read) === undefined) continue;
        this.#add(name, true, readOwn);
        changed = true;
      }
      for (const name of namesOf(read.value)) {
        if (this.#byName.has(name) || this.#isTimeAgain(name, read)) continue;
        this.#add(name, false, ({ value }) => fieldOf(value, name));
        changed = true;
      }
    }
    for (const column of this.columns) for (const row of rows) changed = this.#fit(column, row) || changed;
    return changed;
  }

  /** The field of the event time is not shown while it equals the time column. */
  #isTimeAgain(name: string, row: ReadRow): boolean {
    if (name !== this.#timeField) return false;
    if (isInstantOf(row, name)) return true;
    this.#timeField = undefined;
    return false;
  }

  cell(column: Column, row: ReadRow): TableCell {
    const value = column.read(row);
    const kind = kindOf(value);
    if (value instanceof Date) {
      const at = value.getTime();
      const time = Math.abs(at) < 8.64e15 ? clock(at, column.isOwn || at % 1000 !== 0) : valueText(value, widest);
      const text = this.#showsDay && Math.abs(at) < 8.64e15 ? `${day(at)} ${time}` : time;
      return { text, title: utc(at), kind };
    }
    if (typeof value === 'number' && column.decimals > 0 && Number.isFinite(value)) {
      return { text: aligned(value, column.decimals), title: String(value), kind };
    }
    const text = valueText(value, 120);
    if (kind === 'number') return { text, title: text === String(value) ? '' : String(value), kind };
    return { text, title: text.length > column.width ? text : '', kind };
  }

  #add(name: string, isOwn: boolean, read: Column['read']): void {
    const column = {
      name: name === '' ? 'value' : name,
      width: Math.min(Math.max(name.length, 4) + 1, widest),
      alignsRight: isOwn && name === 'partition:offset',
      read,
      decimals: 0,
      kind: undefined,
      isOwn,
    };
    this.#byName.set(isOwn ? `\0${name === 'partition:offset' ? 'offset' : name}` : name, column);
    // The table's own columns stand before the row's fields, even if they are added later.
    if (isOwn) this.columns.splice(this.columns.filter((other) => other.isOwn).length, 0, column);
    else this.columns.push(column);
  }

  #fit(column: Column, row: ReadRow): boolean {
    const value = column.read(row);
    const kind = kindOf(value);
    let changed = false;
    if (kind !== 'nothing' && column.kind !== kind) {
      // Numbers are aligned right while the column contains only numbers.
      const alignsRight = column.isOwn ? column.alignsRight : column.kind === undefined && kind === 'number';
      changed = column.kind === undefined || alignsRight !== column.alignsRight;
      column.alignsRight = alignsRight;
      column.kind = column.kind === undefined ? kind : 'string';
    }
    if (typeof value === 'number' && !Number.isInteger(value)) {
      const decimals = Math.min(/\.(\d+)$/.exec(number(value))?.[1]?.length ?? 0, mostDecimals);
      if (decimals > column.decimals) column.decimals = decimals;
    }
    const { length } = this.cell(column, row).text;
    const most = column.kind === 'nested' ? widestNested : widest;
    if (length > column.width && column.width < most) {
      column.width = Math.min(Math.ceil((length + 1) / 4) * 4, most);
      changed = true;
    }
    return changed;
  }
}

/** A row that cannot be decoded shows the reason in the column "value", and spoils no other row. */
export function readRow(row: WireRow): ReadRow {
  return { row, value: shownValue(row.value) };
}

/**
 * A row that lacks the field `constructor` has none, although every object inherits one. A row
 * without fields is in the column with the empty name.
 */
function fieldOf(value: unknown, name: string): unknown {
  if (!isRecord(value)) return name === '' ? value : undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The fields of an object are columns. Any other value is in the one column "value". */
function namesOf(value: unknown): readonly string[] {
  return isRecord(value) ? Object.keys(value) : [''];
}

const isoInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

function isInstantOf({ row, value }: ReadRow, name: string): boolean {
  const field = fieldOf(value, name);
  if (field instanceof Date || typeof field === 'number') return Number(field) === row.t;
  return typeof field === 'string' && isoInstant.test(field) && Date.parse(field) === row.t;
}
