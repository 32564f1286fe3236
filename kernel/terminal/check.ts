// `sluice check`: prints the problems of a notebook before it runs, one line each. The exit code is
// 1 if there is an error.
import { existsSync } from 'node:fs';
import { checkNotebook } from '../cells/check.ts';
import { CommandError } from './command-error.ts';
import { paint } from './paint.ts';
import { lineText, linesText } from './terminal-text.ts';

/** Returns the exit code. */
export function check(path: string, out: NodeJS.WritableStream): number {
  if (!existsSync(path)) throw new CommandError('no-notebook', `There is no notebook ${path}.`);
  const found = checkNotebook(path);
  for (const { cell, line, column, severity, code, message } of found) {
    const place = lineText(cell === '' ? path : `${path}  cell ${cell}, ${line}:${column}`);
    const marked = severity === 'error' ? paint.red(severity) : paint.yellow(severity);
    out.write(`${place}  ${marked} ${lineText(code)}  ${linesText(message)}\n`);
  }
  const errors = found.filter(({ severity }) => severity === 'error').length;
  const warnings = found.length - errors;
  out.write(
    found.length === 0
      ? `${lineText(path)}  no problems\n`
      : `${counted(errors, 'error')}, ${counted(warnings, 'warning')}\n`,
  );
  return errors > 0 ? 1 : 0;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
