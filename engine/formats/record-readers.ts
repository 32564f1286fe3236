// A schema as a function that reads the payload of a record. A payload must be used up: bytes that
// are left over mean that it was written with another schema.
import { compileAvroReader } from './avro-reader.ts';
import { parseAvro } from './avro-schema.ts';
import { BadRecord, type ByteReader } from './byte-reader.ts';
import { hasLongNumber, parseJson } from './integers.ts';
import { compileJsonSchema } from './json-schema.ts';
import { compileProtobufReader } from './protobuf-reader.ts';
import { parseProtobuf } from './protobuf-schema.ts';
import type { Integers, SchemaText } from '../graph/format-spec.ts';

/** Reads from the reader's place to its end. Errors: BadRecord. */
export type ReadRecord = (reader: ByteReader) => unknown;

/** Levels of messages in messages that a message index may go through. */
const longestIndex = 32;

/** For payloads behind a schema id. Protobuf's begin with the index of their message type. */
export function framedReader(schema: SchemaText): ReadRecord {
  switch (schema.type) {
    case 'AVRO':
      return avroReader(schema);
    case 'JSON':
      return jsonReader(schema);
    case 'PROTOBUF': {
      const types = parseProtobuf(schema);
      const readers = new Map<string, ReadRecord>();
      return (reader) => {
        const path = messageIndex(reader);
        const key = path.length === 1 ? String(path[0]) : path.join();
        let read = readers.get(key);
        if (!read) readers.set(key, (read = compileProtobufReader(types.at(path))));
        return read(reader);
      };
    }
  }
}

/**
 * For payloads without a schema id. `message` is Protobuf's type; the first of the file if absent.
 */
export function bareReader(schema: SchemaText, message?: string): ReadRecord {
  if (schema.type === 'PROTOBUF') {
    const types = parseProtobuf(schema);
    return compileProtobufReader(message === undefined ? types.at([0]) : types.named(message));
  }
  return framedReader(schema);
}

function avroReader(schema: SchemaText): ReadRecord {
  const read = compileAvroReader(parseAvro(schema));
  return (reader) => {
    const value = read(reader);
    const left = reader.end - reader.at;
    if (left > 0) throw new BadRecord(`${left} of its bytes are left over`);
    return value;
  };
}

/** Integers that a double cannot hold are checked as doubles, because ajv knows no bigints. */
function jsonReader(schema: SchemaText): ReadRecord {
  const check = compileJsonSchema(schema);
  return (reader) => {
    const text = reader.text(reader.end - reader.at);
    const value = parsed(text, 'number');
    const problem = check(value);
    if (problem !== undefined) throw new BadRecord(problem);
    return hasLongNumber(text) ? parsed(text, 'bigint') : value;
  };
}
function parsed(text: string, integers: Integers): unknown {
  try {
    return parseJson(text, integers);
  } catch (error) {
    throw new BadRecord(`it is not JSON: ${(error as Error).message}`);
  }
}

/** A count and that many indices; the count 0 is the usual [0]. */
const first: readonly number[] = [0];
export function messageIndex(reader: ByteReader): readonly number[] {
  const count = reader.zigzagLength();
  if (count === 0) return first;
  if (count < 0 || count > longestIndex) throw new BadRecord(`its message index has ${count} parts`);
  return Array.from({ length: count }, () => reader.zigzagLength());
}
