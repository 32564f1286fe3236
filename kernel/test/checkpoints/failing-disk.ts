// Disks that fail at a step: one that stops for good, as in a crash or a loss of power, and one on
// which a single step fails.
import { mkdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Disk, type NewFile, realDisk } from '../../checkpoints/disk.ts';

/** A real disk without waiting for it: what a crash or a loss of power leaves is simulated. */
export const quickDisk: Disk = {
  ...realDisk,
  create: async (path) => ({ ...(await realDisk.create(path)), sync: () => Promise.resolve() }),
  makeFolder: async (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
  syncFolder: () => Promise.resolve(),
};

export class DiskStopped extends Error {}

/** Runs `before` ahead of each step. When it throws, the step is not done. */
function watched(disk: Disk, before: (step: string, path: string) => Promise<void> | void): Disk {
  return {
    async create(path) {
      await before('create', path);
      const file = await disk.create(path);
      return {
        async write(bytes) {
          try {
            await before('write', path);
          } catch (error) {
            // A write may stop anywhere.
            await file.write(bytes.subarray(0, bytes.length >> 1));
            throw error;
          }
          await file.write(bytes);
        },
        async sync() {
          await before('sync', path);
          await file.sync();
        },
        async close() {
          // The system closes files at the end of a process too.
          await file.close();
          await before('close', path);
        },
      } satisfies NewFile;
    },
    async rename(from, to) {
      await before('rename', to);
      await disk.rename(from, to);
    },
    async remove(path) {
      await before('remove', path);
      await disk.remove(path);
    },
    async empty(path) {
      await before('empty', path);
      await disk.empty(path);
    },
    async makeFolder(path) {
      await before('makeFolder', path);
      await disk.makeFolder(path);
    },
    async removeFolder(path) {
      await before('removeFolder', path);
      await disk.removeFolder(path);
    },
    async syncFolder(path) {
      await before('syncFolder', path);
      await disk.syncFolder(path);
    },
  };
}

export interface CountedDisk {
  readonly disk: Disk;
  /** The steps so far, such as "create checkpoint-00000001.data". */
  readonly steps: readonly string[];
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Does this many steps, and fails at all later ones. */
export function stoppingDisk(after: number, under = quickDisk): CountedDisk {
  const steps: string[] = [];
  const disk = watched(under, (step, path) => {
    if (steps.length >= after) throw new DiskStopped(`The disk stops at ${step} ${path}`);
    steps.push(`${step} ${nameOf(path)}`);
  });
  return { disk, steps };
}

/** Fails with `errno` at `times` steps from step `at` on, counted from 0. */
export function faultyDisk(at: number, errno: string, times: number): CountedDisk {
  const steps: string[] = [];
  const disk = watched(quickDisk, (step, path) => {
    const index = steps.push(`${step} ${nameOf(path)}`) - 1;
    if (index >= at && index < at + times)
      throw Object.assign(new Error(`${errno}: at ${step} ${path}`), { code: errno });
  });
  return { disk, steps };
}

/** A disk that is full at one step, `failAfter` so many others. */
export class FullDisk {
  failures = 0;
  #left = Infinity;
  readonly disk = watched(quickDisk, (step, path) => {
    if (this.#left-- > 0) return;
    this.#left = Infinity;
    this.failures++;
    throw Object.assign(new Error(`ENOSPC: at ${step} ${path}`), { code: 'ENOSPC' });
  });
  failAfter(steps: number): void {
    this.#left = steps;
  }
}

/**
 * A disk that forgets. What was not synced is lost when the power fails: the bytes of a file until
 * its `sync`, names until the `syncFolder` of their folder.
 */
export class ForgetfulDisk {
  readonly disk: Disk;
  readonly #trash: string;
  #removed = 0;
  /** Steps on names since the last sync of their folder, each with its reverse. */
  #undo: { readonly folder: string; readonly reverse: () => void }[] = [];
  readonly #unsynced = new Set<string>();

  constructor(trash: string) {
    this.#trash = trash;
    mkdirSync(trash);
    this.disk = {
      ...quickDisk,
      create: async (path) => {
        const file = await quickDisk.create(path);
        this.#note(path, () => rmSync(path));
        this.#unsynced.add(path);
        return {
          write: (bytes) => file.write(bytes),
          sync: async () => {
            await file.sync();
            this.#unsynced.delete(path);
          },
          close: () => file.close(),
        };
      },
      rename: async (from, to) => {
        const replaced = join(this.#trash, String(this.#removed++));
        const hadOne = await movedAway(to, replaced);
        await quickDisk.rename(from, to);
        this.#note(to, () => {
          renameSync(to, from);
          if (hadOne) renameSync(replaced, to);
        });
      },
      remove: async (path) => {
        const gone = join(this.#trash, String(this.#removed++));
        if (await movedAway(path, gone)) this.#note(path, () => renameSync(gone, path));
      },
      syncFolder: async (path) => {
        await quickDisk.syncFolder(path);
        this.#undo = this.#undo.filter(({ folder }) => folder !== path);
      },
    };
  }
  #note(path: string, reverse: () => void): void {
    this.#undo.push({ folder: dirname(path), reverse });
  }
  get unsyncedNames(): number {
    return this.#undo.length;
  }
  /** `kept`: how many of the steps on names reached the disk all the same. */
  losePower(kept: number): void {
    for (const path of this.#unsynced) truncateSync(path, 0);
    for (const { reverse } of this.#undo.slice(kept).reverse()) reverse();
  }
}

async function movedAway(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
