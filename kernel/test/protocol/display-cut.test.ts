// What a display keeps of a large value. A value that fits stays the same object, and each cut is
// visible.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { cutForDisplay, cutText, displayLimits, type CutLimits } from '../../protocol/display-cut.ts';
import { fromWire, toWire } from '../../protocol/values.ts';

const cut = (value: unknown, limits: Partial<CutLimits> = {}): unknown =>
  cutForDisplay(value, { ...displayLimits, ...limits }).value;
const text = (value: unknown): string => JSON.stringify(toWire(value));

test('a value that fits is returned as it is', () => {
  const rows = [
    { a: [1, { b: 'x' }], at: new Date(0), bytes: new Uint8Array(3), map: new Map([[{ k: 1 }, new Set([1n])]]) },
    Object.assign(Object.create(null) as object, { a: NaN }),
    [undefined, null, -0],
    'text',
    undefined,
  ];
  for (const row of rows) assert.equal(cut(row), row);
});

test('a long text is cut, says its length, and splits no pair of code units', () => {
  const { value, size } = cutForDisplay({ body: 'x'.repeat(52_428_800) });
  assert.equal((value as { body: string }).body, `${'x'.repeat(10_000)}… (52,428,800 characters)`);
  assert.ok(size < 11_000);
  assert.equal(cutText('ab😀cd', 3), 'ab… (6 characters)');
  assert.equal(cutText('abc', 3), 'abc');
});

test('wide objects, long arrays, maps and sets are cut, and say how much is missing', () => {
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, index]));
  const fields = cut(wide) as Record<string, unknown>;
  assert.match(String(fields['…']), /^… \([\d,]+ more fields\)$/);
  assert.equal(fields['f10'], 10);
  const numbers = cut(Array.from({ length: 10_000_000 }, (_, index) => index)) as unknown[];
  assert.match(String(numbers.at(-1)), /^… \([\d,]+ more elements\)$/);
  assert.ok(numbers.length < 40_000);
  const sparse: unknown[] = [];
  sparse.length = 4_000_000_000;
  assert.ok((cut(sparse) as unknown[]).length < 40_000);
  const map = cut(new Map(Array.from({ length: 100_000 }, (_, index) => [index, index]))) as Map<unknown, unknown>;
  assert.match(String(map.get('…')), /more entries/);
  const set = cut(new Set(Array.from({ length: 100_000 }, (_, index) => index))) as Set<unknown>;
  assert.match(String([...set].at(-1)), /more elements/);
});

test('large bytes and huge integers are named by their size', () => {
  assert.equal(cut(new Uint8Array(52_428_800)), '… (52,428,800 bytes)');
  assert.equal(cut(new Float64Array(1_000_000).buffer), '… (8,000,000 bytes)');
  assert.equal(cut(10n ** 20_000n), '… (a bigint of more than 10,000 digits)');
  assert.equal(cut(-(10n ** 30n)), -(10n ** 30n));
});

test('nesting of 4,000 levels is cut at 500, and neither cutting nor the wire overflows the stack', () => {
  let deep: unknown = 'bottom';
  for (let level = 0; level < 4_000; level++) deep = level % 2 === 0 ? [deep] : { deep };
  let inner = cut(deep);
  assert.deepEqual(fromWire(JSON.parse(text(inner))), inner);
  let levels = 0;
  while (typeof inner === 'object' && inner !== null) {
    inner = Array.isArray(inner) ? inner[0] : (inner as { deep: unknown }).deep;
    levels++;
  }
  assert.deepEqual([levels, inner], [500, '… (nested deeper than 500)']);
});

test('a circle is cut where it closes, and a shared part is no circle', () => {
  const shared = { s: 1 };
  const row: Record<string, unknown> = { left: shared, right: shared };
  assert.equal(cut(row), row);
  row['self'] = row;
  assert.deepEqual(cut(row), { left: { s: 1 }, right: { s: 1 }, self: '… (circular)' });
});

test('parts that share parts cost no more than the limit', () => {
  let node: unknown = 'leaf';
  for (let level = 0; level < 60; level++) node = [node, node];
  const { value, size } = cutForDisplay(node);
  assert.ok(size < displayLimits.bytes + 20_000, `${size}`);
  assert.ok(text(value).length < 2 * displayLimits.bytes);
});

test('a getter or a proxy that throws spoils only its field', () => {
  const row = {
    get bad(): never {
      throw new Error('no value');
    },
    proxy: new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no keys');
        },
      },
    ),
    good: 1,
  };
  assert.deepEqual(cut(row), {
    bad: '… (cannot be read: no value)',
    proxy: '… (cannot be read: no keys)',
    good: 1,
  });
});

test('the fields before and after a cut one stay, also __proto__', () => {
  const row: unknown = JSON.parse('{"__proto__": 1, "long": "xxxxxxxxxxxxxxxxxxxx", "constructor": 2}');
  assert.deepEqual(Object.entries(cut(row, { text: 9 }) as object), [
    ['__proto__', 1],
    ['long', 'xxxxxxxxx… (20 characters)'],
    ['construct… (11 characters)', 2],
  ]);
});

test('the result is never much larger than the limit, and a cut value needs no second cut', () => {
  const limits = { depth: 4, text: 20, bytes: 300 };
  fc.assert(
    fc.property(fc.object({ withBigInt: true, withMap: true, withSet: true, withDate: true, maxDepth: 6 }), (value) => {
      const { value: shown, size } = cutForDisplay(value, limits);
      assert.ok(size < limits.bytes + 300, `${size}`);
      const again = cutForDisplay(shown, { depth: 10, text: 200, bytes: 3000 });
      assert.equal(again.value, shown);
    }),
    { numRuns: 1000, seed: 11 },
  );
});
