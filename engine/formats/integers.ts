// Integers that a double cannot hold: 9007199254740993 would become 9007199254740992, and two ids
// one. They become bigints, or what the option `integers` says.
//
// Only a text with 16 digits in a row can have one. Such a run covers every 16th character, so the
// check looks at one character in 16.
import type { Integers } from '../graph/format-spec.ts';

const mostDigits = 16;

type Reviver = (name: string, value: unknown, context: { readonly source: string }) => unknown;
/** TypeScript's library does not know the third parameter of the reviver yet. */
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** JSON.parse with exact integers. */
export function parseJson(text: string, integers: Integers = 'bigint'): unknown {
  if (integers === 'number' || !hasLongNumber(text)) return JSON.parse(text);
  return parseWithSource(text, (_name, value, { source }) =>
    typeof value === 'number' ? exactInteger(value, source, integers) : value,
  );
}

/** The value of a number's text. `value` is the text as a double. */
export function exactInteger(value: number, text: string, integers: Integers): number | bigint | string {
  if (integers === 'number' || Number.isSafeInteger(value) || !/^-?\d+$/.test(text)) return value;
  return integers === 'text' ? text : BigInt(text);
}

export function hasLongNumber(text: string): boolean {
  for (let at = mostDigits - 1; at < text.length; at += mostDigits) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let from = at;
    while (from > 0 && at - from < mostDigits && isDigit(text.charCodeAt(from - 1))) from--;
    let to = at + 1;
    while (to - from < mostDigits && to < text.length && isDigit(text.charCodeAt(to))) to++;
    if (to - from >= mostDigits) return true;
  }
  return false;
}
/** The same for bytes of UTF-8: another loop, because it runs for every record of a topic. */
export function hasLongDigits(bytes: Uint8Array): boolean {
  for (let at = mostDigits - 1; at < bytes.length; at += mostDigits) {
    if (!isDigit(bytes[at]!)) continue;
    let from = at;
    while (from > 0 && at - from < mostDigits && isDigit(bytes[from - 1]!)) from--;
    let to = at + 1;
    while (to - from < mostDigits && to < bytes.length && isDigit(bytes[to]!)) to++;
    if (to - from >= mostDigits) return true;
  }
  return false;
}
function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
