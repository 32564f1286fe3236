// The rows of a CSV file: where a record ends, its fields, and the header. csv-columns.ts has the
// types of the columns.
import { basename } from 'node:path';
import { type Options, parse } from 'csv-parse/sync';
import { closestName } from '../errors/closest-name.ts';
import { SluiceError } from '../errors/error.ts';
import type { CsvSpec } from '../graph/parameters.ts';
import { type CsvColumns, type Field, sampledRows, textOf } from './csv-columns.ts';
import { type FilePosition, type FileRecord, FileRecords, type FindEnd, type ReadOptions } from './file-records.ts';
import { type FileRow, type FileRows, notUtf8 } from './file-row.ts';

const [newline, carriageReturn] = [10, 13];
/** The number of records for one call of the parser. A call has the cost of four records. */
const csvBatch = 128;

/** The characters of a file. A `sep=;` line may set the delimiter. */
interface Characters {
  delimiter: string;
  /** Empty: no character quotes. */
  readonly quote: string;
  readonly comment: string | undefined;
}

/**
 * A quote opens a field only at the field's beginning. A line end inside quotes is text, and a
 * comment ends with its line.
 */
const endOfCsvRecord =
  (characters: Characters): FindEnd =>
  (bytes, from, to) => {
    const delimiter = characters.delimiter.charCodeAt(0);
    const quote = characters.quote === '' ? -1 : characters.quote.charCodeAt(0);
    const isComment = characters.comment !== undefined && bytes[from] === characters.comment.charCodeAt(0);
    let isQuoted = false;
    let isFieldStart = !isComment;
    for (let i = from; i < to; i++) {
      const byte = bytes[i];
      // A doubled quote closes the field and opens it again.
      if (byte === quote && (isQuoted || isFieldStart)) isQuoted = !isQuoted;
      else if (byte === newline && !isQuoted) return i;
      else if (byte === carriageReturn && !isQuoted) {
        // The next byte shows whether it is the line end alone.
        if (i + 1 === to) return -1;
        if (bytes[i + 1] !== newline) return i;
      }
      isFieldStart = !isComment && (byte === delimiter || (byte === quote && !isQuoted));
    }
    return -1;
  };

interface Parsed {
  readonly record: FileRecord;
  readonly fields?: readonly Field[];
  readonly problem?: string;
}

export class CsvRows implements FileRows {
  readonly #path: string;
  readonly #spec: CsvSpec;
  readonly #characters: Characters;
  readonly #columns: CsvColumns;
  readonly #options: ReadOptions;
  readonly #from: FilePosition | undefined;
  readonly #findEnd: FindEnd;
  #records: FileRecords;
  /** A record of the beginning that is not the header. */
  #held: FileRecord | undefined;
  #names: readonly string[] | undefined;
  #header: readonly Field[] | undefined;
  #rows: FileRow[] = [];
  #at = 0;
  #hint: string | undefined;
  #note: string | undefined;

  constructor(path: string, spec: CsvSpec, columns: CsvColumns, from: FilePosition | undefined, options: ReadOptions) {
    this.#path = path;
    this.#spec = spec;
    this.#columns = columns;
    this.#from = from;
    this.#options = { ...options, ends: [newline, carriageReturn] };
    this.#characters = { delimiter: spec.delimiter ?? ',', quote: spec.quote ?? '"', comment: spec.comment };
    this.#findEnd = endOfCsvRecord(this.#characters);
    this.#records = new FileRecords(path, this.#findEnd, undefined, this.#options);
    this.#begin();
  }

  next(): FileRow | undefined {
    // A followed file may be empty at first.
    if (!this.#names) this.#begin();
    if (!this.#names) return undefined;
    if (this.#at === this.#rows.length) {
      this.#rows = this.#read(this.#names);
      this.#at = 0;
    }
    return this.#at < this.#rows.length ? this.#rows[this.#at++] : undefined;
  }
  records(): FileRecords {
    return this.#records;
  }
  get note(): string | undefined {
    return this.#note;
  }
  close(): void {
    this.#records.close();
  }

  // ------------------------------------------------------------------------------------ header

  /** Reads what stands before the first row, and goes to the position. */
  #begin(): void {
    try {
      let record = this.#next();
      const separator = record && /^sep=(.)$/i.exec(record.text)?.[1];
      if (separator !== undefined) {
        if (this.#spec.delimiter === undefined) this.#characters.delimiter = separator;
        record = this.#next();
      }
      if (!record) return;
      this.#checkDelimiter();
      const { header = true } = this.#spec;
      if (header === true) this.#header = this.#headerOf(record);
      else this.#held = record;
      this.#names =
        header === true
          ? this.#namesOf(this.#header!.map(textOf))
          : header === false
            ? (this.#parse([record])[0]!.fields ?? [record.text]).map((_, at) => `column${at + 1}`)
            : header;
      this.#checkTypes(this.#names);
      if (!this.#from || this.#from.byte < this.#records.position().byte) return;
      this.#held = undefined;
      this.#records.close();
      this.#records = new FileRecords(this.#path, this.#findEnd, this.#from, this.#options);
    } catch (error) {
      this.close();
      throw error;
    }
  }
  /** A `sep=` line may have given it, or the default is the decimal separator. */
  #checkDelimiter(): void {
    const { delimiter } = this.#characters;
    if (delimiter !== (this.#spec.decimal ?? '.')) return;
    const both = JSON.stringify(delimiter);
    throw new SluiceError(
      'bad-file',
      `The decimal and the delimiter of ${basename(this.#path)} are both ${both}. Give the delimiter of the file, such as delimiter: ";".`,
      { path: this.#path },
    );
  }
  #headerOf(record: FileRecord): readonly Field[] {
    const refused = (why: string): SluiceError =>
      new SluiceError(
        'bad-file',
        `The header of ${basename(this.#path)} cannot be read. ${why} The header is the first line that is not empty.`,
        { path: this.#path },
      );
    if (record.text.includes('\0'))
      throw refused('It has zero bytes, as UTF-16 without a byte order mark has. Give encoding: "utf-16le".');
    if (!record.isUtf8) throw refused(notUtf8);
    const { fields, problem } = this.#parse([record])[0]!;
    if (!fields) throw refused(problem!);
    return fields;
  }
  #namesOf(names: readonly string[]): readonly string[] {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined)
      throw new SluiceError(
        'bad-file',
        `The header of ${basename(this.#path)} names the column "${twice}" twice. Rename one, or give the names as header: ["a", "b", …] of a file without header.`,
      );
    return names;
  }
  #checkTypes(names: readonly string[]): void {
    const { types = {} } = this.#spec;
    const unknown = typeof types === 'string' ? undefined : Object.keys(types).find((name) => !names.includes(name));
    if (unknown === undefined) return;
    const closest = closestName(unknown, names);
    throw new SluiceError(
      'bad-option',
      `types names the column "${unknown}", which ${basename(this.#path)} does not have.${closest === undefined ? '' : ` Closest: "${closest}".`} It has ${names.join(', ')}.`,
    );
  }

  // -------------------------------------------------------------------------------------- rows

  /** The next record that is neither empty nor a comment. */
  #next(): FileRecord | undefined {
    const { delimiter, comment } = this.#characters;
    for (;;) {
      const record = this.#held ?? this.#records.next();
      this.#held = undefined;
      if (record === undefined) return undefined;
      if (comment !== undefined && record.text.startsWith(comment)) continue;
      if (record.text !== '' && (record.text.includes(delimiter) || record.text.trim() !== '')) return record;
    }
  }

  #read(names: readonly string[]): FileRow[] {
    const columns = this.#columns;
    const wanted = columns.isKnown ? csvBatch : sampledRows;
    const batch: FileRecord[] = [];
    for (let record; batch.length < wanted && (record = this.#next()) !== undefined;) batch.push(record);
    if (batch.length === 0) return [];
    const parsed = this.#parse(batch).map((one) => this.#counted(one, names));
    if (!columns.isKnown) {
      this.#lookForDelimiter(names, parsed);
      const fitting = parsed.flatMap(({ fields }) => (fields ? [fields] : []));
      if (fitting.length > 0) columns.find(names, fitting, this.#header);
    }
    return parsed.map(({ record, fields, problem }) => {
      if (fields) return { record, ...columns.row(names, fields) };
      return { record, value: undefined, problem: this.#hint === undefined ? problem! : `${problem} ${this.#hint}` };
    });
  }
  #counted(parsed: Parsed, names: readonly string[]): Parsed {
    const { record, fields } = parsed;
    if (!fields || fields.length === names.length) return parsed;
    const named = this.#header ? 'the header names' : 'there are';
    return { record, problem: `It has ${fields.length} fields, and ${named} ${names.length}.` };
  }

  /** The file evidently has another delimiter: it divides the header and all rows alike. */
  #lookForDelimiter(names: readonly string[], parsed: readonly Parsed[]): void {
    if (names.length !== 1 && parsed.some(({ fields }) => fields !== undefined)) return;
    const lines = [...(this.#header ? [this.#header.map(textOf).join(this.#characters.delimiter)] : [])];
    lines.push(...parsed.slice(0, 100).map(({ record }) => record.text));
    const found = [',', ';', '\t', '|'].find((candidate) => {
      const fields = lines[0]!.split(candidate).length;
      return fields > names.length && lines.every((line) => line.split(candidate).length === fields);
    });
    if (found === undefined || found === this.#characters.delimiter) return;
    this.#hint = `The file seems to have another delimiter: give delimiter: ${JSON.stringify(found)}.`;
    this.#note = `${basename(this.#path)} has ${names.length === 1 ? '1 column' : `${names.length} columns`} with the delimiter ${JSON.stringify(this.#characters.delimiter)}, and ${lines[0]!.split(found).length} with ${JSON.stringify(found)}. Give delimiter: ${JSON.stringify(found)}.`;
  }

  /**
   * Parses all records at once. If one is broken, it parses them one by one, so that only the
   * broken one is rejected.
   */
  #parse(batch: readonly FileRecord[]): Parsed[] {
    if (batch.every((record) => record.isUtf8)) {
      try {
        const values = this.#fieldsOf(batch);
        if (values.length === batch.length) return batch.map((record, i) => ({ fields: values[i]!, record }));
      } catch {
        // One record is broken. The loop below finds it.
      }
    }
    return batch.map((record) => {
      if (!record.isUtf8) return { problem: notUtf8, record };
      try {
        return { fields: this.#fieldsOf([record])[0]!, record };
      } catch (error) {
        return { problem: `It is not CSV: ${(error as Error).message.replace(/ (?:at|on) line \d+/, '')}.`, record };
      }
    });
  }
  #fieldsOf(batch: readonly FileRecord[]): readonly (readonly Field[])[] {
    const { delimiter, quote } = this.#characters;
    const options: Options = {
      delimiter,
      quote: quote === '' ? false : quote,
      escape: quote === '' ? null : quote,
      cast: (field, { quoting }) => (quoting ? { quoted: field } : field),
      record_delimiter: '\n',
      relax_column_count: true,
    };
    const fields: unknown = parse(batch.map((record) => record.text).join('\n'), options);
    return fields as readonly (readonly Field[])[];
  }
}
