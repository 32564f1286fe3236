// What an evaluation notes of its modules, and what it gets of them when the cell is evaluated
// again.
import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { moduleNews } from '../../cells/cell-modules.ts';
import { diskModules } from '../../cells/disk-modules.ts';
import { functionHash } from '../../../engine/graph/fingerprint.ts';
import type { ModuleNews, UsedModules } from '../../cells/used-modules.ts';
import { TestNotebook } from './cells-of.ts';

const nothing = { values: {} };
const hashOf = (value: unknown): string => functionHash(value as object, { fallback: 'nobody said' });
async function news(notebook: TestNotebook, used: UsedModules | undefined): Promise<ModuleNews> {
  const path = join(notebook.folder, 'test.sluice.ts');
  return moduleNews(used!, path, diskModules(path));
}

test('a cell that is evaluated again gets the modules with which it ran, and one that runs gets those of the disk', async (t) => {
  const notebook = new TestNotebook(t, { a: `import { f } from './outer.ts';\nf;` });
  const outer = notebook.write('outer.ts', `import { n } from './in/inner.js';\nexport const f = () => n;`);
  notebook.write('in/inner.ts', 'export const n = 1;');
  const first = await notebook.run('a');
  const { used } = first.modules;
  assert.deepEqual(
    used!.modules.map(({ path, resolved }) => [path, resolved]),
    [
      ['outer.ts', { './in/inner.js': 'in/inner.ts' }],
      ['in/inner.ts', {}],
    ],
  );
  assert.deepEqual([used!.resolved, used!.packages], [{ './outer.ts': 'outer.ts' }, []]);
  assert.deepEqual(await news(notebook, used), { files: [], packages: [] });

  const inner = notebook.write('in/inner.ts', 'export const n = 2;');
  notebook.write('in/inner.js', 'export const n = 3;');
  rmSync(outer);
  // Another thread, which has loaded nothing.
  const later = notebook.anew();
  const again = await later.run('a', nothing, structuredClone(used));
  assert.equal((again.last as () => number)(), 1);
  assert.equal(hashOf(again.last), hashOf(first.last));
  assert.deepEqual(again.modules.used, used, 'it is kept for the restart after this one');
  assert.deepEqual((await news(notebook, used)).files, [
    { name: 'outer.ts', path: outer },
    { name: 'in/inner.ts', path: inner },
  ]);

  notebook.write('outer.ts', `export const f = () => 4;`);
  assert.equal(((await later.run('a')).last as () => number)(), 4);
});

test('two cells that are evaluated again have two versions of a module, whichever comes first', async (t) => {
  const cell = `import { held } from './h.ts';\nheld;`;
  const notebook = new TestNotebook(t, { a: cell, b: cell, c: cell });
  notebook.write('h.ts', 'export const held = { n: 1 };');
  const old = (await notebook.run('a')).modules.used;
  notebook.write('h.ts', 'export const held = { n: 2 };');
  const young = (await notebook.run('b')).modules.used;
  const later = notebook.anew();
  const a = (await later.run('a', nothing, old)).last;
  const b = (await later.run('b', nothing, young)).last;
  const c = (await later.run('c', nothing, old)).last;
  assert.deepEqual([a, b], [{ n: 1 }, { n: 2 }]);
  assert.equal(a, c, 'cells with one version share the module');
  assert.equal((await later.run('c')).last, b, 'a run shares the version of the disk');
});

test('callbacks of two running cells that import two versions of a module make each of them once', async (t) => {
  const cell = `() => import('./h.ts').then(({ made }) => made);`;
  const notebook = new TestNotebook(t, { a: cell, b: cell });
  const text = (n: number): string =>
    `const counts = (globalThis as { made?: number[] }).made ??= []; counts.push(${n}); export const made = counts;`;
  type Callback = () => Promise<number[]>;
  notebook.write('h.ts', text(1));
  const a = await notebook.run('a');
  await (a.last as Callback)();
  notebook.write('h.ts', text(2));
  const b = await notebook.run('b');
  for (let n = 0; n < 3; n++) {
    await (b.last as Callback)();
    await (a.last as Callback)();
  }
  assert.deepEqual(await (a.last as Callback)(), [1, 2]);
  Reflect.deleteProperty(globalThis, 'made');
});

test('the modules come along when the folder is moved', async (t) => {
  const notebook = new TestNotebook(t, { a: `import { here } from './lib/h.ts';\nhere();` });
  notebook.write('lib/h.ts', 'export const here = () => import.meta.filename;');
  const { used } = (await notebook.run('a')).modules;
  const later = new TestNotebook(t, { a: notebook.cells[0]!.text });
  renameSync(join(notebook.folder, 'lib'), join(later.folder, 'lib'));
  assert.equal((await later.run('a', nothing, used)).last, join(later.folder, 'lib/h.ts'));
  assert.deepEqual(await news(later, used), { files: [], packages: [] });
});

test('packages are noted with their versions, and files that Node loads with their content', async (t) => {
  const notebook = new TestNotebook(t, {
    a: `import { through } from './h.ts';\nimport { join } from 'node:path';\n[through, join('a')];`,
    b: `import { through } from './h.ts';\nimport own from './own.cjs';\n[through, own.v];`,
  });
  const pack = (version: string): void => {
    notebook.write(
      'node_modules/@scope/deep/package.json',
      `{"name":"@scope/deep","version":"${version}","exports":"./esm/i.js"}`,
    );
  };
  pack('1.2.3');
  // As packages of two kinds have it: it says no version.
  notebook.write('node_modules/@scope/deep/esm/package.json', '{"type":"module"}');
  notebook.write('node_modules/@scope/deep/esm/i.js', 'export const x = 1;');
  notebook.write('h.ts', `import { x } from '@scope/deep';\nexport const through = x;`);
  notebook.write('own.cjs', 'exports.v = 1;');
  const { used: ofA } = (await notebook.run('a')).modules;
  const deep = { specifier: '@scope/deep', from: 'h.ts', name: '@scope/deep', version: '1.2.3' };
  assert.deepEqual(ofA!.packages, [deep]);
  const { used: ofB } = (await notebook.run('b')).modules;
  assert.deepEqual(
    ofB!.packages.map(({ name }) => name).toSorted(),
    ['@scope/deep', 'own.cjs'],
    'also of a module that another cell has loaded',
  );
  pack('2.0.0');
  notebook.write('own.cjs', 'exports.v = 2;');
  const changed = { name: '@scope/deep', versions: { former: '1.2.3', now: '2.0.0' } };
  assert.deepEqual((await news(notebook, ofA)).packages, [changed]);
  assert.deepEqual(
    (await news(notebook, ofB)).packages.toSorted((x) => (x.versions ? -1 : 1)),
    [changed, { name: 'own.cjs', versions: undefined }],
  );
});

test('a module whose name is computed is noted when it is imported, and given again', async (t) => {
  const notebook = new TestNotebook(t, { a: `import { later } from './h.ts';\nlater;` });
  notebook.write(
    'h.ts',
    `const name = 'lazy';\nexport const later = async () => (await import(\`./${'${name}'}.ts\`)).n;`,
  );
  const lazy = notebook.write('lazy.ts', 'export const n = 1;');
  const { last, modules } = await notebook.run('a');
  const names = (): readonly string[] | undefined => modules.used?.modules.map(({ path }) => path);
  assert.deepEqual(names(), ['h.ts']);
  let told = 0;
  modules.onMore = () => void told++;
  assert.equal(await (last as () => Promise<number>)(), 1);
  assert.deepEqual([names(), told, modules.paths[1]], [['h.ts', 'lazy.ts'], 1, lazy]);
  notebook.write('lazy.ts', 'export const n = 2;');
  const again = await notebook.anew().run('a', nothing, modules.used);
  assert.deepEqual(again.modules.used?.modules.length, 2, 'before it is imported again');
  assert.equal(await (again.last as () => Promise<number>)(), 1);
});

type Later = () => Promise<number>;
for (const [named, imported] of [
  ['by a text', `import('./lazy.ts')`],
  ['by a computed name', 'import(`./${name}.ts`)'],
] as const)
  test(`every cell with a helper keeps what the helper imports later ${named}, whoever has loaded it first`, async (t) => {
    const cell = `import { later } from './h.ts';\nlater;`;
    const notebook = new TestNotebook(t, { a: cell, b: cell, c: cell });
    notebook.write('h.ts', `const name = 'lazy';\nexport const later = async () => (await ${imported}).n;`);
    notebook.write('lazy.ts', `import { n as inner } from './in.ts';\nexport const n = inner;`);
    notebook.write('in.ts', 'export const n = 1;');
    const a = await notebook.run('a');
    const b = await notebook.run('b');
    assert.equal(a.last, b.last, 'they share the helper');
    let told = 0;
    b.modules.onMore = () => void told++;
    assert.equal(await (a.last as Later)(), 1);
    const c = await notebook.run('c');
    const paths = ['h.ts', 'in.ts', 'lazy.ts'];
    for (const { modules } of [a, b, c]) {
      assert.deepEqual(modules.used!.modules.map(({ path }) => path).toSorted(), paths);
      assert.equal(modules.used!.modules.find(({ path }) => path === 'lazy.ts')!.resolved['./in.ts'], 'in.ts');
    }
    if (named === 'by a computed name') assert.equal(told, 2, 'the session is told of both');
    notebook.write('in.ts', 'export const n = 2;');
    const later = notebook.anew();
    assert.equal(await ((await later.run('b', nothing, b.modules.used)).last as Later)(), 1);
  });

test('a module that a helper or a cell imports later has the text of the run, also if it is imported after a save', async (t) => {
  const notebook = new TestNotebook(t, {
    a: `import { later } from './h.ts';\nlater;`,
    b: `() => import('./lazy.ts').then(({ n }) => n);`,
  });
  notebook.write('h.ts', `export const later = async () => (await import('./lazy.ts')).n;`);
  notebook.write('lazy.ts', 'export const n = 1;');
  const ran = [await notebook.run('a'), await notebook.run('b')];
  notebook.write('lazy.ts', 'export const n = 2;');
  const again = notebook.anew();
  for (const [id, { last, modules }] of [['a', ran[0]!] as const, ['b', ran[1]!] as const]) {
    assert.equal(await (last as Later)(), 1, id);
    assert.equal(await ((await again.run(id, nothing, modules.used)).last as Later)(), 1, `${id} after a restart`);
    assert.equal(await ((await notebook.run(id)).last as Later)(), 2, `${id} when it runs again`);
  }
});

test('a module that is imported later may be missing or wrong until then, and helpers may import each other later', async (t) => {
  const notebook = new TestNotebook(t, { a: `import { load, n } from './h.ts';\n({ load, n });` });
  notebook.write(
    'h.ts',
    `export const n = 1;
export const load = { missing: () => import('./missing.ts'), wrong: () => import('./wrong.ts'), back: () => import('./back.ts') };`,
  );
  notebook.write('wrong.ts', 'export const = 1;');
  notebook.write(
    'back.ts',
    `import { n } from './h.ts';\nexport const m = n + 1;\nexport const again = () => import('./h.ts');`,
  );
  const { load } = (await notebook.run('a')).last as { load: Record<string, () => Promise<{ m: number }>> };
  await assert.rejects(load['missing']!(), /Cannot find "\.\/missing\.ts"/);
  await assert.rejects(load['wrong']!(), /wrong\.ts:1/);
  assert.equal((await load['back']!()).m, 2);
});

test('a cell without imports of its own notes nothing', async (t) => {
  const notebook = new TestNotebook(t, { a: `import { join } from 'node:path';\njoin('a');` });
  assert.equal((await notebook.run('a')).modules.used, undefined);
});
