// Formats figures for people: grouped counts, shares, and times in the user's zone with UTC beside
// them. Rates are in kernel/protocol/figures.ts.
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

/** The last value of a series: "1,204", "0.0412", "3.42 M" */
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
