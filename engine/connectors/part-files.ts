// Files that are written in transactions: hidden while rows are written, whole and named by the
// commit.
//
//   in progress ─preCommit: bytes and name last─► pending
//        └─abort, or a restore that does not know it─► removed
//   pending ─commit: renamed, the folder synced─► finished
//
// A commit may be repeated: a part that has its name is done. A finished part is never overwritten.
// A folder belongs to the sink that commits the first part in it.
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { SluiceError } from '../errors/error.ts';
import { fileSteps, fileStepsLater } from './file-errors.ts';
import type { PartDisk } from './part-disk.ts';
import { inProgressName, ownerName, parsedPartName, partName } from './part-names.ts';

/** A part that is written and synced: what its commit needs. Plain data. */
export interface Part {
  readonly folder: string;
  readonly name: string;
  readonly bytes: number;
  readonly checksum: number;
  readonly rows: number;
}

const longestWaiting = 64 << 10;

/** A part that takes rows. */
export class OpenPart {
  readonly folder: string;
  readonly name: string;
  readonly #disk: PartDisk;
  #rows = 0;
  #bytes = 0;
  #checksum = 0;
  /** Texts that are not in the file yet, and their total length. */
  #waiting: string[] = [];
  #waitingLength = 0;

  constructor(folder: string, name: string, disk: PartDisk) {
    this.folder = folder;
    this.name = name;
    this.#disk = disk;
  }
  get path(): string {
    return join(this.folder, inProgressName(this.name));
  }
  get hasRows(): boolean {
    return this.#rows > 0;
  }
  add(text: string): void {
    this.#rows++;
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    if (this.#waitingLength > longestWaiting) this.flush();
  }
  flush(): void {
    if (this.#waiting.length === 0) return;
    const bytes = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingLength = 0;
    fileSteps(this.path, () => this.#disk.append(this.path, bytes, this.#bytes));
    this.#checksum = crc32(bytes, this.#checksum);
    this.#bytes += bytes.length;
  }
  async finished(): Promise<Part> {
    const { folder, name, path } = this;
    this.flush();
    const written = await fileStepsLater(path, () => this.#disk.sync(path));
    if (written !== this.#bytes) throw changed(path, this.#bytes, written);
    return { folder, name, bytes: this.#bytes, checksum: this.#checksum, rows: this.#rows };
  }
}

function pathsOf({ folder, name }: Part): { readonly from: string; readonly to: string } {
  return { from: join(folder, inProgressName(name)), to: join(folder, name) };
}
type Found = 'in progress' | 'finished' | 'gone';

export interface PartPlace {
  /** The folder of all parts. */
  readonly root: string;
  /** Of the names of parts: ".jsonl". */
  readonly extension: string;
  /** See part-names.ts. */
  readonly sink: string;
}

/** What a folder has of a sink that goes on from a snapshot. */
export interface FoundParts {
  /** The largest number of a part; 0: there is none. */
  readonly lastNumber: number;
  /** Finished parts of the given number and above, in order. */
  readonly newer: readonly string[];
}

export class PartFiles {
  readonly #disk: PartDisk;
  readonly #place: PartPlace;
  /** Folders that were used in this life. */
  readonly #folders = new Set<string>();
  /** Folders with new names that are not synced. */
  readonly #unsynced = new Set<string>();
  /** Parts of this life that are in progress or pending. */
  readonly #unnamed = new Set<string>();
  #isOwner = false;

  constructor(place: PartPlace, disk: PartDisk) {
    this.#place = place;
    this.#disk = disk;
  }

  // ------------------------------------------------------------ rows

  /** `partition`: a folder in the root; '': the root itself. */
  begin(partition: string, number: number): OpenPart {
    const { root, sink, extension } = this.#place;
    const folder = partition === '' ? root : join(root, partition);
    if (!this.#folders.has(folder)) this.#use(folder);
    const name = partName(sink, number, extension);
    this.#unnamed.add(join(folder, name));
    return new OpenPart(folder, name, this.#disk);
  }
  #use(folder: string): void {
    const { root } = this.#place;
    const made = fileSteps(folder, () => this.#disk.makeFolder(folder));
    this.#folders.add(folder);
    // A former life may have made them, and crashed before they were synced.
    for (const parent of [...made, ...(folder === root ? [] : [root]), dirname(root)]) this.#unsynced.add(parent);
  }
  discard(parts: Iterable<OpenPart>): void {
    for (const { path, folder, name } of parts) {
      this.#unnamed.delete(join(folder, name));
      this.#disk.remove(path);
    }
  }

  // ------------------------------------------------------------ commits

  async finish(parts: readonly OpenPart[]): Promise<readonly Part[]> {
    const finished: Part[] = [];
    for (const part of parts) finished.push(await part.finished());
    await this.#syncFolders(parts);
    for (const folder of [...this.#unsynced]) {
      // A parent that cannot be opened is no reason to fail.
      await this.#disk.syncFolder(folder).catch(() => undefined);
      this.#unsynced.delete(folder);
    }
    return finished;
  }
  async #syncFolders(parts: readonly { readonly folder: string }[]): Promise<void> {
    for (const folder of new Set(parts.map((part) => part.folder)))
      await fileStepsLater(folder, () => this.#disk.syncFolder(folder));
  }

  /** Gives the parts that an earlier life has committed and that are not there any more. */
  async commit(parts: readonly Part[]): Promise<readonly Part[]> {
    const owner = await this.refuseOther();
    const found = new Map<Part, Found>();
    for (const part of parts) found.set(part, await this.#look(part));
    const gone = parts.filter((part) => found.get(part) === 'gone');
    for (const part of gone) if (this.#unnamed.has(pathsOf(part).to) || owner === '') throw removed(part);
    if (owner === '') await this.#own();
    for (const part of parts) if (found.get(part) === 'in progress') await this.#rename(part);
    await this.#syncFolders(parts.filter((part) => !gone.includes(part)));
    return gone;
  }
  async #look(part: Part): Promise<Found> {
    const { from, to } = pathsOf(part);
    return await fileStepsLater(to, async () => {
      const [begun, finished] = [await this.#disk.size(from), await this.#disk.size(to)];
      if (begun !== undefined) {
        if (begun !== part.bytes) throw changed(from, part.bytes, begun);
        if (finished !== undefined) throw inTheWay(to, part);
        return 'in progress';
      }
      if (finished === undefined) return 'gone';
      if (finished !== part.bytes || (await this.#disk.checksum(to)) !== part.checksum) throw inTheWay(to, part);
      return 'finished';
    });
  }
  async #rename(part: Part): Promise<void> {
    const { from, to } = pathsOf(part);
    await fileStepsLater(to, () => this.#disk.rename(from, to));
    this.#unnamed.delete(to);
  }

  // ------------------------------------------------------------ the owner of the folder

  /** Gives the owner: this sink, or '' when there is none yet. Error: `folder-in-use`. */
  async refuseOther(): Promise<string> {
    const { root, sink } = this.#place;
    if (this.#isOwner) return sink;
    const path = join(root, ownerName);
    const owner = (await fileStepsLater(path, () => this.#disk.read(path)))?.trim() ?? '';
    if (owner !== '' && owner !== sink) throw inUse(root);
    this.#isOwner = owner === sink;
    return owner;
  }
  async #own(): Promise<void> {
    const { root, sink } = this.#place;
    const path = join(root, ownerName);
    const text = `${sink}\n`;
    const isNew = await fileStepsLater(path, () => this.#disk.create(path, text));
    // A crash has left it empty, or another sink was quicker.
    if (!isNew && (await this.refuseOther()) === '') await fileStepsLater(path, () => this.#disk.write(path, text));
    await fileStepsLater(root, () => this.#disk.syncFolder(root));
    this.#isOwner = true;
  }
}

/**
 * Removes the parts in progress of a sink that no committable names. `from`: the number of the next
 * part at the snapshot.
 */
export function tidyFolders(
  { root, sink }: PartPlace,
  pending: readonly Part[],
  from: number,
  disk: PartDisk,
): FoundParts {
  const kept = new Set(pending.map(({ name }) => inProgressName(name)));
  const { files, folders } = disk.list(root);
  let lastNumber = 0;
  const newer = new Set<string>();
  for (const [folder, names] of [[root, files], ...folders.map((one) => inFolder(disk, join(root, one)))] as const)
    for (const name of names) {
      const parsed = parsedPartName(name, sink);
      if (!parsed) continue;
      lastNumber = Math.max(lastNumber, parsed.number);
      if (parsed.isFinished && parsed.number >= from) newer.add(name);
      if (!parsed.isFinished && !kept.has(name)) disk.remove(join(folder, name));
    }
  return { lastNumber, newer: [...newer].sort() };
}
function inFolder(disk: PartDisk, folder: string): readonly [folder: string, names: readonly string[]] {
  return [folder, disk.list(folder).files];
}

function inUse(folder: string): SluiceError {
  return new SluiceError(
    'folder-in-use',
    `${folder} has the part files of another sink or of an earlier job. Choose another folder, or remove this one with its files.`,
    { folder },
  );
}
function removed(part: Part): SluiceError {
  const { from } = pathsOf(part);
  return new SluiceError(
    'part-gone',
    `${from} was removed before it was finished, and with it ${part.rows} rows. Put it back, or start fresh.`,
    { path: from },
  );
}
function inTheWay(path: string, { rows }: Part): SluiceError {
  return new SluiceError(
    'part-in-the-way',
    `${path} is there with other content, so ${rows} rows cannot get this name. It is not overwritten. Move it away.`,
    { path },
  );
}
function changed(path: string, expected: number, found: number): SluiceError {
  return new SluiceError(
    'part-changed',
    `${path} has ${found} bytes, and ${expected} were written. Something else has changed it. Put it back, or start fresh.`,
    { path, expected, found },
  );
}
