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
const token = /[^\s="]+="(?:[^"\\]|\\.)*"|\S+/g;

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

function tokens(line: string): { text: string; at: number }[] {
  return [...line.slice(5).matchAll(token)].map((match) => ({ text: match[0], at: match.index + 5 }));
}

/**
 * Replaces the first `wanted` token and removes the others. Appends the replacement if there is no
 * such token.
 */
function withToken(line: string, wanted: (text: string) => boolean, replacement: string | undefined): string {
  const found = tokens(line).filter(({ text }) => wanted(text));
  let result = line;
  for (const [i, { text, at }] of [...found.entries()].reverse()) {
    const after = result.slice(at + text.length);
    result =
      i === 0 && replacement !== undefined
        ? result.slice(0, at) + replacement + after
        : result.slice(0, at).replace(/[ \t]+$/, '') + after;
  }
  if (found.length > 0 || replacement === undefined) return result;
  const trailing = /[ \t]*$/.exec(result)![0];
  return `${result.slice(0, result.length - trailing.length)} ${replacement}${trailing}`;
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
