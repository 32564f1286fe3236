// Which state folder has the checkpoints of a notebook. A folder is named by the notebook's path
// (state-folder.ts), and its summary names the notebook: its path and the identity of its file. So
// a notebook that was renamed or moved is found again, by an editor or by `mv`: its summary has the
// new path if a session heard of it, and else the same file.
//
// A file is known by its inode and the time of its birth. A file that an editor replaces, or that
// goes to another disk, is another file: then only the path counts.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { realNotebook } from './session-folder.ts';
import { stateFolder, stateRoot } from './state-folder.ts';

/** The store of checkpoints has the same name in `kernel/checkpoints/file-names.ts`. */
export const summaryName = 'summary.json';
/** The runs that no checkpoint has yet. */
export const notedRunsName = 'noted-runs.json';

/** As texts: an inode may have 64 bits. */
export interface FileIdentity {
  readonly inode: string;
  readonly bornAt: string;
}
export interface CheckpointSummary {
  /** Its path when the checkpoint was taken. */
  readonly notebook: string;
  /** Absent: the file was not there, or its disk does not know when it was made. */
  readonly file?: FileIdentity;
  /** Epoch milliseconds. */
  readonly takenAt: number;
  readonly bytes: number;
  /** Names of sources that cannot be read again. */
  readonly lost: readonly string[];
}
/** A folder that has a checkpoint, and its summary. */
export interface NotebookState {
  readonly folder: string;
  readonly summary: CheckpointSummary;
}

export function identityOf(path: string): FileIdentity | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stats || stats.birthtimeNs <= 0n || stats.ino <= 0n) return undefined;
  return { inode: String(stats.ino), bornAt: String(stats.birthtimeNs) };
}
const isSame = (a: FileIdentity | undefined, b: FileIdentity | undefined): boolean =>
  a !== undefined && b !== undefined && a.inode === b.inode && a.bornAt === b.bornAt;

/**
 * undefined: the notebook has no checkpoint, or none that this user can read. `env` has the
 * variables that the notebook's kernel gets (`SLUICE_STATE`).
 */
export function notebookState(notebook: string, env: NodeJS.ProcessEnv = process.env): NotebookState | undefined {
  const own = stateIn(stateFolder(notebook, env));
  if (own && !ownerOf(own, notebook)) return own;
  return statesBelow(stateRoot(env))
    .filter(({ summary }) => isOf(summary, notebook))
    .reduce<NotebookState | undefined>((a, b) => (a && a.summary.takenAt > b.summary.takenAt ? a : b), undefined);
}
function isOf({ notebook: named, file }: CheckpointSummary, notebook: string): boolean {
  if (realNotebook(named) === realNotebook(notebook)) return true;
  return isSame(file, identityOf(notebook)) && !isSame(file, identityOf(named));
}

/**
 * The notebook to which the state in the folder of this one belongs: it was moved away from here.
 * undefined: it belongs to this one, or to none that is left.
 */
export function ownerOf({ summary }: NotebookState, notebook: string): string | undefined {
  if (realNotebook(summary.notebook) === realNotebook(notebook)) return undefined;
  return identityOf(summary.notebook) && summary.notebook;
}

export function stateIn(folder: string): NotebookState | undefined {
  try {
    // The summary may be older than what the folder has now.
    const isThere = readdirSync(folder).some((name) => name.endsWith('.manifest') || name === notedRunsName);
    if (!isThere) return undefined;
    const read: unknown = JSON.parse(readFileSync(join(folder, summaryName), 'utf8'));
    return isSummary(read) ? { folder, summary: read } : undefined;
  } catch {
    return undefined;
  }
}
function statesBelow(root: string): NotebookState[] {
  try {
    return readdirSync(root).flatMap((name) => stateIn(join(root, name)) ?? []);
  } catch {
    return [];
  }
}

function isSummary(read: unknown): read is CheckpointSummary {
  if (typeof read !== 'object' || read === null) return false;
  const { notebook, takenAt, bytes, lost } = read as Partial<CheckpointSummary>;
  const isList = Array.isArray(lost) && lost.every((name) => typeof name === 'string');
  return typeof notebook === 'string' && Number.isFinite(takenAt) && Number.isFinite(bytes) && isList;
}
