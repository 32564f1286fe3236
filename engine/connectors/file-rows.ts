// The rows of a file: one reader for each format.
import { basename } from 'node:path';
import { SluiceError } from '../errors/error.ts';
import { parseJson } from '../formats/integers.ts';
import type { Integers } from '../graph/format-spec.ts';
import type { CsvSpec, FileFormat } from '../graph/parameters.ts';
import { CsvColumns } from './csv-columns.ts';
import { CsvRows } from './csv-rows.ts';
import {
  endOfLine,
  type FilePosition,
  type FileRecord,
  FileRecords,
  type FindEnd,
  type ReadOptions,
} from './file-records.ts';
import { type FileRow, type FileRows, notUtf8 } from './file-row.ts';

/** How the records of a file are read. */
export interface FileReading extends ReadOptions {
  readonly csv?: CsvSpec | undefined;
  /** Default: 'bigint'. */
  readonly integers?: Integers | undefined;
  /** The types of a CSV file's columns, if they are kept by the caller. */
  readonly columns?: CsvColumns;
}

export function openRows(path: string, format: FileFormat, from?: FilePosition, reading: FileReading = {}): FileRows {
  switch (format) {
    case 'jsonl':
      return jsonLines(path, from, reading);
    case 'json':
      return jsonArray(path, from, reading);
    case 'csv':
    case 'tsv': {
      const spec = format === 'tsv' ? { delimiter: '\t', ...reading.csv } : (reading.csv ?? {});
      return new CsvRows(path, spec, reading.columns ?? new CsvColumns(spec, reading.integers), from, reading);
    }
  }
}

function jsonLines(path: string, from: FilePosition | undefined, options: FileReading): FileRows {
  const records = new FileRecords(path, endOfLine, from, options);
  return {
    next() {
      const record = nextFilled(records);
      return record && jsonRow(record, records.hasLongDigits ? options.integers : 'number');
    },
    records: () => records,
    close: () => records.close(),
  };
}
function jsonRow(record: FileRecord, integers: Integers | undefined): FileRow {
  if (!record.isUtf8) return { value: undefined, problem: notUtf8, record };
  try {
    return { value: parseJson(record.text, integers), record };
  } catch (error) {
    return { value: undefined, problem: `It is not JSON: ${(error as Error).message}.`, record };
  }
}

// -------------------------------------------------------------------------------------------- json

const [arrayStart, arrayEnd, objectStart, objectEnd] = [91, 93, 123, 125];
const [comma, quote, backslash] = [44, 34, 92];

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

function jsonArray(path: string, from: FilePosition | undefined, { encoding, integers }: FileReading): FileRows {
  const records = new FileRecords(path, endOfElement(from === undefined), from, { ends: [comma, arrayEnd], encoding });
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
      const line = record.line + before.split('\n').length - 1;
      return jsonRow({ ...record, text: body.trim(), line }, records.hasLongDigits ? integers : 'number');
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
