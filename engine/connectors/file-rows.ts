// What the records of a file mean: one reader per format, each giving rows with their place, or what is wrong with them.
import { basename } from 'node:path';
import { parse } from 'csv-parse/sync';
import { SluiceError } from '../error.ts';
import { endOfLine, type FilePosition, type FileRecord, FileRecords, type FindEnd } from './file-records.ts';

export interface FileRow {
  readonly value: unknown;
  /** A sentence: why there is no value. */
  readonly problem?: string;
  readonly record: FileRecord;
}
export interface FileRows {
  /** undefined: the file is at its end. */
  next(): FileRow | undefined;
  close(): void;
}

export function openRows(path: string, format: 'jsonl' | 'csv', from?: FilePosition): FileRows {
  return format === 'jsonl' ? jsonLines(path, from) : csvRows(path, from);
}

const notUtf8 = 'It is not UTF-8.';

function jsonLines(path: string, from: FilePosition | undefined): FileRows {
  const records = new FileRecords(path, endOfLine, from);
  return {
    next() {
      const record = nextFilled(records);
      if (!record) return undefined;
      if (!record.isUtf8) return { value: undefined, problem: notUtf8, record };
      try {
        return { value: JSON.parse(record.text), record };
      } catch (error) {
        return { value: undefined, problem: `It is not JSON: ${(error as Error).message}.`, record };
      }
    },
    close: () => records.close(),
  };
}

/** Empty lines separate nothing. */
function nextFilled(records: FileRecords): FileRecord | undefined {
  let record = records.next();
  while (record !== undefined && record.text.trim() === '') record = records.next();
  return record;
}

// ------------------------------------------------------------------------------------------------ csv

const [comma, quote, newline] = [44, 34, 10];

/** A quote opens a field only at its beginning; inside quotes a newline is text. */
const endOfCsvRecord: FindEnd = (bytes, from, to) => {
  let isQuoted = false;
  let isFieldStart = true;
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    // A doubled quote closes and opens again.
    if (byte === quote && (isQuoted || isFieldStart)) isQuoted = !isQuoted;
    else if (byte === newline && !isQuoted) return i;
    isFieldStart = byte === comma || (byte === quote && !isQuoted);
  }
  return -1;
};

/** Parsed together: a call of the parser costs as much as four records. */
const csvBatch = 128;

function csvRows(path: string, from: FilePosition | undefined): FileRows {
  let records = new FileRecords(path, endOfCsvRecord);
  const header = nextFilled(records);
  const columns = header ? columnsOf(path, header) : [];
  if (from && header && from.byte > header.after.byte) {
    records.close();
    records = new FileRecords(path, endOfCsvRecord, from);
  }
  let rows: FileRow[] = [];
  let at = 0;
  return {
    next() {
      if (at === rows.length) {
        const batch: FileRecord[] = [];
        for (let record; batch.length < csvBatch && (record = nextFilled(records));) batch.push(record);
        rows = parseCsv(batch, columns);
        at = 0;
      }
      return rows[at++];
    },
    close: () => records.close(),
  };
}

function columnsOf(path: string, header: FileRecord): string[] {
  const row = parseCsvRecords([header], false)[0] as readonly string[];
  const twice = row.find((name, index) => row.indexOf(name) !== index);
  if (twice !== undefined)
    throw new SluiceError('bad-file', `The header of ${basename(path)} names the column "${twice}" twice. Rename one.`);
  return [...row];
}

/** All at once; when one of them is broken, one by one, so that only it is lost. */
function parseCsv(batch: readonly FileRecord[], columns: string[]): FileRow[] {
  if (batch.every((record) => record.isUtf8)) {
    try {
      const values = parseCsvRecords(batch, columns);
      if (values.length === batch.length) return batch.map((record, i) => ({ value: values[i], record }));
    } catch {
      // One of them; which one is seen below.
    }
  }
  return batch.map((record) => {
    if (!record.isUtf8) return { value: undefined, problem: notUtf8, record };
    try {
      return { value: parseCsvRecords([record], columns)[0], record };
    } catch (error) {
      return { value: undefined, problem: csvProblem(error, columns), record };
    }
  });
}

function parseCsvRecords(batch: readonly FileRecord[], columns: string[] | false): unknown[] {
  const text = batch.map((record) => record.text).join('\n');
  return columns === false
    ? parse(text, { columns })
    : parse(text, { columns, cast: (field) => csvValue(field), record_delimiter: '\n' });
}

function csvProblem(error: unknown, columns: readonly string[]): string {
  const { code, record, message } = error as { code?: string; record?: readonly unknown[]; message: string };
  if (code === 'CSV_RECORD_INCONSISTENT_COLUMNS')
    return `It has ${record?.length} fields, and the header names ${columns.length}.`;
  return `It is not CSV: ${message.replace(/ (?:at|on) line \d+/, '')}.`;
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A JSON number becomes one ("007" is none), empty is null, true and false are boolean; all else stays text. */
function csvValue(field: string): unknown {
  if (field === '') return null;
  if (field === 'true') return true;
  if (field === 'false') return false;
  if (!jsonNumber.test(field)) return field;
  const value = Number(field);
  return Number.isFinite(value) ? value : field;
}
