// Converts records of a compacted topic to rows of a table, {key, row}. A record without a value is
// a tombstone: it deletes the row with its key.
//
// A row has its key in the field `key`. A tombstone has only the record's key, and no metadata says
// how a producer writes keys. So the first record with a value whose key agrees with its field
// determines how all keys of the topic are read.
//
//   text    customer-7                the field is a text, and the key is that text
//   json    7 · "customer-7" · true   the key is JSON, and the field is that value
//   field   {"id": 7}                 the key is a JSON object with a field of that name
//
// With a `keyFormat`, the key is what the format reads: the value itself, or an object with the
// field.
//
// A tombstone before any such record deletes nothing, because no row can have been read before it.
// If there were records with a value, but none showed the form of the keys, a tombstone cannot be
// read and goes to `errors`. The event time of a tombstone is the timestamp of the Kafka record,
// because it has no row.
import { parseJson } from '../../formats/integers.ts';
import type { RecordBytes } from '../../formats/value-format.ts';
import type { Integers } from '../../graph/format-spec.ts';
import { described } from '../../values/kind.ts';
import type { KeyReader } from './key-reader.ts';
import { timestampProblem, type RecordDecoder } from './record-decoder.ts';

export type KeyForm = 'text' | 'json' | 'field';
/**
 * What the records have shown so far. 'other': there were rows, and no key agreed with its field.
 */
export type ShownForm = KeyForm | 'other';

export class TableDecoder {
  readonly #field: string;
  readonly #rows: RecordDecoder;
  readonly #keys: KeyReader;
  readonly #integers: Integers | undefined;
  /** The {key, row} that `decode` found; undefined: a tombstone that deletes nothing. */
  value: { readonly key: unknown; readonly row: unknown } | undefined;
  timestamp = NaN;
  problem = '';
  /** `decode` returned false because a schema of the record is being fetched. */
  waits = false;
  /** The form of the keys; undefined: there was no record with a value. */
  form: ShownForm | undefined;

  constructor(field: string, rows: RecordDecoder, keys: KeyReader, integers?: Integers) {
    this.#integers = integers;
    this.#field = field;
    this.#rows = rows;
    this.#keys = keys;
  }

  decode(
    record: RecordBytes,
    start: number,
    length: number,
    recordTimestamp: number,
    keyBytes: Buffer | undefined,
  ): boolean {
    const keys = this.#keys;
    const outcome = keys.read(keyBytes);
    this.waits = outcome === 'schema';
    if (this.waits) return false;
    // The key of a row is in the row. Only a tombstone needs the record's key.
    const key = outcome === 'value' ? keys.value : undefined;
    if (length >= 0) return this.#row(record, start, length, recordTimestamp, key);
    if (outcome === 'problem') return this.#refuse(keys.problem);
    return this.#tombstone(key, recordTimestamp);
  }
  #row(record: RecordBytes, start: number, length: number, recordTimestamp: number, key: unknown): boolean {
    const rows = this.#rows;
    if (!rows.decode(record, start, length, recordTimestamp)) {
      this.waits = rows.waits;
      return this.#refuse(rows.problem);
    }
    const row = rows.value;
    if (row === null || typeof row !== 'object')
      return this.#refuse(` is ${described(row)}, which has no "${this.#field}": it is no row of the table`);
    const value = (row as Readonly<Record<string, unknown>>)[this.#field];
    if (value === undefined) return this.#refuse(` has no "${this.#field}", so it is no row of the table`);
    if (this.form === undefined || this.form === 'other')
      this.form = formOf(key, this.#field, value, this.#integers) ?? 'other';
    this.value = { key: value, row };
    this.timestamp = rows.timestamp;
    return true;
  }
  #tombstone(key: unknown, recordTimestamp: number): boolean {
    this.value = undefined;
    this.timestamp = recordTimestamp;
    if (this.form === undefined) return true;
    const value = this.form === 'other' ? undefined : valueOfKey(key, this.#field, this.form, this.#integers);
    if (value === undefined)
      return this.#refuse(
        ` has no value, so it deletes a row of the table, but its key, ${shownKey(key)}, does not say which "${this.#field}". A key is that value as text or as JSON, or an object with the field "${this.#field}"`,
      );
    const problem = timestampProblem(recordTimestamp);
    if (problem !== undefined) return this.#refuse(problem);
    this.value = { key: value, row: null };
    return true;
  }
  #refuse(problem: string): false {
    this.problem = problem;
    return false;
  }
}

function formOf(key: unknown, field: string, value: unknown, integers: Integers | undefined): KeyForm | undefined {
  for (const form of ['text', 'json', 'field'] as const) {
    const read = valueOfKey(key, field, form, integers);
    if (read !== undefined && read === value) return form;
  }
  return undefined;
}

/** undefined: the key does not have this form. */
function valueOfKey(key: unknown, field: string, form: KeyForm, integers: Integers | undefined): unknown {
  if (key === undefined || form === 'text') return key;
  const parsed = typeof key === 'string' ? parsedKey(key, integers) : key;
  if (form === 'json') return parsed;
  if (parsed === null || typeof parsed !== 'object' || !Object.hasOwn(parsed, field)) return undefined;
  return (parsed as Readonly<Record<string, unknown>>)[field];
}

function shownKey(key: unknown): string {
  if (key === undefined) return 'none';
  return typeof key === 'string' ? key : described(key);
}
function parsedKey(text: string, integers: Integers | undefined): unknown {
  try {
    return parseJson(text, integers);
  } catch {
    return undefined;
  }
}
