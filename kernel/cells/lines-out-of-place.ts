// Lines of a notebook file that are probably not what their writer meant: code in a prose cell, and
// lines that look like a marker of a cell and are none. `check`, `run` and `serve` report them.
import { isMarkerLine } from '../protocol/marker-line.ts';
import { type NotebookCell, rawLines } from '../protocol/notebook-file.ts';
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
/**
 * Markers without `%%`: of Jupytext (`// +`, with options such as `tags=["parameters"]` or
 * without), of Spyder (`# <codecell>`), and of exported notebooks (`# In[3]:`).
 */
const otherMarker = otherMarkers(' *[{[]');
/** A list of Markdown may have `+ [ ]` and `+ [a link](…)`. */
const otherMarkerInProse = otherMarkers(' *(?:\\{"|\\[(?:markdown|md|raw)\\])');
function otherMarkers(brackets: string): RegExp {
  const option = ' +[\\w.-]+=(?:["\'{[]|true\\b|false\\b)';
  const exported = 'In ?\\[[ \\d]*\\](?:$|:(?=$| ))';
  return new RegExp(`^(?://|#) ?(?:\\+(?=$|${brackets}|${option})|<(?:code|markdown)cell>(?=$)|${exported})`);
}
/**
 * Prose may have `%%` behind more blanks than a marker has: a comment in a diagram. A heading does
 * not begin with `%%`.
 */
const likeMarkerInProse = /^(?:\/\/%%|\/\/ %%%|(?:\/\/ ?)?#[ \t]*%%)%*(?=$|[ \t[]|id=|lines=)/;

function* likeMarkers(cell: NotebookCell, id: string): Iterable<CellDiagnostic> {
  const lines = new TextLines(cell.text);
  for (const [line, raw] of linesOutsideLiterals(cell)) {
    const [own, other] = cell.kind === 'markdown' ? [likeMarkerInProse, otherMarkerInProse] : [likeMarker, otherMarker];
    const found = own.exec(raw) ?? other.exec(raw.trimEnd());
    if (found === null || isMarkerLine(raw)) continue;
    const meant = `// %% ${raw.slice(found[0].length).trim()}`.trimEnd();
    const message = `This line looks like a marker, but no cell begins here: a marker begins with "// %%" and a blank or the end of the line. For a new cell, write: ${meant}`;
    const offset = lines.offset({ line, column: 0 });
    const place = { offset, length: raw.length, code: 'looks-like-marker', message };
    yield { ...diagnostic(id, lines, place), severity: 'warning' };
  }
}

/** Index in the text, and the line as it stands in the file. */
function* linesOutsideLiterals(cell: NotebookCell): Iterable<readonly [number, string]> {
  if (cell.kind === 'markdown') {
    let isInFence = false;
    for (const [i, line] of rawLines(cell).entries()) {
      if (/^\/\/ *(?:```|~~~)/.test(line)) isInFence = !isInFence;
      // A line that is not written as prose is no code of a fence either.
      if (!isInFence || !line.startsWith('// ')) yield [i, line];
    }
    return;
  }
  const literal = new OpenLiteral();
  for (const [i, line] of cell.text.split(/\r\n|\n|\r/).entries()) {
    if (!literal.inside) yield [i, line];
    literal.line(line);
  }
}
