// The file with the runs that no checkpoint has yet (session/unstored-runs.ts), beside the
// checkpoints. It outlives the process, not the machine: it is not synced, so a run waits for no
// disk.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { notedRunsName } from '../client/notebook-state.ts';
import { writeWhole } from '../client/write-whole.ts';
import type { UnstoredRun } from '../session/checkpoint-state.ts';

export interface NotedRuns {
  /** When the last one was noted; epoch milliseconds. */
  readonly at: number;
  readonly runs: readonly UnstoredRun[];
}

/** A reader sees the former runs or these. Without runs there is no file. */
export function writeNotedRuns(folder: string, noted: NotedRuns): void {
  const path = join(folder, notedRunsName);
  if (noted.runs.length === 0) return rmSync(path, { force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeWhole(path, JSON.stringify(noted));
}

/** undefined: there are none, or the file cannot be read. */
export function readNotedRuns(folder: string): NotedRuns | undefined {
  try {
    const { at, runs } = JSON.parse(readFileSync(join(folder, notedRunsName), 'utf8')) as Partial<NotedRuns>;
    if (typeof at !== 'number' || !Array.isArray(runs)) return undefined;
    const whole = (runs as readonly unknown[]).filter(isRun);
    return whole.length === 0 ? undefined : { at, runs: whole };
  } catch {
    return undefined;
  }
}
function isRun(read: unknown): read is UnstoredRun {
  const { cell, text, uses } = (read ?? {}) as Partial<UnstoredRun>;
  return typeof cell === 'string' && typeof text === 'string' && Array.isArray(uses);
}
