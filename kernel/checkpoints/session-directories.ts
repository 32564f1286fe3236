// The root of many state directories, one for each notebook. It has a limit of age and of size: the
// oldest ones that no session uses are removed.
import { readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isSluiceError } from '../../engine/errors/thrown.ts';
import { type DirectoryLock, lockDirectory, lockName } from './directory-lock.ts';
import { errnoOf, unlessGone } from './disk.ts';
import { diskError } from './disk-errors.ts';
import { inOrderOfRemoval, nextIdName, namesOfOthers, parsedName } from './file-names.ts';

export interface RootLimits {
  /** All checkpoints below the root together. */
  readonly maxBytes: number;
  /** Since a session last opened or closed the directory. */
  readonly maxAgeMillis: number;
}

interface StateDirectory {
  readonly path: string;
  readonly bytes: number;
  /** Epoch milliseconds of the last use. */
  readonly usedAt: number;
}

/**
 * Removes state directories directly below `root` until the limits hold, the oldest first. One that
 * a session uses is never removed, and counts. Files that are not ours stay, savepoints too.
 * Returns the paths of the removed ones. A root that is not there has none.
 */
export async function pruneSessions(root: string, { maxBytes, maxAgeMillis }: RootLimits): Promise<readonly string[]> {
  const removed: string[] = [];
  let failure: { readonly error: unknown } | undefined;
  try {
    const directories = await stateDirectories(resolve(root));
    let bytes = directories.reduce((sum, one) => sum + one.bytes, 0);
    for (const directory of directories.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= maxBytes && Date.now() - directory.usedAt <= maxAgeMillis) break;
      try {
        if (!(await isRemoved(directory))) continue;
        bytes -= directory.bytes;
        removed.push(directory.path);
      } catch (error) {
        // The others are removed all the same.
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
    return removed;
  } catch (error) {
    throw diskError(error, 'Old checkpoints cannot be removed', root);
  }
}

async function stateDirectories(root: string): Promise<StateDirectory[]> {
  const entries = await unlessGone(readdir(root, { withFileTypes: true }), []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name));
  return (await Promise.all(folders.map(stateDirectory))).filter((one) => one !== undefined);
}

/** undefined: it is something else. */
async function stateDirectory(path: string): Promise<StateDirectory | undefined> {
  const lock = await unlessGone(stat(join(path, lockName)), undefined);
  if (!lock?.isFile()) return undefined;
  const names = (await unlessGone(readdir(path), [])).filter((name) => parsedName(name) !== undefined);
  const sizes = names.map(async (name) => (await unlessGone(stat(join(path, name)), undefined))?.size ?? 0);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  return { path, bytes, usedAt: lock.mtimeMs };
}

/** False: a session uses it, or has used it since it was listed. */
async function isRemoved({ path, usedAt }: StateDirectory): Promise<boolean> {
  let lock: DirectoryLock;
  try {
    lock = lockDirectory(path);
  } catch (error) {
    if (isSluiceError(error) && error.code === 'state-in-use') return false;
    throw error;
  }
  if (lock.usedAt !== usedAt) {
    lock.release();
    return false;
  }
  try {
    const names = await readdir(path);
    const ours = names.filter(
      (name) =>
        parsedName(name) !== undefined || [nextIdName, ...namesOfOthers].some((other) => name.startsWith(other)),
    );
    for (const name of inOrderOfRemoval(ours)) await unlink(join(path, name));
  } catch (error) {
    lock.release();
    throw error;
  }
  lock.remove();
  try {
    await rmdir(path);
  } catch (error) {
    // Something that is not ours is in it, or a session has just made it again.
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
  }
  return true;
}
