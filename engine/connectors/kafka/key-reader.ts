// Reads the keys of records in the format of the plan. Without one, a key is a text; one that is no
// text is shown in base64.
import { isUtf8 } from 'node:buffer';
import type { FormatSpec } from '../../graph/format-spec.ts';
import { type FoundKind, FoundFormat } from '../../formats/found-format.ts';
import type { Outcome, RecordBytes, ValueFormat } from '../../formats/value-format.ts';
import { openFormatSpec } from './record-decoder.ts';
import { bufferOn, type SideColumn } from './record-columns.ts';

/** The bytes of a key, or of the keys of a chunk. */
class KeyBytes implements RecordBytes {
  bytes: Buffer = Buffer.alloc(0);
  slice(start: number, end: number): string {
    return this.bytes.toString('utf8', start, end);
  }
}

export class KeyReader {
  readonly #spec: FormatSpec | undefined;
  readonly #connection: string | undefined;
  readonly #record = new KeyBytes();
  #format: ValueFormat | undefined;
  /** undefined: the record has no key. */
  value: unknown;
  problem = '';

  constructor(spec: FormatSpec | undefined, connection?: string) {
    this.#spec = spec;
    this.#connection = connection;
  }
  /** Before the first record. Errors: those of a format without a schema or a registry. */
  open(): void {
    this.#format = this.#spec && openFormatSpec(this.#spec, this.#connection, 'key');
  }
  get trouble(): string | undefined {
    return this.#format?.trouble;
  }
  watch(listener: () => void): () => void {
    return this.#format?.watch?.(listener) ?? (() => undefined);
  }

  /** Lets the first keys of a chunk show their format. */
  look({ bytes, lengths }: SideColumn, count: number): void {
    if (!(this.#format instanceof FoundFormat) || this.#format.kind !== undefined) return;
    this.#record.bytes = bufferOn(bytes);
    this.#format.lookAt(this.#record, lengths, count);
  }
  /** The format that was found, for a snapshot; undefined: none yet, or it is given. */
  get found(): FoundKind | undefined {
    return this.#format instanceof FoundFormat ? this.#format.kind : undefined;
  }
  restore(found: FoundKind | undefined): void {
    if (found !== undefined && this.#format instanceof FoundFormat) this.#format.restore(found);
  }
  /** The format that was found, for the user. */
  get about(): string | undefined {
    return this.#format instanceof FoundFormat ? this.#format.about : undefined;
  }

  read(bytes: Buffer | undefined): Outcome {
    this.value = undefined;
    if (!bytes) return 'value';
    if (!this.#format) {
      this.value = bytes.toString(isUtf8(bytes) ? 'utf8' : 'base64');
      return 'value';
    }
    this.#record.bytes = bytes;
    const outcome = this.#format.read(this.#record, 0, bytes.length);
    if (outcome === 'value') this.value = this.#format.value;
    else this.problem = `: its key${this.#format.problem}`;
    return outcome;
  }
}
