// The formats of record values and keys. A format reads one record after the other:
//
//   'value'     `value` is set
//   'problem'   `problem` is set: the rest of a sentence that begins with the record's place
//   'schema'    the record's schema is being fetched. The caller keeps the record and all after it of
//               the same partition, and reads it again when `watch` has called its listener.
//
// `read` never waits. A SluiceError that it throws is final for the reader, such as a password that
// a registry refuses. Everything else that is wrong with a record or its schema is a problem.
import { isUtf8 } from 'node:buffer';
import { SluiceError } from '../errors/error.ts';
import { wayToRegistry } from '../errors/way-to-set.ts';
import { BadRecord, ByteReader } from './byte-reader.ts';
import { parseJson } from './integers.ts';
import { BadSchema, whyUnusable } from './limits.ts';
import { bareReader, type ReadRecord } from './record-readers.ts';
import {
  type FormatName,
  type FormatSpec,
  type Integers,
  type SchemaText,
  type SchemaType,
  typeNames,
} from '../graph/format-spec.ts';

/** The bytes of many records, and texts of them. */
export interface RecordBytes {
  readonly bytes: Buffer;
  /** The bytes from start to end as a text of UTF-8. */
  slice(start: number, end: number): string;
  /**
   * false: no value has 16 digits in a row, so none has an integer that needs more than a double.
   */
  readonly longDigits?: boolean | undefined;
}

export type Outcome = 'value' | 'problem' | 'schema';

export interface ValueFormat {
  value: unknown;
  problem: string;
  read(record: RecordBytes, start: number, end: number): Outcome;
  /** Why a schema is not there yet, if it takes longer; undefined: nothing is wrong. */
  readonly trouble?: string | undefined;
  /** The listener is called when a schema has come. Returns a function that ends this. */
  watch?(listener: () => void): () => void;
}

/** The present knowledge of a schema id. */
export type SchemaState =
  | { readonly kind: 'fetching' }
  | { readonly kind: 'known'; readonly type: SchemaType; readonly read: ReadRecord }
  | { readonly kind: 'unusable'; readonly problem: string }
  | { readonly kind: 'failed'; readonly error: SluiceError };

/** The schemas of a registry, see engine/registry/schema-cache.ts. */
export interface Schemas {
  /** Never waits. The first call for an id starts to fetch it. */
  get(id: number): SchemaState;
  /** Calls `listener` whenever an answer has come. Returns a function that ends this. */
  watch(listener: () => void): () => void;
  /** Why a schema cannot be fetched at present; undefined: nothing is wrong. */
  readonly trouble: string | undefined;
}
/** Names of a registry: its own, or that of the Kafka connection. */
export interface RegistryNames {
  readonly registry?: string | undefined;
  readonly connection?: string | undefined;
}
/** The schemas of the registry with these names; undefined: there is none. */
export type FindSchemas = (names: RegistryNames) => Schemas | undefined;

/** A format that is given, with the names of the registry. 'auto' is in found-format.ts. */
export interface GivenFormat extends Omit<FormatSpec, 'format'>, RegistryNames {
  readonly format: FormatName;
}

/** What of a record a format reads. The options of kafka() for keys have names of their own. */
export type RecordPart = 'value' | 'key';
export const optionNames = {
  value: { format: 'format', file: 'schemaFile' },
  key: { format: 'keyFormat', file: 'keySchemaFile' },
} as const;

/** Errors: `registry-no-connection`, `bad-schema`, and those of `find`. */
export function openFormat(spec: GivenFormat, find: FindSchemas, part: RecordPart = 'value'): ValueFormat {
  const { format } = spec;
  switch (format) {
    case 'json':
      return new JsonFormat(spec.integers);
    case 'string':
      return new StringFormat();
    case 'bytes':
      return new BytesFormat();
    case 'avro':
    case 'protobuf':
    case 'json-schema':
      if (spec.schemaFile) return new BareFormat(spec.schemaFile, spec.message);
      return new FramedFormat(find(spec) ?? noRegistry(format, part), [schemaTypes[format]]);
  }
}

const schemaTypes = { avro: 'AVRO', protobuf: 'PROTOBUF', 'json-schema': 'JSON' } as const;

function noRegistry(format: FormatName, part: RecordPart): never {
  const { format: option, file } = optionNames[part];
  throw new SluiceError(
    'registry-no-connection',
    `The ${option} "${format}" needs a schema registry, and there is none: ${wayToRegistry()}, or give a ${file} if the ${part}s have no schema id.`,
    { variable: 'SLUICE_REGISTRY' },
  );
}

class JsonFormat implements ValueFormat {
  value: unknown;
  problem = '';
  readonly #integers: Integers | undefined;
  constructor(integers: Integers | undefined) {
    this.#integers = integers;
  }
  read(record: RecordBytes, start: number, end: number): Outcome {
    try {
      const text = record.slice(start, end);
      this.value = record.longDigits === false ? JSON.parse(text) : parseJson(text, this.#integers);
      return 'value';
    } catch (error) {
      this.problem = ` is not JSON: ${(error as Error).message}`;
      return 'problem';
    }
  }
}

class StringFormat implements ValueFormat {
  value: unknown;
  problem = '';
  read(record: RecordBytes, start: number, end: number): Outcome {
    if (isUtf8(record.bytes.subarray(start, end))) {
      this.value = record.slice(start, end);
      return 'value';
    }
    this.problem = ' is no text in UTF-8';
    return 'problem';
  }
}

class BytesFormat implements ValueFormat {
  value: unknown;
  readonly problem = '';
  read({ bytes }: RecordBytes, start: number, end: number): Outcome {
    // A copy: the chunk is larger than the record.
    this.value = new Uint8Array(bytes.subarray(start, end));
    return 'value';
  }
}

/** Reads one payload, and turns its faults into a problem. */
class Payload {
  readonly #reader = new ByteReader();
  value: unknown;
  /** The rest of a sentence. */
  cause = '';
  read(read: ReadRecord, bytes: Buffer, start: number, end: number): boolean {
    const reader = this.#reader;
    reader.begin(bytes, start, end);
    try {
      this.value = read(reader);
      return true;
    } catch (error) {
      if (!(error instanceof BadRecord || error instanceof BadSchema || error instanceof RangeError)) throw error;
      this.cause = whyUnusable(error);
      return false;
    }
  }
}

/** Every record has the schema of a file, and no schema id. */
class BareFormat implements ValueFormat {
  value: unknown;
  problem = '';
  readonly #payload = new Payload();
  readonly #type: SchemaType;
  readonly #read: ReadRecord;

  constructor(schema: SchemaText, message: string | undefined) {
    this.#type = schema.type;
    try {
      this.#read = bareReader(schema, message);
    } catch (error) {
      throw new SluiceError('bad-schema', `The schema file cannot be used: ${whyUnusable(error)}.`);
    }
  }
  read({ bytes }: RecordBytes, start: number, end: number): Outcome {
    if (this.#payload.read(this.#read, bytes, start, end)) {
      this.value = this.#payload.value;
      return 'value';
    }
    const hint = bytes[start] === 0 ? ' (it may begin with a schema id, which only a registry explains)' : '';
    this.problem = ` does not fit the ${typeNames[this.#type]} schema of the file: ${this.#payload.cause}${hint}`;
    return 'problem';
  }
}

/** Bytes before the payload: 0, then the id. */
export const headerLength = 5;

/** Every record names its schema: Confluent's wire format. */
export class FramedFormat implements ValueFormat {
  value: unknown;
  problem = '';
  readonly #payload = new Payload();
  readonly #schemas: Schemas;
  readonly #types: readonly SchemaType[];
  #id = -1;
  #type: SchemaType = 'AVRO';
  #read: ReadRecord | undefined;

  /** `types`: the schema types that are accepted. */
  constructor(schemas: Schemas, types: readonly SchemaType[]) {
    this.#schemas = schemas;
    this.#types = types;
  }
  get trouble(): string | undefined {
    return this.#schemas.trouble;
  }
  /** The type of the schema that was read last, for the status. */
  get lastType(): SchemaType | undefined {
    return this.#read && this.#type;
  }
  watch(listener: () => void): () => void {
    return this.#schemas.watch(listener);
  }

  read({ bytes }: RecordBytes, start: number, end: number): Outcome {
    if (end - start < headerLength || bytes[start] !== 0)
      return this.#refuse(' does not begin with a schema id (a byte 0, then 4 bytes)');
    const id = bytes.readUInt32BE(start + 1);
    if (id !== this.#id || !this.#read) {
      const outcome = this.#find(id);
      if (outcome !== 'value') return outcome;
    }
    if (this.#payload.read(this.#read!, bytes, start + headerLength, end)) {
      this.value = this.#payload.value;
      return 'value';
    }
    return this.#refuse(` does not fit its schema ${id} (${typeNames[this.#type]}): ${this.#payload.cause}`);
  }

  #find(id: number): Outcome {
    const state = this.#schemas.get(id);
    switch (state.kind) {
      case 'fetching':
        return 'schema';
      case 'failed':
        throw state.error;
      case 'unusable':
        return this.#refuse(` ${state.problem}`);
      case 'known':
        if (!this.#types.includes(state.type)) {
          const wanted = this.#types.map((type) => typeNames[type]).join(' or ');
          return this.#refuse(` has the schema ${id}, which is ${typeNames[state.type]} and not ${wanted}`);
        }
        this.#id = id;
        this.#type = state.type;
        this.#read = state.read;
        return 'value';
    }
  }
  #refuse(problem: string): Outcome {
    this.problem = problem;
    return 'problem';
  }
}
