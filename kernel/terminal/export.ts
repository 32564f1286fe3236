// `sluice export`: prints what keeps a notebook from being a job, or writes the folder of the job.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type BuiltJob, buildJob } from '../export/build-job.ts';
import { constantValues } from '../export/constant-values.ts';
import { checkExport } from '../export/check-export.ts';
import { CellFailure } from '../export/evaluated-cells.ts';
import type { Target } from '../export/exportability.ts';
import { jobFiles } from '../export/job-files.ts';
import { refuseFull, writeJob } from '../export/write-job.ts';
import { CommandError } from './command-error.ts';
import { problemLine } from './problem-line.ts';
import { lineText } from './terminal-text.ts';

export interface ExportOptions {
  readonly target: Target;
  readonly directory: string;
  readonly out: NodeJS.WritableStream;
}

/** Returns the exit code. */
export async function exportNotebook(path: string, { target, directory, out }: ExportOptions): Promise<number> {
  if (!existsSync(path)) throw new CommandError('no-notebook', `There is no notebook ${path}.`);
  const notebook = resolve(path);
  const folder = resolve(directory);
  refuseFull(folder);
  const { problems, exported } = checkExport(notebook, target);
  for (const problem of problems) out.write(`${problemLine(path, problem)}\n`);
  if (!exported || problems.some(({ severity }) => severity === 'error')) return 1;
  if (target === 'flink')
    throw new CommandError('not-yet', 'not-yet: sluice export --target flink comes in a later version');
  const constants = await constantValues(notebook, exported);
  for (const problem of constants.problems) out.write(`${problemLine(path, problem)}\n`);
  if (constants.problems.length > 0) return 1;
  let built: BuiltJob;
  try {
    built = await buildJob(notebook, exported, constants.byCell);
  } catch (error) {
    if (!(error instanceof CellFailure)) throw error;
    out.write(`${problemLine(path, error.problem)}\n`);
    return 1;
  }
  const files = jobFiles(built, exported);
  writeJob(folder, files);
  const { keeps, drops } = exported;
  out.write(`${lineText(folder)}  ${files.size} files. ${keeps.length} statements go, ${drops.length} stay:\n`);
  for (const { cell, line, text, reason } of drops)
    out.write(`  cell ${lineText(cell)}, line ${line}  ${reason}  ${lineText(text)}\n`);
  return 0;
}
