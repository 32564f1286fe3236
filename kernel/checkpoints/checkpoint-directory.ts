// The store of checkpoints in a directory of the local file system. file-names.ts has its files,
// manifest.ts what a checkpoint consists of, places.ts when old files are emptied.
//
// What holds at each moment, also after a crash between any two steps: a manifest with its name is
// a whole checkpoint, and no file that a kept manifest names is removed.
import { resolve } from 'node:path';
import { SluiceError } from '../../engine/errors/error.ts';
import { invariant } from '../../engine/errors/invariant.ts';
import { valueSegment } from '../../engine/state/segment.ts';
import type {
  CheckpointContent,
  CheckpointStorage,
  SkippedCheckpoint,
  WrittenCheckpoint,
} from './checkpoint-storage.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { type Disk, errnoOf, realDisk, unfinishedName, writeAtOnce } from './disk.ts';
import { diskError } from './disk-errors.ts';
import { fileName, inOrderOfRemoval, nextIdName, parsedName } from './file-names.ts';
import type { Manifest } from './manifest.ts';
import { Places } from './places.ts';
import { writeSavepoint } from './savepoint.ts';
import { type Listed, listDirectory, neededNames, newestWhole, type Scanned, scanDirectory } from './scan-directory.ts';
import { writeCheckpoint } from './write-checkpoint.ts';

export interface DirectoryOptions {
  /** Checkpoints that are kept, at least 1. Default 3. */
  readonly retained?: number;
  /** Removes what is there before anything is read, also what cannot be read. Default false. */
  readonly startFresh?: boolean;
}

/**
 * Opens a state directory, makes it if needed, and locks it. Reads the newest whole checkpoint and
 * checks all of its checksums.
 *
 * Errors: `state-in-use` (another session has it), `newer-state` (a later version of Sluice wrote
 * it), `bad-state` (it has checkpoints and none is whole), `state-no-permission`,
 * `state-disk-full`. None of them removes anything.
 */
export function openCheckpoints(directory: string, options: DirectoryOptions = {}): Promise<CheckpointStorage> {
  return CheckpointDirectory.open(resolve(directory), options, realDisk);
}

type Kept = Pick<Manifest, 'id' | 'files'>;

export class CheckpointDirectory implements CheckpointStorage {
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #lock: DirectoryLock;
  readonly #retained: number;
  readonly #places: Places;
  /** Files of checkpoints on disk, also those that should be gone. */
  readonly #names: Set<string>;
  /** Files of broken checkpoints and what they may name. They go with the next whole checkpoint. */
  #spared: ReadonlySet<string> = new Set();
  /** Oldest first. */
  #kept: Kept[];
  #restored: CheckpointContent | undefined;
  readonly skipped: readonly SkippedCheckpoint[];
  #nextId: number;
  /** The id that the file `next-id` has. */
  #recordedId: number;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #closed: Promise<void> | undefined;

  private constructor(
    place: { readonly directory: string; readonly disk: Disk; readonly lock: DirectoryLock; readonly places: Places },
    found: Scanned & Listed,
    retained: number,
  ) {
    this.#directory = place.directory;
    this.#disk = place.disk;
    this.#lock = place.lock;
    this.#places = place.places;
    this.#retained = retained;
    this.#names = new Set(found.names);
    this.#kept = found.manifests.map(({ id, files }) => ({ id, files }));
    this.#restored = found.restored;
    this.skipped = found.skipped;
    this.#nextId = found.nextId;
    this.#recordedId = found.isRecorded ? found.nextId : 1;
    if (found.isUnsure) this.#spared = new Set(found.names.filter((name) => parsedName(name)!.kind !== 'manifest.tmp'));
  }

  static async open(directory: string, options: DirectoryOptions, disk: Disk): Promise<CheckpointDirectory> {
    const { retained = 3, startFresh = false } = options;
    if (!Number.isInteger(retained) || retained < 1)
      throw new SluiceError(
        'bad-option',
        `retained is ${retained}. Give the number of checkpoints to keep, 1 or more.`,
      );
    const what = 'The state directory cannot be opened';
    try {
      await disk.makeFolder(directory);
    } catch (error) {
      // Another process may be removing it at this moment. The lock waits for that.
      if (errnoOf(error) !== 'ENOENT') throw diskError(error, what, directory);
    }
    const lock = lockDirectory(directory);
    try {
      const places = new Places();
      const listed = await listDirectory(directory);
      const scanned: Scanned = startFresh
        ? { restored: undefined, skipped: [], manifests: [], isUnsure: false }
        : await scanDirectory(directory, listed.names, places);
      if (listed.hasUnfinishedId) await disk.remove(`${directory}/${unfinishedName(nextIdName)}`);
      const opened = new CheckpointDirectory({ directory, disk, lock, places }, { ...scanned, ...listed }, retained);
      if (startFresh) await opened.#discard();
      else await opened.#tidy();
      return opened;
    } catch (error) {
      lock.release();
      throw diskError(error, what, directory);
    }
  }

  get restored(): CheckpointContent | undefined {
    return this.#restored;
  }
  get nextId(): number {
    return this.#nextId;
  }

  write(content: CheckpointContent, retained = this.#retained): Promise<WrittenCheckpoint> {
    return this.#inTurn(async () => {
      const what = `Checkpoint ${content.id} cannot be written`;
      this.#use(content.id);
      try {
        return await this.#written(content, retained);
      } catch (error) {
        await this.#tidy();
        throw diskError(error, what, this.#directory);
      }
    });
  }
  async #written(content: CheckpointContent, retained: number): Promise<WrittenCheckpoint> {
    const start = performance.now();
    const { id } = content;
    for (const kind of ['manifest', 'data', 'manifest.tmp'] as const) this.#names.add(fileName(id, kind));
    const written = await writeCheckpoint(this.#disk, this.#directory, content, (bytes) => this.#places.of(bytes));
    for (const [bytes, place] of written.added) this.#places.set(bytes, place);
    this.#restored = undefined;
    this.#kept = [...this.#kept, { id, files: [...written.files] }].slice(-retained);
    this.#spared = new Set();
    await this.#removeAll(this.#gone());
    const path = `${this.#directory}/${fileName(id, 'manifest')}`;
    return { path, bytes: written.live, newBytes: written.newBytes, millis: performance.now() - start };
  }

  before(id: number): Promise<CheckpointContent | undefined> {
    return this.#inTurn(async () => {
      const older = this.#kept.filter((kept) => kept.id < id).map((kept) => kept.id);
      try {
        return await newestWhole(this.#directory, older.reverse(), this.#places);
      } catch (error) {
        throw diskError(error, `A checkpoint before ${id} cannot be read`, this.#directory);
      }
    });
  }

  savepoint(content: CheckpointContent, directory: string): Promise<{ readonly path: string }> {
    return this.#inTurn(async () => {
      this.#use(content.id);
      // No file of this directory will show the id. A full disk here must not stop a savepoint that
      // goes to another disk.
      await this.#recordId();
      return { path: await writeSavepoint(this.#disk, content, resolve(directory)) };
    });
  }

  discardAll(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#discard();
      } catch (error) {
        throw diskError(error, 'The checkpoints cannot be removed', this.#directory);
      }
    });
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#inTurn(() => {
      this.#isClosed = true;
      this.#lock.release();
    }));
  }

  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      invariant(!this.#isClosed, `the state directory ${this.#directory} is used only until it is closed`);
      return work();
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }
  /** An id is used up also when its checkpoint fails. */
  #use(id: number): void {
    invariant(
      Number.isSafeInteger(id) && id >= this.#nextId,
      `a checkpoint has an id of at least ${this.#nextId}, not ${id}`,
    );
    this.#nextId = id + 1;
  }

  // -------------------------------------------------------------------------------------- removal

  /**
   * Removes what no kept checkpoint names. What cannot be removed now is removed after a later
   * checkpoint. Files with the last id keep their names until the id is recorded, so that it never
   * comes again; their bytes go at once, because a full disk may be what is in the way.
   */
  async #tidy(): Promise<void> {
    if (!(await this.#recordId())) {
      const last = this.#nextId - 1;
      const gone = this.#gone();
      await this.#removeAll(gone.filter((name) => parsedName(name)!.id !== last));
      for (const name of gone.filter((one) => parsedName(one)!.id === last))
        await this.#disk.empty(`${this.#directory}/${name}`).catch(() => undefined);
      if (!(await this.#recordId())) return;
    }
    await this.#removeAll(this.#gone());
  }
  #gone(): string[] {
    const needed = neededNames(this.#kept);
    return [...this.#names].filter((name) => !needed.has(name) && !this.#spared.has(name));
  }
  async #removeAll(names: Iterable<string>): Promise<void> {
    for (const name of inOrderOfRemoval(names)) {
      try {
        await this.#remove(name);
      } catch {
        // It is in the way of nothing. The next checkpoint tries again.
      }
    }
  }
  async #remove(name: string): Promise<void> {
    const { id, kind } = parsedName(name)!;
    if (kind === 'data') this.#places.forget(id);
    await this.#disk.remove(`${this.#directory}/${name}`);
    this.#names.delete(name);
  }

  /** The newest manifest goes last, so a crash in between leaves all or nothing to restore. */
  async #discard(): Promise<void> {
    const isRecorded = await this.#recordId();
    for (const name of inOrderOfRemoval(this.#names)) {
      await this.#remove(name);
      this.#kept = this.#kept.filter(({ id }) => name !== fileName(id, 'manifest'));
    }
    await this.#disk.syncFolder(this.#directory);
    this.#restored = undefined;
    this.#spared = new Set();
    if (!isRecorded) await this.#recordId();
  }

  /** False when the last id cannot be written down. */
  async #recordId(): Promise<boolean> {
    const last = this.#nextId - 1;
    if (this.#recordedId === this.#nextId || this.#kept.some(({ id }) => id === last)) return true;
    try {
      await writeAtOnce(this.#disk, this.#directory, nextIdName, valueSegment({ nextId: this.#nextId }));
      this.#recordedId = this.#nextId;
      return true;
    } catch {
      return false;
    }
  }
}
