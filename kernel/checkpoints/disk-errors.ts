// Errors of a state directory: what happened, in which directory, and the way out.
import { SluiceError } from '../../engine/errors/error.ts';
import { isSluiceError, messageOf } from '../../engine/errors/thrown.ts';
import { errnoOf } from './disk.ts';

export function isDiskFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

/** `what` failed, such as "Checkpoint 12 cannot be written". */
export function diskError(error: unknown, what: string, directory: string): SluiceError {
  if (isSluiceError(error)) return error;
  const errno = errnoOf(error);
  const details = { directory, ...(errno !== undefined && { errno }) };
  const cause = { cause: error };
  if (isDiskFull(error))
    return new SluiceError(
      'state-disk-full',
      `${what}: the disk of ${directory} is full. Free some space, or choose a directory on another disk.`,
      details,
      cause,
    );
  switch (errno) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new SluiceError(
        'state-no-permission',
        `${what}: this user may not read or write in ${directory} (${errno}). Give the right to do so, or choose another directory.`,
        details,
        cause,
      );
    case 'ENOTDIR':
    case 'EEXIST':
      // A file that should be new may exist, too.
      if (errno === 'EEXIST' && (error as NodeJS.ErrnoException).syscall !== 'mkdir') break;
      return new SluiceError(
        'state-no-directory',
        `${what}: ${directory} is a file, or lies in one. Choose the path of a directory.`,
        details,
        cause,
      );
    default:
      break;
  }
  return new SluiceError(
    'checkpoint-failed',
    `${what} in ${directory}: ${messageOf(error)}. Check the disk, or choose another directory.`,
    details,
    cause,
  );
}

/** A checkpoint of a later version of Sluice. */
export function newerState(place: string, format: number, known: number): SluiceError {
  return new SluiceError(
    'newer-state',
    `${place} has format ${format}. This version of Sluice reads formats up to ${known}. Update Sluice, or start fresh.`,
    { format, known },
  );
}
