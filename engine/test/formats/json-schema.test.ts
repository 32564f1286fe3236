// JSON Schema: values that fit and values that do not, references, drafts, and schemas that cannot
// be used.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { compileJsonSchema } from '../../formats/json-schema.ts';
import { whyUnusable } from '../../formats/limits.ts';
import { framedReader } from '../../formats/record-readers.ts';
import type { SchemaText } from '../../graph/format-spec.ts';
import { readWith } from './read-bytes.ts';

function schemaOf(schema: unknown, references: Readonly<Record<string, unknown>> = {}): SchemaText {
  return {
    type: 'JSON',
    text: typeof schema === 'string' ? schema : JSON.stringify(schema),
    references: Object.entries(references).map(([name, one]) => ({ name, text: JSON.stringify(one) })),
  };
}
function problem(schema: unknown, references?: Readonly<Record<string, unknown>>): string {
  try {
    compileJsonSchema(schemaOf(schema, references));
    return 'none';
  } catch (error) {
    return whyUnusable(error);
  }
}
const order = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'integer' },
    lines: { type: 'array', items: { type: 'object', properties: { n: { type: 'number' } } } },
  },
};

test('a value that does not fit names its field', () => {
  const check = compileJsonSchema(schemaOf(order));
  assert.equal(check({ id: 1, lines: [{ n: 2 }] }), undefined);
  assert.equal(check({}), "it must have required property 'id'");
  assert.equal(check({ id: 'x' }), 'its id must be integer');
  assert.equal(check({ id: 1, lines: [{ n: 1 }, { n: 'x' }] }), 'its lines.1.n must be number');
  const closed = compileJsonSchema(schemaOf({ ...order, additionalProperties: false }));
  assert.equal(closed({ id: 1, extra: 2 }), 'it must NOT have additional properties ("extra")');
});

test('a payload is checked and read', () => {
  const read = framedReader(schemaOf(order));
  assert.deepEqual(readWith(read, Buffer.from('{"id":1,"é":"ü"}')), { id: 1, é: 'ü' });
  assert.throws(() => readWith(read, Buffer.from('{"id":"1"}')), /its id must be integer/);
  assert.throws(() => readWith(read, Buffer.from('{"id":')), /it is not JSON/);
});

test('integers that a double cannot hold are exact, and are checked as numbers', () => {
  const read = framedReader(schemaOf({ ...order, properties: { ...order.properties, big: { maximum: 1e18 } } }));
  const text = '{"id":9007199254740993,"lines":[{"n":-12345678901234567890}],"big":7,"text":"90071992547409931"}';
  assert.deepEqual(readWith(read, Buffer.from(text)), {
    id: 9007199254740993n,
    lines: [{ n: -12345678901234567890n }],
    big: 7,
    text: '90071992547409931',
  });
  assert.throws(() => readWith(read, Buffer.from('{"id":1,"big":9007199254740993000}')), /its big must be <= /);
  assert.throws(() => readWith(read, Buffer.from('{"id":"9007199254740993"}')), /its id must be integer/);
});

test('references are found by name, drafts by $schema', () => {
  const schema = { type: 'object', properties: { price: { $ref: 'money.json' } } };
  const check = compileJsonSchema(schemaOf(schema, { 'money.json': { type: 'number', minimum: 0 } }));
  assert.equal(check({ price: -1 }), 'its price must be >= 0');
  for (const draft of ['http://json-schema.org/draft-06/schema#', 'http://json-schema.org/draft-07/schema#'])
    assert.equal(problem({ $schema: draft, type: 'string' }), 'none');
  const tuple = compileJsonSchema(
    schemaOf({ $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }] }),
  );
  assert.equal(tuple([1]), 'its 0 must be string');
  const dependent = { $schema: 'https://json-schema.org/draft/2019-09/schema', dependentRequired: { a: ['b'] } };
  assert.match(String(compileJsonSchema(schemaOf(dependent))({ a: 1 })), /must have property b when property a/);
});

test('a schema that cannot be used is one error', () => {
  assert.match(problem('{'), /is not JSON/);
  assert.match(problem('[]'), /neither an object nor true or false/);
  assert.match(problem({ type: 'objekt' }), /schema is invalid/);
  assert.match(problem({ $ref: 'missing.json' }), /can't resolve reference missing.json/);
  assert.match(problem({ $schema: 'http://json-schema.org/draft-04/schema#' }), /is written for .*draft-04/);
  let deep: unknown = { type: 'string' };
  for (let level = 0; level < 400; level++) deep = { items: deep };
  assert.match(problem(deep), /nested more than 200 levels/);
  assert.match(problem({ enum: Array.from({ length: 60_000 }, (_, index) => index) }), /more than 50,000 parts/);
  assert.match(problem(`"${'x'.repeat(10 << 20)}"`), /characters; 1,048,576 are allowed/);
});

test('names from a schema reach no prototype', () => {
  const schema =
    '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"number"}},"required":["constructor"]}';
  const check = compileJsonSchema(schemaOf(schema));
  assert.equal(typeof check({}), 'string');
  assert.equal(check(JSON.parse('{"constructor":1}')), undefined);
  assert.equal(({} as Record<string, unknown>)['type'], undefined);
});

test('names that every object has are names of fields like others', () => {
  const names = [...Object.getOwnPropertyNames(Object.prototype), 'prototype', '__proto___', 'other'];
  for (const name of names) {
    const field = JSON.stringify(name);
    const results = (schema: string, ...values: readonly string[]): readonly (string | undefined)[] => {
      const check = compileJsonSchema(schemaOf(schema));
      return values.map((value) => check(JSON.parse(value)));
    };
    const rows = [`{${field}:1}`, `{${field}:"x"}`, '{}'];
    const isNumber = `"properties":{${field}:{"type":"number"}}`;
    const wrong = `its ${name} must be number`;
    const more = (what: string): string => `it must NOT have additional properties ("${what}")`;
    assert.deepEqual(results(`{${isNumber}}`, ...rows), [undefined, wrong, undefined]);
    assert.deepEqual(results(`{"additionalProperties":{"type":"number"}}`, ...rows), [undefined, wrong, undefined]);
    assert.deepEqual(results(`{${isNumber},"additionalProperties":false}`, ...rows, '{"z":1}'), [
      ...[undefined, wrong, undefined],
      more('z'),
    ]);
    assert.deepEqual(results(`{"properties":{"a":true},"additionalProperties":false}`, rows[0]!), [more(name)]);
    assert.deepEqual(results(`{"required":[${field}]}`, ...rows), [
      ...[undefined, undefined],
      `it must have required property '${name}'`,
    ]);
    assert.deepEqual(
      results(`{"$ref":"#/definitions/${name}","definitions":{${field}:{"type":"number"}}}`, '1', '"x"'),
      [undefined, 'it must be number'],
    );
    assert.deepEqual(results(`{"enum":[${field}]}`, field), [undefined], 'a text is no name');
    assert.deepEqual(results(`{"propertyNames":{"enum":[${field}]}}`, ...rows), [undefined, undefined, undefined]);
    assert.deepEqual(results(`{"patternProperties":{"^${name}$":{"type":"number"}}}`, ...rows), [
      ...[undefined, wrong],
      undefined,
    ]);
    const read = framedReader(schemaOf(`{${isNumber}}`));
    const row = readWith(read, Buffer.from(rows[0]!)) as object;
    assert.deepEqual([Object.entries(row), Object.getPrototypeOf(row)], [[[name, 1]], Object.prototype]);
  }
});

test('a row whose fields are called as methods is refused where whole objects are compared', () => {
  const check = compileJsonSchema(schemaOf('{"enum":[{"toString":1}]}'));
  assert.match(check({ toString: 1 }) ?? '', /a field "valueOf" or "toString"/);
});

test('a value that is nested as deep as its schema allows ends nothing', () => {
  const read = framedReader(schemaOf({ $id: 'tree', type: 'array', items: { $ref: 'tree' } }));
  const levels = 200_000;
  assert.throws(() => readWith(read, Buffer.from('['.repeat(levels) + ']'.repeat(levels))), Error);
});
