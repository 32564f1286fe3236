// Formats numbers, times and rows for a terminal.
import { shownValue, toPlainJson } from '../protocol/values.ts';
import { localZone, offsetText, zoneOf } from '../../engine/time/zone.ts';
import { lineText } from './terminal-text.ts';

const bars = '▁▂▃▄▅▆▇█';
export function sparkline(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  return values
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      return bars[high === low ? 0 : Math.round(((value - low) / (high - low)) * (bars.length - 1))] ?? ' ';
    })
    .join('');
}

/**
 * A point in time in the user's zone: the date, the clock, and the offset if it is not 0. The
 * offset tells the two equal hours of an autumn night apart. `timestamp` reads this text (in UTC
 * with zone: 'UTC'). A drawn table gives `now`, and then a time of the same day has no date.
 */
export function printedTime(time: number, now?: number, name = localZone()): string {
  const zone = zoneOf(name);
  if (!zone || Number.isNaN(time)) return String(new Date(time));
  const local = (instant: number): string => {
    const shifted = new Date(instant + zone.offsetAt(instant));
    return Number.isNaN(shifted.getTime()) ? new Date(instant).toISOString() : shifted.toISOString().slice(0, -1);
  };
  const [day, clock = ''] = local(time).split('T');
  const offset = zone.offsetAt(time);
  const text = `${clock.replace(/\.000$/, '')}${offsetText(offset)}`;
  return now !== undefined && day === local(now).split('T')[0] ? text : `${day} ${text}`;
}

/** A value of a row on one line. */
export function cellText(value: unknown, now?: number): string {
  if (value instanceof Date) return printedTime(value.getTime(), now);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  if (typeof value === 'string') return lineText(value);
  return lineText(JSON.stringify(toPlainJson(value)) ?? '');
}

/**
 * Rows as columns. Columns of numbers are aligned to the right. A row without fields stands in the
 * column "value", for example the reason why the row cannot be shown.
 */
export function table(wires: readonly unknown[], now: number): readonly string[] {
  const rows = wires.map(shownValue);
  const records = rows.filter(isRecord);
  const names = [...new Set(records.flatMap((row) => Object.keys(row)))];
  if (names.length === 0) return rows.map((row) => cellText(row, now));
  const columns = names.map((name) =>
    column(
      name,
      rows.map((row) => (isRecord(row) && Object.hasOwn(row, name) ? row[name] : undefined)),
      now,
    ),
  );
  if (records.length < rows.length)
    columns.push(
      column(
        'value',
        rows.map((row) => (isRecord(row) ? undefined : row)),
        now,
      ),
    );
  return Array.from({ length: rows.length + 1 }, (_, line) =>
    columns
      .map((texts) => texts[line])
      .join('  ')
      .trimEnd(),
  );
}

function column(name: string, values: readonly unknown[], now: number): readonly string[] {
  const texts = [lineText(name), ...values.map((value) => (value === undefined ? '' : cellText(value, now)))];
  const width = Math.max(...texts.map((text) => text.length));
  const isNumber = values.every((value) => value === undefined || typeof value === 'number');
  return texts.map((text) => (isNumber ? text.padStart(width) : text.padEnd(width)));
}

/** A value whose fields have names: no list, map, set, date or bytes. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return ![Date, Uint8Array, Map, Set].some((type) => value instanceof type);
}
