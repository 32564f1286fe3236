// Finds the files beside a followed one that have its former content: renamed by rotation, copied
// before a truncation, or packed afterwards. What is packed with gzip or zstd is unpacked step by
// step, whatever its size.
import { closeSync, fstatSync, openSync, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { openBytes } from './file-bytes.ts';
import type { FilePosition } from './file-records.ts';
import { fileNamed, isSameFile } from './followed-file.ts';
import { checksumOf } from './read-blocks.ts';

/** So many packed files are unpacked at most in one search, the newest ones. */
const mostUnpacked = 8;
const blockBytes = 256 << 10;
const packed = /\.(?:gz|zst|zstd)$/;
/** Packed in a way that is not unpacked here. */
const unreadable = /\.(?:xz|bz2|lz4|lzma|br|Z|zip|7z)$/;

interface Neighbour {
  readonly path: string;
  readonly stats: Stats;
}

/** Whether the file begins with the records before the position. */
export function beginsWith(path: string, position: FilePosition): boolean {
  return contentAt(path, position) !== undefined;
}

/**
 * What a file has behind the position: more, or nothing. undefined: it does not begin with the
 * records before the position, or is not whole, or cannot be read.
 */
function contentAt(path: string, { byte, checksum = 0 }: FilePosition): 'more' | 'nothing' | undefined {
  return withFile(path, (file) => {
    try {
      const bytes = openBytes(path, file, undefined);
      if (checksumOf(bytes.read, byte) !== checksum) return undefined;
      return bytes.read(Buffer.alloc(1), 0, 1, byte) > 0 ? 'more' : 'nothing';
    } catch {
      return undefined;
    }
  });
}

export interface Copy {
  readonly path: string;
  /** It has records that were not read. */
  readonly hasMore: boolean;
}
/**
 * A copy of a file that was later truncated or rewritten: the newest one with records that were
 * not read, else the newest one. `since`: packed copies that have not changed since then are of
 * former times; milliseconds since the epoch.
 */
export function copyOf(path: string, position: FilePosition, since = 0): Copy | undefined {
  let unpacked = 0;
  const copies = neighbours(path)
    .filter(({ path: other, stats }) => !unreadable.test(other) && (!packed.test(other) || stats.ctimeMs >= since))
    .sort((a, b) => b.stats.mtimeMs - a.stats.mtimeMs)
    .flatMap((one): Copy[] => {
      const isShort = !packed.test(one.path) && one.stats.size < position.byte;
      if (isShort || (packed.test(one.path) && unpacked++ >= mostUnpacked)) return [];
      const content = contentAt(one.path, position);
      return content ? [{ path: one.path, hasMore: content === 'more' }] : [];
    });
  return copies.find(({ hasMore }) => hasMore) ?? copies[0];
}

/** The names of packed files that cannot be looked into, and may have the former content. */
export function unreadableSince(path: string, since: number): readonly string[] {
  return neighbours(path)
    .filter((one) => unreadable.test(one.path) && one.stats.ctimeMs >= since)
    .map((one) => basename(one.path));
}

/**
 * The names of packed files whose content is younger than `since`, and is not that of the former
 * file: what had the name in between.
 */
export function packedAfter(path: string, former: FilePosition, since: number): readonly string[] {
  return neighbours(path)
    .filter((one) => packed.test(one.path) && one.stats.mtimeMs > since && isNumbered(path, unpackedName(one.path)))
    .sort((a, b) => b.stats.mtimeMs - a.stats.mtimeMs)
    .slice(0, mostUnpacked)
    .filter((one) => isWhole(one.path) && !beginsWith(one.path, former))
    .map((one) => basename(one.path));
}
function unpackedName(path: string): string {
  return path.replace(packed, '');
}
/** Its packer is at work no more, and all of it can be unpacked. */
function isWhole(path: string): boolean {
  const isRead = withFile(path, (file) => {
    try {
      const bytes = openBytes(path, file, undefined);
      const block = Buffer.alloc(blockBytes);
      for (let at = 0, count = -1; count !== 0; at += count) count = bytes.read(block, 0, block.length, at);
      return true;
    } catch {
      return false;
    }
  });
  return isRead === true;
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
  const present = fileNamed(path);
  if (!present) return undefined;
  return neighbours(path)
    .filter(({ path: other, stats }) => {
      if (isSameFile(stats, former) || isSameFile(stats, present) || !isNumbered(path, other)) return false;
      return stats.birthtimeMs > since && stats.birthtimeMs <= present.birthtimeMs;
    })
    .sort((a, b) => a.stats.birthtimeMs - b.stats.birthtimeMs)[0]?.path;
}

/**
 * Whether the name is a rotated one: log.jsonl.1, log.jsonl-20240131, log.1.jsonl, log.1,
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
      : name.slice(stem.length);
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

/** undefined: the file cannot be read, is a folder, or no longer exists. */
function withFile<T>(path: string, use: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    return fstatSync(file).isFile() ? use(file) : undefined;
  } finally {
    closeSync(file);
  }
}
