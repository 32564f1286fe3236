// Before a kernel opens the checkpoints of its notebook: those of a notebook that was renamed or
// moved go to the folder of its new path, and those of another notebook leave this folder.
import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { lockDirectory } from '../checkpoints/directory-lock.ts';
import { notebookState, ownerOf, stateIn } from '../client/notebook-state.ts';
import { stateFolder } from '../client/state-folder.ts';
import { removeSummary } from '../client/state-summary.ts';

/**
 * The folder to open. Errors: `state-in-use` when another kernel has a folder that would have to
 * move, and those of `lockDirectory`.
 */
export function claimedState(notebook: string): string {
  const own = stateFolder(notebook);
  const here = stateIn(own);
  if (here) {
    const owner = ownerOf(here, notebook);
    if (owner === undefined) return own;
    move(own, stateFolder(owner));
  }
  const found = notebookState(notebook);
  if (found && found.folder !== own) move(found.folder, own);
  return own;
}

/** The newer of two states gets the place. */
function move(from: string, to: string): void {
  for (const folder of [to, from]) if (existsSync(folder)) lockDirectory(folder).release();
  const [ours, theirs] = [stateIn(from), stateIn(to)];
  if (ours && theirs && theirs.summary.takenAt > ours.summary.takenAt) return setAside(from);
  if (existsSync(to)) setAside(to);
  renameSync(from, to);
}
/** Nobody looks for it any more, and the limit of age removes it. */
function setAside(folder: string): void {
  removeSummary(folder);
  renameSync(folder, `${folder}-${randomBytes(4).toString('hex')}`);
}
