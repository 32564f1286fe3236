// Rows that cannot leave their thread: each obstacle is found and named with its field; data leave.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import v8 from 'node:v8';
import { rowText } from '../../formats/row-text.ts';
import { copied } from '../../values/copied.ts';
import { obstacleIn } from '../../values/leaving.ts';
import { assertStorable } from '../../values/storable.ts';

const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
};
const containing = (): unknown => {
  const node: { name: string; children: unknown[] } = { name: 'x', children: [] };
  node.children.push({ parent: node });
  return node;
};
const throwing = (): unknown => ({
  n: 1,
  inner: {
    get price(): number {
      throw new Error('no price yet.');
    },
  },
});

/**
 * Bytes whose buffer was transferred, and views beyond the end of a buffer that was made shorter.
 */
function gone(): Readonly<Record<'buffer' | 'bytes' | 'numbers' | 'view' | 'beyond', object>> {
  const buffer = new ArrayBuffer(8);
  const [bytes, numbers, view] = [new Uint8Array(buffer), new Float64Array(buffer), new DataView(buffer)];
  structuredClone(buffer, { transfer: [buffer] });
  const resized = new ArrayBuffer(16, { maxByteLength: 32 });
  const beyond = new Uint8Array(resized, 8, 8);
  resized.resize(8);
  return { buffer, bytes, numbers, view, beyond };
}

type Refused = readonly [what: string, row: unknown, obstacle: RegExp];
const refused: readonly Refused[] = [
  ['a Promise', Promise.resolve(1), /^The row is a Promise\. Use mapAsync, which awaits it\.$/],
  ['a Promise in a field', { price: Promise.resolve(1) }, /^price is a Promise\. Use mapAsync/],
  ['a function', { n: 1, f: () => 1 }, /^f is the function f\. Keep data in rows/],
  ['a symbol', [Symbol('s')], /^\[0\] is Symbol\(s\)\./],
  ['a Proxy', { p: new Proxy({}, {}) }, /^p is a Proxy\. Copy its fields to a plain object\.$/],
  ['a cycle', containing(), /^children\[0\]\.parent refers to an object that contains it, so the row contains itself/],
  ['a getter that throws', throwing(), /^inner\.price cannot be read: no price yet\.$/],
  [
    '4,000 levels of objects',
    { v: nested(4000, (a) => ({ a })) },
    /^v\.a\.a\.a\.a\.a… is nested more than 500 levels deep/,
  ],
  ['4,000 levels of arrays', nested(4000, (a) => [a]), /^\[0\].* is nested more than 500 levels deep/],
  ['4,000 levels of maps', nested(4000, (a) => new Map([[1, a]])), /is nested more than 500 levels deep/],
  [
    'an object of the host',
    { page: new URL('https://example.org/') },
    /^page is an object of class URL\. .* Give String\(page\) or \{ \.\.\.page \} instead\.$/,
  ],
  ['a WeakMap in a set', new Set([new WeakMap()]), /^\{…\} is an object of class WeakMap\./],
  ...Object.entries(gone()).map(([name, value]): Refused => [
    `bytes without their buffer (${name})`,
    { row: [{ [name]: value }] },
    new RegExp(`^row\\[0\\]\\.${name} is an object of class \\w+ without its bytes: `),
  ]),
  ['a function in an instance', new (class Order { f = (): number => 1; })(), /^f is the function f\./], // prettier-ignore
];

for (const [what, row, obstacle] of refused)
  test(`${what} is an obstacle, and its field is named`, () => {
    assert.match(obstacleIn(row) ?? 'none', obstacle);
  });

const shared60 = nested(60, (a) => [a, a]);
test('a copy of shared parts is no larger than the value, and state may hold it', () => {
  const copy = copied({ v: shared60 }) as { v: unknown[] };
  assertStorable(copy, 'State "last"');
  assert.notEqual(copy.v, shared60);
  // The value expanded would have 2^60 parts.
  assert.equal(v8.serialize(copy).length < 1_000_000, true);
});

test('data have no obstacle, and each of them can be copied', () => {
  class Order {
    n = 1;
  }
  const shared = { a: 1 };
  const rows = [
    ...[undefined, null, 1, NaN, 'x', 1n, true, new Date(0), new Uint8Array(3), [1, [2]], [undefined]],
    { a: new Map([[{ k: 1 }, new Set([1])]]), b: shared, c: shared },
    ...[
      new Order(),
      /x/,
      new Float64Array(2),
      new Uint8Array(0),
      new ArrayBuffer(0),
      new DataView(new ArrayBuffer(0)),
      Object.create(null) as unknown,
    ],
    nested(500, (a) => ({ a })),
    JSON.parse('{"__proto__":{"a":1},"constructor":1,"then":2}') as unknown,
  ];
  for (const row of rows) {
    assert.equal(obstacleIn(row), undefined);
    structuredClone(row);
  }
});

test('a getter that throws only once is still an obstacle', () => {
  let reads = 0;
  const row = {
    get n(): number {
      if (reads++ === 0) throw new Error('once');
      return 1;
    },
  };
  assert.match(obstacleIn(row) ?? '', /^The row cannot be read twice/);
});

test('state refuses a Proxy too, because a snapshot cannot hold it', () => {
  assert.throws(() => assertStorable({ p: new Proxy({}, {}) }, 'State "last"'), {
    code: 'not-storable',
    message: /at p, is a Proxy/,
  });
});

for (const [what, row, obstacle] of refused.slice(1))
  test(`a sink writes no row with ${what}`, () => {
    assert.throws(
      () => rowText(row),
      ({ code, message }: { code: string; message: string }) =>
        code === 'bad-row' && obstacle.test(message.replace(/^The row cannot be written: /, '')),
    );
  });
