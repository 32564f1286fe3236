// Schemas and records of others: any schema is used or refused, any record is read or refused, and
// the values are plain, and the same each time.
//
// An input is a letter (A, P or J), the schema, a byte 0, and the record.
import assert from 'node:assert/strict';
import { BadRecord, ByteReader } from '../../../../engine/formats/byte-reader.ts';
import { BadSchema } from '../../../../engine/formats/limits.ts';
import { bareReader, type ReadRecord } from '../../../../engine/formats/record-readers.ts';
import type { SchemaType } from '../../../../engine/graph/format-spec.ts';
import { planted, type Plant, type Target } from '../target.ts';

const types: Readonly<Record<string, SchemaType>> = { A: 'AVRO', P: 'PROTOBUF', J: 'JSON' };
const avro =
  '{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":["null","string","R"]},{"name":"c","type":{"type":"array","items":"int"}},{"name":"d","type":{"type":"map","values":"double"}},{"name":"e","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"f","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}]}';
const proto =
  'syntax = "proto3"; message M { int64 a = 1; string b = 2; repeated sint32 c = 3; map<string, M> d = 4; M e = 5; E f = 6; oneof g { bool h = 7; bytes i = 8; } enum E { X = 0; Y = 1; } }';
const seeds: readonly (readonly [string, string, string])[] = [
  ['A', avro, '0202026104020400000402040ac8'],
  ['A', '["null",{"type":"enum","name":"E","symbols":["X","Y"]},{"type":"fixed","name":"F","size":2}]', '040102'],
  ['P', proto, '08961212016118030a2204' + '0a01611200' + '2a020801300138014202ffff'],
  ['J', '{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}', '7b2261223a317d'],
];

export function schemasTarget(plant?: Plant): Target {
  const reader = new ByteReader();
  return {
    seeds: seeds.map(([letter, schema, record]) =>
      Buffer.concat([Buffer.from(`${letter}${schema}\0`), Buffer.from(record, 'hex')]),
    ),
    words: [
      ...[
        '"type":"record"',
        '"array"',
        '"items":',
        '"__proto__"',
        '"logicalType":"date"',
        '"default":',
        'message ',
        'repeated ',
        'oneof ',
      ],
      ...['{', '}', '[', ']', ';', '"$ref":"#"', '"allOf":[', '"pattern":"a"'],
    ],
    longest: 4 << 10,
    attempt(input) {
      planted(plant, input);
      const end = input.indexOf(0);
      const type = types[String.fromCharCode(input[0] ?? 0)];
      if (end < 0 || !type) return 'rejected';
      const bytes = Buffer.from(input);
      const read = readerOf(type, bytes.toString('utf8', 1, end));
      if (!read) return 'rejected';
      const value = (): unknown => {
        reader.begin(bytes, end + 1, bytes.length);
        return read(reader);
      };
      try {
        const first = value();
        assert.deepEqual(structuredClone(first), first, 'A value is not plain.');
        assert.deepEqual(plant === 'forgets' ? undefined : value(), first, 'A record is read in two ways.');
        return 'accepted';
      } catch (error) {
        if (error instanceof BadRecord || error instanceof BadSchema || error instanceof RangeError) return 'rejected';
        throw error;
      }
    },
  };
}

/** undefined: the schema is refused. Libraries that parse have errors of their own. */
function readerOf(type: SchemaType, text: string): ReadRecord | undefined {
  try {
    return bareReader({ type, text, references: [] });
  } catch (error) {
    if (error instanceof Error && !(error instanceof TypeError && type === 'AVRO')) return undefined;
    throw error;
  }
}
