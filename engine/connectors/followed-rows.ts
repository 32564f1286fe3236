// The rows of a followed path, over all files that have its name in turn: every row once, or an
// error that says which rows may be missing.
//
//   reading ──replaced or rewritten──┬─next file begins with the part read─► continue in it
//                                    └─it does not─► the rest without a line end is the last row;
//                                                    then files rotated in between;
//                                                    then the next file from its start
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
  /** The rows of the open file are its last ones. The next file follows. */
  #isLeaving = false;
  /** The replaced file, which should not grow any more. */
  #former: FileRows | undefined;

  /** `from`: the position in a snapshot. */
  constructor(path: string, format: FileFormat, clock: Clock, from?: FilePosition) {
    this.#path = path;
    this.#format = format;
    this.#clock = clock;
    this.#rows = from ? this.#resume(from) : this.#open();
  }

  /** undefined: there is no row at present. */
  next(): FileRow | undefined {
    for (;;) {
      const row = this.#rows.next();
      if (row) return row;
      this.#checkFormer();
      if (!this.#moveOn()) return undefined;
    }
  }
  /** The position of the next row. Valid after `next` has returned undefined. */
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
  /** The rest of a file that has another name now. */
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
      `${this.#path} no longer begins with the ${from.lines} lines that were read: it was replaced or rewritten. ` +
        `Lines after line ${from.lines} of the former file may be missing. Run its cell again to read ${basename(this.#path)} from its start.`,
    );
  }

  /** Returns whether there may be more rows now. */
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
    // There may be a moment without a file of this name.
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

  /** It is an error when the writer still appends to the former file. */
  #checkFormer(): void {
    const grown = this.#former?.records().unread() ?? 0;
    if (grown === 0) return;
    throw new SluiceError(
      'file-changed',
      `The former file of ${this.#path} has grown by ${grown} bytes after it was replaced, and they were not read: its writer still appends to it. ` +
        'Run its cell again to read the present file from its start.',
    );
  }
}
