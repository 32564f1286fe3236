// Where two cells are one statement to whoever reads the file as TypeScript.
import { diagnostic, parseCell, syntaxErrors, type CellDiagnostic } from './compile.ts';
import { TextLines } from './text-lines.ts';
import type { ModuleCell } from './virtual-module.ts';

/**
 * A cell that ends without a semicolon goes on in the next one for whoever reads the file as TypeScript, when that begins with a bracket, say. Seen by parsing both
 * as one: then no statement begins where the second cell does.
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
    const message = `A semicolon is missing: as TypeScript reads the file, this line goes on in cell "${next.id}".`;
    yield [i, diagnostic(cell.id, lines, { offset, length: 0, code: 'missing-semicolon', message })];
  }
}

function hasCode(text: string): boolean {
  return parseCell(text).statements.length > 0;
}
