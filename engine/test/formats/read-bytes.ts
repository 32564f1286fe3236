// Reads one payload in a test: with a schema, from bytes in hexadecimal or as they are.
import { ByteReader } from '../../formats/byte-reader.ts';
import { bareReader, type ReadRecord } from '../../formats/record-readers.ts';
import type { SchemaText } from '../../graph/format-spec.ts';

export function avro(schema: unknown, ...references: readonly unknown[]): SchemaText {
  return {
    type: 'AVRO',
    text: JSON.stringify(schema),
    references: references.map((one, index) => ({ name: `reference ${index}`, text: JSON.stringify(one) })),
  };
}
export function proto(text: string, references: Readonly<Record<string, string>> = {}): SchemaText {
  return {
    type: 'PROTOBUF',
    text,
    references: Object.entries(references).map(([name, content]) => ({ name, text: content })),
  };
}
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

export function readWith(read: ReadRecord, bytes: Uint8Array): unknown {
  const reader = new ByteReader();
  // The record lies within other bytes, as in a chunk.
  const around = Buffer.concat([Buffer.from([1, 2, 3]), bytes, Buffer.from([4, 5])]);
  reader.begin(around, 3, around.length - 2);
  return read(reader);
}
export function readBytes(schema: SchemaText, bytes: Uint8Array | string, message?: string): unknown {
  return readWith(bareReader(schema, message), typeof bytes === 'string' ? hex(bytes) : bytes);
}
