// `sluice run` with cells that fail: over sources that end, the other cells give all their rows,
// each failing cell has its error, and the code is 1. Over sources that never end, the first
// failure ends the run. A row that cannot be shown ends nothing.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { until } from '../server/kernels.ts';
import { type Ended, type JsonLine, Folder, sluice, start } from './sluice.ts';

const rows = (lines: readonly JsonLine[], cell: string): unknown[] =>
  lines.flatMap((line) => (line.cell === cell && 'row' in line ? [line.row] : []));
const errors = (lines: readonly JsonLine[]): readonly (readonly [cell: string | undefined, code: string])[] =>
  lines.flatMap(({ cell, error }) => (error ? [[cell, error.code] as const] : []));

const failing = `// %% id=rows
import { count, from, sum, tumbling } from 'sluice';
const readings = from(
  Array.from({ length: 20 }, (_, n) => ({ at: n * 60_000, k: 'k' + (n % 2), v: n === 7 ? 'x' : n })),
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

test('over sources that end, five runs give the same rows and each error once', { timeout: 300_000 }, async (t) => {
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
numbers.map((n) => ({ later: Promise.resolve(n * 10) })).show();
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
  assert.match(messages.get('async') ?? '', /later is a Promise\. Use mapAsync.* Record: numbers\[0\]@0 /);
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

test('rows that only their copy refuses, lost bytes and invalid dates are left out too, each with its field', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=source
import { from } from 'sluice';
const numbers = from([0, 1, 2, 3]);
// %% id=list
numbers.map((n) => ({ n, list: n === 1 ? Object.assign([n], { extra: () => n }) : [n] })).show();
// %% id=bytes
numbers.map((n) => { const bytes = new Uint8Array(4); if (n === 2) structuredClone(bytes, { transfer: [bytes.buffer] }); return { n, bytes }; }).show();
// %% id=date
numbers.map((n) => ({ n, at: { last: new Date(n > 1 ? NaN : n) } })).show();
// %% id=getter
numbers.map((n) => { let reads = 0; return { n, inner: { get f(): unknown { return n === 3 && reads++ > 0 ? () => n : n; } } }; }).show();
// %% id=pulled
(await numbers.map((n) => ({ n, f: n > 1 ? () => n : null })).toArray()).length;
// %% id=file
numbers.map((n) => ({ n, at: new Date(n === 1 ? NaN : n) })).toFile('out.jsonl');
`,
  );
  const { code, lines, err } = await sluice('run', notebook, '--json');
  assert.deepEqual([code, err], [1, '']);
  const seen = (cell: string): unknown[] => rows(lines, cell).map((row) => (row as { n: number }).n);
  assert.deepEqual(
    ['list', 'bytes', 'date', 'getter'].map(seen),
    [[0, 2, 3], [0, 1, 3], [0, 1], [0, 1, 2]], // prettier-ignore
  );
  const messages = new Map(lines.flatMap(({ cell, error }) => (error ? [[cell, error.message] as const] : [])));
  assert.match(messages.get('list') ?? '', /: list\.extra cannot be copied: .* Record: numbers\[0\]@1 /);
  assert.match(
    messages.get('bytes') ?? '',
    /: bytes is an object of class Uint8Array without .* Record: numbers\[0\]@2 /,
  );
  assert.match(messages.get('date') ?? '', /: at\.last is an invalid Date\. .* Record: numbers\[0\]@2 .*Invalid Date/);
  assert.match(messages.get('getter') ?? '', /: inner\.f cannot be copied: .* Record: numbers\[0\]@3 /);
  assert.match(messages.get('file') ?? '', /The row cannot be written: at is an invalid Date\./);
  const leftOut = lines
    .at(-1)!
    .metrics!.operators.flatMap(({ id, rowsLeftOut }) =>
      rowsLeftOut === undefined ? [] : [[id.split('/')[0], rowsLeftOut] as const],
    );
  // The operator of a pull has ended with it, so its rows count at the source.
  assert.deepEqual(Object.fromEntries(leftOut), { list: 1, bytes: 1, date: 2, getter: 1, source: 2 });
});

test('an endless run goes on past rows that cannot be shown, and its code is 1', async (t) => {
  const notebook = new Folder(t).write('a.sluice.ts', refused('generate({ rate: 50 }, ({ n }) => n)'));
  const { child, ended, out } = start(['run', notebook, '--json']);
  const rowsOf = (cell: string): number => out().split(`{"cell":"${cell}","row"`).length - 1;
  await until(() => rowsOf('ok') > 30 && rowsOf('ring') > 15, 'rows behind the refused ones', 120_000);
  child.kill('SIGINT');
  const { code, lines } = await ended;
  assert.equal(code, 1);
  assert.equal(errors(lines).length, 4);
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

test('a cell that has not returned when the time is over is an error, and so are the cells behind it', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `import { generate } from 'sluice';
// %% id=ticks
const ticks = generate({ rate: 100 }, ({ n }) => ({ n }));
ticks.show();
// %% id=stuck
console.log('begun');
await new Promise(() => setInterval(() => undefined, 1000));
// %% id=after
ticks.map(({ n }) => n).show();
`,
  );
  const { code, lines } = await runUntilBegun(notebook);
  assert.equal(code, 1);
  assert.deepEqual(errors(lines), [
    ['stuck', 'cell-not-returned'],
    ['after', 'cell-not-run'],
  ]);
  const messages = lines.flatMap(({ error }) => (error ? [error.message] : []));
  assert.match(messages[0]!, /"stuck" had not returned when the time was over: look for an `await`/);
  assert.match(messages[1]!, /"after" had not run when the time was over\. It waited for "stuck"\./);
});

test('a cell that reads a stream without end has not returned either', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `import { generate } from 'sluice';
// %% id=all
for await (const { n } of generate({ rate: 100 }, ({ n }) => ({ n }))) if (n === 1) console.log('begun');
`,
  );
  const { code, lines } = await runUntilBegun(notebook);
  assert.deepEqual([code, errors(lines)], [1, [['all', 'cell-not-returned']]]);
  assert.match(lines.find(({ error }) => error)!.error!.message, /it was reading rows of a stream/);
});

/** Runs for a longer time until a cell has said that it has begun: the machine may be busy. */
async function runUntilBegun(notebook: string): Promise<Ended> {
  for (let seconds = 3; ; seconds *= 3) {
    const ended = await sluice('run', notebook, '--json', '--for', `${seconds}s`);
    if (ended.err.includes('begun')) return ended;
  }
}
