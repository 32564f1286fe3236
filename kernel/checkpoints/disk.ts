// What the store of checkpoints does to a file system, and nothing else: each method is one step
// that a crash may come before or after. Tests run it on a disk that stops or fills up at step n.
import { mkdir, open, rename, rmdir, truncate, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A new file. It is whole on disk after `sync`. */
export interface NewFile {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** Fails when the file is there. */
  create(path: string): Promise<NewFile>;
  rename(from: string, to: string): Promise<void>;
  /** A file that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Frees the bytes of a file and leaves its name. A file that is not there is no error. */
  empty(path: string): Promise<void>;
  /** With its parents. Their names last when this returns. */
  makeFolder(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** Makes new names, and names that are gone, last beyond a loss of power. */
  syncFolder(path: string): Promise<void>;
}

export const realDisk: Disk = {
  async create(path) {
    const file = await open(path, 'wx', 0o600);
    return {
      async write(bytes) {
        for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => unlessGone(unlink(path), undefined),
  empty: (path) => unlessGone(truncate(path), undefined),
  async makeFolder(path) {
    const first = await mkdir(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made))
      // A parent that cannot be opened is no reason to fail.
      await realDisk.syncFolder(dirname(made)).catch(() => undefined);
  },
  removeFolder: (path) => rmdir(path),
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
};

/** The name of a file until it is whole. */
export function unfinishedName(name: string): string {
  return `${name}.tmp`;
}

/** A small file that is there wholly or not at all. After an error its beginning is removed. */
export async function writeAtOnce(disk: Disk, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${folder}/${unfinishedName(name)}`;
  await disk.remove(unfinished);
  try {
    await writeNew(disk, unfinished, (file) => file.write(bytes));
    await disk.rename(unfinished, `${folder}/${name}`);
  } catch (error) {
    await disk.remove(unfinished).catch(() => undefined);
    throw error;
  }
  await disk.syncFolder(folder);
}

/** A new file whose bytes last when this returns. */
export async function writeNew<T>(disk: Disk, path: string, fill: (file: NewFile) => Promise<T>): Promise<T> {
  const file = await disk.create(path);
  try {
    const result = await fill(file);
    await file.sync();
    return result;
  } finally {
    await file.close();
  }
}

/** The system's name of an error, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** `gone` when the file or folder is not there. */
export async function unlessGone<T, U>(result: Promise<T>, gone: U): Promise<T | U> {
  try {
    return await result;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return gone;
    throw error;
  }
}
