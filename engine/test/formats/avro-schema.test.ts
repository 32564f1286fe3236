// Avro schemas that cannot be used: each is one error that says why, however large or deep it is.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { parseAvro } from '../../formats/avro-schema.ts';
import { whyUnusable } from '../../formats/limits.ts';
import { avro } from './read-bytes.ts';

function problem(schema: unknown, ...references: readonly unknown[]): string {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
  try {
    parseAvro({ ...avro('null', ...references), text });
    return 'none';
  } catch (error) {
    return whyUnusable(error);
  }
}
const record = (name: string, ...fields: readonly unknown[]): unknown => ({ type: 'record', name, fields });

test('a schema that is none says what is wrong', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{', /is not JSON/],
    [{ type: 'recrod', name: 'R' }, /refers to the type "recrod"/],
    [record('R', { name: 'a', type: 'Missing' }), /refers to the type "Missing", which neither it nor a reference/],
    [record('R', { name: 'a', type: 'int' }, { name: 'a', type: 'int' }), /has two fields "a"/],
    [record('R', { type: 'int' }), /field without a usable name/],
    [{ type: 'record', name: 'R' }, /has no fields/],
    [{ type: 'record', fields: [] }, /without a usable name/],
    [record('R', { name: 'a', type: record('R') }), /defines the type "R" twice/],
    [{ type: 'enum', name: 'E', symbols: [] }, /has no symbols/],
    [{ type: 'fixed', name: 'F', size: -1 }, /has the size -1/],
    [{ type: 'fixed', name: 'F', size: 1e9 }, /has the size 1000000000/],
    [[], /union without types/],
    [['int', 'int'], /two types "int"/],
    [['int', ['string']], /a union in it/],
    ['12', /12 is no type of Avro/],
    [{ type: 'array' }, /nothing is no type of Avro/],
  ];
  for (const [schema, expected] of cases) assert.match(problem(schema), expected);
});

test('a schema of 10 MB, a very deep one and one with very many types are each one error', () => {
  assert.match(problem(`"${'x'.repeat(10 << 20)}"`), /10,485,762 characters; 1,048,576 are allowed/);
  let deep: unknown = 'int';
  for (let level = 0; level < 1_000; level++) deep = { type: 'array', items: deep };
  assert.match(problem(deep), /nested more than 100 levels/);
  assert.match(problem('['.repeat(500_000)), /not JSON/);
  assert.match(problem(`${'{"type":'.repeat(100_000)}"int"${'}'.repeat(100_000)}`), /nested/);
  const fields = Array.from({ length: 20_000 }, (_, index) => ({ name: `f${index}`, type: 'int' }));
  const three = [record('A', ...fields), record('B', ...fields), record('C', ...fields)];
  assert.match(problem(record('R'), ...three), /more than 50,000 types/);
});

test('a primitive type is one with and without quotes', () => {
  assert.equal(problem('string'), 'none');
  assert.equal(problem('"string"'), 'none');
});
