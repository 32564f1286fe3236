// Formats figures for people: grouped counts, shares, and times in the user's zone with UTC beside
// them. Rates are in kernel/protocol/figures.ts.
//
// A label is short (`figure`): axes, and the last value in a legend. A value that somebody points
// at or reads is whole (`number`): what the pointer shows in a chart, and cells of tables.
import { si } from '../../kernel/protocol/figures.ts';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const groupedFine = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** 188204 → "188,204" */
export function count(n: number): string {
  return grouped.format(n);
}

/** A rate in a column of rates: 18240 → "18,240", 0.3 → "0.3" */
export function perSecond(n: number): string {
  return n > 0 && n < 9.95 && !Number.isInteger(n) ? n.toFixed(1) : count(n);
}

/** 0.224 → "22 %". A share above zero is never shown as 0 %. */
export function percent(share: number): string {
  if (share > 0 && share < 0.005) return '<1 %';
  return `${Math.round(share * 100)} %`;
}

/** 1 → "1 row", 1204 → "1,204 rows" */
export function rowCount(n: number): string {
  return `${count(n)} ${n === 1 ? 'row' : 'rows'}`;
}

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 });
const exact = new Intl.NumberFormat('en-US', { maximumFractionDigits: 20 });

/**
 * A number of a row: 12040 → "12,040", 41.2 → "41.2", 1e-9 → "1e-9". A bigint and an integer keep
 * all their digits, another number six decimals or six digits.
 */
export function number(n: number | bigint): string {
  if (typeof n === 'bigint') return exact.format(n);
  const magnitude = Math.abs(n);
  if (!Number.isFinite(n) || magnitude >= 1e21) return String(n);
  if (magnitude > 0 && magnitude < 1) return String(Number(n.toPrecision(6)));
  return Number.isInteger(n) ? exact.format(n) : whole.format(n);
}

/** The number with so many decimals, unless it would look like zero then. */
export function aligned(n: number, decimals: number): string {
  const magnitude = Math.abs(n);
  if (!Number.isFinite(n) || magnitude >= 1e21 || (n !== 0 && magnitude < 0.5 * 10 ** -decimals)) return number(n);
  return n.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A label of an axis or a legend: "1,204", "0.0412", "3.4 M" */
export function figure(n: number): string {
  if (!Number.isFinite(n)) return String(n);
  const magnitude = Math.abs(n);
  if (magnitude >= 1e6) return si(n);
  if (magnitude >= 1 || n === 0) return groupedFine.format(n);
  return String(Number(n.toPrecision(3)));
}

/** 300000 → "5 min", 5400000 → "90 min", 7200000 → "2 h" */
export function span(millis: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const;
  for (const [factor, unit] of units)
    if (millis >= factor && millis % factor === 0) return `${count(millis / factor)} ${unit}`;
  return millis >= 1_000 ? `${si(millis / 1_000)} s` : `${count(millis)} ms`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** "12:04:12", or "12:04:12.512" with milliseconds, in the time zone of the machine. */
export function clock(at: number, milliseconds = false): string {
  const date = new Date(at);
  const seconds = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return milliseconds ? `${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}` : seconds;
}

export function day(at: number): string {
  const date = new Date(at);
  return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/**
 * A time by itself. It contains the day only if the day is not today. A time beyond the range of
 * dates is "the end of time".
 */
export function moment(at: number, now: number, milliseconds = false): string {
  if (!isDate(at)) return at > 0 ? 'the end of time' : 'the beginning of time';
  const time = clock(at, milliseconds);
  return day(at) === day(now) ? time : `${day(at)} ${time}`;
}

/** "2024-01-01 12:04:12.512 UTC", for the tooltip of every time. */
export function utc(at: number): string {
  if (!isDate(at)) return '';
  return `${new Date(at).toISOString().replace('T', ' ').replace('.000Z', '').replace('Z', '')} UTC`;
}

function isDate(at: number): boolean {
  // A global window ends at the greatest Date, and the watermark of the end is beyond it.
  return Math.abs(at) < 8.64e15;
}
