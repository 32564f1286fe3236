// The parameters that cells read, as far as their text shows.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { readParams, unreadParam } from '../../cells/read-params.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-params-'));
afterAll(() => rmSync(folder, { recursive: true }));

const namesIn = (...cells: string[]): string[] | undefined => {
  const names = readParams(cells, folder);
  return names && [...names];
};

test('the names of all cells are found', () => {
  const cells = [
    "import { param } from 'sluice';\nconst m = param('minutes', 5);",
    'f(() => sluice.param(`rate`, 1));',
  ];
  assert.deepEqual(namesIn(...cells), ['minutes', 'rate']);
  assert.deepEqual(namesIn('// param("no", 1)\nconst text = "param(1)";'), []);
});

test('they are unknown when a name is computed, a module cannot be read, or param is used as a value', () => {
  for (const cell of [
    'param(name, 1)',
    "import { rate } from './rates.ts';",
    "import { rate } from '#rates';",
    'await import(name)',
    'import * as sluice from "sluice"; const f = sluice.param;',
    "const pp = param; pp('minutes', 5);",
    "sluice['param']('minutes', 5);",
    "const { param: p } = await import('sluice');",
    'f(param);',
    'const all = { param };',
    "export { param as p } from 'sluice';",
  ])
    assert.equal(namesIn(cell), undefined, cell);
});

test('another name for param is followed, and a field named param is none', () => {
  assert.deepEqual(namesIn("import { param as p } from 'sluice';", "p('minutes', 5);"), ['minutes']);
  assert.deepEqual(
    namesIn("const row = { param: 5 }; await import('x'); const { param } = await import('sluice');"),
    [],
  );
});

test('modules of the user are read, also those that they import', () => {
  mkdirSync(join(folder, 'lib'));
  writeFileSync(join(folder, 'lib/rates.ts'), "import '../more'; export const rate = param('rate', 1);");
  writeFileSync(join(folder, 'more.js'), "import './lib/rates.ts'; sluice.param('zone', '');");
  for (const cell of ["import { rate } from './lib/rates.ts';", "await import('./lib/rates.ts');"])
    assert.deepEqual(namesIn(cell, "import data from './data.json'; param('minutes', 5)"), ['minutes', 'rate', 'zone']);
  writeFileSync(join(folder, 'odd.ts'), 'export const read = (name: string) => param(name, 1);');
  assert.equal(namesIn("export { read } from './odd.ts';"), undefined);
});

test('a given parameter that no cell reads is named with the closest one', () => {
  const cell = "param('minutes', 5); param('rate', 1)";
  assert.equal(unreadParam(['rate', 'minutes'], [cell], folder), undefined);
  assert.equal(unreadParam(['minuts'], [cell], folder), 'No cell reads the parameter "minuts". Closest: "minutes".');
  assert.equal(
    unreadParam(['zone'], [cell], folder),
    'No cell reads the parameter "zone". The cells read minutes, rate.',
  );
  assert.equal(unreadParam(['zone'], [''], folder), 'No cell reads the parameter "zone". No cell reads any.');
  assert.equal(unreadParam(['zone'], ['param(name, 1)'], folder), undefined);
});
