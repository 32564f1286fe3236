// Parses a date and time with a zone to epoch milliseconds: ISO 8601 in its extended and its basic
// form, RFC 3339, and what Postgres and Java write (2024-01-31 08:00:00.123456+00,
// 2024-01-31T09:00+01:00[Europe/Zurich]). Stricter than Date.parse, which guesses a missing zone
// and accepts February 30; and faster.
import { type Zone, zoneOf } from './zone.ts';

const digits0 = 48;

/**
 * undefined: not a complete date and time with a zone, or no such day or time. With `zone`, a text
 * without a zone is local time there, and a date alone is its midnight. Fractions of a millisecond
 * are cut off. Second 60 is the next minute.
 */
export function parseIsoInstant(text: string, zone?: Zone): number | undefined {
  let at = 0;
  let sign = 1;
  const first = text.charCodeAt(0);
  let yearDigits = 4;
  if (first === 43 || first === 45) {
    // Expanded years: ±YYYYYY.
    sign = first === 45 ? -1 : 1;
    yearDigits = 6;
    at = 1;
  }
  const year = sign * number(text, at, yearDigits);
  at += yearDigits;
  // 2024-01-31, or 20240131.
  const gap = text[at] === '-' ? 1 : 0;
  const month = number(text, at + gap, 2);
  const day = number(text, at + 2 + 2 * gap, 2);
  if (Number.isNaN(year + month + day) || (gap === 1 && text[at + 3] !== '-')) return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  at += 4 + 2 * gap;
  const dayMillis = daysSinceEpoch(year, month, day) * 86_400_000;
  if (at === text.length) return zone && inRange(zone.instantOf(dayMillis));
  if (!isSeparator(text.charCodeAt(at))) return undefined;
  const time = timeOfDay(text, at + 1);
  return Number.isNaN(time) ? undefined : pointInTime(text, dayMillis + time, zone);
}

/** Where the last `timeOfDay` or `offsetOf` ended. A module variable costs no allocation. */
let end = 0;

/** Milliseconds since midnight, or NaN. */
function timeOfDay(text: string, from: number): number {
  let at = from + 2;
  const hour = number(text, from, 2);
  const colon = text[at] === ':' ? 1 : 0;
  let [minute, second, millis] = [0, 0, 0];
  if (colon === 1 || isDigit(text.charCodeAt(at))) {
    minute = number(text, at + colon, 2);
    at += 2 + colon;
    if (colon === 1 ? text[at] === ':' : isDigit(text.charCodeAt(at))) {
      second = number(text, at + colon, 2);
      at += 2 + colon;
      if (text[at] === '.' || text[at] === ',') {
        const start = ++at;
        while (isDigit(text.charCodeAt(at))) at++;
        if (at === start) return NaN;
        millis = Number(text.slice(start, Math.min(at, start + 3)).padEnd(3, '0'));
      }
    }
  }
  end = at;
  const isMidnight = hour === 24 && minute === 0 && second === 0 && millis === 0;
  if ((hour > 23 && !isMidnight) || minute > 59 || second > 60) return NaN;
  return ((hour * 60 + minute) * 60 + second) * 1000 + millis;
}

/** The point in time of a local time whose zone begins at `end`. */
function pointInTime(text: string, local: number, zone: Zone | undefined): number | undefined {
  const offset = offsetOf(text, end);
  if (!Number.isNaN(offset)) return end === text.length || hasTags(text, end) ? inRange(local - offset) : undefined;
  const named = text[end] === '[' ? namedZone(text, end) : end === text.length ? zone : undefined;
  return named && inRange(named.instantOf(local));
}
function inRange(instant: number): number | undefined {
  return Math.abs(instant) <= 8.64e15 ? instant : undefined;
}
/** Behind an offset, the zone need not be known: Java writes +01:00[GMT+01:00]. */
function hasTags(text: string, from: number): boolean {
  return text[from] === '[' && /^(?:\[[^[\]]+\])+$/.test(text.slice(from));
}
/** [Europe/Zurich] at the end of the text, after which RFC 9557 allows tags: [u-ca=gregory]. */
function namedZone(text: string, from: number): Zone | undefined {
  const parts = /^\[!?([^\]=]+)\](?:\[[^\]]+=[^\]]*\])*$/.exec(text.slice(from));
  return parts ? zoneOf(parts[1]!) : undefined;
}

/** NaN unless there are exactly `count` digits. */
function number(text: string, from: number, count: number): number {
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const digit = text.charCodeAt(i) - digits0;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}
function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
/** T, t or a blank. */
function isSeparator(code: number): boolean {
  return code === 84 || code === 116 || code === 32;
}

/**
 * The offset in milliseconds at `from`: Z, UTC, ±hh, ±hhmm, ±hh:mm or ±hh:mm:ss, perhaps after a
 * blank. Sets `end`. NaN if there is none.
 */
function offsetOf(text: string, from: number): number {
  let at = text[from] === ' ' ? from + 1 : from;
  const code = text.charCodeAt(at);
  if (code === 90 || code === 122) {
    end = at + 1;
    return 0;
  }
  if (text.startsWith('UTC', at)) {
    end = at + 3;
    return 0;
  }
  if (code !== 43 && code !== 45) return NaN;
  const hours = number(text, at + 1, 2);
  let [minutes, seconds] = [0, 0];
  at += 3;
  const colon = text[at] === ':' ? 1 : 0;
  if (colon === 1 || isDigit(text.charCodeAt(at))) {
    minutes = number(text, at + colon, 2);
    at += 2 + colon;
    if (colon === 1 && text[at] === ':') {
      seconds = number(text, at + 1, 2);
      at += 3;
    }
  }
  // An offset that is none must not be taken for a text without zone.
  end = hours <= 23 && minutes <= 59 && seconds <= 59 ? at : -1;
  return (code === 45 ? -1 : 1) * ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
/**
 * Days of the proleptic Gregorian calendar. A year starts in March, so the leap day is the last
 * day.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}
