// The records of a text file as bytes: read block by block, cut at the end of each record, each
// with its position. The format decides what a record means.
import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../contract/clock.ts';
import { SluiceError } from '../errors/error.ts';
import { closestName } from '../errors/closest-name.ts';
import { hasLongDigits } from '../formats/integers.ts';
import { type FileBytes, openBytes } from './file-bytes.ts';
import { type FileIdentity, FollowedFile } from './followed-file.ts';

/**
 * Finds the end of the record that begins at `from`: the index of its last newline or carriage
 * return, or -1 if it is not in bytes[from, to).
 */
export type FindEnd = (bytes: Uint8Array, from: number, to: number) => number;

export interface FileRecord {
  /** The record without its line ending. */
  readonly text: string;
  /** false: some bytes are no text, and the text has U+FFFD in their place. */
  readonly isUtf8: boolean;
  /** The number of its first line, from 1. */
  readonly line: number;
  /** The position of the next record. */
  readonly after: FilePosition;
}
/** The position of a reader: between two records. */
export interface FilePosition {
  readonly byte: number;
  /** The number of lines before it. */
  readonly lines: number;
  /**
   * Only of a followed file: the checksum of all bytes before the position, and the file's
   * identity.
   */
  readonly checksum?: number;
  readonly file?: FileIdentity;
}

export interface ReadOptions {
  /**
   * The bytes that may end a record. One of them must stand before a position in the middle of the
   * file.
   */
  readonly ends?: readonly number[];
  /**
   * The file grows. Its last record is complete only when its end has been written, and more may
   * follow after the end of the file.
   */
  readonly follow?: Clock;
  /** The file was followed, and does not grow any more. It may be packed by now. */
  readonly isRotated?: boolean;
  /** Of a file without byte order mark. Default: UTF-8. */
  readonly encoding?: string | undefined;
}

const blockBytes = 256 << 10;
/**
 * A longer record shows a broken file (an open quote, another format), and would fill the memory.
 */
const longestRecord = 64 << 20;
const newline = 10;
const carriageReturn = 13;

export class FileRecords {
  readonly path: string;
  readonly #findEnd: FindEnd;
  readonly #file: number;
  readonly #bytes: FileBytes;
  #block = Buffer.alloc(blockBytes);
  /** The number of bytes in the block, and the start of the next record in it. */
  #filled = 0;
  #at = 0;
  /** The offset in the file of the first byte of the block. */
  #base: number;
  #lines: number;
  #hasEnded = false;
  #isOpen = true;
  #hasLongDigits: boolean | undefined;
  readonly #ends: readonly number[];
  readonly #followed: FollowedFile | undefined;
  /** The identity of a file that is or was followed. */
  readonly #identity: FileIdentity | undefined;
  #checksum: number;
  #over: 'replaced' | 'rewritten' | undefined;
  #isFinished = false;

  constructor(path: string, findEnd: FindEnd, from?: FilePosition, options: ReadOptions = {}) {
    this.path = path;
    this.#ends = options.ends ?? [newline];
    this.#findEnd = findEnd;
    this.#file = openFile(path);
    this.#base = from?.byte ?? 0;
    this.#lines = from?.lines ?? 0;
    this.#checksum = from?.checksum ?? 0;
    const { follow, isRotated = false, encoding } = options;
    this.#bytes = this.#open(encoding, follow !== undefined);
    this.#followed = follow && new FollowedFile(path, this.#file, follow, this.#base);
    if (follow || isRotated) {
      const { dev, ino } = fstatSync(this.#file);
      this.#identity = { dev, ino };
    } else if (this.#base > 0) this.#checkCut();
  }

  #open(encoding: string | undefined, isFollowed: boolean): FileBytes {
    try {
      const bytes = openBytes(this.path, this.#file, encoding);
      if (bytes.form === undefined || !isFollowed) return bytes;
      throw new SluiceError(
        'bad-file',
        `${this.path} is ${bytes.form}, and only a plain UTF-8 file can be followed. Read it without follow.`,
        { path: this.path },
      );
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** undefined: the file is at its end. A followed file may grow later. */
  next(): FileRecord | undefined {
    if (this.#followed && !this.#isFinished && this.#hasEnded) {
      if (!this.#mayReadOn(this.#followed)) return undefined;
      this.#hasEnded = false;
    }
    let end = this.#findEnd(this.#block, this.#at, this.#filled);
    while (end < 0 && !this.#hasEnded) {
      this.#read();
      end = this.#findEnd(this.#block, this.#at, this.#filled);
    }
    if (end < 0 && this.#followed && !this.#isFinished) return undefined;
    // The last record may have no newline.
    const to = end < 0 ? this.#filled : end;
    if (end < 0 && to === this.#at) return undefined;
    const start = this.#base + this.#at === 0 ? skipByteOrderMark(this.#block, to) : this.#at;
    const bytes = this.#block.subarray(start, to > start && this.#block[to - 1] === carriageReturn ? to - 1 : to);
    const line = this.#lines + 1;
    const endsLine = end < 0 || this.#block[end] === newline || this.#block[end] === carriageReturn;
    this.#lines += (endsLine ? 1 : 0) + (bytes.includes(newline) ? countNewlines(bytes) : 0);
    const next = end < 0 ? to : end + 1;
    if (this.#identity) this.#checksum = crc32(this.#block.subarray(this.#at, next), this.#checksum);
    this.#at = next;
    const text = bytes.toString('utf8');
    return {
      text,
      isUtf8: !text.includes('\ufffd') || (!this.#bytes.isDecoded && isUtf8(bytes)),
      line,
      after: this.position(),
    };
  }
  /**
   * Some record of the block may hold an integer that a double cannot. The block is looked at once,
   * because one look for each record takes longer.
   */
  get hasLongDigits(): boolean {
    return (this.#hasLongDigits ??= hasLongDigits(this.#block.subarray(0, this.#filled)));
  }
  /** The position after the last record. */
  position(): FilePosition {
    const place = { byte: this.#base + this.#at, lines: this.#lines };
    return this.#identity ? { ...place, checksum: this.#checksum, file: this.#identity } : place;
  }

  /** Of a followed file: why it gives no more records. */
  get over(): 'replaced' | 'rewritten' | undefined {
    return this.#over;
  }
  /** Nothing more is read from the file. A rest without a line end is the last record. */
  finish(): void {
    this.#isFinished = true;
    this.#hasEnded = true;
  }
  /** The number of bytes that were appended since the file was read to its end. */
  unread(): number {
    return Math.max(0, fstatSync(this.#file).size - this.#base - this.#filled);
  }
  stats(): Stats {
    return fstatSync(this.#file);
  }
  /** A lower bound, in milliseconds, for the creation of the next file with this name. */
  get namedUntil(): number {
    if (this.#followed) return this.#followed.namedUntil;
    // A packed file is younger than its content, whose time it has kept.
    const { birthtimeMs, mtimeMs } = this.stats();
    return this.#bytes.form === undefined ? birthtimeMs : Math.min(birthtimeMs, mtimeMs);
  }
  /** Of a followed file: the last look that found it unchanged, in milliseconds since the epoch. */
  get sameAt(): number | undefined {
    return this.#followed?.sameAt;
  }
  #mayReadOn(followed: FollowedFile): boolean {
    if (this.#over) return false;
    const { byte } = this.position();
    const look = followed.look(this.#base + this.#filled, { bytes: byte, checksum: this.#checksum });
    if (look === 'replaced' || look === 'rewritten') this.#over = look;
    return look === 'same';
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#file);
  }

  /**
   * Moves the rest to the front of the block and fills the block. If one record fills it, its size
   * doubles.
   */
  #read(): void {
    const left = this.#filled - this.#at;
    if (left > longestRecord)
      throw new SluiceError(
        'bad-file',
        `The record at line ${this.#lines + 1} of ${this.path} is longer than ${longestRecord >> 20} MB. Look for an open quote, or for another format.`,
      );
    const target = left > this.#block.length / 2 ? Buffer.alloc(this.#block.length * 2) : this.#block;
    this.#block.copy(target, 0, this.#at, this.#filled);
    this.#block = target;
    this.#base += this.#at;
    this.#at = 0;
    const count = this.#bytes.read(target, left, target.length - left, this.#base + left);
    this.#filled = left + count;
    this.#hasLongDigits = undefined;
    if (count === 0) this.#hasEnded = true;
    else this.#followed?.took(target.subarray(left, this.#filled));
  }

  /** A position from a snapshot must still be after the end of a record. */
  #checkCut(): void {
    const byte = Buffer.alloc(1);
    const isInside = this.#bytes.read(byte, 0, 1, this.#base - 1) === 1;
    if (isInside && (this.#ends.includes(byte[0]!) || this.#bytes.read(byte, 0, 1, this.#base) === 0)) return;
    this.close();
    throw new SluiceError(
      'file-changed',
      `${this.path} has changed since it was read up to line ${this.#lines}, so reading cannot continue there. Run its cell again to read it from its start.`,
    );
  }
}

export const endOfLine: FindEnd = (bytes, from, to) => {
  const end = bytes.indexOf(newline, from);
  return end < to ? end : -1;
};

function openFile(path: string): number {
  try {
    const file = openSync(path, 'r');
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      throw new SluiceError(
        'file-unreadable',
        `${path} cannot be read (${code ?? String(error)}).`,
        { path },
        { cause: error },
      );
    throw new SluiceError('no-file', `There is no file ${path}.${nearby(path)}`, { path }, { cause: error });
  }
  throw new SluiceError('no-file', `${path} is not a file.`, { path });
}

function nearby(path: string): string {
  try {
    const closest = closestName(basename(path), readdirSync(dirname(path)));
    return closest === undefined ? '' : ` Closest: "${closest}".`;
  } catch {
    return ` The folder ${dirname(path)} does not exist either.`;
  }
}

function skipByteOrderMark(bytes: Uint8Array, to: number): number {
  return to >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
}
