// Converts records to elements with the field `meta`, which says where a record lies and what came
// with its value: topic, partition, offset, timestamp, key and headers. Only for kafka() with
// meta: true; others pay nothing for it.
import type { RecordBytes } from '../../formats/value-format.ts';
import type { KeyReader } from './key-reader.ts';
import type { OpenChunk } from './open-chunk.ts';
import type { RecordDecoder } from './record-decoder.ts';
import { type HeaderValues, readHeaders } from './record-headers.ts';

/** As RecordMeta of engine/api/surface.ts. */
export interface Meta {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** null: the record has none. */
  readonly timestamp: number | null;
  /** null: the record has none. */
  readonly key: unknown;
  readonly headers: HeaderValues;
  /** The field `meta` of the value, if it has one. */
  readonly own?: unknown;
}
type MetaOpenChunk = Pick<OpenChunk, 'chunk' | 'state' | 'text' | 'at' | 'headersAt'>;

export class MetaDecoder {
  readonly #values: RecordDecoder;
  readonly #keys: KeyReader;
  value: unknown;
  timestamp = NaN;
  problem = '';
  /** `decode` returned false because a schema of the record is being fetched. */
  waits = false;

  constructor(values: RecordDecoder, keys: KeyReader) {
    this.#values = values;
    this.#keys = keys;
  }

  /** `open.at` is already behind the record. */
  decode(
    record: RecordBytes,
    start: number,
    length: number,
    recordTimestamp: number,
    keyBytes: Buffer | undefined,
    open: MetaOpenChunk,
  ): boolean {
    const headersAt = open.headersAt;
    const headersSize = open.chunk.columns.headers!.lengths[open.at - 1]!;
    open.headersAt += Math.max(0, headersSize);
    const isElement = this.#read(record, start, length, recordTimestamp, keyBytes);
    // The record is read again, and its headers with it.
    if (this.waits) open.headersAt = headersAt;
    if (!isElement) return false;
    const { split } = open.state;
    this.value = withMeta(this.#values.value, {
      topic: split.topic,
      partition: split.partition,
      offset: String(open.chunk.columns.offsets[open.at - 1]!),
      timestamp: recordTimestamp < 0 ? null : recordTimestamp,
      key: this.#keys.value ?? null,
      headers: readHeaders(open.text.headers!, headersAt, headersSize),
    });
    return true;
  }

  #read(
    record: RecordBytes,
    start: number,
    length: number,
    recordTimestamp: number,
    keyBytes: Buffer | undefined,
  ): boolean {
    const [values, keys] = [this.#values, this.#keys];
    const outcome = keys.read(keyBytes);
    this.waits = outcome === 'schema';
    if (this.waits) return false;
    if (!values.decode(record, start, length, recordTimestamp)) {
      this.waits = values.waits;
      this.problem = values.problem;
      return false;
    }
    this.timestamp = values.timestamp;
    if (outcome === 'value') return true;
    this.problem = keys.problem;
    return false;
  }
}

/** A value that has fields gets one more. Another one is the field `value` beside it. */
function withMeta(value: unknown, meta: Meta): unknown {
  if (!hasFields(value)) return { value, meta };
  return { ...value, meta: Object.hasOwn(value, 'meta') ? { ...meta, own: value['meta'] } : meta };
}
function hasFields(value: unknown): value is Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object') return false;
  return !Array.isArray(value) && !(value instanceof Date) && !ArrayBuffer.isView(value);
}
