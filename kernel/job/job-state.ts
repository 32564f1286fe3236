// The state of a job between two lives: `sluice run --state DIR` and `--from-savepoint PATH`.
//
//   --state DIR, empty          starts, and writes checkpoints
//   --state DIR, a checkpoint   goes on from it: the notebook must be the same, and its packages
//   --from-savepoint PATH       starts with the savepoint's state: the notebook may have changed
//
// Helper modules may have been saved since: their former texts are in the checkpoint. Packages are
// not. The modules of an exported job are part of it, as its cells are.
//
// An exported job has constants too. With other values than its checkpoint has, it starts with the
// state of the checkpoint as if that were a savepoint.
import { commitsRows } from '../../engine/graph/kinds.ts';
import { SluiceError } from '../../engine/errors/error.ts';
import { openCheckpoints } from '../checkpoints/checkpoint-directory.ts';
import type { CheckpointContent, CheckpointStorage } from '../checkpoints/checkpoint-storage.ts';
import { readSavepoint } from '../checkpoints/savepoint.ts';
import type { CellText } from '../protocol/messages.ts';
import { readSavedSession, type SavedSession } from '../session/saved-session.ts';
import type { Upgrade } from '../session/upgrade.ts';
import { changedConstants, type ConstantTexts } from './changed-constants.ts';
import { changedModules, packageText, type PresentModules } from './changed-modules.ts';

export interface StateOptions {
  /** Folder of the checkpoints. */
  readonly directory: string | undefined;
  /** Folder of a savepoint. */
  readonly savepoint: string | undefined;
  /** State that no operator takes is left out. */
  readonly mayLeaveOut: boolean;
  /** How errors say the way out. Default: the options of `sluice run`. */
  readonly ways?: WaysOut;
  /** Of an exported job. Default: none. */
  readonly constants?: ConstantTexts;
  /** Absent: the cells import none. */
  readonly modules?: PresentModules;
}
export interface WaysOut {
  /** To start with the state of the folder, as an upgrade. */
  upgrade(directory: string): string;
  /**
   * To use a savepoint although the folder has a checkpoint. undefined: then the job goes on from
   * the checkpoint.
   */
  readonly useSavepoint: (() => string) | undefined;
  /** To run a finished job again. */
  again(directory: string): string;
}
export const commandWays: WaysOut = {
  upgrade: (directory) => `--from-savepoint ${directory} with another --state folder`,
  useSavepoint: () => 'Give an empty --state folder, or omit --from-savepoint',
  again: (directory) => `Give another --state folder, or remove ${directory}, to run it again`,
};

export interface ResumedJob {
  /** Epoch milliseconds. */
  readonly takenAt: number;
  /** All was done at that time. */
  readonly isFinished: boolean;
  /** A sink may not have committed its last rows. */
  readonly mayCommit: boolean;
  /** Names of sources that cannot be read again. Their cells fail. */
  readonly lost: readonly string[];
}
export interface JobState {
  /** Absent: nothing outlives the process. */
  readonly storage: CheckpointStorage | undefined;
  /** The job goes on from the last checkpoint of the storage, taken at this time. */
  readonly resumes: ResumedJob | undefined;
  readonly upgrade: Upgrade | undefined;
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}

/**
 * Errors: those of `openCheckpoints` and `readSavepoint`, `notebook-changed`, `package-changed`,
 * `state-not-empty`.
 */
export async function openJobState(
  { directory, savepoint, mayLeaveOut, ways = commandWays, constants = {}, modules }: StateOptions,
  document: readonly CellText[],
  params: Readonly<Record<string, string>>,
): Promise<JobState> {
  type Started = Pick<JobState, 'resumes' | 'upgrade' | 'warnings'>;
  const start = async (content: CheckpointContent, what: string): Promise<Started> => ({
    resumes: undefined,
    upgrade: upgradeFrom(content, mayLeaveOut),
    warnings: [...otherConstants(content, what, constants), ...(await otherModules(content, what, modules))],
  });
  const startFrom = async (path: string): Promise<Started> => {
    const { content, warnings } = await readSavepoint(path);
    const started = await start(content, 'savepoint');
    return { ...started, warnings: [...warnings, ...started.warnings] };
  };
  if (directory === undefined) {
    if (savepoint === undefined) return { storage: undefined, resumes: undefined, upgrade: undefined, warnings: [] };
    return { storage: undefined, ...(await startFrom(savepoint)) };
  }
  const storage = await openCheckpoints(directory);
  try {
    const { restored, skipped } = storage;
    const isUsed = savepoint !== undefined && (!restored || ways.useSavepoint !== undefined);
    const started = isUsed ? await startFrom(savepoint) : undefined;
    const warnings = skipped.map(({ reason }) => reason);
    if (!restored)
      return {
        ...{ storage, resumes: undefined, upgrade: started?.upgrade },
        warnings: [...warnings, ...(started?.warnings ?? [])],
      };
    if (savepoint !== undefined && ways.useSavepoint)
      throw new SluiceError(
        'state-not-empty',
        `${directory} has a checkpoint already, so the savepoint would not be used. ${ways.useSavepoint()}.`,
      );
    const saved = readSavedSession(restored.session);
    refuseOther(saved, { document, params, directory, ways });
    if (savepoint !== undefined)
      warnings.push(`${directory} has a checkpoint, and the job goes on from it. The savepoint is not used again.`);
    const { isFinished } = saved;
    const mayCommit = saved.retired !== undefined || saved.plan.nodes.some(commitsRows);
    if (!isFinished && modules) await refuseOtherModules(saved, modules, { directory, ways });
    if ((!isFinished || mayCommit) && changedConstants(saved, constants).length > 0) {
      const anew = await start(restored, 'checkpoint');
      return { storage, ...anew, warnings: [...warnings, ...anew.warnings] };
    }
    const resumes = { takenAt: restored.takenAt, isFinished, mayCommit, lost: saved.lost };
    return { storage, resumes, upgrade: undefined, warnings };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function upgradeFrom({ id, takenAt, session, parts }: CheckpointContent, mayLeaveOut: boolean): Upgrade {
  const { plan, clock } = readSavedSession(session);
  return { id, takenAt, ...(clock !== undefined && { clock }), plan, parts, mayLeaveOut };
}

/** The sentence of a job about its constants, if they differ from those of the state. */
function otherConstants(
  { takenAt, session }: CheckpointContent,
  what: string,
  constants: ConstantTexts,
): readonly string[] {
  const changed = changedConstants(readSavedSession(session), constants);
  if (changed.length === 0) return [];
  const time = new Date(takenAt).toISOString();
  return [
    `The job goes on from the ${what} of ${time}. It was exported with other values of ${changed.join(', ')}. ` +
      'The new values hold, and the cells are evaluated anew.',
  ];
}

/** The sentence of an upgrade about modules whose texts it uses for the first time. */
async function otherModules(
  { session }: CheckpointContent,
  what: string,
  modules: PresentModules | undefined,
): Promise<readonly string[]> {
  if (!modules) return [];
  const { files, packages } = await changedModules(readSavedSession(session), modules);
  const names = [...files.map(({ name }) => name), ...packages.map(packageText)];
  if (names.length === 0) return [];
  return [`Changed since the ${what}: ${names.join('; ')}. The cells are evaluated with what is there now.`];
}

interface Present {
  readonly document: readonly CellText[];
  readonly params: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly ways: WaysOut;
}

/** A restart goes on with the same functions. Changed ones are an upgrade, which is asked for. */
function refuseOther(saved: SavedSession, { document, params, directory, ways }: Present): void {
  const wayOut = `Take the change back, or start from the checkpoint as an upgrade: ${ways.upgrade(directory)}.`;
  const former = new Map(codeOf(saved.document));
  const present = new Map(codeOf(document));
  const changed = [...new Set([...former.keys(), ...present.keys()])].filter(
    (id) => former.get(id) !== present.get(id),
  );
  if (changed.length > 0)
    throw new SluiceError(
      'notebook-changed',
      `The notebook has changed since the checkpoint in ${directory} (${changed.map((id) => `"${id}"`).join(', ')}). ${wayOut}`,
    );
  const names = [...new Set([...Object.keys(saved.params), ...Object.keys(params)])];
  const other = names.filter((name) => saved.params[name] !== params[name]);
  if (other.length > 0)
    throw new SluiceError(
      'notebook-changed',
      `The checkpoint in ${directory} was made with other parameters (${other.join(', ')}). ${wayOut}`,
    );
}
/** A job goes on with what it ran with, or not at all. */
async function refuseOtherModules(
  saved: SavedSession,
  modules: PresentModules,
  { directory, ways }: Pick<Present, 'directory' | 'ways'>,
): Promise<void> {
  const { files, packages } = await changedModules(saved, modules);
  const upgrade = `or start from the checkpoint as an upgrade: ${ways.upgrade(directory)}.`;
  const changed = packages.map(packageText);
  if (modules.areInJob && files.length + changed.length > 0)
    throw new SluiceError(
      'notebook-changed',
      `The job has other modules than the checkpoint in ${directory} (${[...files.map(({ name }) => name), ...changed].join('; ')}). ` +
        `Take the change back, ${upgrade}`,
    );
  if (!modules.areInJob && changed.length > 0)
    throw new SluiceError(
      'package-changed',
      `Not what the cells of the checkpoint in ${directory} ran with: ${changed.join('; ')}. Packages are not in a ` +
        `checkpoint. Install the former version again, ${upgrade}`,
    );
}
function codeOf(document: readonly CellText[]): (readonly [string, string])[] {
  return document.flatMap(({ id, kind, text }) => (kind === 'code' ? [[id, text] as const] : []));
}
