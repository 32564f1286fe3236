// Finds cells that TypeScript would join with the next cell into one statement.
import { diagnostic, parseCell, syntaxErrors, type CellDiagnostic } from './compile.ts';
import { TextLines } from './text-lines.ts';
import type { ModuleCell } from './virtual-module.ts';

/**
 * A cell without a final semicolon can continue in the next cell when TypeScript reads the file,
 * for example when the next cell begins with a bracket. Both cells are parsed as one text. They are
 * joined if no statement begins where the second cell begins.
 */
export function* joinedCells(cells: readonly ModuleCell[]): Iterable<[number, CellDiagnostic]> {
  const code = [...cells.entries()].filter(([, cell]) => cell.kind !== 'markdown' && hasCode(cell.text));
  for (const [n, [i, cell]] of code.entries()) {
    const next = code[n + 1]?.[1];
    if (next === undefined || syntaxErrors(cell).length > 0) continue;
    const begins = cell.text.length + 1;
    const joined = parseCell(`${cell.text}\n${next.text}`);
    const first = joined.statements.find((statement) => statement.end > begins);
    if (first === undefined || first.getStart(joined) >= begins) continue;
    const lines = new TextLines(cell.text);
    const offset = cell.text.trimEnd().length;
    const message = `A semicolon is missing. TypeScript reads this line and the beginning of cell "${next.id}" as one statement.`;
    yield [i, diagnostic(cell.id, lines, { offset, length: 0, code: 'missing-semicolon', message })];
  }
}

function hasCode(text: string): boolean {
  return parseCell(text).statements.length > 0;
}
