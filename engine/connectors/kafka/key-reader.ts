// Reads the keys of records: as text, or in the format of the plan.
import type { FormatSpec } from '../../graph/format-spec.ts';
import type { Outcome, RecordBytes, ValueFormat } from '../../formats/value-format.ts';
import { openFormatSpec } from './record-decoder.ts';

export class KeyReader {
  readonly #spec: FormatSpec | undefined;
  readonly #connection: string | undefined;
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
    this.#format = this.#spec && openFormatSpec(this.#spec, this.#connection);
  }
  get trouble(): string | undefined {
    return this.#format?.trouble;
  }
  watch(listener: () => void): () => void {
    return this.#format?.watch?.(listener) ?? (() => undefined);
  }

  read(bytes: Buffer | undefined): Outcome {
    this.value = undefined;
    if (!bytes) return 'value';
    if (!this.#format) {
      this.value = bytes.toString('utf8');
      return 'value';
    }
    const record: RecordBytes = { bytes, slice: (start, end) => bytes.toString('utf8', start, end) };
    const outcome = this.#format.read(record, 0, bytes.length);
    if (outcome === 'value') this.value = this.#format.value;
    else this.problem = `: its key${this.#format.problem}`;
    return outcome;
  }
}
