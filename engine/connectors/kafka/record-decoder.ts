// Converts a Kafka record's bytes to an element and its event time, or to a sentence with the
// reason why it cannot.
import type { FunctionRef, SelectorSpec } from '../../graph/spec.ts';
import type { FunctionTable } from '../../graph/plan.ts';
import { compileEventTime, maxTimestamp } from '../../time/event-time.ts';
import { compileSchema, type Fitted, type Validate } from '../schema.ts';
import type { Chunk } from './reader-messages.ts';

export interface DecoderSpec {
  readonly timestamp?: SelectorSpec;
  /** From the parsed value to { value } or { issues }, as Standard Schema has it. */
  readonly schema?: { readonly fn: FunctionRef };
}
/** The text of each value of a chunk, and of each key where there are keys. */
export class ChunkText {
  readonly #bytes: Buffer;
  /**
   * All values as one string, if each byte is one character. Slicing it is cheaper than decoding
   * each value.
   */
  readonly #ascii: string | undefined;
  readonly #keys: Buffer | undefined;
  constructor({ columns: { values, keys }, ascii }: Chunk) {
    this.#bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    this.#ascii = ascii ? this.#bytes.toString('latin1') : undefined;
    this.#keys = keys && Buffer.from(keys.bytes.buffer, keys.bytes.byteOffset, keys.bytes.byteLength);
  }
  slice(start: number, end: number): string {
    return this.#ascii === undefined ? this.#bytes.toString('utf8', start, end) : this.#ascii.substring(start, end);
  }
  key(start: number, end: number): string {
    return this.#keys!.toString('utf8', start, end);
  }
}

export class RecordDecoder {
  readonly #eventTime: ((element: unknown) => number | string) | undefined;
  readonly #validate: ((value: unknown) => Fitted) | undefined;
  /** The result of `decode`. */
  value: unknown;
  timestamp = NaN;
  /** Why the record has no element: the rest of a sentence that begins with "orders[3]@1842". */
  problem = '';

  constructor({ timestamp, schema }: DecoderSpec, functions: FunctionTable, label: string) {
    this.#eventTime = timestamp && compileEventTime(timestamp, functions, label);
    this.#validate = schema && compileSchema(functions.get<Validate>(schema.fn), 'kafka()');
  }

  /**
   * true: `value` and `timestamp` are set. false: `problem` is set. `text` is undefined for a
   * record without a value.
   */
  decode(text: string | undefined, recordTimestamp: number): boolean {
    if (text === undefined) return this.#refuse(' has no value (it is a tombstone)');
    try {
      this.value = JSON.parse(text);
    } catch (error) {
      return this.#refuse(` is not JSON: ${(error as Error).message}`);
    }
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
