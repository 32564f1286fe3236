// A disk for part files that stops at a step for good, as in a crash, and that forgets what was not
// synced, as in a loss of power. It waits for no real disk: what that would leave is simulated.
import { existsSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type PartDisk, realPartDisk } from '../../connectors/part-disk.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class DiskStopped extends Error {}

export class StoppingPartDisk {
  /** Steps until it stops. */
  stepsLeft = Infinity;
  /** The next such step fails with this error of the system. */
  fault: { readonly step: string; readonly errno: string } | undefined;
  readonly disk: PartDisk;
  readonly #trash: string;
  #removed = 0;
  readonly #underWay = new Set<Promise<unknown>>();
  /** Bytes that last, by file that has more. */
  readonly #lasting = new Map<string, number>();
  /** Steps on names since the last sync of their folder, each with its reverse. */
  #undo: { readonly folder: string; readonly reverse: () => void }[] = [];

  /** `trash`: an empty folder on the same disk. */
  constructor(trash: string) {
    this.#trash = trash;
    mkdirSync(trash, { recursive: true });
    this.disk = this.#watched();
  }
  get hasStopped(): boolean {
    return this.stepsLeft <= 0;
  }
  #before(step: string, path: string): void {
    if (this.stepsLeft-- <= 0) throw new DiskStopped(`The disk stops at ${step} ${path}`);
    if (this.fault?.step !== step) return;
    const { errno } = this.fault;
    this.fault = undefined;
    throw Object.assign(new Error(`${errno}: at ${step} ${path}`), { code: errno });
  }
  async #later<T>(step: string, path: string, work: () => Promise<T>): Promise<T> {
    this.#before(step, path);
    const done = work();
    this.#underWay.add(done);
    try {
      return await done;
    } finally {
      this.#underWay.delete(done);
    }
  }
  #named(path: string, reverse: () => void): void {
    this.#undo.push({ folder: dirname(path), reverse });
  }

  #watched(): PartDisk {
    const real = realPartDisk;
    return {
      makeFolder: (path) => {
        this.#before('makeFolder', path);
        const made = real.makeFolder(path);
        if (made.length > 0) this.#named(path, () => rmSync(path, { recursive: true, force: true }));
        return made;
      },
      append: (path, bytes, at) => {
        try {
          this.#before('append', path);
        } catch (error) {
          // A write may stop anywhere.
          if (at > 0) real.append(path, bytes.subarray(0, bytes.length >> 1), at);
          throw error;
        }
        real.append(path, bytes, at);
        if (at === 0) this.#named(path, () => rmSync(path, { force: true }));
        if (!this.#lasting.has(path)) this.#lasting.set(path, at);
      },
      remove: (path) => {
        this.#before('remove', path);
        if (!existsSync(path)) return;
        const gone = join(this.#trash, String(this.#removed++));
        renameSync(path, gone);
        this.#named(path, () => renameSync(gone, path));
      },
      list: (folder) => {
        this.#before('list', folder);
        return real.list(folder);
      },
      sync: (path) =>
        this.#later('sync', path, async () => {
          const size = await real.size(path);
          if (size === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
          this.#lasting.delete(path);
          return size;
        }),
      syncFolder: (path) =>
        this.#later('syncFolder', path, async () => {
          await turn();
          this.#undo = this.#undo.filter(({ folder }) => folder !== path);
        }),
      rename: (from, to) =>
        this.#later('rename', from, async () => {
          await real.rename(from, to);
          this.#named(to, () => renameSync(to, from));
        }),
      size: (path) => this.#later('size', path, () => real.size(path)),
      checksum: (path) => this.#later('checksum', path, () => real.checksum(path)),
      read: (path) => this.#later('read', path, () => real.read(path)),
      create: (path, text) =>
        this.#later('create', path, async () => {
          await turn();
          const isNew = !existsSync(path);
          if (isNew) writeFileSync(path, text);
          if (isNew) this.#named(path, () => rmSync(path, { force: true }));
          return isNew;
        }),
      write: (path, text) => this.#later('write', path, () => real.write(path, text)),
    };
  }

  /** It does no more steps, and those that were under way are over. */
  async stop(): Promise<void> {
    this.stepsLeft = 0;
    await Promise.allSettled(this.#underWay);
  }
  /** `kept`: how many of the steps on names reached the disk all the same. */
  losePower(kept: number): void {
    for (const [path, bytes] of this.#lasting)
      if (existsSync(path) && statSync(path).size > bytes) truncateSync(path, bytes);
    for (const { reverse } of this.#undo.slice(kept).reverse()) reverse();
  }
}
