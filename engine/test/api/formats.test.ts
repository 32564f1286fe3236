// The options about formats and schemas: what they become in the plan, and what does not go
// together.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { from, kafka, type KafkaOptions, type KafkaSinkOptions, table } from '../../index.ts';
import { evaluate, nodeOf } from './evaluate.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'order.avsc'), '"int"');
writeFileSync(join(folder, 'order.proto'), 'message M { }');
writeFileSync(join(folder, 'order.json'), '{}');
const resolvePath = (path: string): string => join(folder, path);

const source = (options: KafkaOptions<unknown>): unknown =>
  nodeOf(
    evaluate(() => void kafka('t', options), { resolvePath }),
    'kafka',
  ).parameters;
const sink = (options: KafkaSinkOptions<number, unknown>): unknown =>
  nodeOf(
    evaluate(() => void from([1]).to('t', options as never), { resolvePath }),
    'kafkaSink',
  ).parameters;
const some = (parameters: unknown, expected: object): void =>
  assert.deepEqual({ ...(parameters as object), ...expected }, parameters);
const avro = { type: 'AVRO', text: '"int"', references: [] };
const protobuf = { type: 'PROTOBUF', text: 'message M { }', references: [] };

test('a schema file is text in the plan, and decides the format', () => {
  some(source({ schemaFile: 'order.avsc' }), { format: 'avro', schemaFile: avro });
  some(source({ schemaFile: 'order.proto', message: 'M' }), { format: 'protobuf', schemaFile: protobuf, message: 'M' });
  some(source({ format: 'json-schema', schemaFile: 'order.json' }), {
    format: 'json-schema',
    schemaFile: { type: 'JSON', text: '{}', references: [] },
  });
  some(source({ format: 'avro', registry: 'eu' }), { format: 'avro', registry: 'eu' });
  const read = evaluate(
    () => void table<{ id: string }, 'id'>('t', { key: 'id', format: 'avro', keySchemaFile: 'order.avsc' }),
    { resolvePath },
  );
  some(nodeOf(read, 'kafka').parameters, { format: 'avro', keyFormat: { format: 'avro', schemaFile: avro } });
});

test('meta: true asks for keys and headers, in the format of the keys', () => {
  some(source({ meta: true }), { meta: true });
  some(source({ meta: true, keyFormat: 'json' }), { meta: true, keyFormat: { format: 'json' } });
  some(source({ meta: true, keySchemaFile: 'order.avsc' }), { keyFormat: { format: 'avro', schemaFile: avro } });
  assert.ok(!('meta' in (source({ meta: false }) as object)));
});

test('a sink writes Avro with a schema file or the latest schema', () => {
  some(sink({ format: 'avro' }), { format: 'avro', avro: { schemas: 'use' } });
  some(sink({ format: 'avro', schemaFile: 'order.avsc', schemas: 'register', registry: 'eu' }), {
    avro: { schemas: 'register', schemaFile: avro, registry: 'eu' },
  });
  some(sink({ format: 'bytes' }), { format: 'bytes' });
  const key = (n: number): number => n;
  some(sink({ key, keyFormat: 'avro' }), { format: 'json', keyFormat: 'avro', keyAvro: { schemas: 'use' } });
  const both = { format: 'avro', schemas: 'register', key, keyFormat: 'avro' } as const;
  some(sink({ ...both, keySchemaFile: 'order.avsc' }), {
    avro: { schemas: 'use' },
    keyAvro: { schemas: 'register', schemaFile: avro },
  });
  assert.ok(!('keyFormat' in (sink({ key, keyFormat: 'string' }) as object)));
});

test('options that do not go together are one error each', () => {
  const cases: readonly (readonly [() => unknown, RegExp])[] = [
    [
      () => source({ format: 'json', schemaFile: 'order.avsc' }),
      /The format of kafka\(\) is "json", which has no schema/,
    ],
    [() => source({ schemaFile: 'order.json' }), /neither .avsc nor .proto/],
    [() => source({ schemaFile: 'none.avsc' }), /cannot be read: ENOENT/],
    [() => source({ format: 'avro', integers: 'text' }), /The integers of kafka\(\) are about JSON, .* is "avro"/],
    [() => source({ schemaFile: 'order.avsc', integers: 'number' }), /are about JSON, and its format is "avro"/],
    [() => source({ message: 'M' }), /chooses a type of a Protobuf schemaFile, and there is none/],
    [() => source({ schemaFile: 'order.avsc', message: 'M' }), /chooses a type of a Protobuf schemaFile/],
    [() => source({ keyFormat: 'avro' }), /its elements have no key. Give meta: true/],
    [() => source({ meta: 'yes' as never }), /The option meta of kafka\(\) is true or false, not "yes"/],
    [() => evaluate(() => void table('t', { key: 'id', meta: true } as never)), /meta/],
    [() => sink({ schemas: 'use' }), /The schemas of to\(\) needs format: "avro"; the format is "json"/],
    [() => sink({ keyFormat: 'json' }), /has a keyFormat or a keySchemaFile, and no key/],
    [
      () => sink({ key: (n: number) => n, keySchemaFile: 'order.avsc' }),
      /needs keyFormat: "avro"; the keyFormat is "string"/,
    ],
    [() => sink({ format: 'avro', schemas: 'register' }), /registers the schema of a schemaFile. Give one/],
  ];
  for (const [declare, message] of cases) assert.throws(declare, message);
});
