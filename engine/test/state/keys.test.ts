// Keys: equal keys, values that are no keys, and the key group of a key.
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { FunctionTable } from '../../graph/plan.ts';
import type { KeySpec } from '../../graph/spec.ts';
import { keyBytes } from '../../state/key-bytes.ts';
import { keyGroupOf } from '../../state/key-group.ts';
import { KeyMap } from '../../state/key-map.ts';
import { labelOf, rowOf } from '../../state/key-label.ts';
import { keyText } from '../../state/key-text.ts';
import { compileKeys, type Keys } from '../../state/keys.ts';
import { murmur3 } from '../../state/murmur3.ts';
import { entriesOf, SegmentWriter } from '../../state/segment.ts';
import type { SavedEntry } from '../../contract/operator.ts';

const hex = (tuple: readonly unknown[]): string => Buffer.from(keyBytes(tuple)).toString('hex');

test('murmur3 gives the published values', () => {
  const hash = (text: string, seed = 0) => murmur3(new TextEncoder().encode(text), undefined, seed).toString(16);
  assert.equal(hash(''), '0');
  assert.equal(hash('', 1), '514e28b7');
  assert.equal(hash('test'), 'ba6bd213');
  assert.equal(hash('test', 0x9747b28c), '704b81dc');
  assert.equal(hash('Hello, world!'), 'c0363e43');
  assert.equal(hash('Hello, world!', 0x9747b28c), '24884cba');
  assert.equal(hash('The quick brown fox jumps over the lazy dog'), '2e4ff723');
  assert.equal(hash('a', 0x9747b28c), '7fa09ea6');
  assert.equal(hash('aa', 0x9747b28c), '5d211726');
  assert.equal(hash('aaa', 0x9747b28c), '283e0130');
});

test('key bytes are a tag, then the value, with its length in front where it has none by nature', () => {
  assert.equal(hex([]), '');
  assert.equal(hex([null, false, true]), '000102');
  assert.equal(hex([1]), '033ff0000000000000');
  assert.equal(hex([-0]), '030000000000000000');
  assert.equal(hex(['aé']), '040000000361c3a9');
  assert.equal(hex(['€😀']), '0400000007e282acf09f9880');
  assert.equal(hex(['\ud800']), '0400000003eda080');
  assert.equal(hex([0n]), '05000000000100');
  assert.equal(hex([-256n]), '0501000000020100');
  assert.equal(hex([new Date(0)]), '060000000000000000');
  assert.equal(hex([Uint8Array.of(1, 2)]), '07000000020102');
  assert.equal(hex([[true]]), '080000000102');
  assert.equal(hex([{ b: true, a: null }]), '090000000200000001610000000001' + '6202');
});

test('the bytes of a long string are those of TextEncoder, whatever the buffer held before', () => {
  const text = 'aé€😀'.repeat(5000);
  const encoded = keyBytes([text]);
  assert.deepEqual(encoded.subarray(5), new TextEncoder().encode(text));
});

test('key groups are fixed for savepoint format 1', () => {
  const pinned: readonly (readonly [readonly unknown[], number])[] = [
    [[], 0],
    [[''], 73],
    [['ann'], 32],
    [['bob'], 101],
    [['customer-1'], 97],
    [['Zürich'], 30],
    [['日本語'], 28],
    [['😀'], 116],
    [[0], 34],
    [[1], 68],
    [[-1.5], 76],
    [[1700000000000], 89],
    [[true], 31],
    [[null], 55],
    [[10n ** 20n], 109],
    [[new Date(1_700_000_000_000)], 76],
    [[Uint8Array.of(0, 255)], 61],
    [['ann', 7], 73],
    [[['a', ['b']]], 28],
    [[{ country: 'CH', city: 'Bern' }], 35],
  ];
  for (const [tuple, group] of pinned) assert.equal(keyGroupOf(tuple), group, hex(tuple));
  assert.equal(pinned.length, 20);
});

test('key groups are used evenly', () => {
  const counts = new Array<number>(128).fill(0);
  for (let i = 0; i < 12_800; i++) counts[keyGroupOf([`customer-${i}`])]!++;
  assert.ok(Math.min(...counts) > 60 && Math.max(...counts) < 140, counts.join());
});

// -------------------------------------------------------------------------------------------- laws

const leaf = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('1', 'n1;', 's1:1', 'a', ''),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(-0, 0, 1, 1n, true, '0'),
  fc.integer({ min: -3, max: 3 }).map((at) => new Date(at)),
  fc.uint8Array({ maxLength: 3 }),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', '1'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const tuple = fc.array(value, { maxLength: 3 });

/** Equality of keys, written down once more and as plainly as can be. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a === b;
  if (a instanceof Date || b instanceof Date)
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && a.join() === b.join();
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => same(one, b[i]));
  if (a !== null && b !== null && typeof a === 'object' && typeof b === 'object') {
    const names = Object.keys(a).sort();
    return (
      names.join('\u0000') === Object.keys(b).sort().join('\u0000') &&
      names.every((name) => same((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]))
    );
  }
  return a === b;
}

test('law: bytes and text are equal exactly when the keys are', () => {
  fc.assert(
    fc.property(tuple, tuple, (a, b) => {
      assert.equal(hex(a) === hex(b), same(a, b));
      assert.equal(keyText(a) === keyText(b), same(a, b));
    }),
    { numRuns: 5000 },
  );
});
test('law: a key built anew in another order has the same bytes and text', () => {
  const rebuilt = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rebuilt);
    if (value instanceof Date) return new Date(value);
    if (value instanceof Uint8Array) return value.slice();
    if (value === null || typeof value !== 'object') return value === 0 ? -0 : value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, inner]) => [name, rebuilt(inner)]),
    );
  };
  fc.assert(
    fc.property(tuple, (key) => {
      const again = key.map(rebuilt);
      assert.equal(hex(again), hex(key));
      assert.equal(keyText(again), keyText(key));
    }),
    { numRuns: 1000 },
  );
});
test('law: a map by key holds what a list of pairs holds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(tuple, fc.constantFrom('set', 'delete')), { maxLength: 30 }), (operations) => {
      const map = new KeyMap<number>();
      let list: (readonly [readonly unknown[], number])[] = [];
      operations.forEach(([key, what], index) => {
        list = list.filter(([other]) => !same(other, key));
        if (what === 'set') {
          list.push([key, index]);
          map.set(key, index);
        } else map.delete(key);
      });
      assert.equal(map.size, list.length);
      for (const [key, index] of list) assert.equal(map.get(key), index);
      const seen: number[] = [];
      map.forEach((index) => seen.push(index));
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        list.map(([, index]) => index).sort((a, b) => a - b),
      );
    }),
  );
});

// -------------------------------------------------------------------------------- keys of elements

function keysOf(spec: KeySpec | ((element: never) => unknown)): Keys {
  const functions = new FunctionTable();
  if (typeof spec !== 'function') return compileKeys(spec, functions, 'test');
  const fn = { uid: 'test', slot: 'key', textHash: '' };
  functions.set(fn, spec);
  return compileKeys({ fn }, functions, 'test');
}
/** Numbers the keys of the elements in order of appearance, the way an operator finds them. */
function numbered(keys: Keys, elements: readonly unknown[]): number[] {
  const map = new KeyMap<number>();
  return elements.map((element) => {
    const key = keys.read(element);
    const known = keys.find(map, key);
    if (known !== undefined) return known;
    map.set(keys.tuple(keys.row(element, key)), map.size);
    return map.size - 1;
  });
}

describe('the key of an element', () => {
  test('is its field, distinguished by type and not by the sign of zero', () => {
    const elements = [1, '1', 1n, true, null, 0, -0, new Date(1), new Date(1), [1], [1], 1].map((k) => ({ k }));
    assert.deepEqual(numbered(keysOf({ fields: ['k'] }), elements), [0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 0]);
  });
  test('is the tuple of its fields', () => {
    const keys = keysOf({ fields: ['a', 'b'] });
    const elements = [
      { a: 'x', b: 1 },
      { a: 'x', b: '1' },
      { b: 1, a: 'x', c: 0 },
      { a: 'xs1:', b: '' },
      { a: 'x', b: 's1:' },
    ];
    assert.deepEqual(numbered(keys, elements), [0, 1, 0, 2, 3]);
    assert.deepEqual(keys.row(elements[2], ''), { a: 'x', b: 1 });
    assert.deepEqual(keys.tuple({ a: 'x', b: 1 }), ['x', 1]);
  });
  test('by a function is the value itself, or the fields of an object by name', () => {
    const keys = keysOf((element: unknown) => element);
    const elements = ['x', { key: 'x' }, { other: 'x' }, { a: 1, b: 2 }, { b: 2, a: 1 }, [1, 2], { q: [1, 2] }, {}];
    assert.deepEqual(numbered(keys, elements), [0, 0, 0, 1, 1, 2, 2, 3]);
    assert.deepEqual(keys.row(undefined, 'x'), { key: 'x' });
    assert.deepEqual(keys.row(undefined, -0), { key: 0 });
    assert.deepEqual(keys.row(undefined, { b: -0, a: 1 }), { b: 0, a: 1 });
    assert.deepEqual(keys.row(undefined, [1]), { key: [1] });
    assert.deepEqual(keys.tuple({ b: 2, a: 1 }), [1, 2]);
  });
  test('of another realm is the same key', () => {
    const keys = keysOf((element: unknown) => element);
    const foreign = runInNewContext('[{ a: 1, b: 2 }, new Date(5), Uint8Array.of(1), [1]]') as unknown[];
    assert.deepEqual(
      numbered(keys, [{ a: 1, b: 2 }, new Date(5), Uint8Array.of(1), [1], ...foreign]),
      [0, 1, 2, 3, 0, 1, 2, 3],
    );
  });
  test('of windowAll is the one empty key', () => {
    const keys = keysOf({ constant: true });
    assert.deepEqual(numbered(keys, [1, 'x', null]), [0, 0, 0]);
    assert.deepEqual(keys.row(1, keys.read(1)), {});
  });
  test('survives a snapshot, with its names in their order', () => {
    for (const [spec, row] of [
      [{ fields: ['a'] }, { a: [1] }],
      [{ fields: ['a', 'b'] }, { a: 1, b: null }],
      [{ constant: true }, {}],
      [(element: unknown) => element, { b: 1, a: 2 }],
      [(element: unknown) => element, { key: 1 }],
      [{ fields: ['a', 'b'] }, { a: { z: 1, b: [1] }, b: new Date(3) }],
    ] as const) {
      const keys = keysOf(spec);
      const writer = new SegmentWriter();
      writer.put(undefined, keys.tuple(row), [], labelOf(row, keys));
      const [{ tuple, label }] = [...writer.segments().values()].flatMap((segment) => entriesOf([segment])) as [
        SavedEntry,
      ];
      assert.deepEqual(tuple, keys.tuple(row));
      assert.deepEqual(Object.entries(rowOf(tuple, label, keys)), Object.entries(row));
    }
  });
});

describe('what cannot be a key is one clear error', () => {
  const circle: unknown[] = [];
  circle.push(circle);
  const of = (k: unknown) => () => numbered(keysOf({ fields: ['k'] }), [{ k }]);
  const ofTwo = (k: unknown) => () => numbered(keysOf({ fields: ['a', 'k'] }), [{ a: 1, k }]);
  class Point {
    x = 1;
  }
  const none: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /The key field "k" is undefined/],
    [NaN, /The key field "k" is NaN/],
    [Infinity, /is Infinity/],
    [new Date(NaN), /invalid Date/],
    [() => 1, /is a function/],
    [new Point(), /an object of class Point/],
    [new Map(), /a Map of 0/],
    [Symbol('s'), /Symbol\(s\)/],
    [[1, [undefined]], /is undefined/],
    [{ a: { b: NaN } }, /is NaN/],
    [circle, /contains itself/],
    [{ circle }, /contains itself/],
  ];
  for (const [value, message] of none)
    test(`such as ${String(message)}`, () => {
      assert.throws(of(value), { code: 'bad-key', message });
      assert.throws(ofTwo(value), { code: 'bad-key' });
      assert.throws(
        () =>
          numbered(
            keysOf(() => value),
            [0],
          ),
        { code: 'bad-key' },
      );
      assert.throws(() => keyBytes([value]), { code: 'bad-key' });
    });
});
