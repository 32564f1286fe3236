// An open file that is followed. Checks that it still begins with the bytes that were read, and
// that its path still names it.
//
//   same ──path names another file──► same until it is quiet for a second ──► replaced
//     │
//     └──shorter, or other bytes in the part that was read──► rewritten
//
// The part that was read is known by its length and checksum; its first and last bytes are kept. A
// look compares these two samples. It compares everything when the file was written but has not
// grown. When it has grown, a look compares some blocks, until all were compared (read-blocks.ts).
import { fstatSync, readSync, type Stats, statSync } from 'node:fs';
import type { Clock } from '../contract/clock.ts';
import { bytesOf } from './file-bytes.ts';
import { checksumOf, ReadBlocks } from './read-blocks.ts';

const sampleBytes = 4096;
/** The writer may continue for a while to write to the renamed file. */
const settleMillis = 1000;
/** The clock of the file system may be slightly behind. */
const clockSkewMillis = 50;
/** File systems round times. A second change within this step may have the same time. */
const timeStepMillis = 2000;

export type Look = 'same' | 'undecided' | 'replaced' | 'rewritten';

export class FollowedFile {
  readonly #path: string;
  readonly #file: number;
  readonly #clock: Clock;
  readonly #blocks: ReadBlocks;
  #first: Buffer;
  #last: Buffer;
  #seen: Stats;
  #changedAt: number;
  #namedAt: number;
  /**
   * The time since when the file is shorter than the part that was read. It may be in the middle of
   * a rewrite.
   */
  #shortSince: number | undefined;
  /** The time since when the path names another file and this one has not grown. */
  #quietSince: number | undefined;
  #sameAt: number;

  /** `from`: the number of bytes that were read before the snapshot. */
  constructor(path: string, file: number, clock: Clock, from: number) {
    this.#path = path;
    this.#file = file;
    this.#clock = clock;
    this.#blocks = new ReadBlocks(file, from);
    this.#first = bytesAt(file, 0, Math.min(from, sampleBytes));
    this.#last = bytesAt(file, Math.max(0, from - sampleBytes), Math.min(from, sampleBytes));
    this.#seen = fstatSync(file);
    this.#changedAt = clock.now();
    this.#namedAt = clock.now();
    this.#sameAt = clock.now();
  }

  /**
   * The last time when what was read was known to be the same: the last look, or an earlier one if
   * a block was changed before. Before the first look: the time of the opening.
   */
  get sameAt(): number {
    return this.#sameAt;
  }
  /** A lower bound for the creation of the next file with this name. */
  get namedUntil(): number {
    return Math.max(this.#seen.birthtimeMs, this.#namedAt - clockSkewMillis);
  }

  /** Adds bytes that were read directly after the earlier ones. */
  took(bytes: Buffer): void {
    this.#blocks.took(bytes);
    const missing = sampleBytes - this.#first.length;
    if (missing > 0) this.#first = Buffer.concat([this.#first, bytes.subarray(0, missing)]);
    this.#last = Buffer.concat([this.#last, bytes.subarray(-sampleBytes)]).subarray(-sampleBytes);
  }

  /**
   * `read`: the number of bytes that were read. `records`: how many of them belong to whole
   * records, and their checksum.
   */
  look(read: number, records: { readonly bytes: number; readonly checksum: number }): Look {
    const now = this.#clock.now();
    const stats = fstatSync(this.#file);
    const content = this.#content(stats, read, records, now);
    if (content !== 'same') return content;
    this.#sameAt = now;
    const named = fileNamed(this.#path);
    if (named !== undefined && isSameFile(named, stats)) this.#namedAt = now;
    // While no file has the name, the writer may still append the last records to this one.
    if (named === undefined || isSameFile(named, stats) || stats.size > read) {
      this.#quietSince = undefined;
      return 'same';
    }
    this.#quietSince ??= now;
    return stats.nlink === 0 || now - this.#quietSince >= settleMillis ? 'replaced' : 'same';
  }

  #content(stats: Stats, read: number, records: { bytes: number; checksum: number }, now: number): Look {
    if (stats.size < read) {
      // A later look decides: the file may be rewritten with the same beginning.
      this.#shortSince ??= now;
      return now > this.#shortSince ? 'rewritten' : 'undecided';
    }
    this.#shortSince = undefined;
    const isWritten = stats.mtimeMs !== this.#seen.mtimeMs || stats.size !== this.#seen.size;
    const hasGrown = stats.size > this.#seen.size;
    this.#seen = stats;
    if (isWritten) this.#changedAt = now;
    else if (now - this.#changedAt > timeStepMillis && !this.#blocks.hasDue) return 'same';
    const { length } = this.#last;
    const isSame =
      bytesAt(this.#file, 0, this.#first.length).equals(this.#first) &&
      bytesAt(this.#file, read - length, length).equals(this.#last) &&
      (isWritten && !hasGrown ? this.#isWholeSame(records) : this.#areBlocksSame(isWritten, now));
    return isSame ? 'same' : 'rewritten';
  }
  #isWholeSame({ bytes, checksum }: { bytes: number; checksum: number }): boolean {
    this.#blocks.compared();
    return checksumOf(bytesOf(this.#file), bytes) === checksum;
  }
  #areBlocksSame(isWritten: boolean, now: number): boolean {
    if (isWritten) this.#blocks.written(this.#sameAt, now);
    const isSame = this.#blocks.areSame(now);
    // The block may have been changed some looks ago.
    if (!isSame) this.#sameAt = Math.min(this.#sameAt, this.#blocks.sameAt);
    return isSame;
  }
}

/** undefined: no file has the name. A folder is no file. */
export function fileNamed(path: string): Stats | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? stats : undefined;
}

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

function bytesAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, length === 0 ? 0 : readSync(file, bytes, 0, length, at));
}
