// Errors of files that a sink writes: what failed, at which path, and the way out.
import { SluiceError } from '../errors/error.ts';
import { isSluiceError, messageOf } from '../errors/thrown.ts';

/** The system's name of an error, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** A step on `path` failed. An error of Sluice stays as it is. */
export function fileError(error: unknown, path: string): SluiceError {
  if (isSluiceError(error)) return error;
  const errno = errnoOf(error);
  const [code, reason] = meaningOf(errno) ?? [
    'file-failed',
    `${messageOf(error).replace(/\.?$/, '.')} Check the disk.`,
  ];
  const details = { path, ...(errno !== undefined && { errno }) };
  return new SluiceError(code, `${path} cannot be written: ${reason}`, details, { cause: error });
}
function meaningOf(errno: string | undefined): readonly [code: string, reason: string] | undefined {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return ['file-disk-full', 'its disk is full. Free some space, or choose a path on another disk.'];
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return [
        'file-no-permission',
        `this user may not write there (${errno}). Give the right to do so, or choose another path.`,
      ];
    case 'ENOENT':
      return ['file-gone', 'its file or its folder was removed. Run the cell of the sink again.'];
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return ['file-in-the-way', `something else has a name of its path (${errno}). Move it, or choose another path.`];
    default:
      return undefined;
  }
}

/** Runs steps on `path`. Errors: those of `fileError`. */
export function fileSteps<T>(path: string, steps: () => T): T {
  try {
    return steps();
  } catch (error) {
    throw fileError(error, path);
  }
}
export async function fileStepsLater<T>(path: string, steps: () => Promise<T>): Promise<T> {
  try {
    return await steps();
  } catch (error) {
    throw fileError(error, path);
  }
}
