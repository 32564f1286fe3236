// Constants of an export that do not come to an end, that end their thread, or contain themselves.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { constantValues } from '../../export/constants-thread.ts';
import { checked, notebook, source } from './checked-notebook.ts';

// Only the statement that never ends has a limit, so a slow machine changes nothing.
const limit = ({ names }: { readonly names: string }): number => (names === 'stuck' ? 1 : 2_000_000_000);

/** `definition`: line 4 of the cell "values". */
async function problemsOf(definition: string, captured: string): Promise<readonly string[]> {
  const cells = `
// %% id=values
import process from 'node:process';
const make = <T>(value: T): T => value;
const quick = make([1]);
${definition}

// %% id=out
orders.sink(() => void [process, quick, ${captured}]);
`;
  const { problems } = await constantValues(notebook, checked(source + cells).exported, limit);
  return problems.map(({ cell, line, code, message }) => `${cell}:${line} ${code} ${message}`);
}
const way = 'Give the value as a param(), or compute it in a function that runs in the job.';

test('a constant that does not end is an error with its cell and its name', async () => {
  const expected = [
    `values:4 not-evaluated The export evaluates stuck of cell "values", and it had not ended after 0.001 s. ${way}`,
  ];
  for (const definition of [
    'const stuck = (() => { for (let n = 0; n < 1;); return 1; })();',
    'const stuck = await new Promise<number>(() => {});',
    'const stuck = await new Promise<any>(() => void setInterval(() => {}, 1000));',
    'const { inner: [stuck] } = await new Promise<any>(() => {});',
  ])
    assert.deepEqual(await problemsOf(definition, 'stuck'), expected, definition);
});

test('a constant may await a timer that alone keeps no thread alive', async () => {
  const late = 'await new Promise<number>((resolve) => void setTimeout(() => resolve(1), 1).unref())';
  assert.deepEqual(await problemsOf(`const late = ${late};`, 'late'), []);
});

test('a constant that ends its thread is an error with its cell and its name', async () => {
  assert.deepEqual(await problemsOf('const ended = (() => { process.exit(0); return 1; })();', 'ended'), [
    'values:4 not-evaluated The export evaluates this cell, and it failed: process.exit() is not available in a cell, because it would end all cells. Throw an error to end this one.',
  ]);
  const late = "const ended = await new Promise<number>(() => void setTimeout(() => { throw new Error('late'); }, 1));";
  assert.deepEqual(await problemsOf(late, 'ended'), [
    `values:4 not-evaluated The export evaluates ended of cell "values", and it ended the thread by an error: late. ${way}`,
  ]);
});

test('a constant that contains itself is an error with its cell and its name', async () => {
  const ring = 'const ring = ((list: unknown[]) => { list.push(list); return list; })([]);';
  assert.deepEqual(await problemsOf(ring, 'ring'), [
    'out:1 captured-too-deep ring of cell "values" cannot go into a job. A value contains itself, or is nested more than 1,000 levels deep. Keep flat data.',
  ]);
});
