// `sluice serve` says what sources reject, also if nobody reads `.errors` and nothing is shown: in
// the terminal and to the page. So do the metrics of a run, for each source.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { code, Kernels, until } from '../server/kernels.ts';
import { PageClient } from './page-client.ts';
import { Folder, sluice, start } from './sluice.ts';

const mixed = '{"a":1,"at":1000}\n{"a":2,"at":2000,}\n{"a":3,"at":3000}\n{"a":4,"at":"2024-01-01"}\n';
const cells = {
  shown:
    "import { file, from, generate } from 'sluice';\nfile<{ at: number }>('mixed.jsonl', { timestamp: 'at' }).show();",
  silent: "const silent = file<{ at: number }>('mixed.jsonl', { timestamp: 'at' });",
  reader: 'silent.map((row) => row.at).show();',
  sunk: "from([{ at: 1 }, { at: 'soon' }, { at: 3 }], { timestamp: 'at' }).sink(() => undefined);",
  made: "generate({ limit: 10, timestamp: 'at' }, ({ n }) => (n % 5 === 3 ? { n } : { n, at: n })).show();",
  heard: "const heard = file<{ at: number }>('mixed.jsonl', { timestamp: 'at' });\nheard.errors.show();\nheard.show();",
  good: 'from([1, 2]).show();',
};
const notebook = Object.entries(cells)
  .map(([id, text]) => `// %% id=${id}\n${text}\n`)
  .join('\n');
/** Cell → how many of how many, and the place of the first. */
const rejected = {
  shown: /^2 of 4 records of .*mixed\.jsonl were rejected: mixed\.jsonl line 2: It is not JSON: /,
  silent: /^2 of 4 records of .*mixed\.jsonl were rejected: mixed\.jsonl line 2: It is not JSON: /,
  sunk: /^1 of 3 records of .*from.* was rejected: Element 1 of .*"at" is "soon"/,
  made: /^2 of 10 records of .*generate.* were rejected: .*n=3: The record has no "at"/,
  heard: /^2 of 4 records of .*mixed\.jsonl were rejected: mixed\.jsonl line 2: It is not JSON: /,
};

test('serve counts what sources reject and says the first, in the terminal and to the page', async (t) => {
  const kernels = new Kernels(t);
  kernels.notebook('mixed.jsonl', mixed);
  const { child, ended, out } = start(['serve', kernels.notebook('a.sluice.ts', notebook)]);
  await until(() => out().includes('http:'), 'the address');
  const page = await PageClient.open(t, out());
  for (const cell of Object.keys(cells)) await until(() => page.cell(cell)?.phase === 'finished', `the end of ${cell}`);
  for (const [cell, expected] of Object.entries(rejected)) {
    const said = (page.cell(cell)?.rejected ?? []).map(({ text, first }) => `${text}: ${first}`);
    assert.equal(said.length, 1, cell);
    assert.match(said[0]!, expected);
  }
  for (const cell of ['reader', 'good']) assert.equal(page.cell(cell)?.rejected, undefined, cell);
  child.kill('SIGINT');
  const { code: exit, err } = await ended;
  assert.deepEqual([exit, err], [0, '']);
  const lines = out().split('\n');
  for (const [cell, expected] of Object.entries(rejected)) {
    const said = lines.filter((line) => line.startsWith(`▲ ${cell}  `)).map((line) => line.slice(`▲ ${cell}  `.length));
    assert.match(said.at(-1) ?? '', expected, `${cell}: ${out()}`);
  }
  assert.ok(!lines.some((line) => /^▲ (reader|good) /.test(line)), out());
});

test('serve says the last count at its end, when records were rejected after the first line', async (t) => {
  const kernels = new Kernels(t);
  const endless = `// %% id=made
import { generate } from 'sluice';
const made = generate({ rate: 200, timestamp: 'at' }, ({ n, now }) => (n % 2 === 1 ? { n } : { n, at: now }));
made.show();
`;
  const { child, ended, out } = start(['serve', kernels.notebook('a.sluice.ts', endless)]);
  const said = (): number[] =>
    [...out().matchAll(/^▲ made {2}([\d,]+) of [\d,]+ records of .* rejected so far: .*n=1: /gm)].map(([, count]) =>
      Number(count!.replaceAll(',', '')),
    );
  await until(() => said().length > 0, 'the first count');
  const page = await PageClient.open(t, out());
  const count = (): number =>
    Number(/^[\d,]+/.exec(page.cell('made')?.rejected?.[0]?.text ?? '0')![0].replaceAll(',', ''));
  await until(() => count() > said()[0]! + 100, 'more rejected records');
  const seen = count();
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
  assert.equal(said().length, 2, out());
  assert.ok(said()[1]! >= seen, `${said().join()}, and the page had ${seen}`);
});

test('serve says what was rejected before it joined the session', async (t) => {
  const kernels = new Kernels(t);
  kernels.notebook('mixed.jsonl', mixed);
  const path = kernels.notebook('a.sluice.ts', '// %% id=a\n');
  const connection = await kernels.connect(path);
  await connection.request('sync', { cells: code({ shown: cells.shown }) });
  await connection.request('run', { cells: ['shown'] });
  const { child, ended, out } = start(['serve', path]);
  await until(() => /^▲ shown {2}2 of 4 records .*: mixed\.jsonl line 2: /m.test(out()), 'the line');
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
});

test('the metrics of a run have the figures of each source', async (t) => {
  const folder = new Folder(t);
  folder.write('mixed.jsonl', mixed);
  const { code: exit, lines } = await sluice('run', folder.write('a.sluice.ts', notebook), '--json');
  assert.equal(exit, 0);
  const sources = lines.at(-1)!.metrics!.operators.filter((operator) => 'recordsRejected' in operator);
  const figures = sources.map(({ id, recordsRejected, firstRejection }) => [
    id.split('/')[0],
    recordsRejected,
    typeof firstRejection === 'string',
  ]);
  assert.deepEqual(
    figures.toSorted(([a], [b]) => String(a).localeCompare(String(b))),
    [
      ['good', 0, false],
      ['heard', 2, true],
      ['made', 2, true],
      ['shown', 2, true],
      ['silent', 2, true],
      ['sunk', 1, true],
    ],
  );
});
