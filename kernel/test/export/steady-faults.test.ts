// Constants that are evaluated while the user types: which ones, and within which limits.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import type { CellDiagnostic } from '../../cells/compile.ts';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import { exportability, type Exportability } from '../../export/exportability.ts';
import { SteadyFaults } from '../../export/steady-faults.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-steady-'));
const notebook = join(folder, 'n.sluice.ts');
const service = new NotebookLanguageService({ notebook });
afterAll(() => {
  service.dispose();
  rmSync(folder, { recursive: true, force: true });
});
const server = join(import.meta.dirname, '../../language-server.ts');

function checked(values: string, out: string): Exportability {
  service.update([
    { id: 'values', kind: 'code', text: `import { from, param } from 'sluice';\n${values}` },
    { id: 'out', kind: 'code', text: `${out}\nexport {};` },
  ]);
  return exportability(notebook, 'node', service.typed());
}

test('only constants are evaluated that change nothing, and read clock and randomness at most', () => {
  const touched = join(folder, 'touched');
  const { steady, constants } = checked(
    `import { writeFileSync } from 'node:fs';
const make = <T>(value: T): T => value;
const plain = make([1, 2]);
const table = new Map(plain.map((n) => [n, JSON.stringify({ n })]));
const file = writeFileSync('${touched}', '') ?? make(1);
const through = (() => [file].length)();
const fetched = make(fetch);
const loaded = process.getBuiltinModule('fs').existsSync('.');
const computed = ([].filter['constructor'] as unknown as (text: string) => () => number)('return 1')();
const here = make(import.meta.url);
const wide = (globalThis as unknown as { n: number }).n;
const started = make(Date.now());
const loaded2 = make((await import('node:fs')).existsSync('.'));
const waited = make(await Promise.resolve(crypto.randomUUID()));
const chosen = make(param('n', 1));`,
    'from([1]).sink(() => void [plain, table, file, through, fetched, loaded, computed, here, wide, started, loaded2, waited, chosen]);',
  );
  assert.deepEqual(
    steady.captured.map(({ name }) => name),
    ['plain', 'table', 'started', 'waited'],
  );
  // An export evaluates the others too.
  assert.ok(constants.captured.length > 6);
  assert.equal(existsSync(touched), false);
});

test('what such a constant is stands at the function that captures it, also after an edit elsewhere', async () => {
  const faults = new SteadyFaults(server, { millis: 120_000, megabytes: 256 });
  const values = `const hide = (value: unknown): any => value;
const live = hide(new AbortController());
const large = ['x'.repeat(5_000_000)];
console.log('not in the protocol');`;
  const problemsOf = async (out: string): Promise<readonly string[]> =>
    (await faults.problems(notebook, checked(values, out).steady)).map(
      ({ cell, line, column, code, message }) => `${cell} ${line}:${column} ${code} ${message}`,
    );
  const expected = (line: number): readonly string[] => [
    `out ${line}:29 captured-too-large large of cell "values" takes 5.0 MB in a job, and the limit is 4 MB. Read it from a topic or a file when the job runs.`,
    `out ${line}:23 captured-live This function captures live of cell "values", an instance of AbortController: a live object cannot go into a job. Make it inside the function, or in a module that the cell imports.`,
  ];
  assert.deepEqual(await problemsOf('from([1]).sink(() => [live, large]);'), expected(1));
  const moved = checked(values, '\nfrom([1]).sink(() => [live, large]);').steady;
  const again = faults.problems(notebook, moved);
  assert.ok(!(again instanceof Promise), 'nothing is evaluated again');
  assert.deepEqual(
    again.map(({ line }) => line),
    [2, 2],
  );
});

const problemsOfValue = async (value: string, millis: number): Promise<readonly CellDiagnostic[]> =>
  new SteadyFaults(server, { millis, megabytes: 200 }).problems(
    notebook,
    checked(`const value = ${value};`, 'from([1]).sink(() => void value);').steady,
  );

test('a constant that does not end is a problem as in an export', async () => {
  const problems = await problemsOfValue('(() => { for (let n = 0; n < 1;); return [1]; })()', 200);
  assert.equal(problems.length, 1);
  // On a slow machine, the limit is reached before its statement begins.
  assert.match(
    `${problems[0]!.cell} ${problems[0]!.code} ${problems[0]!.message}`,
    /^(?:values|out) not-evaluated The export evaluates (?:value|a statement) of cell "values", and it had not ended after 0\.2 s\./,
  );
});

test('an endless await is known while the user types', async () => {
  const problems = await problemsOfValue('await new Promise<number>(() => {})', 200);
  assert.deepEqual(
    problems.map(({ code, message }) => [code, /had not ended after 0\.2 s/.test(message)]),
    [['not-evaluated', true]],
  );
});

test('a constant that takes too much memory is left to the export', async () => {
  const hungry =
    '(() => { const all: number[][] = []; for (;;) all.push(new Array<number>(1_000_000).fill(1)); })() ?? [1]';
  assert.deepEqual(await problemsOfValue(hungry, 600_000), []);
});
