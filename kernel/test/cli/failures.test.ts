// `sluice run` with cells that fail: over sources that end, the other cells give all their rows,
// each failing cell has its error, and the code is 1. Over sources that never end, the first
// failure ends the run. A row that cannot be shown ends nothing.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { type JsonLine, Folder, sluice } from './sluice.ts';

const rows = (lines: readonly JsonLine[], cell: string): unknown[] =>
  lines.flatMap((line) => (line.cell === cell && 'row' in line ? [line.row] : []));
const errors = (lines: readonly JsonLine[]): readonly (readonly [cell: string | undefined, code: string])[] =>
  lines.flatMap(({ cell, error }) => (error ? [[cell, error.code] as const] : []));

const failing = `// %% id=rows
import { count, from, sum, tumbling } from 'sluice';
const readings = from(
  Array.from({ length: 20 }, (_, n) => ({ at: n * 60_000, k: 'k' + (n % 2), v: n === 7 ? null : n })),
  { timestamp: 'at' },
);
// %% id=counts
readings.keyBy('k').window(tumbling('5m')).aggregate({ n: count() }).show();
// %% id=times
readings.map((r) => r.at).show();
// %% id=sums
readings.keyBy('k').window(tumbling('5m')).aggregate({ s: sum('v') }).show();
// %% id=throws
const prices = readings.map((r) => { if (r.at === 600_000) throw new Error('no price'); return r.at; });
// %% id=below
prices.map((at) => at / 1000).show();
// %% id=wrong
const factor = nobody * 2;
// %% id=needs
const more = factor + 1;
// %% id=typo
const x = ;
`;

test('over sources that end, five runs give the same rows and each error once', { timeout: 120_000 }, async (t) => {
  const notebook = new Folder(t).write('a.sluice.ts', failing);
  for (let run = 1; run <= 5; run++) {
    const { code, lines } = await sluice('run', notebook, '--json');
    assert.equal(code, 1);
    assert.deepEqual(
      errors(lines).toSorted(([a], [b]) => String(a).localeCompare(String(b))),
      [
        ['needs', 'needed-cell-failed'],
        ['sums', 'bad-value'],
        ['throws', 'exception'],
        ['typo', 'syntax'],
        ['wrong', 'exception'],
      ],
      `run ${run}`,
    );
    assert.equal(rows(lines, 'counts').length, 8);
    assert.equal(rows(lines, 'times').length, 20);
    assert.deepEqual(
      rows(lines, 'below'),
      Array.from({ length: 10 }, (_, n) => n * 60),
      `run ${run}`,
    );
    assert.ok(lines.at(-1)?.metrics);
  }
});

test('without --json each error is one line too', async (t) => {
  const notebook = new Folder(t).write('a.sluice.ts', failing);
  const { code, out } = await sluice('run', notebook);
  assert.equal(code, 1);
  const lines = out.split('\n').filter((line) => line.startsWith('✖'));
  assert.deepEqual(lines.map((line) => /^✖ (\w+):/.exec(line)?.[1]).toSorted(), [
    'needs',
    'sums',
    'throws',
    'typo',
    'wrong',
  ]);
});

test('rows before a failure are printed, however slowly they go through the cells below', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=a
import { generate } from 'sluice';
const numbers = generate({ limit: 5000 }, ({ n }) => n).map((n) => { if (n === 4000) throw new Error('enough'); return n; });
// %% id=b
numbers.mapAsync(async (n) => n, { capacity: 2 }).show();
`,
  );
  const { code, lines } = await sluice('run', notebook, '--json');
  assert.deepEqual([code, errors(lines)], [1, [['a', 'exception']]]);
  assert.deepEqual(
    rows(lines, 'b'),
    Array.from({ length: 4000 }, (_, n) => n),
  );
});

for (const { title, bad, error } of [
  {
    title: 'an operator that throws',
    bad: "ticks.map((n): number => { if (n === 20) throw new Error('no'); return n; }).show();",
    error: 'exception',
  },
  { title: 'a cell that throws', bad: "throw new Error('no');", error: 'exception' },
])
  test(`over a source that never ends, ${title} ends the run`, async (t) => {
    const notebook = new Folder(t).write(
      'a.sluice.ts',
      `// %% id=ticks
import { generate } from 'sluice';
const ticks = generate({ rate: 100 }, ({ n }) => n);
ticks.show();
// %% id=bad
${bad}
// %% id=also
${bad}
`,
    );
    const { code, lines } = await sluice('run', notebook, '--json');
    assert.equal(code, 1);
    assert.deepEqual(errors(lines)[0]?.[1], error);
    assert.ok(lines.at(-1)?.metrics);
  });

const refused = (source: string): string => `// %% id=source
import { from, generate } from 'sluice';
const numbers = ${source};
// %% id=ok
numbers.show();
// %% id=async
numbers.map(async (n) => n * 10).show();
// %% id=ring
numbers.map((n) => { const row: { n: number; self?: unknown } = { n }; if (n % 2 === 1) row.self = row; return row; }).show();
// %% id=page
numbers.map((n) => ({ n, page: n === 2 ? new URL('https://example.org/') : null })).show();
// %% id=deep
numbers.map((n) => { let v: unknown = n; if (n === 0) for (let i = 0; i < 4000; i++) v = { v }; return { n, v }; }).show();
`;

test('rows that cannot be shown are left out: the cell goes on, its first one is the error, and the code is 1', async (t) => {
  const notebook = new Folder(t).write('a.sluice.ts', refused('from([0, 1, 2, 3])'));
  const { code, lines, err } = await sluice('run', notebook, '--json');
  assert.deepEqual([code, err], [1, '']);
  assert.deepEqual(rows(lines, 'ok'), [0, 1, 2, 3]);
  assert.deepEqual(rows(lines, 'async'), []);
  assert.deepEqual(rows(lines, 'ring'), [{ n: 0 }, { n: 2 }]);
  assert.deepEqual(
    rows(lines, 'page').map((row) => (row as { n: number }).n),
    [0, 1, 3],
  );
  assert.deepEqual(
    rows(lines, 'deep').map((row) => (row as { n: number }).n),
    [1, 2, 3],
  );
  const messages = new Map(lines.flatMap(({ cell, error }) => (error ? [[cell, error.message] as const] : [])));
  assert.equal(errors(lines).length, 4);
  assert.ok(errors(lines).every(([, one]) => one === 'row-not-shown'));
  assert.match(messages.get('async') ?? '', /is a Promise\. Use mapAsync.* Record: numbers\[0\]@0 /);
  assert.match(messages.get('ring') ?? '', /self refers to an object that contains it.* Record: numbers\[0\]@1 /);
  assert.match(messages.get('page') ?? '', /page is an object of class URL.* Record: numbers\[0\]@2 /);
  assert.match(messages.get('deep') ?? '', /v\.v\.v.*nested more than 500 levels.* Record: numbers\[0\]@0 /);
  const leftOut = lines
    .at(-1)!
    .metrics!.operators.flatMap(({ id, rowsLeftOut }) =>
      rowsLeftOut === undefined ? [] : [[id.split('/')[0], rowsLeftOut] as const],
    );
  assert.deepEqual(Object.fromEntries(leftOut), { async: 4, ring: 2, page: 1, deep: 1 });
});

test('an endless run goes on past rows that cannot be shown, and its code is 1', async (t) => {
  const notebook = new Folder(t).write('a.sluice.ts', refused('generate({ rate: 50 }, ({ n }) => n)'));
  const { code, lines } = await sluice('run', notebook, '--json', '--for', '3s');
  assert.equal(code, 1);
  assert.equal(errors(lines).length, 4);
  assert.ok(rows(lines, 'ok').length > 30);
  assert.ok(rows(lines, 'ring').length > 15);
});

test('a pulled row that cannot be printed is an error, and the cell gets it', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=a
import { from } from 'sluice';
const all = await from([1, 2, 3]).map((n) => (n === 2 ? { f: () => n } : { n })).toArray();
console.log(all.length);
`,
  );
  const { code, lines, err } = await sluice('run', notebook, '--json');
  assert.deepEqual([code, err], [1, 'a: 3\n']);
  assert.deepEqual(rows(lines, 'a'), [{ n: 1 }, { n: 3 }]);
  assert.deepEqual(errors(lines), [['a', 'row-not-shown']]);
});

test('a sink fails at a row that it cannot write, and names the field', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=a
import { from } from 'sluice';
const numbers = from([1, 2]);
numbers.map((n) => ({ n, later: n === 2 ? { p: Promise.resolve(n) } : null })).toFile('out.jsonl');
// %% id=ok
numbers.show();
`,
  );
  const { code, lines } = await sluice('run', notebook, '--json');
  assert.equal(code, 1);
  assert.deepEqual(rows(lines, 'ok'), [1, 2]);
  const [failed, ...others] = lines.filter(({ error }) => error);
  assert.deepEqual([failed?.cell, failed?.error?.code, others.length], ['a', 'bad-row', 0]);
  assert.match(failed?.error?.message ?? '', /later\.p is a Promise\. .*Record: numbers\[0\]@1 /);
});
