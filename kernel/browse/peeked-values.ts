// What the bytes of a peeked record mean. Its format is found as for a source with `format:
// 'auto'`. A record that cannot be read is shown all the same, as text or as bytes, with its
// problem.
import { isUtf8 } from 'node:buffer';
import { openFormatSpec, type ChunkText } from '../../engine/connectors/kafka/record-decoder.ts';
import { SluiceError } from '../../engine/errors/error.ts';
import { FoundFormat } from '../../engine/formats/found-format.ts';
import type { RecordBytes, ValueFormat } from '../../engine/formats/value-format.ts';
import type { ChunkRecord, ChunkRecords } from './chunk-records.ts';

export interface PeekedValue {
  readonly value: unknown;
  readonly problem?: string;
}

export class PeekedValues {
  readonly #values: ValueFormat;
  readonly #keys: ValueFormat;
  /** Why no record with a schema can be read. */
  #failure: string | undefined;
  #stops: (() => void)[];

  /** `onSchema` is called when a schema has come. */
  constructor(connection: string | undefined, onSchema: () => void) {
    this.#values = openFormatSpec({ format: 'auto' }, connection);
    this.#keys = openFormatSpec({ format: 'auto' }, connection);
    this.#stops = [this.#values, this.#keys].map((format) => format.watch?.(onSchema) ?? (() => undefined));
  }
  close(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** "JSON", "Avro (schema registry)"; undefined: no record has shown it. */
  get about(): string | undefined {
    return this.#values instanceof FoundFormat ? this.#values.about : undefined;
  }
  /** Why a schema is not there yet, or cannot be had. */
  get trouble(): string | undefined {
    return this.#failure ?? this.#values.trouble ?? this.#keys.trouble;
  }
  /** The first records of a chunk show the format. */
  look({ text, chunk }: ChunkRecords): void {
    if (this.#values instanceof FoundFormat) this.#values.lookAt(text, chunk.columns.lengths, chunk.columns.count);
  }

  /** 'schema': the record waits for its schema. */
  value({ text, start, length }: ChunkRecord): PeekedValue | 'schema' {
    // A tombstone.
    return length < 0 ? { value: null } : this.#read(this.#values, text, start, start + length);
  }
  key({ key }: ChunkRecord): PeekedValue | 'schema' | undefined {
    if (key === undefined) return undefined;
    const text: RecordBytes = { bytes: key, slice: (start, end) => key.toString('utf8', start, end) };
    return this.#read(this.#keys, text, 0, key.length);
  }

  #read(format: ValueFormat, text: RecordBytes | ChunkText, start: number, end: number): PeekedValue | 'schema' {
    const raw = (problem: string): PeekedValue => ({ value: rawValue(text.bytes.subarray(start, end)), problem });
    if (this.#failure !== undefined) return raw(this.#failure);
    try {
      const outcome = format.read(text, start, end);
      if (outcome === 'schema') return outcome;
      return outcome === 'value' ? { value: format.value } : raw(format.problem.trim().replace(/^: /, ''));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      // Asking for each record again would only repeat the refusal.
      this.#failure = error.message.replace(/\.$/, '');
      return raw(this.#failure);
    }
  }
}

/** The text of the bytes, or a copy of the bytes. */
function rawValue(bytes: Buffer): unknown {
  return isUtf8(bytes) ? bytes.toString('utf8') : new Uint8Array(bytes);
}
