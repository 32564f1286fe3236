// Parses a duration such as "1m", "1.5s" or "-1h" to milliseconds. Only the public API uses the
// text; everything else uses the number.
import { SluiceError } from '../errors/error.ts';

const form = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const millisOf: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `what` names the argument in the error: 'tumbling() size'. */
export function parseDuration(duration: unknown, what: string): number {
  const match = typeof duration === 'string' ? form.exec(duration) : null;
  if (match === null) throw badDuration(duration, what, 'a number with ms, s, m, h or d, such as "30s" or "1.5h"');
  const exact = Number(match[1]) * millisOf[match[2]!]!;
  // 4.35 s are 4350 ms, not 4349.999…: a result that differs from a whole number only in the last
  // bits is rounded.
  const whole = Math.round(exact);
  const millis = Math.abs(exact - whole) <= whole * 2 ** -50 ? whole : exact;
  if (millis > Number.MAX_SAFE_INTEGER) throw badDuration(duration, what, 'shorter than 285,000 years');
  return millis;
}

/** The same, with an optional minus sign: for offsets and the bounds of interval joins. */
export function parseSignedDuration(duration: unknown, what: string): number {
  if (typeof duration === 'string' && duration.startsWith('-')) {
    const millis = parseDuration(duration.slice(1), what);
    return millis === 0 ? 0 : -millis;
  }
  return parseDuration(duration, what);
}

function badDuration(duration: unknown, what: string, expected: string): SluiceError {
  const shown = typeof duration === 'string' ? JSON.stringify(duration) : String(duration);
  return new SluiceError('bad-duration', `${what} is ${shown}, which is not a duration. Write ${expected}.`);
}
