// Parses an ISO-8601 date and time with a zone to epoch milliseconds. Stricter than Date.parse,
// which guesses a missing zone and accepts February 30; and faster.

const digits0 = 48;

/**
 * undefined: not a complete date and time with a zone, or no such day or time. Fractions of a
 * millisecond are cut off.
 */
export function parseIsoInstant(text: string): number | undefined {
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
  const month = number(text, at + 1, 2);
  const day = number(text, at + 4, 2);
  const hour = number(text, at + 7, 2);
  const minute = number(text, at + 10, 2);
  const separators = text[at] === '-' && text[at + 3] === '-' && isT(text.charCodeAt(at + 6)) && text[at + 9] === ':';
  if (!separators || Number.isNaN(year + month + day + hour + minute)) return undefined;
  at += 12;
  let second = 0;
  let millis = 0;
  if (text[at] === ':') {
    second = number(text, at + 1, 2);
    at += 3;
    if (text[at] === '.' || text[at] === ',') {
      const start = ++at;
      while (isDigit(text.charCodeAt(at))) at++;
      if (at === start) return undefined;
      millis = Number(text.slice(start, Math.min(at, start + 3)).padEnd(3, '0'));
    }
  }
  const offset = zoneMinutes(text, at);
  if (Number.isNaN(offset + second) || month < 1 || month > 12 || day < 1 || day > daysIn(year, month))
    return undefined;
  const isMidnight = hour === 24 && minute === 0 && second === 0 && millis === 0;
  if ((hour > 23 && !isMidnight) || minute > 59 || second > 59) return undefined;
  const minutes = (daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute - offset;
  const result = (minutes * 60 + second) * 1000 + millis;
  return Math.abs(result) <= 8.64e15 ? result : undefined;
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
function isT(code: number): boolean {
  return code === 84 || code === 116;
}

/** Z, ±hh, ±hhmm or ±hh:mm at the end of the text; otherwise NaN. */
function zoneMinutes(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === 90 || code === 122) return text.length === at + 1 ? 0 : NaN;
  if (code !== 43 && code !== 45) return NaN;
  const hours = number(text, at + 1, 2);
  let minutes = 0;
  let end = at + 3;
  if (text.length > end) {
    if (text[end] === ':') end++;
    minutes = number(text, end, 2);
    end += 2;
  }
  if (text.length !== end || hours > 23 || minutes > 59) return NaN;
  return (code === 45 ? -1 : 1) * (hours * 60 + minutes);
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
