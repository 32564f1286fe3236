// The rows of a file: one reader for each format. A row has a value or a problem, and its place.
import type { FileFormat } from '../graph/parameters.ts';
import { basename } from 'node:path';
import { parse } from 'csv-parse/sync';
import { SluiceError } from '../errors/error.ts';
import {
  endOfLine,
  type FilePosition,
  type FileRecord,
  FileRecords,
  type FindEnd,
  type ReadOptions,
} from './file-records.ts';

export interface FileRow {
  readonly value: unknown;
  /** A sentence that says why there is no value. */
  readonly problem?: string;
  readonly record: FileRecord;
}
export interface FileRows {
  /** undefined: the file is at its end. A followed file may grow later. */
  next(): FileRow | undefined;
  /** The records that it reads. */
  records(): FileRecords;
  close(): void;
}

export function openRows(path: string, format: FileFormat, from?: FilePosition, options: ReadOptions = {}): FileRows {
  switch (format) {
    case 'jsonl':
      return jsonLines(path, from, options);
    case 'json':
      return jsonArray(path, from);
    case 'csv':
      return csvRows(path, comma, from, options);
    case 'tsv':
      return csvRows(path, tab, from, options);
  }
}

const notUtf8 = 'It is not UTF-8.';

function jsonLines(path: string, from: FilePosition | undefined, options: ReadOptions): FileRows {
  const records = new FileRecords(path, endOfLine, from, options);
  return {
    next() {
      const record = nextFilled(records);
      return record && jsonRow(record);
    },
    records: () => records,
    close: () => records.close(),
  };
}
function jsonRow(record: FileRecord): FileRow {
  if (!record.isUtf8) return { value: undefined, problem: notUtf8, record };
  try {
    return { value: JSON.parse(record.text), record };
  } catch (error) {
    return { value: undefined, problem: `It is not JSON: ${(error as Error).message}.`, record };
  }
}

// -------------------------------------------------------------------------------------------- json

const [arrayStart, arrayEnd, objectStart, objectEnd, backslash] = [91, 93, 123, 125, 92];

/**
 * The elements of one array. Each ends at the following comma or bracket. The first begins with the
 * array's bracket.
 */
function endOfElement(isFirst: boolean): FindEnd {
  return (bytes, from, to) => {
    // The bracket of the array adds one level to the first element.
    let depth = isFirst ? -1 : 0;
    let isText = false;
    for (let i = from; i < to; i++) {
      const byte = bytes[i];
      if (isText) {
        if (byte === backslash) i++;
        else if (byte === quote) isText = false;
      } else if (byte === quote) isText = true;
      else if (byte === arrayStart || byte === objectStart) depth++;
      else if ((byte === comma || byte === arrayEnd) && depth === 0) {
        isFirst = false;
        return i;
      } else if (byte === arrayEnd || byte === objectEnd) depth--;
    }
    return -1;
  };
}

function jsonArray(path: string, from: FilePosition | undefined): FileRows {
  const records = new FileRecords(path, endOfElement(from === undefined), from, { ends: [comma, arrayEnd] });
  let isFirst = from === undefined;
  return {
    next() {
      const record = nextFilled(records);
      if (!record) return undefined;
      const whole = record.text.trimStart();
      if (isFirst && !whole.startsWith('['))
        throw new SluiceError(
          'bad-file',
          `${basename(path)} is not a JSON array: it begins with ${JSON.stringify(whole.slice(0, 20))}. If it has one record per line, use format: "jsonl".`,
        );
      const body = isFirst ? whole.slice(1) : whole;
      const before = record.text.slice(0, record.text.length - body.trimStart().length);
      isFirst = false;
      // The array is empty.
      if (body.trim() === '') return this.next();
      return jsonRow({ ...record, text: body.trim(), line: record.line + before.split('\n').length - 1 });
    },
    records: () => records,
    close: () => records.close(),
  };
}

/** The next record that is not empty. */
function nextFilled(records: FileRecords): FileRecord | undefined {
  let record = records.next();
  while (record !== undefined && record.text.trim() === '') record = records.next();
  return record;
}

// --------------------------------------------------------------------------------------------- csv

const [comma, quote, newline, tab] = [44, 34, 10, 9];

/** A quote opens a field only at the field's beginning. A newline inside quotes is text. */
const endOfCsvRecord =
  (delimiter: number): FindEnd =>
  (bytes, from, to) => {
    let isQuoted = false;
    let isFieldStart = true;
    for (let i = from; i < to; i++) {
      const byte = bytes[i];
      // A doubled quote closes the field and opens it again.
      if (byte === quote && (isQuoted || isFieldStart)) isQuoted = !isQuoted;
      else if (byte === newline && !isQuoted) return i;
      isFieldStart = byte === delimiter || (byte === quote && !isQuoted);
    }
    return -1;
  };

/** The number of records for one call of the parser. A call has the cost of four records. */
const csvBatch = 128;

function csvRows(path: string, delimiter: number, from: FilePosition | undefined, options: ReadOptions): FileRows {
  const findEnd = endOfCsvRecord(delimiter);
  let records = new FileRecords(path, findEnd, undefined, options);
  let columns: string[] | undefined;
  const readHeader = (): void => {
    const header = nextFilled(records);
    if (!header) return;
    columns = columnsOf(path, header, delimiter);
    if (!from || from.byte <= header.after.byte) return;
    records.close();
    records = new FileRecords(path, findEnd, from, options);
  };
  readHeader();
  let rows: FileRow[] = [];
  let at = 0;
  return {
    next() {
      // A followed file may be empty at first.
      if (!columns) readHeader();
      if (!columns) return undefined;
      if (at === rows.length) {
        const batch: FileRecord[] = [];
        for (let record; batch.length < csvBatch && (record = nextFilled(records));) batch.push(record);
        rows = parseCsv(batch, columns, delimiter);
        at = 0;
      }
      return at < rows.length ? rows[at++] : undefined;
    },
    records: () => records,
    close: () => records.close(),
  };
}

function headerFields(path: string, header: FileRecord, delimiter: number): readonly string[] {
  try {
    return parseCsvRecords([header], false, delimiter)[0] as readonly string[];
  } catch (error) {
    const message = `The header of ${basename(path)} cannot be read. ${csvProblem(error, [])} The header is the first line that is not empty.`;
    throw new SluiceError('bad-file', message, { path }, { cause: error });
  }
}

function columnsOf(path: string, header: FileRecord, delimiter: number): string[] {
  const row = headerFields(path, header, delimiter);
  const twice = row.find((name, index) => row.indexOf(name) !== index);
  if (twice !== undefined)
    throw new SluiceError('bad-file', `The header of ${basename(path)} names the column "${twice}" twice. Rename one.`);
  return [...row];
}

/**
 * Parses all records at once. If one is broken, it parses them one by one, so that only the broken
 * one is rejected.
 */
function parseCsv(batch: readonly FileRecord[], columns: string[], delimiter: number): FileRow[] {
  if (batch.every((record) => record.isUtf8)) {
    try {
      const values = parseCsvRecords(batch, columns, delimiter);
      if (values.length === batch.length) return batch.map((record, i) => ({ value: values[i], record }));
    } catch {
      // One record is broken. The loop below finds it.
    }
  }
  return batch.map((record) => {
    if (!record.isUtf8) return { value: undefined, problem: notUtf8, record };
    try {
      return { value: parseCsvRecords([record], columns, delimiter)[0], record };
    } catch (error) {
      return { value: undefined, problem: csvProblem(error, columns), record };
    }
  });
}

function parseCsvRecords(batch: readonly FileRecord[], columns: string[] | false, delimiterByte: number): unknown[] {
  const text = batch.map((record) => record.text).join('\n');
  const delimiter = String.fromCharCode(delimiterByte);
  return columns === false
    ? parse(text, { columns, delimiter, record_delimiter: '\n' })
    : parse(text, { columns, delimiter, cast: (field) => csvValue(field), record_delimiter: '\n' });
}

function csvProblem(error: unknown, columns: readonly string[]): string {
  const { code, record, message } = error as { code?: string; record?: readonly unknown[]; message: string };
  if (code === 'CSV_RECORD_INCONSISTENT_COLUMNS')
    return `It has ${record?.length} fields, and the header names ${columns.length}.`;
  return `It is not CSV: ${message.replace(/ (?:at|on) line \d+/, '')}.`;
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * A JSON number becomes a number ("007" is none), an empty field null, true and false become
 * booleans. Any other field stays a text.
 */
function csvValue(field: string): unknown {
  if (field === '') return null;
  if (field === 'true') return true;
  if (field === 'false') return false;
  if (!jsonNumber.test(field)) return field;
  const value = Number(field);
  return Number.isFinite(value) ? value : field;
}
