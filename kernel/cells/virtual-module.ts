// The notebook as one module: its code cells in order, and the map between (cell, offset) and
// (module, offset).
// Compiler, scope, language service and diagnostics share this map.
//
// Glue stands between two cells. It closes everything that the first cell left open (a brace, a
// template, a comment) and adds a semicolon. So an unfinished cell causes no errors in its
// neighbours. No offset in the glue belongs to a cell.
import { OpenLiteral } from '../protocol/open-literal.ts';
import type { CellKind } from '../protocol/marker-line.ts';
import { TextLines } from './text-lines.ts';

export interface ModuleCell {
  readonly id: string;
  readonly kind: CellKind;
  readonly text: string;
}

/** The index of a cell in `cells` identifies it, because two cells may have the same id. */
export interface CellOffset {
  readonly cell: number;
  readonly offset: number;
}

export class VirtualModule {
  /** All cells as given. Prose is not in the module, but it keeps its index. */
  readonly cells: readonly ModuleCell[];
  readonly text: string;
  /** Offset of each cell's text in the module; −1 for prose. */
  readonly #starts: readonly number[];
  readonly #lines = new Map<number, TextLines>();

  constructor(cells: readonly ModuleCell[]) {
    this.cells = cells;
    let text = '';
    this.#starts = cells.map((cell) => {
      if (cell.kind === 'markdown') return -1;
      const start = text.length;
      text += cell.text + glue(cell.text);
      return start;
    });
    this.text = text;
  }

  toModule({ cell, offset }: CellOffset): number {
    const start = this.#starts[cell];
    const length = this.cells[cell]?.text.length ?? -1;
    if (start === undefined || start < 0 || offset < 0 || offset > length)
      throw new RangeError(`The module has no place ${offset} of cell ${cell}.`);
    return start + offset;
  }

  /** undefined in the glue. The end of a cell's text belongs to the cell. */
  toCell(offset: number): CellOffset | undefined {
    let low = -1;
    for (const [cell, start] of this.#starts.entries()) {
      if (start < 0) continue;
      if (start > offset) break;
      low = cell;
    }
    if (low < 0) return undefined;
    const within = offset - this.#starts[low]!;
    return within <= this.cells[low]!.text.length ? { cell: low, offset: within } : undefined;
  }

  /**
   * A range of the module as a range of one cell, cut at the end of the cell; undefined if it
   * begins in the glue.
   */
  rangeToCell(start: number, length: number): { cell: number; start: number; end: number } | undefined {
    const from = this.toCell(start);
    if (from === undefined) return undefined;
    return {
      cell: from.cell,
      start: from.offset,
      end: Math.min(from.offset + length, this.cells[from.cell]!.text.length),
    };
  }

  lines(cell: number): TextLines {
    let lines = this.#lines.get(cell);
    if (lines === undefined) this.#lines.set(cell, (lines = new TextLines(this.cells[cell]?.text ?? '')));
    return lines;
  }
}

const glueByText = new Map<string, string>();
function glue(text: string): string {
  let known = glueByText.get(text);
  if (known === undefined) {
    const literal = new OpenLiteral();
    for (const line of text.split(/\r\n|\n|\r/)) literal.line(line);
    known = `\n${literal.closers}\n;\n`;
    if (glueByText.size > 500) glueByText.clear();
    glueByText.set(text, known);
  }
  return known;
}
