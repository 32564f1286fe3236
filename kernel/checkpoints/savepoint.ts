// A savepoint: a folder with one checkpoint that needs no other file, so that it can be moved,
// copied and kept. No retention ever removes it.
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SluiceError } from '../../engine/errors/error.ts';
import type { CheckpointContent, SkippedCheckpoint } from './checkpoint-storage.ts';
import { type Disk, errnoOf } from './disk.ts';
import { diskError } from './disk-errors.ts';
import { fileName, parsedName } from './file-names.ts';
import { Places } from './places.ts';
import { newestOf, reasonsOf } from './scan-directory.ts';
import { writeCheckpoint } from './write-checkpoint.ts';

/** Returns the path of the savepoint's folder. After an error nothing of it is left. */
export async function writeSavepoint(disk: Disk, content: CheckpointContent, directory: string): Promise<string> {
  const { id } = content;
  // Two sessions may use one directory, and their ids are the same.
  const path = join(directory, `savepoint-${id}-${randomBytes(3).toString('hex')}`);
  try {
    await disk.makeFolder(path);
    await writeCheckpoint(disk, path, content, () => undefined);
    return path;
  } catch (error) {
    try {
      for (const kind of ['manifest', 'manifest.tmp', 'data'] as const)
        await disk.remove(join(path, fileName(id, kind)));
      await disk.removeFolder(path);
    } catch {
      // The first error is the one to show.
    }
    throw diskError(error, `Savepoint ${id} cannot be written`, directory);
  }
}

export interface ReadSavepoint {
  readonly content: CheckpointContent;
  /** Sentences for the user: newer checkpoints that are left out, and which one is used. */
  readonly warnings: readonly string[];
}

/**
 * Reads a savepoint by the path of its folder, and checks all of its checksums. A state directory
 * can be read too, if no session uses it: its newest whole checkpoint is taken.
 *
 * Errors: `no-savepoint`, `bad-state` (none is whole), `newer-state`, `state-no-permission`.
 */
export async function readSavepoint(path: string): Promise<ReadSavepoint> {
  const folder = resolve(path);
  try {
    const names = (await readdir(folder)).filter((name) => parsedName(name) !== undefined);
    if (!names.some((name) => parsedName(name)!.kind === 'manifest'))
      throw noSavepoint(folder, 'has no manifest of a savepoint');
    const { restored, skipped } = await newestOf(folder, names, new Places());
    if (!restored) throw noneWhole(folder, skipped);
    return { content: restored, warnings: skipped.length === 0 ? [] : usedInstead(restored, skipped) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw noSavepoint(folder, 'is not there');
    if (errnoOf(error) === 'ENOTDIR') throw noSavepoint(folder, 'is not a folder');
    throw diskError(error, 'The savepoint cannot be read', folder);
  }
}

function usedInstead({ id, takenAt }: CheckpointContent, skipped: readonly SkippedCheckpoint[]): readonly string[] {
  const time = new Date(takenAt).toISOString();
  return [...skipped.map(({ reason }) => reason), `The state is that of checkpoint ${id} of ${time}, the one before.`];
}

function noneWhole(path: string, skipped: readonly SkippedCheckpoint[]): SluiceError {
  return new SluiceError(
    'bad-state',
    `The savepoint ${path} cannot be restored. ${reasonsOf(skipped)} Take another savepoint, or a copy of this one.`,
    { path },
  );
}

function noSavepoint(path: string, problem: string): SluiceError {
  return new SluiceError(
    'no-savepoint',
    `${path} ${problem}. Give the folder of a savepoint, such as savepoint-12-4fa9c1.`,
    {
      path,
    },
  );
}
