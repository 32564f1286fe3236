// Writes the folder of an exported job. A folder that has something in it is refused, so nothing is
// overwritten and no file of an earlier export stays.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SluiceError } from '../../engine/errors/error.ts';

/** Error: `out-not-empty`, `out-not-written`. Call it before anything is built. */
export function refuseFull(directory: string): void {
  let entries: readonly string[];
  try {
    entries = readdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    throw notWritten(directory, error);
  }
  if (entries.length > 0)
    throw new SluiceError(
      'out-not-empty',
      `${directory} is not empty. Give a new folder to --out, or empty this one.`,
      {
        directory,
      },
    );
}

/** `files`: texts by their names, with slashes. */
export function writeJob(directory: string, files: ReadonlyMap<string, string>): void {
  refuseFull(directory);
  try {
    for (const [name, text] of files) {
      const path = join(directory, ...name.split('/'));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: 'wx' });
    }
  } catch (error) {
    throw notWritten(directory, error);
  }
}

function notWritten(directory: string, error: unknown): SluiceError {
  return new SluiceError('out-not-written', `${directory} cannot be written: ${(error as Error).message}.`, {
    directory,
  });
}
