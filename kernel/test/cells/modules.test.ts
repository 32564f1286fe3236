// Imports of cells: helper modules are read again after a change, packages come from the notebook's
// folder, and missing modules are errors.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import { functionHash } from '../../../engine/graph/fingerprint.ts';
import { diskModules } from '../../cells/disk-modules.ts';
import { ModuleContents } from '../../cells/module-contents.ts';
import { relativeModules } from '../../cells/relative-modules.ts';
import { TestNotebook } from './cells-of.ts';

const failure = (promise: Promise<unknown>): Promise<Error & { code: string }> =>
  promise.then(
    () => assert.fail('did not throw'),
    (error: unknown) => error as Error & { code: string },
  );

test('helper modules of every kind, with live bindings, circles, await, JSON and re-exports', async (t) => {
  const notebook = new TestNotebook(t, {
    a: `import def, { n, next, type Row, viaStar, loaded, odd } from './helper.ts';
import * as js from './plain.js';
import common from './common.js';
import { named } from './common.js';
import data from './data.json' with { type: 'json' };
next();
const row: Row = { n };
({ def, row, again: (await import('./helper.ts')).n, viaStar, loaded, js: js.value, data, common: common.named, named, odd: odd(7) });`,
  });
  notebook.write(
    'helper.ts',
    `import { even } from './even.ts';
import type { Nothing } from './nothing-at-all.ts';\nimport { Unused } from './throws.ts';\nexport type U = Unused;
export * from './star.mts';
export interface Row { n: number }
export let n: number = 1;
export const next = (): void => { n++; };
export const loaded = await Promise.resolve('loaded');
export function odd(x: number): boolean { return x === 0 ? false : even(x - 1); }
export default { limit: 3 } satisfies { limit: number };`,
  );
  notebook.write(
    'even.ts',
    `import { odd } from './helper.js';\nexport const even = (x: number): boolean => x === 0 || odd(x - 1);`,
  );
  notebook.write('throws.ts', 'throw new Error("only types are used");');
  notebook.write('star.mts', `export const viaStar = import.meta.filename.endsWith('star.mts');`);
  notebook.write('plain.js', `export const value = 'js';`);
  notebook.write('common.js', `const { sep } = require('node:path');\nmodule.exports = { named: sep.length };`);
  notebook.write('data.json', `{"x": 1}`);
  assert.deepEqual((await notebook.run('a')).last, {
    def: { limit: 3 },
    row: { n: 1 },
    again: 2,
    viaStar: true,
    loaded: 'loaded',
    js: 'js',
    data: { x: 1 },
    common: 1,
    named: 1,
    odd: true,
  });
});

test('a helper is a new one when it or what it imports has changed, and the same object otherwise', async (t) => {
  const notebook = new TestNotebook(t, { a: `import { outer, other } from './outer.ts';\n[outer, other];` });
  notebook.write(
    'outer.ts',
    `import { inner } from './inner.ts';\nexport const outer = { inner };\nexport { other } from './other.ts';`,
  );
  notebook.write('inner.ts', 'export const inner = 1;');
  notebook.write('other.ts', 'export const other = { same: true };');
  const [outer, other] = (await notebook.run('a')).last as object[];
  const [again] = (await notebook.run('a')).last as object[];
  assert.equal(again, outer);
  const file = notebook.write('inner.ts', 'export const inner = 2;');
  const [changed, kept] = (await notebook.run('a')).last as object[];
  assert.deepEqual(changed, { inner: 2 });
  assert.equal(kept, other);
  assert.deepEqual(relativeModules(join(notebook.folder, 'test.sluice.ts'), notebook.compile('a').imports).sort(), [
    file,
    join(notebook.folder, 'other.ts'),
    join(notebook.folder, 'outer.ts'),
  ]);
});

test('changed files are reported once, by their content', async (t) => {
  const notebook = new TestNotebook(t, {});
  const file = notebook.write('a.ts', '1');
  const contents = new ModuleContents();
  contents.track([file]);
  notebook.write('a.ts', '1');
  assert.deepEqual(contents.changed(), []);
  notebook.write('a.ts', '2');
  const [changed] = contents.changed();
  assert.deepEqual(changed, { path: file, hash: (await diskModules(file).source(file)).hash });
  assert.deepEqual(contents.changed(), []);
});

test('a constant in a helper that changes changes the fingerprint of the cell’s function', async (t) => {
  const notebook = new TestNotebook(t, {
    a: `import { isLarge } from './h.ts';\nconst f = (x: number) => isLarge(x);`,
  });
  const hash = async (text: string): Promise<string> => {
    notebook.write('h.ts', text);
    return functionHash((await notebook.run('a')).out['f'] as object, { fallback: 'nobody said' });
  };
  const text = `import { limit } from './limits.ts';\nexport const isLarge = (x: number) => x > limit;`;
  notebook.write('limits.ts', 'export const limit = 1;');
  const before = await hash(text);
  assert.equal(await hash(`// why\nconst unused = 1;\n${text}`), before);
  notebook.write('limits.ts', 'export const limit = 2;');
  assert.notEqual(await hash(text), before);
  const inline = 'const limit = 1;\nexport function isLarge(x: number) { return x > limit; }';
  assert.notEqual(await hash(inline), await hash(inline.replace('= 1', '= 3')));
  const exported = `export ${inline}`;
  assert.notEqual(await hash(exported), await hash(exported.replace('= 1', '= 3')));
});

test('packages are found from the notebook’s folder: ESM, CommonJS, exports maps, subpaths, scopes', async (t) => {
  const notebook = new TestNotebook(t, {
    a: `import { esm } from 'esm-only';
import cjs, { announced } from 'cjs-only';
import { hidden } from 'cjs-only';
import { deep } from '@scope/mapped/deep';
import { join } from 'node:path';
import { through } from './lib/helper.ts';
[esm, cjs.announced, announced, hidden, deep, join('a', 'b'), through];`,
  });
  notebook.write('node_modules/esm-only/package.json', '{"name":"esm-only","type":"module","exports":"./i.js"}');
  notebook.write('node_modules/esm-only/i.js', 'export const esm = import.meta.url.startsWith("file:");');
  notebook.write('node_modules/cjs-only/package.json', '{"name":"cjs-only","main":"i.js"}');
  notebook.write('node_modules/cjs-only/i.js', 'exports.announced = 1; const x = "hidden"; module.exports[x] = 2;');
  notebook.write(
    'node_modules/@scope/mapped/package.json',
    '{"name":"@scope/mapped","exports":{"./deep":{"import":"./e.mjs","require":"./c.cjs"}}}',
  );
  notebook.write('node_modules/@scope/mapped/e.mjs', 'export const deep = "import";');
  notebook.write('lib/node_modules/near/package.json', '{"name":"near","type":"module","main":"i.js"}');
  notebook.write('lib/node_modules/near/i.js', 'export default "near"; export const star = 1;');
  notebook.write(
    'lib/helper.ts',
    `import near, * as all from 'near';\nexport const through = [near, all.star].join(' ');`,
  );
  assert.deepEqual((await notebook.run('a')).last, [true, 1, 1, 2, 'import', join('a', 'b'), 'near 1']);
});

test('sluice is the kernel’s own, for cells and for helpers', async (t) => {
  const sluice = { sum: (n: number) => n };
  const notebook = new TestNotebook(
    t,
    { a: `import { sum } from 'sluice';\nimport { same } from './h.ts';\nsame === sum;` },
    { sluice },
  );
  notebook.write('h.ts', `import { sum as inner } from 'sluice';\nexport const same = inner;`);
  assert.equal((await notebook.run('a')).last, true);
});

test('the error of a package that is not installed has the command to install it, at the line of the cell', async (t) => {
  const notebook = new TestNotebook(t, { a: `const a = 1;\nimport { z } from 'zod/v4';\nz;` });
  const error = await failure(notebook.run('a'));
  assert.equal(error.message, `Cannot find "zod". npm install zod in ${notebook.folder}`);
  assert.equal(error.code, 'missing-module');
  assert.deepEqual([notebook.places.locate(error)?.cell, notebook.places.locate(error)?.line], ['a', 2]);
});

test('a package of which only types are used may be missing', async (t) => {
  const notebook = new TestNotebook(t, {
    a: `import { Feature } from 'geojson';\nconst f: Feature | undefined = undefined;\n1;`,
  });
  assert.equal((await notebook.run('a')).last, 1);
});

test('a helper that is not there, and an export that is not in it', async (t) => {
  const notebook = new TestNotebook(t, {
    a: `import { x } from './gone.ts';\nx;`,
    b: `import { totel } from './h.ts';\ntotel;`,
  });
  notebook.write('h.ts', 'export const total = 1;');
  assert.equal((await failure(notebook.run('a'))).message, `Cannot find "./gone.ts" from ${notebook.folder}.`);
  const error = await failure(notebook.run('b'));
  assert.equal(error.message, '"./h.ts" has no export "totel". Closest: "total".');
  assert.deepEqual([notebook.places.locate(error)?.cell, notebook.places.locate(error)?.line], ['b', 1]);
});

for (const eol of ['\n', '\r\n'])
  test(`an error in a helper module is found in its own line (${JSON.stringify(eol)})`, async (t) => {
    const notebook = new TestNotebook(t, {
      a: `import { go } from './h.ts';\ngo();`,
      b: `import { later } from './h.ts';\nawait later();`,
      c: `import './bad.ts';`,
      d: `import './throws.ts';`,
    });
    const text = [
      'import { readFileSync } from "node:fs";',
      'const a = `',
      '`;',
      'export function go(): number {',
      '  return (a as any).b.c;',
      '}',
      'export async function later() {',
      '  await Promise.resolve(readFileSync);',
      '  go();',
      '}',
    ];
    const file = notebook.write('h.ts', text.join(eol));
    const error = await failure(notebook.run('a'));
    const place = { file, line: 5, column: 23, excerpt: '  return (a as any).b.c;' };
    assert.deepEqual(notebook.places.locate(error), place);
    assert.deepEqual(notebook.places.stack(error).slice(0, 2), [`at go, ${file}:5:23`, 'at cell a:2:1']);
    assert.deepEqual(notebook.places.locate(await failure(notebook.run('b'))), place);
    const bad = notebook.write('bad.ts', ['const x = 1;', 'const y = ;'].join(eol));
    assert.deepEqual(notebook.places.locate(await failure(notebook.run('c'))), {
      file: bad,
      line: 2,
      column: 11,
      excerpt: 'const y = ;',
    });
    const throws = notebook.write('throws.ts', ['', 'throw new Error("x");'].join(eol));
    assert.deepEqual(notebook.places.locate(await failure(notebook.run('d'))), {
      file: throws,
      line: 2,
      column: 7,
      excerpt: 'throw new Error("x");',
    });
    notebook.write('throws.ts', 'export {};');
    await notebook.run('d');
  });

test('two cells that import a circle at the same time, from both ends, both get it', async (t) => {
  const notebook = new TestNotebook(t, {
    a: `import { a } from './a.ts';\na();`,
    b: `import { b } from './b.ts';\nb();`,
  });
  notebook.write('a.ts', `import { b } from './b.ts';\nawait Promise.resolve();\nexport const a = () => typeof b;`);
  notebook.write('b.ts', `import { a } from './a.ts';\nawait Promise.resolve();\nexport const b = () => typeof a;`);
  const results = await Promise.all([notebook.run('a'), notebook.run('b')]);
  assert.deepEqual(
    results.map((result) => result.last),
    ['function', 'function'],
  );
});
