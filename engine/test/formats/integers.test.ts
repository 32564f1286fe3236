// Integers that a double cannot hold are exact, and only texts that may have one are read slowly.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import { count, countDistinct, Environment, type FileOptions, max, sum, tumbling } from '../../index.ts';
import { FoundFormat } from '../../formats/found-format.ts';
import { hasLongDigits, hasLongNumber, parseJson } from '../../formats/integers.ts';
import { openFormat } from '../../formats/value-format.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-integers-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  id: number;
}
const ids = ['1234567890123456789', '1234567890123456790', '9007199254740993', '9007199254740992', '7'];
const contents = {
  'ids.jsonl': ids.map((id) => `{"id":${id},"v":1}\n`).join(''),
  'ids.json': `[${ids.map((id) => `{"id":${id}}`).join(',\n')}]`,
  'ids.csv': `id,v\n${ids.map((id) => `${id},1\n`).join('')}`,
};

for (const [name, content] of Object.entries(contents)) {
  const path = join(folder, name);
  const rows = (options?: FileOptions<Row>) => {
    writeFileSync(path, content);
    return new Environment().file<Row>(path, { timestamp: () => 0, ...options });
  };
  test(`${name}: two ids do not become one`, async () => {
    assert.deepEqual(
      await rows()
        .windowAll(tumbling('1m'))
        .aggregate({ n: count(), ids: countDistinct('id') })
        .map(({ n, ids: d }) => [n, d])
        .toArray(),
      [[5, 5]],
    );
    assert.equal((await rows().keyBy('id').aggregate({ n: count() }).toArray()).filter(({ n }) => n === 1).length, 5);
    const totals = await rows()
      .keyBy(() => 'all')
      .aggregate({ most: max('id'), total: sum('id') })
      .toArray();
    assert.deepEqual(totals.at(-1), {
      key: 'all',
      most: 1234567890123456790n,
      total: ids.map(Number).reduce((a, b) => a + b),
    });
  });
  test(`${name}: integers says what they become`, async () => {
    const read = async (options?: FileOptions<Row>) => (await rows(options).toArray()).map(({ id }): unknown => id);
    assert.deepEqual(await read(), [...ids.slice(0, 4).map(BigInt), 7]);
    assert.deepEqual(await read({ integers: 'text' }), [...ids.slice(0, 4), 7]);
    assert.deepEqual(await read({ integers: 'number' }), ids.map(Number));
  });
}

test('records of a topic, in a format that is given or found', () => {
  const none = () => undefined;
  const text = '{"id":-1234567890123456789,"t":"12345678901234567890","d":0.12345678901234567,"e":1e30}';
  const rest = { t: '12345678901234567890', d: 0.12345678901234567, e: 1e30 };
  for (const [integers, id] of [
    [undefined, -1234567890123456789n],
    ['text', '-1234567890123456789'],
    ['number', -1234567890123456789],
  ] as const)
    for (const format of [
      openFormat({ format: 'json', ...(integers && { integers }) }, none),
      new FoundFormat({}, none, 'value', integers),
    ]) {
      const bytes = Buffer.from(text);
      const record = { bytes, slice: (start: number, end: number) => bytes.toString('utf8', start, end) };
      assert.equal(format.read(record, 0, text.length), 'value');
      assert.deepEqual(format.value, { id, ...rest });
    }
});

test('law: the check finds every run of 16 digits, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.stringMatching(/^[0-9]{1,20}$/), fc.stringMatching(/^[a,. -]{1,20}$/))),
      (parts) => {
        const text = parts.join('');
        assert.equal(hasLongNumber(text), /\d{16}/.test(text), text);
        assert.equal(hasLongDigits(Buffer.from(text)), /\d{16}/.test(text), text);
      },
    ),
    { numRuns: 500 },
  );
});

test('law: without such integers it is JSON.parse, and with them every digit counts', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n }), (value, integer) => {
      const text = JSON.stringify(value);
      assert.deepEqual(parseJson(text, 'number'), JSON.parse(text));
      assert.equal((parseJson(`[${text},${integer}]`) as unknown[])[1], integer);
      assert.equal((parseJson(`{"__proto__":-${integer}}`) as Record<string, unknown>)['__proto__'], -integer);
    }),
    { numRuns: 200 },
  );
});
