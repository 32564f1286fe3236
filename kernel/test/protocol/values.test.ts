// The wire form of values: every value comes out as it went in, and data cannot forge a tag.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { fromWire, readWire, toPlainJson, toWire } from '../../protocol/values.ts';

function overTheWire(value: unknown): unknown {
  const text = JSON.stringify({ wire: toWire(value) });
  return fromWire((JSON.parse(text) as { wire: unknown }).wire);
}

const tagNames = ['$date', '$bigint', '$bytes', '$number', '$map', '$set', '$object', '$undefined', '$', '$x'];
const names = fc.oneof(
  fc.constantFrom(...tagNames, '__proto__', 'constructor', 'toString', 'toJSON', 'hasOwnProperty', ''),
  fc.string(),
);
const leaves = fc.oneof(
  fc.string(),
  fc.constantFrom('x', '%', 'NaN', 'AA=='),
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, null, true, false),
  fc.integer(),
  fc.bigInt(),
  fc.date(),
  fc.constant(new Date(NaN)),
  fc.uint8Array(),
);
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves,
    fc.array(fc.oneof(tie('value'), fc.constant(undefined)), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('value')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 3 }).map((elements) => new Set(elements)),
  ),
}));

test('fromWire(toWire(v)) is v for any value, also through JSON', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepStrictEqual(overTheWire(value), value);
      assert.deepStrictEqual(fromWire(toWire(value)), value);
    }),
    { numRuns: 3000, seed: 7 },
  );
});

test('fields with the names of tags stay fields', () => {
  const rows: readonly unknown[] = [
    { $bigint: 'x' },
    { $bigint: '12' },
    { $date: 8e99 },
    { $date: 0 },
    { $bytes: '%' },
    { $object: { $date: 1 } },
    { a: { $number: 'NaN' }, $b: [{ $undefined: true }] },
    { $date: 1, more: 2 },
  ];
  for (const row of rows) assert.deepStrictEqual(overTheWire(row), row);
});

test('the only other field has no value: the remaining one is still no tag', () => {
  assert.deepStrictEqual(overTheWire({ $date: 5, gone: undefined }), { $date: 5 });
});

test('numbers come out as numbers, and invalid dates as dates', () => {
  for (const value of [NaN, Infinity, -Infinity, -0, 0]) assert.ok(Object.is(overTheWire(value), value));
  const date = overTheWire({ at: new Date(NaN) }) as { at: Date };
  assert.ok(date.at instanceof Date && Number.isNaN(date.at.getTime()));
});

test('a hole of an array becomes undefined, and a field without value is left out', () => {
  const holed: unknown[] = [1];
  holed[3] = 4;
  assert.deepStrictEqual(overTheWire(holed), [1, undefined, undefined, 4]);
  assert.deepStrictEqual(overTheWire({ a: undefined, b: () => 1 }), {});
});

test('toJSON is a field like any other, and a getter is read', () => {
  assert.deepStrictEqual(overTheWire({ toJSON: 'text' }), { toJSON: 'text' });
  assert.deepStrictEqual(
    overTheWire({
      get doubled() {
        return 4;
      },
    }),
    { doubled: 4 },
  );
});

test('__proto__ is a field, on the wire and in JSON lines', () => {
  const row: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "toString": null}');
  const back = overTheWire(row) as object;
  assert.deepStrictEqual(Object.keys(back), ['__proto__', 'constructor', 'toString']);
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
  assert.equal(JSON.stringify(toPlainJson(back)), '{"__proto__":{"polluted":1},"constructor":2,"toString":null}');
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('a malformed wire value is read as a problem, not thrown', () => {
  for (const wire of [{ $bigint: 'x' }, { $bytes: '%' }, { $later: 1 }, { $map: [1] }, { a: [{ $date: 'x' }] }])
    assert.match((readWire(wire) as { problem: string }).problem, /^cannot be shown: /);
  assert.deepEqual(readWire({ a: 1 }), { value: { a: 1 } });
});

test('large bytes are encoded without a call per byte', () => {
  const bytes = new Uint8Array(1_000_000).map((_, index) => index % 251);
  assert.deepStrictEqual(overTheWire(bytes), bytes);
});
