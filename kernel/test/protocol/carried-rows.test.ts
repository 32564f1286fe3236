// Rows that text refuses: a row of --json, of a pull or of a sink is never cut. A display cuts it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { rowText } from '../../../engine/formats/row-text.ts';
import { obstacleIn } from '../../../engine/values/leaving.ts';
import { cutForDisplay, displayLimits } from '../../protocol/display-cut.ts';
import { toPlainJson, toWire } from '../../protocol/values.ts';

const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
};
const shared60 = nested(60, (a) => [a, a]);
const sparse: unknown[] = [];
sparse.length = 4e8;
const tooLarge: readonly [what: string, row: unknown][] = [
  ['parts that are shared many times', { v: shared60 }],
  ['maps that are shared many times', nested(60, (a) => new Map([[1, a], [2, a]]))], // prettier-ignore
  ['a list of 400,000,000 elements', { v: sparse }],
  ['a text that is shared many times', Array.from({ length: 300 }, () => 'x'.repeat(1_000_000))],
  ['16 MB of numbers', { v: new Float64Array(2_000_000) }],
];
for (const [what, row] of tooLarge)
  test(`text refuses a row with ${what}, and a display cuts it`, () => {
    assert.match(obstacleIn(row) ?? 'none', /^The row has more than [\d,]+ (values|characters)/);
    assert.throws(() => rowText(row), { code: 'bad-row', message: /The row has more than/ });
    assert.equal(obstacleIn(row, 'display'), undefined);
    const { value, size } = cutForDisplay(row);
    assert.ok(size < 2 * displayLimits.bytes);
    assert.ok(JSON.stringify(toWire(value)).length < 4 * displayLimits.bytes);
  });

class Marker {
  readonly #n = 1;
  get n(): number {
    return this.#n;
  }
}
for (const [what, value, obstacle] of [
  ['an Error', new RangeError('x'), /^v is an Error, which has no JSON text\. Give its text: String\(v\)\.$/],
  ['an invalid Date', new Date(NaN), /^v is an invalid Date\. Give a text or null\.$/],
  ['an instance without fields', new Marker(), /^v is an object of class Marker\. /],
  ['an object of the host without fields', new TextDecoder(), /^v is an object of class TextDecoder\. /],
] as const)
  test(`text refuses ${what}, which would become {} or null, and a display shows it`, () => {
    assert.match(obstacleIn({ v: value }) ?? 'none', obstacle);
    for (const row of [{ v: value }, { n: 1n, v: value }, [value]])
      assert.throws(() => rowText(row), { code: 'bad-row' });
    assert.equal(obstacleIn({ v: value }, 'display'), undefined);
  });

test('what JSON.stringify would cut has a text of its own, in sinks and in --json', () => {
  const { buffer } = new Uint8Array([1, 2, 3]);
  const row = {
    re: /a+/gi,
    bytes: buffer,
    view: new DataView(buffer, 1),
    numbers: new Float64Array([1.5, 2]),
    big: new BigInt64Array([5n]),
    number: new Number(5),
    text: new String('abc'),
    flag: new Boolean(false),
    object: Object(7n) as unknown,
    ['__proto__']: { own: 1 },
  };
  const expected = `{"re":"/a+/gi","bytes":"AQID","view":"AgM=","numbers":[1.5,2],"big":["5"],"number":5,"text":"abc","flag":false,"object":"7","__proto__":{"own":1}}`;
  assert.equal(rowText(row), expected);
  assert.equal(JSON.stringify(toPlainJson(row)), expected);
  assert.equal(JSON.stringify(toPlainJson(structuredClone({ ...row, view: 0 }))), expected.replace('"AgM="', '0'));
});

test('a display shows an Error, a RegExp and boxed values as text', () => {
  const { value } = cutForDisplay({ e: new TypeError('no'), re: /a/g, n: new Number(5), s: new String('abc') });
  assert.deepEqual(toWire(value), { e: 'TypeError: no', re: '/a/g', n: 5, s: 'abc' });
});
