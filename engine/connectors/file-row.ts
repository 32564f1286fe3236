// A row of a file has a value or a problem, and its place.
import type { FileRecord, FileRecords } from './file-records.ts';

export interface FileRow {
  readonly value: unknown;
  /** A sentence that says why there is no value. */
  readonly problem?: string | undefined;
  readonly record: FileRecord;
}
export interface FileRows {
  /** undefined: the file is at its end. A followed file may grow later. */
  next(): FileRow | undefined;
  /** The records that it reads. */
  records(): FileRecords;
  /** A warning for the user. */
  readonly note?: string | undefined;
  close(): void;
}

export const notUtf8 =
  'It is not UTF-8, or not the given encoding. Give the encoding of the file, such as encoding: "windows-1252".';
