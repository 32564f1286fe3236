// Rows that are nested 4,000 levels, by `sluice serve` and by `sluice run`: such a row is left out
// and said, and never cut. All other rows come, also those that are as deep as the limit allows.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { fromWire } from '../../protocol/values.ts';
import { Kernels, until } from '../server/kernels.ts';
import { PageClient } from './page-client.ts';
import { Folder, sluice, start } from './sluice.ts';

const levels = { refused: 4_000, allowed: 450 };
const cells = {
  source: `import { from } from 'sluice';
const nested = (levels: number, of: 'array' | 'object'): unknown => {
  let value: unknown = 'inside';
  for (let level = 0; level < levels; level++) value = of === 'array' ? [value] : { v: value };
  return value;
};
const numbers = from([0, 1, 2, 3]);`,
  objects: `numbers.map((n) => ({ n, deep: n === 1 ? nested(${levels.refused}, 'object') : n === 2 ? nested(${levels.allowed}, 'object') : 0 })).show();`,
  arrays: `numbers.map((n) => ({ n, deep: n === 1 ? nested(${levels.refused}, 'array') : n === 2 ? nested(${levels.allowed}, 'array') : 0 })).show();`,
  good: 'numbers.show();',
};
const text = (more: Readonly<Record<string, string>> = {}): string =>
  Object.entries({ ...cells, ...more })
    .map(([id, cell]) => `// %% id=${id}\n${cell}\n`)
    .join('\n');

function depthOf(value: unknown): number {
  let depth = 0;
  for (let inner = value; typeof inner === 'object' && inner !== null; depth++)
    [inner] = Object.values(inner) as unknown[];
  return depth;
}
const refused = /deep.* is nested more than 500 levels deep/;

test('serve leaves out a row of 4,000 levels, on the page and in the terminal', async (t) => {
  const kernels = new Kernels(t);
  const { child, ended, out } = start(['serve', kernels.notebook('a.sluice.ts', text())]);
  await until(() => out().includes('http:'), 'the address');
  const page = await PageClient.open(t, out());
  for (const cell of ['objects', 'arrays']) {
    const view = page.show(cell);
    const table = () => view.parts.find((part) => part.kind === 'table');
    await until(() => table()?.rows.length === 3, `three rows of ${cell}`);
    await until(() => view.parts.some(({ kind }) => kind === 'error'), `the error of ${cell}`);
    const rows = table()!.rows.map(({ value }) => fromWire(value) as { n: number; deep: unknown });
    assert.deepEqual(
      rows.map(({ n }) => n),
      [0, 2, 3],
    );
    assert.equal(depthOf(rows[1]!.deep), levels.allowed, 'it is not cut');
    const error = view.parts.find((part) => part.kind === 'error');
    assert.match(error?.kind === 'error' ? error.message : '', refused);
    await until(() => page.cell(cell)?.leftOut !== undefined, 'the count');
    assert.equal(page.cell(cell)!.leftOut, '1 row was left out');
    assert.match(page.cell(cell)!.errors[0]?.message ?? '', refused);
  }
  const good = page.show('good');
  await until(() => good.parts.some((part) => part.kind === 'table' && part.rows.length === 4), 'the other cell');
  assert.deepEqual(page.cell('good')?.errors, []);
  for (const cell of ['objects', 'arrays'])
    await until(
      () => [0, 2, 3].every((n) => new RegExp(`^${cell}  n=${n}  deep=`, 'm').test(out())),
      `the rows of ${cell} in ${out()}`,
    );
  child.kill('SIGINT');
  const { code, err } = await ended;
  assert.deepEqual([code, err], [0, '']);
  assert.doesNotMatch(out(), /^objects {2}n=1/m);
  assert.match(out(), refused);
});

test('with --json a row of 4,000 levels is an error, never cut: shown, pulled, and written', async (t) => {
  const folder = new Folder(t);
  const one = "n === 1 ? nested(4000, 'array') : n";
  const pulled = `const all = await numbers.map((n) => (${one})).toArray();\nconsole.log(all.length);`;
  const sunk = `numbers.map((n) => ({ n, deep: ${one} })).toFile('out.jsonl');`;
  const notebook = folder.write('a.sluice.ts', text({ pulled, sunk }));
  const { code, lines, err } = await sluice('run', notebook, '--json');
  assert.deepEqual([code, err], [1, 'pulled: 4\n']);
  assert.deepEqual(
    lines.flatMap((line) => (line.cell === 'pulled' && 'row' in line ? [line.row] : [])),
    [0, 2, 3],
  );
  const errorOf = (cell: string) => lines.find((line) => line.cell === cell && line.error)?.error;
  assert.deepEqual([errorOf('pulled')?.code, errorOf('sunk')?.code], ['row-not-shown', 'bad-row']);
  const levelsText = /nested more than \d+ levels deep/;
  for (const cell of ['pulled', 'sunk']) assert.match(errorOf(cell)!.message, levelsText);
  assert.equal(readFileSync(join(dirname(notebook), 'out.jsonl'), 'utf8'), '{"n":0,"deep":0}\n');
  for (const cell of ['objects', 'arrays']) {
    const rows = lines.flatMap((line) =>
      line.cell === cell && line.row ? [line.row as { n: number; deep: unknown }] : [],
    );
    assert.deepEqual(
      rows.map(({ n }) => n),
      [0, 2, 3],
    );
    assert.equal(depthOf(rows[1]!.deep), levels.allowed);
    assert.match(lines.find((line) => line.cell === cell && line.error)!.error!.message, refused);
  }
  assert.equal(lines.filter((line) => line.cell === 'good' && 'row' in line).length, 4);
});
