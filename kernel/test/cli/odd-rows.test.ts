// Rows that are hard to draw, in the terminal of `sluice serve`: each spoils only itself.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { leftOut, oddNotebook, shownNumbers } from '../displays/odd-rows.ts';
import { Kernels, until } from '../server/kernels.ts';
import { start } from './sluice.ts';

test('the terminal prints all rows but the one that is left out', async (t) => {
  const kernels = new Kernels(t);
  const { child, ended, out } = start(['serve', kernels.notebook('a.sluice.ts', oddNotebook)]);
  const numbers = (cell: string): readonly number[] =>
    [...out().matchAll(new RegExp(`^${cell} {2}n=(\\d+) {2}v=`, 'gm'))].map(([, n]) => Number(n));
  for (const cell of ['table', 'chart'])
    await until(() => numbers(cell).length >= shownNumbers.length, `the rows of ${cell} in ${out().slice(0, 5_000)}`);
  await until(() => /^good {2}word=last$/m.test(out()), 'the rows of the other cell');
  await until(() => leftOut.test(out()), 'the row that is left out');
  child.kill('SIGINT');
  const { code, err } = await ended;
  assert.deepEqual([code, err], [0, '']);
  for (const cell of ['table', 'chart']) assert.deepEqual(numbers(cell), shownNumbers);
  assert.doesNotMatch(out(), /\x1b\[31m/);
});
