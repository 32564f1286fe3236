// null, missing values and numbers that JSON does not have, from a source to a result.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { avg, collect, count, countDistinct, Environment, max, sum, tumbling } from '../../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-null-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  k: string;
  v?: number | null;
}

test('aggregates over a file with null and missing fields are those of SQL', async () => {
  const path = join(folder, 'v.jsonl');
  writeFileSync(path, '{"k":"a","v":1}\n{"k":"a","v":null}\n{"k":"a"}\n{"k":"a","v":3}\n{"k":"b"}\n');
  const rows = await new Environment()
    .file<Row>(path, { timestamp: () => 0 })
    .keyBy('k')
    .window(tumbling('1m'))
    .aggregate({ n: count(), d: countDistinct('v'), m: avg('v'), s: sum((row) => row.v), all: collect((row) => row.v) })
    .map(({ k, n, d, m, s, all }) => ({ k, n, d, m, s, all }))
    .toArray();
  assert.deepEqual(rows, [
    { k: 'a', n: 4, d: 2, m: 2, s: 4, all: [1, null, null, 3] },
    { k: 'b', n: 1, d: 0, m: null, s: null, all: [null] },
  ]);
});

test('a rolling maximum skips null and missing fields, and is null before the first value', async () => {
  const rows: Row[] = [{ k: 'a', v: null }, { k: 'a', v: 2 }, { k: 'a' }, { k: 'a', v: 1 }];
  const keyed = new Environment().from(rows).keyBy('k');
  assert.deepEqual(await keyed.aggregate({ most: max('v') }).toArray(), [
    { k: 'a', most: null },
    { k: 'a', most: 2 },
    { k: 'a', most: 2 },
    { k: 'a', most: 2 },
  ]);
});

for (const [what, element, key, message] of [
  ['null under one key field', null, ['k'], 'The key field "k" is undefined: the element is null.'],
  ['null under two key fields', null, ['k', 'v'], 'The key field "k" is undefined: the element is null.'],
  ['an element without the field', { v: 1 }, ['k'], 'The key field "k" is undefined: the element is an object with v.'],
  ['a text', 'ann', ['k'], 'The key field "k" is undefined: the element is "ann".'],
  [
    'a function that gives nothing',
    { v: 1 },
    [(row: Row) => row.k],
    'The key is undefined: the element is an object with v.',
  ],
] as const)
  test(`keyBy names the element: ${what}`, async () => {
    const rows = new Environment().from<Row>([{ k: 'a', v: 1 }, element as unknown as Row]);
    const keyed = (rows.keyBy as (...key: readonly unknown[]) => ReturnType<typeof rows.keyBy<'k'>>)(...key);
    await assert.rejects(keyed.aggregate({ n: count() }).toArray(), {
      code: 'bad-key',
      message: new RegExp(message.replaceAll(/[.()]/g, '\\$&')),
    });
  });

test('JSON lines have NaN and ±Infinity as texts', async () => {
  const path = join(folder, 'odd.jsonl');
  const environment = new Environment();
  environment
    .from([{ a: NaN, b: [-Infinity, 1], c: new Map([['x', Infinity]]) }, { a: 0.5, b: [], c: new Map() }, NaN])
    .toFile(path);
  await (
    await environment.execute()
  ).finished;
  assert.equal(
    readFileSync(path, 'utf8'),
    '{"a":"NaN","b":["-Infinity",1],"c":[["x","Infinity"]]}\n{"a":0.5,"b":[],"c":[]}\n"NaN"\n',
  );
});
