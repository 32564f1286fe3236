// What the last checkpoint of a notebook is, for clients that start no kernel: a small file beside
// the checkpoints.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckpointSummary, identityOf, notebookState, summaryName } from './notebook-state.ts';
import { realNotebook } from './session-folder.ts';
import { writeWhole } from './write-whole.ts';

/** Written at once: a reader sees the former summary or this one. */
export function writeSummary(folder: string, summary: Omit<CheckpointSummary, 'file'>): void {
  const file = identityOf(summary.notebook);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeWhole(join(folder, summaryName), JSON.stringify({ ...summary, ...(file && { file }) }));
}

/** The checkpoints have been removed. */
export function removeSummary(folder: string): void {
  rmSync(join(folder, summaryName), { force: true });
}

/** See `notebookState`. The notebook has its present path. */
export function readSummary(
  notebook: string,
  env: NodeJS.ProcessEnv = process.env,
): Omit<CheckpointSummary, 'file'> | undefined {
  const found = notebookState(notebook, env)?.summary;
  if (!found) return undefined;
  const { takenAt, bytes, lost } = found;
  return { notebook: realNotebook(notebook), takenAt, bytes, lost };
}
