// A value as JSON on one line that a terminal may get: every control character is an escape.

/** What JSON.stringify leaves as it is: C1 controls, DEL, and the marks that reorder text. */
const controls = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;

/**
 * JSON.stringify escapes C0 only. These characters occur within strings of JSON, and nowhere else.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    controls,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
