// `sluice check`: what is wrong with a notebook before it runs, one line a finding, non-zero when there is an error.
import { resolve } from 'node:path';
import { CellCompiler } from '../cells/compile.ts';
import { readNotebook } from './notebook.ts';

export function check(path: string, out: NodeJS.WritableStream): number {
  const notebook = resolve(path);
  const cells = readNotebook(notebook);
  const compiler = new CellCompiler();
  let errors = 0;
  for (const cell of cells) {
    if (cell.kind !== 'code') continue;
    const compilation = compiler.compile(cell.id, cells);
    if (compilation.ok) continue;
    for (const { line, column, severity, code, message } of compilation.diagnostics) {
      if (severity === 'error') errors++;
      out.write(`${path}  cell ${cell.id}, ${line}:${column}  ${severity} ${code}  ${message}\n`);
    }
  }
  return errors > 0 ? 1 : 0;
}
