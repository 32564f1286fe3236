// Finds the files beside a followed one that have its former content: renamed by rotation, or
// copied before a truncation.
import { closeSync, openSync, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { FilePosition } from './file-records.ts';
import { checksumOf, isSameFile } from './followed-file.ts';

interface Neighbour {
  readonly path: string;
  readonly stats: Stats;
}

/** Whether the file begins with the records before the position. */
export function beginsWith(path: string, { byte, checksum = 0 }: FilePosition): boolean {
  return withFile(path, (file) => checksumOf(file, byte) === checksum) ?? false;
}

/** The copy of a file that was later truncated, if it has records that were not read. */
export function copyWithMore(path: string, position: FilePosition): string | undefined {
  return neighbours(path)
    .filter((one) => one.stats.size > position.byte && beginsWith(one.path, position))
    .sort((a, b) => b.stats.mtimeMs - a.stats.mtimeMs)[0]?.path;
}

/** The present path of the position's file, if it was renamed. */
export function renamedTo(path: string, position: FilePosition): string | undefined {
  const { file } = position;
  return file && neighbours(path).find((one) => isSameFile(one.stats, file) && beginsWith(one.path, position))?.path;
}

/**
 * The first file that had the name after the former one and has lost it again. It was created after
 * `since`, and not later than the file that has the name now. Its name is a rotated name.
 */
export function rotatedAfter(path: string, former: Stats, since: number): string | undefined {
  const present = statSync(path, { throwIfNoEntry: false });
  if (!present) return undefined;
  return neighbours(path)
    .filter(({ path: other, stats }) => {
      if (isSameFile(stats, former) || isSameFile(stats, present) || !isNumbered(path, other)) return false;
      return stats.birthtimeMs > since && stats.birthtimeMs <= present.birthtimeMs;
    })
    .sort((a, b) => a.stats.birthtimeMs - b.stats.birthtimeMs)[0]?.path;
}

/**
 * Whether the name is a rotated one: log.jsonl.1, log.jsonl-20240131, log.1.jsonl,
 * log-2024-01-31.jsonl.
 */
function isNumbered(path: string, other: string): boolean {
  const name = basename(other);
  const whole = basename(path);
  const extension = extname(whole);
  const stem = whole.slice(0, whole.length - extension.length);
  const number = name.startsWith(whole)
    ? name.slice(whole.length)
    : name.startsWith(stem) && name.endsWith(extension)
      ? name.slice(stem.length, name.length - extension.length)
      : '';
  return /^[._-]\d[\dTZ.:_-]*$/.test(number);
}

/** Files of the folder whose names begin like the name of the file. */
function neighbours(path: string): Neighbour[] {
  const folder = dirname(path);
  const own = basename(path);
  const stem = own.slice(0, own.length - extname(own).length);
  return readdirSync(folder)
    .filter((name) => name !== own && name.startsWith(stem))
    .flatMap((name) => {
      const stats = statSync(join(folder, name), { throwIfNoEntry: false });
      return stats?.isFile() ? [{ path: join(folder, name), stats }] : [];
    });
}

/** undefined: the file cannot be read, or no longer exists. */
function withFile<T>(path: string, use: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}
