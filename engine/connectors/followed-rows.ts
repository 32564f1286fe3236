// The rows of a path that is followed, from one file that has its name to the next: every row once, or an error that says what may be missing.
//
//   reading ──the file is replaced or rewritten──┬─the next one begins with what was read─► it is read on from there
//                                                └─it does not─► what waits without a line end is the last row;
//                                                                then what was rotated in between, then the next one from its start
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Clock } from '../contract/clock.ts';
import { SluiceError } from '../errors/error.ts';
import type { FileFormat } from '../graph/parameters.ts';
import type { FilePosition } from './file-records.ts';
import { type FileRow, type FileRows, openRows } from './file-rows.ts';
import { beginsWith, copyWithMore, renamedTo, rotatedAfter } from './rotated-files.ts';

export class FollowedRows {
  readonly #path: string;
  readonly #format: FileFormat;
  readonly #clock: Clock;
  #rows: FileRows;
  /** Nothing comes after the rows at hand: then another file is read. */
  #isLeaving = false;
  /** Was replaced, and should not grow any more. */
  #former: FileRows | undefined;

  /** `from`: of an earlier life. */
  constructor(path: string, format: FileFormat, clock: Clock, from?: FilePosition) {
    this.#path = path;
    this.#format = format;
    this.#clock = clock;
    this.#rows = from ? this.#resume(from) : this.#open();
  }

  /** undefined: there is no more for now. */
  next(): FileRow | undefined {
    for (;;) {
      const row = this.#rows.next();
      if (row) return row;
      this.#checkFormer();
      if (!this.#moveOn()) return undefined;
    }
  }
  /** Of the next row, when `next` gave none. */
  position(): FilePosition {
    return this.#rows.records().position();
  }
  close(): void {
    this.#rows.close();
    this.#former?.close();
  }

  #open(from?: FilePosition): FileRows {
    return openRows(this.#path, this.#format, from, { follow: this.#clock });
  }
  /** The rest of a file that has lost its name. */
  #openRotated(path: string, from?: FilePosition): FileRows {
    return openRows(path, this.#format, from, { isRotated: true });
  }

  #resume(from: FilePosition): FileRows {
    if (from.byte > 0 && beginsWith(this.#path, from)) return this.#open(from);
    const rest = renamedTo(this.#path, from) ?? (from.byte > 0 ? copyWithMore(this.#path, from) : undefined);
    if (rest !== undefined) {
      this.#isLeaving = true;
      return this.#openRotated(rest, from);
    }
    if (from.byte === 0) return this.#open();
    throw new SluiceError(
      'file-changed',
      `${this.#path} no longer begins with the ${from.lines} lines that were read: it was replaced or written anew. ` +
        `What the former file got after line ${from.lines} may be missing. Run its cell again to read ${basename(this.#path)} from its start.`,
    );
  }

  /** Whether there may be more now. */
  #moveOn(): boolean {
    const records = this.#rows.records();
    if (this.#isLeaving) return this.#openNext();
    if (records.over === undefined) return false;
    const position = records.position();
    if (records.over === 'replaced') {
      if (!statSync(this.#path, { throwIfNoEntry: false })) return false;
      if (position.byte > 0 && beginsWith(this.#path, position)) return this.#goTo(this.#open(position));
    } else {
      this.#isLeaving = true;
      const copy = copyWithMore(this.#path, position);
      if (copy !== undefined) return this.#goTo(this.#openRotated(copy, position));
    }
    this.#isLeaving = true;
    records.finish();
    return true;
  }
  #openNext(): boolean {
    const records = this.#rows.records();
    const rotated = rotatedAfter(this.#path, records.stats(), records.namedUntil);
    if (rotated !== undefined) return this.#goTo(this.#openRotated(rotated));
    // Between two files of the name there may be none.
    if (!statSync(this.#path, { throwIfNoEntry: false })) return false;
    this.#isLeaving = false;
    return this.#goTo(this.#open());
  }
  #goTo(rows: FileRows): true {
    const left = this.#rows;
    this.#rows = rows;
    this.#former?.close();
    this.#former = undefined;
    if (left.records().over === 'replaced') this.#former = left;
    else left.close();
    return true;
  }

  /** A writer that kept the former file open for too long. */
  #checkFormer(): void {
    const grown = this.#former?.records().unread() ?? 0;
    if (grown === 0) return;
    throw new SluiceError(
      'file-changed',
      `The file that was ${this.#path} before it was replaced has got ${grown} bytes more, and they were not read: its writer goes on with it. ` +
        'Run its cell again to read the present file from its start.',
    );
  }
}
