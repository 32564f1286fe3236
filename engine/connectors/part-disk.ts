// What part files do to a file system, and nothing else: each method is one step that a crash may
// come before or after. Tests run it on a disk that stops at step n and forgets what was not
// synced.
import { mkdirSync, openSync, closeSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { errnoOf } from './file-errors.ts';

export interface PartDisk {
  /** With its parents. Gives the folders that have a new name in them. */
  makeFolder(path: string): readonly string[];
  /** Writes behind byte `at`. At 0 it makes the file, which must not be there before. */
  append(path: string, bytes: Uint8Array, at: number): void;
  /** A file that is not there is no error. */
  remove(path: string): void;
  /** Names of files and folders; none when the folder is not there. */
  list(folder: string): { readonly files: readonly string[]; readonly folders: readonly string[] };
  /** Makes the bytes of a file last beyond a loss of power. Gives their number. */
  sync(path: string): Promise<number>;
  /** Makes names in this folder last. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** undefined: there is no such file. */
  size(path: string): Promise<number | undefined>;
  checksum(path: string): Promise<number>;
  /** undefined: there is no such file. */
  read(path: string): Promise<string | undefined>;
  /** A small file that must not be there before. Its bytes last. False: it is there. */
  create(path: string, text: string): Promise<boolean>;
  /** Replaces the content of a small file. */
  write(path: string, text: string): Promise<void>;
}

export const realPartDisk: PartDisk = {
  makeFolder(path) {
    const first = mkdirSync(path, { recursive: true });
    if (first === undefined) return [];
    const folders: string[] = [];
    for (let made = path; made.length >= first.length; made = dirname(made)) folders.push(dirname(made));
    return folders;
  },
  append(path, bytes, at) {
    // A file that somebody has removed must not begin anew in its middle.
    const file = openSync(path, at === 0 ? 'wx' : 'r+');
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, at + done);
    } finally {
      closeSync(file);
    }
  },
  remove: (path) => rmSync(path, { force: true }),
  list(folder) {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      const namesOf = (isFolder: boolean): string[] =>
        entries.flatMap((entry) => (entry.isDirectory() === isFolder ? [entry.name] : []));
      return { files: namesOf(false), folders: namesOf(true) };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return { files: [], folders: [] };
      throw error;
    }
  },
  async sync(path) {
    const file = await open(path, 'r+');
    try {
      await file.sync();
      return (await file.stat()).size;
    } finally {
      await file.close();
    }
  },
  async syncFolder(path) {
    // Windows has no such call, and keeps its names by itself.
    if (process.platform === 'win32') return;
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  rename: (from, to) => rename(from, to),
  size: (path) => unlessGone(stat(path).then(({ size }) => size)),
  async checksum(path) {
    const file = await open(path, 'r');
    let checksum = 0;
    for await (const bytes of file.createReadStream()) checksum = crc32(bytes as Buffer, checksum);
    return checksum;
  },
  read: (path) => unlessGone(readFile(path, 'utf8')),
  async create(path, text) {
    try {
      await writeWith('wx', path, text);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  },
  write: (path, text) => writeWith('w', path, text),
};

async function writeWith(flags: 'w' | 'wx', path: string, text: string): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
async function unlessGone<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
