// Lines of a notebook file that are probably not what their writer meant: code in a prose cell, and
// lines that look like a marker of a cell and are none. `check`, `run` and `serve` report them.
import { isMarkerLine } from '../protocol/marker-line.ts';
import type { NotebookCell } from '../protocol/notebook-file.ts';
import { OpenLiteral } from '../protocol/open-literal.ts';
import { diagnostic, type CellDiagnostic } from './compile.ts';
import { TextLines } from './text-lines.ts';

/** For each cell its lines out of place. `ids` are those of the cells, in the same order. */
export function linesOutOfPlace(cells: readonly NotebookCell[], ids: readonly string[]): CellDiagnostic[][] {
  return cells.map((cell, i) => [...codeInProse(cell, ids[i]!), ...likeMarkers(cell, ids[i]!)]);
}

/**
 * Every line of a prose cell must be a comment. TypeScript would read any other line as code, but
 * Sluice never runs it.
 */
function* codeInProse({ kind, text, metadata }: NotebookCell, id: string): Iterable<CellDiagnostic> {
  if (kind !== 'markdown') return;
  const odd = metadata.odd?.find(([, line]) => line.trim() !== '' && !line.trimStart().startsWith('//'));
  if (odd === undefined) return;
  const lines = new TextLines(text);
  const message =
    'This line is in a prose cell but is not a comment. TypeScript would run it, Sluice does not. Begin it with //.';
  const offset = lines.offset({ line: odd[0], column: 0 });
  yield diagnostic(id, lines, { offset, length: odd[1].length, code: 'code-in-prose', message });
}

/**
 * Markers of other tools, and ours with a slip: `//%%`, `# %%`, `// #%%`, `// %%%`, `// %%id=a`. A
 * magic such as `// %%time` is none.
 */
const likeMarker = /^[ \t]*(?:\/\/|#)[ \t]*(?:#[ \t]*)?%%+(?=$|[ \t[]|id=|lines=)/;
/** Prose may have `%%` behind blanks: a comment in a diagram. */
const likeMarkerInProse = /^(?:\/\/%%|#[ \t]*%%)%*(?=$|[ \t[]|id=|lines=)/;

function* likeMarkers(cell: NotebookCell, id: string): Iterable<CellDiagnostic> {
  const lines = new TextLines(cell.text);
  for (const [line, raw] of linesOutsideLiterals(cell)) {
    const found = (cell.kind === 'markdown' ? likeMarkerInProse : likeMarker).exec(raw);
    if (found === null || isMarkerLine(raw)) continue;
    const meant = `// %% ${raw.slice(found[0].length).trim()}`.trimEnd();
    const message = `This line looks like a marker, but no cell begins here: a marker begins with "// %%" and a blank or the end of the line. For a new cell, write: ${meant}`;
    const offset = lines.offset({ line, column: 0 });
    const place = { offset, length: raw.length, code: 'looks-like-marker', message };
    yield { ...diagnostic(id, lines, place), severity: 'warning' };
  }
}

/** Index in the text, and the line as it stands in the file. */
function* linesOutsideLiterals({ kind, text, metadata }: NotebookCell): Iterable<readonly [number, string]> {
  if (kind === 'markdown') {
    yield* metadata.odd ?? [];
    return;
  }
  const literal = new OpenLiteral();
  for (const [i, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (!literal.inside) yield [i, line];
    literal.line(line);
  }
}
