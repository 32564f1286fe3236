// `sluice export`: prints what keeps a notebook from being a job, or writes the folder of the job.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildJob } from '../export/build-job.ts';
import { checkExport } from '../export/check-export.ts';
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
  const { problems, ready } = await checkExport(notebook, target);
  for (const problem of problems) out.write(`${problemLine(path, problem)}\n`);
  if (!ready) return 1;
  if (target === 'flink')
    throw new CommandError('not-yet', 'not-yet: sluice export --target flink comes in a later version');
  const { exported } = ready;
  const built = await buildJob(notebook, ready);
  const files = jobFiles(built, exported);
  writeJob(folder, files);
  const { keeps, drops } = exported;
  out.write(`${lineText(folder)}  ${files.size} files. ${keeps.length} statements go, ${drops.length} stay:\n`);
  for (const { cell, line, text, reason } of drops)
    out.write(`  cell ${lineText(cell)}, line ${line}  ${reason}  ${lineText(text)}\n`);
  return 0;
}
