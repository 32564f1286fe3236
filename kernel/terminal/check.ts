// `sluice check`: prints the problems of a notebook before it runs, one line each. The exit code is
// 1 if there is an error.
import { existsSync } from 'node:fs';
import { checkNotebook } from '../cells/check.ts';
import { checkExport } from '../export/check-export.ts';
import type { Target } from '../export/exportability.ts';
import { CommandError } from './command-error.ts';
import { problemLine } from './problem-line.ts';
import { lineText } from './terminal-text.ts';

/**
 * With a target, what keeps the notebook from being a job is a problem too. Returns the exit code.
 */
export async function check(path: string, out: NodeJS.WritableStream, target?: Target): Promise<number> {
  if (!existsSync(path)) throw new CommandError('no-notebook', `There is no notebook ${path}.`);
  const found = target === undefined ? checkNotebook(path) : (await checkExport(path, target)).problems;
  for (const problem of found) out.write(`${problemLine(path, problem)}\n`);
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
