// The rows of a followed path, over all files that have its name in turn: every row once, or an
// error or a gap that says which rows may be missing. A gap is a sentence for the user, and reading
// goes on.
//
//   reading ──replaced or rewritten──┬─next file begins with the part read─► continue in it
//                                    └─it does not─► the rest without a line end is the last row;
//                                                    then files rotated in between;
//                                                    then the next file from its start
import { basename } from 'node:path';
import type { Clock } from '../contract/clock.ts';
import { SluiceError } from '../errors/error.ts';
import type { FileFormat } from '../graph/parameters.ts';
import type { FilePosition, FileRecords } from './file-records.ts';
import type { FileRow, FileRows } from './file-row.ts';
import { type FileReading, openRows } from './file-rows.ts';
import { fileNamed } from './followed-file.ts';
import { beginsWith, copyOf, packedAfter, renamedTo, rotatedAfter, unreadableSince } from './rotated-files.ts';

export class FollowedRows {
  readonly #path: string;
  readonly #format: FileFormat;
  readonly #clock: Clock;
  readonly #reading: FileReading;
  readonly #onGap: (gap: string) => void;
  #rows: FileRows;
  /** The rows of the open file are its last ones. The next file follows. */
  #isLeaving = false;
  /** The replaced file, which should not grow any more. */
  #former: FileRows | undefined;

  /** `from`: the position in a snapshot. `onGap`: rows may be missing, in a sentence. */
  constructor(
    path: string,
    format: FileFormat,
    clock: Clock,
    from: FilePosition | undefined,
    reading: FileReading,
    onGap: (gap: string) => void,
  ) {
    this.#reading = reading;
    this.#onGap = onGap;
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
  get note(): string | undefined {
    return this.#rows.note;
  }
  close(): void {
    this.#rows.close();
    this.#former?.close();
  }

  #open(from?: FilePosition): FileRows {
    return openRows(this.#path, this.#format, from, { ...this.#reading, follow: this.#clock });
  }
  /** The rest of a file that has another name now. */
  #openRotated(path: string, from?: FilePosition): FileRows {
    return openRows(path, this.#format, from, { ...this.#reading, isRotated: true });
  }

  #resume(from: FilePosition): FileRows {
    if (from.byte > 0 && beginsWith(this.#path, from)) return this.#open(from);
    const rest = renamedTo(this.#path, from) ?? (from.byte > 0 ? copyOf(this.#path, from)?.path : undefined);
    if (rest !== undefined) {
      this.#isLeaving = true;
      return this.#openRotated(rest, from);
    }
    if (from.byte === 0) return this.#open();
    throw new SluiceError(
      'file-changed',
      `${this.#path} no longer begins with the ${from.lines} lines that were read: it was replaced or rewritten. ` +
        `Lines after line ${from.lines} of the former file may be missing. ${mayHaveThem(unreadableSince(this.#path, 0))}Run its cell again to read ${basename(this.#path)} from its start.`,
    );
  }

  /** Returns whether there may be more rows now. */
  #moveOn(): boolean {
    const records = this.#rows.records();
    if (this.#isLeaving) return this.#openNext();
    if (records.over === undefined) return false;
    const position = records.position();
    if (records.over === 'replaced') {
      if (!fileNamed(this.#path)) return false;
      if (position.byte > 0 && beginsWith(this.#path, position)) return this.#goTo(this.#open(position));
    } else {
      this.#isLeaving = true;
      const copy = position.byte > 0 ? copyOf(this.#path, position, records.namedUntil) : undefined;
      if (copy?.hasMore) return this.#goTo(this.#openRotated(copy.path, position));
      if (!copy) this.#onGap(this.#rewrittenGap(position, records));
    }
    this.#isLeaving = true;
    records.finish();
    return true;
  }
  #openNext(): boolean {
    const records = this.#rows.records();
    const rotated = rotatedAfter(this.#path, records.stats(), records.namedUntil);
    if (rotated !== undefined) return this.#goTo(this.#openRotated(rotated));
    const between = records.over === 'rewritten' ? [] : this.#packedBetween(records);
    if (between.length > 0)
      this.#onGap(
        `Rows of ${basename(this.#path)} may be missing behind line ${records.position().lines} of a former file: ` +
          `files that had the name afterwards were packed before they were read. ${mayHaveThem(between)}`.trimEnd(),
      );
    // There may be a moment without a file of this name.
    if (!fileNamed(this.#path)) return false;
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

  #packedBetween(records: FileRecords): readonly string[] {
    if (!fileNamed(this.#path)) return [];
    return packedAfter(this.#path, records.position(), records.stats().mtimeMs);
  }
  /** What was appended between the last look and a truncation is in no file any more. */
  #rewrittenGap({ byte, lines }: FilePosition, records: FileRecords): string {
    const time = (millis: number): string => new Date(millis).toISOString();
    const since = records.sameAt ?? records.namedUntil;
    const names = unreadableSince(this.#path, records.namedUntil);
    return (
      `Rows of ${basename(this.#path)} may be missing: the file was truncated or rewritten between ${time(since)} ` +
      `and ${time(this.#clock.now())}. What was appended behind line ${lines} (byte ${byte}) in that time is lost, ` +
      `unless a copy has it. ${mayHaveThem(names)}The present file is read from its start.`
    );
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

function mayHaveThem(names: readonly string[]): string {
  if (names.length === 0) return '';
  const all = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  return `${all} may have them: unpack and read with file(). `;
}
