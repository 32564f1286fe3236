// Converts a Kafka record's bytes to an element and its event time, or to a sentence with the
// reason why it cannot. The format (engine/formats) reads the bytes. A record whose schema is being
// fetched has neither: it `waits`, and is decoded again when the schema has come.
import { isUtf8 } from 'node:buffer';
import type { FormatSpec } from '../../graph/format-spec.ts';
import type { FunctionRef, SelectorSpec, TimeReading } from '../../graph/spec.ts';
import type { FunctionTable } from '../../graph/plan.ts';
import { type FoundKind, FoundFormat } from '../../formats/found-format.ts';
import { openFormat, type RecordBytes, type RecordPart, type ValueFormat } from '../../formats/value-format.ts';
import { schemasFor } from '../../registry/schema-cache.ts';
import { compileEventTime, type EventTimeOrProblem, maxTimestamp } from '../../time/event-time.ts';
import { compileSchema, type Fitted, type Validate } from '../../values/standard-schema.ts';
import type { Chunk } from './reader-messages.ts';
import { bufferOn } from './record-columns.ts';

export interface DecoderSpec extends Partial<FormatSpec> {
  /** Name of the Kafka connection. */
  readonly connection?: string;
  readonly timestamp?: SelectorSpec;
  readonly time?: TimeReading;
  /** From the parsed value to { value } or { issues }, as Standard Schema has it. */
  readonly schema?: { readonly fn: FunctionRef };
}
/**
 * The bytes and the text of each value of a chunk, and the bytes of keys and headers if the plan
 * wants them.
 */
export class ChunkText implements RecordBytes {
  readonly bytes: Buffer;
  /**
   * All values as one string, if each byte is one character. Slicing it is cheaper than decoding
   * each value.
   */
  readonly #ascii: string | undefined;
  readonly longDigits: boolean | undefined;
  readonly keys: Buffer | undefined;
  readonly headers: Buffer | undefined;
  constructor({ columns: { values, keys, headers }, ascii, longDigits }: Chunk) {
    this.longDigits = longDigits;
    this.bytes = bufferOn(values);
    this.#ascii = ascii ? this.bytes.toString('latin1') : undefined;
    this.keys = keys && bufferOn(keys.bytes);
    this.headers = headers && bufferOn(headers.bytes);
  }
  slice(start: number, end: number): string {
    return this.#ascii === undefined ? this.bytes.toString('utf8', start, end) : this.#ascii.substring(start, end);
  }
}

/**
 * Opens a format of a plan, with the registry from the environment. `part` is what it reads, for
 * messages. Errors: as openFormat.
 */
export function openFormatSpec(
  spec: Partial<FormatSpec>,
  connection: string | undefined,
  part: RecordPart = 'value',
): ValueFormat {
  const { format = 'json', schemaFile, message, registry, integers } = spec;
  if (format === 'auto') return new FoundFormat({ registry, connection }, schemasFor, part, integers);
  return openFormat({ format, schemaFile, message, registry, connection, integers }, schemasFor, part);
}

export class RecordDecoder {
  readonly #spec: DecoderSpec;
  readonly #eventTime: EventTimeOrProblem | undefined;
  #format!: ValueFormat;
  readonly #validate: ((value: unknown) => Fitted) | undefined;
  /** The result of `decode`. */
  value: unknown;
  timestamp = NaN;
  /** Why the record has no element: the rest of a sentence that begins with "orders[3]@1842". */
  problem = '';
  /** `decode` returned false because the schema of the record is being fetched. */
  waits = false;

  constructor(spec: DecoderSpec, functions: FunctionTable, label: string) {
    this.#spec = spec;
    const { timestamp, time, schema } = spec;
    this.#eventTime = timestamp && compileEventTime(timestamp, functions, label, time);
    this.#validate = schema && compileSchema(functions.get<Validate>(schema.fn), 'kafka()');
  }

  /** Before the first record. Errors: those of a format without a schema or a registry. */
  open(): void {
    this.#format = openFormatSpec(this.#spec, this.#spec.connection);
  }
  /** Lets the first records of a chunk show their format. */
  look(record: RecordBytes, lengths: Int32Array, count: number): void {
    if (this.#format instanceof FoundFormat && this.#format.kind === undefined)
      this.#format.lookAt(record, lengths, count);
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
  /** A warning about the unit of its timestamps. */
  get note(): { readonly note?: string } {
    return this.#eventTime?.guess?.note(false) ?? {};
  }
  /** Why the schema of a record is not there yet, if it takes longer. */
  get trouble(): string | undefined {
    return this.#format?.trouble;
  }
  /** The listener is called when a schema has come. Returns a function that ends this. */
  watch(listener: () => void): () => void {
    return this.#format.watch?.(listener) ?? (() => undefined);
  }

  /**
   * true: `value` and `timestamp` are set. false: the record `waits`, or `problem` is set. A
   * negative `length` means that the record has no value.
   */
  decode(record: RecordBytes, start: number, length: number, recordTimestamp: number): boolean {
    this.waits = false;
    if (length < 0) return this.#refuse(' has no value (it is a tombstone)');
    const format = this.#format;
    const outcome = format.read(record, start, start + length);
    if (outcome !== 'value') {
      this.waits = outcome === 'schema';
      return this.#refuse(format.problem);
    }
    this.value = format.value;
    if (this.#validate && !this.#fits(this.#validate)) return false;
    if (!this.#eventTime) {
      this.timestamp = recordTimestamp;
      const problem = timestampProblem(recordTimestamp);
      return problem === undefined || this.#refuse(problem);
    }
    const time = this.#eventTime(this.value);
    if (typeof time === 'string')
      return this.#refuse(time.startsWith('The record ') ? time.slice('The record'.length) : `: ${time}`);
    this.timestamp = time;
    return true;
  }

  #fits(validate: (value: unknown) => Fitted): boolean {
    const { value, problem } = validate(this.value);
    if (problem !== undefined) return this.#refuse(problem.slice('The record'.length));
    this.value = value;
    return true;
  }
  #refuse(problem: string): false {
    this.problem = problem.replace(/\.$/, '');
    return false;
  }
}

/** undefined: the timestamp of a Kafka record is an event time. */
export function timestampProblem(timestamp: number): string | undefined {
  if (timestamp >= 0 && timestamp <= maxTimestamp) return undefined;
  return timestamp > maxTimestamp
    ? ` has the timestamp ${timestamp} in Kafka, which is no time in epoch milliseconds (at most 8.64e15), so it has no event time`
    : ' has no timestamp in Kafka, so it has no event time';
}

/** The value of a rejected record for `errors`: its text, or base64 if it is no text. */
export function rawText(record: RecordBytes, start: number, length: number): string {
  if (length < 0) return '';
  const bytes = record.bytes.subarray(start, start + length);
  return isUtf8(bytes) ? record.slice(start, start + length) : bytes.toString('base64');
}
