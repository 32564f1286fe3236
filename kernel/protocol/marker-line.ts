// Reads and changes a cell's marker line, `// %% [test] id=orders lines=3 other=…`.
// A change is made in place, so that unknown parts of the line stay as they were.

export type CellKind = 'code' | 'markdown' | 'test';
export interface Marker {
  readonly kind: CellKind;
  readonly id: string | undefined;
  /**
   * Number of text lines that follow. Set where a search for the next marker would find a wrong
   * place.
   */
  readonly lines: number | undefined;
}

// A line separator inside the line would end the comment for TypeScript, so such a line is not a
// marker.
const pattern = /^\/\/ %%(?![^ \t])[^\u2028\u2029]*$/;

export const isMarkerLine = (line: string): boolean => pattern.test(line);

export function readMarker(line: string): Marker {
  let kind: CellKind = 'code';
  let id: string | undefined;
  let lines: number | undefined;
  for (const { text } of tokens(line)) {
    if (text === '[markdown]') kind = 'markdown';
    else if (text === '[test]') kind = 'test';
    else if (text.startsWith('id=')) id ??= unquote(text.slice(3));
    else if (/^lines=\d+$/.test(text)) lines ??= Number(text.slice(6));
  }
  return { kind, id, lines };
}

/** The same line with another meaning. Without `from`, a new line. */
export function writeMarker(from: string | undefined, to: Marker): string {
  let line = from !== undefined && isMarkerLine(from) ? from : '// %%';
  const was = readMarker(line);
  if (was.kind !== to.kind) {
    line = withToken(line, (text) => text === '[markdown]' || text === '[test]', undefined);
    if (to.kind !== 'code') line = `// %% [${to.kind}]${line.slice(5)}`;
  }
  if (was.id !== to.id)
    line = withToken(line, (text) => text.startsWith('id='), to.id === undefined ? undefined : `id=${quote(to.id)}`);
  if (was.lines !== to.lines)
    line = withToken(
      line,
      (text) => /^lines=\d+$/.test(text),
      to.lines === undefined ? undefined : `lines=${to.lines}`,
    );
  return line;
}

interface Token {
  readonly text: string;
  readonly at: number;
}

/** Words between blanks, and name="value" with blanks in the value. */
function tokens(line: string): Token[] {
  const found: Token[] = [];
  let at = 5;
  while (at < line.length) {
    if (isSpace(line, at)) {
      at++;
      continue;
    }
    const end = endOfQuoted(line, at) ?? endOfWord(line, at);
    found.push({ text: line.slice(at, end), at });
    at = end;
  }
  return found;
}

/** Index after name="value" that begins at `from`. The value may contain \". */
function endOfQuoted(line: string, from: number): number | undefined {
  let at = from;
  while (at < line.length && line[at] !== '=' && line[at] !== '"' && !isSpace(line, at)) at++;
  if (at === from || line[at] !== '=' || line[at + 1] !== '"') return undefined;
  for (at += 2; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (line[at] === '"') return at + 1;
  }
  return undefined;
}
function endOfWord(line: string, from: number): number {
  let at = from;
  while (at < line.length && !isSpace(line, at)) at++;
  return at;
}
function isSpace(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return code < 0x80 ? code === 0x20 || (code >= 0x09 && code <= 0x0d) : /\s/.test(line[at]!);
}

/**
 * Replaces the first `wanted` token and removes the others. Appends the replacement if there is no
 * such token.
 */
function withToken(line: string, wanted: (text: string) => boolean, replacement: string | undefined): string {
  const found = tokens(line).filter(({ text }) => wanted(text));
  if (found.length === 0) {
    if (replacement === undefined) return line;
    const kept = withoutBlanksAtEnd(line);
    return `${kept} ${replacement}${line.slice(kept.length)}`;
  }
  const parts: string[] = [];
  let from = 0;
  for (const [i, { text, at }] of found.entries()) {
    const before = line.slice(from, at);
    parts.push(i === 0 && replacement !== undefined ? before + replacement : withoutBlanksAtEnd(before));
    from = at + text.length;
  }
  return parts.join('') + line.slice(from);
}

function withoutBlanksAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return text.slice(0, end);
}

const quote = (value: string): string => (/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value));
function unquote(value: string): string {
  if (!/^".*"$/.test(value)) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
