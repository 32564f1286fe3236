// A problem of a notebook as a line of the terminal: place, severity and message.
import type { CellDiagnostic } from '../cells/compile.ts';
import { paint } from './paint.ts';
import { lineText, linesText } from './terminal-text.ts';

export function problemLine(path: string, { cell, line, column, severity, code, message }: CellDiagnostic): string {
  const place = lineText(cell === '' ? path : `${path}  cell ${cell}, ${line}:${column}`);
  const marked = severity === 'error' ? paint.red(severity) : paint.yellow(severity);
  return `${place}  ${marked} ${lineText(code)}  ${linesText(message)}`;
}
