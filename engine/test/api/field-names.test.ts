// Names that every object inherits are names like any other: of fields, columns, aggregates, keys,
// stages of a pattern and parameters.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { copied } from '../../values/copied.ts';
import { count, Environment, param, pattern, sum, tumbling } from '../../index.ts';
import { evaluate } from './evaluate.ts';

type Row = Record<string, unknown>;
const folder = mkdtempSync(join(tmpdir(), 'sluice-names-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An object with this field of its own, also for the name `__proto__`. */
const object = (...entries: readonly (readonly [string, unknown])[]): Row => Object.fromEntries(entries);
const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('a column of a CSV file and a field of a JSON file may have an inherited name', async () => {
  const csv = written('names.csv', `${inherited.join(',')}\n1,2,3,4\n`);
  const json = written('names.jsonl', '{"__proto__":1,"constructor":2,"toString":3,"hasOwnProperty":4}\n');
  const expected = [object(...inherited.map((name, index) => [name, index + 1] as const))];
  for (const path of [csv, json]) {
    const rows = await new Environment().file<Row>(path).toArray();
    assert.deepEqual(rows.map(Object.entries), expected.map(Object.entries));
  }
});

for (const name of inherited) {
  test(`an aggregate, a key field and a summed field may have the name ${name}`, async () => {
    const rows = [object([name, 'a'], ['v', 1], ['at', 0]), object([name, 'b'], ['v', 2], ['at', 0])];
    const keyed = await new Environment()
      .from(rows, { timestamp: () => 0 })
      .keyBy(name)
      .window(tumbling('1m'))
      .aggregate({ n: count() })
      .toArray();
    assert.deepEqual(keyed.map((row) => Object.entries(row).slice(0, 1)).sort(), [[[name, 'a']], [[name, 'b']]]);

    const totals = object([name, sum('v')], ['n', count()]) as { n: ReturnType<typeof count> };
    const aggregated = await new Environment()
      .from(rows, { timestamp: () => 0 })
      .windowAll(tumbling('1m'))
      .aggregate(totals)
      .toArray();
    assert.deepEqual(
      aggregated.map((row) => Object.entries(row).filter(([field]) => !field.startsWith('window'))),
      [
        [
          [name, 3],
          ['n', 2],
        ],
      ],
    );
  });

  test(`a key function may return an object with the field ${name}`, async () => {
    const rows = [{ v: 1, at: 0 }];
    const keyed = await new Environment()
      .from(rows, { timestamp: 'at' })
      .keyBy(({ v }) => object([name, v]) as { v: number })
      .window(tumbling('1m'))
      .aggregate({ n: count() })
      .toArray();
    assert.deepEqual(Object.entries(keyed[0]!)[0], [name, 1]);
  });

  test(`a parameter ${name} that is not given has its default`, () => {
    const read: unknown[] = [];
    evaluate(() => void read.push(param(name, 'none')), { params: {} });
    evaluate(() => void read.push(param(name, 'none')), { params: object([name, 'given']) as Record<string, string> });
    assert.deepEqual(read, ['none', 'given']);
  });

  test(`a copy of state has the field ${name}`, () => {
    assert.deepEqual(Object.entries(copied(object([name, { inner: 1 }]))), [[name, { inner: 1 }]]);
  });

  // The API refuses the stage `__proto__` with an error of its own.
  if (name === '__proto__') continue;
  test(`a stage of a pattern may have the name ${name}`, async () => {
    const rows = [
      { k: 1, v: 1, at: 0 },
      { k: 1, v: 5, at: 1 },
    ];
    const wanted = pattern<(typeof rows)[0]>(name)
      .where(({ v }) => v === 1)
      .followedBy('next')
      .where(({ v }, matched) => v > (matched as Record<string, { v: number }[]>)[name]![0]!.v);
    const found = await new Environment()
      .from(rows, { timestamp: 'at' })
      .keyBy('k')
      .pattern(wanted)
      .select((match) => Object.entries(match).map(([stage, elements]) => [stage, elements.length]))
      .toArray();
    assert.deepEqual(found, [
      [
        [name, 1],
        ['next', 1],
      ],
    ]);
  });
}
