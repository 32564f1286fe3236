// The checkpoints of a kernel: opened when it starts, with the limits of age and size.
import { openCheckpoints } from '../checkpoints/checkpoint-directory.ts';
import type { CheckpointStorage } from '../checkpoints/checkpoint-storage.ts';
import { pruneSessions } from '../checkpoints/session-directories.ts';
import { realNotebook } from '../client/session-folder.ts';
import { stateRoot } from '../client/state-folder.ts';
import { removeSummary, writeSummary } from '../client/state-summary.ts';
import { messageOf } from '../../engine/errors/thrown.ts';
import type { SavedCheckpoint } from '../session/checkpoint-state.ts';
import { readSavedSession } from '../session/saved-session.ts';
import { claimedState } from './claimed-state.ts';
import type { ControlOptions } from './control.ts';
import { type NotedRuns, readNotedRuns, writeNotedRuns } from './noted-runs.ts';

export interface KernelState {
  /** The folder of the checkpoints. */
  readonly folder?: string;
  readonly storage?: CheckpointStorage;
  /** Runs of an earlier kernel that no checkpoint has. Absent: none. */
  readonly ran?: NotedRuns;
  /** Time between checkpoints, in milliseconds. Absent: the default. */
  readonly checkpointMillis?: number;
  /** Why nothing of this session will outlive it: a sentence. */
  readonly unkept?: string;
}

const dayMillis = 86_400_000;

/**
 * SLUICE_CHECKPOINTS=off keeps nothing. SLUICE_CHECKPOINT_SECONDS is the time between checkpoints
 * (default 10). SLUICE_STATE_MEGABYTES (default 2048) and SLUICE_STATE_DAYS
 * (default 30) limit what all notebooks keep together.
 */
export async function openKernelState(notebook: string): Promise<KernelState> {
  if (process.env['SLUICE_CHECKPOINTS'] === 'off') return {};
  try {
    const folder = claimedState(notebook);
    const storage = await openCheckpoints(folder);
    try {
      if (storage.restored) readSavedSession(storage.restored.session);
    } catch (error) {
      await storage.close();
      throw error;
    }
    await pruneSessions(stateRoot(), {
      maxBytes: numberOf('SLUICE_STATE_MEGABYTES', 2048) * 2 ** 20,
      maxAgeMillis: numberOf('SLUICE_STATE_DAYS', 30) * dayMillis,
    }).catch((error: unknown) => console.error(messageOf(error)));
    const seconds = numberOf('SLUICE_CHECKPOINT_SECONDS', 0);
    const ran = readNotedRuns(folder);
    return { storage, folder, ...(ran && { ran }), ...(seconds > 0 && { checkpointMillis: seconds * 1000 }) };
  } catch (error) {
    return { unkept: `This session keeps no checkpoints. ${messageOf(error)}` };
  }
}

/**
 * What an editor reads of the last checkpoint, and the runs of after it. Without these files
 * nothing is lost but the offer. The folder keeps its name when the notebook is renamed; the
 * summary has the new path.
 */
export function filesBeside(
  { folder, hasCheckpoint: hadCheckpoint }: { readonly folder: string; readonly hasCheckpoint: boolean },
  notebook: () => string,
): Pick<ControlOptions, 'stored' | 'discarded' | 'noteRuns'> {
  let hasCheckpoint = hadCheckpoint;
  const orLog = (write: () => void): void => {
    try {
      write();
    } catch (error) {
      console.error(messageOf(error));
    }
  };
  const sum = (takenAt: number, bytes: number, lost: readonly string[]): void => {
    writeSummary(folder, { notebook: realNotebook(notebook()), takenAt, bytes, lost });
  };
  return {
    stored: ({ takenAt, saved }: SavedCheckpoint, bytes) =>
      orLog(() => {
        hasCheckpoint = true;
        sum(takenAt, bytes, readSavedSession(saved).lost);
      }),
    noteRuns: (runs) =>
      orLog(() => {
        const at = Date.now();
        writeNotedRuns(folder, { at, runs });
        // The runs alone are offered too.
        if (!hasCheckpoint && runs.length > 0) sum(at, 0, []);
      }),
    discarded: () =>
      orLog(() => {
        hasCheckpoint = false;
        writeNotedRuns(folder, { at: Date.now(), runs: [] });
        removeSummary(folder);
      }),
  };
}

function numberOf(name: string, byDefault: number): number {
  const given = Number(process.env[name]);
  return process.env[name] !== undefined && Number.isFinite(given) && given > 0 ? given : byDefault;
}
