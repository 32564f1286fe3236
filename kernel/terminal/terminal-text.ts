// Text from data, names, paths and errors, as a terminal or a pipe may get it. Control characters
// are shown as escapes, so that no text can move the cursor, set the title, or forge a line.
//
// Every write of the command `sluice` uses one of these. Only `paint.ts` and the cursor movements
// of `live-terminal.ts` write control sequences. A pipe gets the same text, because its reader may
// be a terminal.

/**
 * C0 and C1 controls, DEL, the separators of lines and paragraphs, and the marks that reorder text.
 */
const controls = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;
const controlsButTab = /(?!\t)[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** For a place within a line, such as a cell of a table: line breaks and tabs are escaped too. */
export function lineText(text: string): string {
  return text.replace(controls, escaped);
}

/** For a text that may have several lines, such as an error: line breaks and tabs stay. */
export function linesText(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(controlsButTab, escaped))
    .join('\n');
}

function escaped(character: string): string {
  return short[character] ?? (character < '\u0100' ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`);
}
function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}
