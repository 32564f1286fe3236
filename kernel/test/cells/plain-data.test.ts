// The copy of a cell's data has each field of its own, whatever the field is called.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { copyData } from '../../cells/plain-data.ts';

test('a field with an inherited name is copied as a field', () => {
  const value: unknown = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "toString": [3]}');
  const copy = copyData(value);
  assert.ok(copy.isData);
  assert.deepEqual(Object.entries(copy.value as object), Object.entries(value as object));
  assert.equal(Object.getPrototypeOf(copy.value), Object.prototype);
});

test('data with a getter or a symbol is no plain data', () => {
  assert.deepEqual(
    copyData({
      get a() {
        return 1;
      },
    }),
    { isData: false },
  );
  assert.deepEqual(copyData({ [Symbol('s')]: 1 }), { isData: false });
});
