// While a notebook is edited, its packages are bundled only when something about them has changed.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { type BundledPackages, bundlePackages } from '../../export/bundle-packages.ts';
import { DryBundles } from '../../export/dry-bundles.ts';
import type { BundledModule } from '../../export/job-modules.ts';

test('a bundle is made again only for other imports or other packages, and one at a time', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-dry-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const notebook = join(folder, 'n.sluice.ts');
  const lock = join(folder, 'package-lock.json');
  writeFileSync(lock, '{}');
  const module = (specifier: string): BundledModule => ({
    ...{ specifier, from: notebook, path: join(folder, specifier) },
    place: { cell: 'a', offset: 0, length: 1, line: 1, column: 1 },
  });
  const made: string[] = [];
  let underWay = 0;
  const bundle: typeof bundlePackages = async (_, modules) => {
    assert.equal(++underWay, 1);
    await Promise.resolve();
    underWay--;
    made.push(modules.map(({ specifier }) => specifier).join());
    const problems = [{ ...modules[0]!.place, severity: 'error' as const, code: 'not-bundled', message: made.at(-1)! }];
    return {
      code: '',
      map: '',
      dependencies: {},
      locked: {},
      reasons: {},
      sources: [],
      problems,
    } satisfies BundledPackages;
  };
  const bundles = new DryBundles(bundle);
  const messages = async (...names: readonly string[]): Promise<readonly string[]> =>
    (await bundles.problems(notebook, names.map(module))).map(({ message }) => message);

  assert.deepEqual(await messages(), []);
  assert.deepEqual(await Promise.all([messages('a'), messages('a')]), [['a'], ['a']]);
  assert.ok(!(bundles.problems(notebook, [module('a')]) instanceof Promise), 'it is known');
  assert.deepEqual(made, ['a']);
  // Of edits that follow each other, the last one counts.
  const [first, second, third] = await Promise.all([messages('b'), messages('c'), messages('d')]);
  assert.deepEqual([first, second, third], [[], [], ['d']]);
  assert.deepEqual(made, ['a', 'd']);
  utimesSync(lock, new Date(0), new Date(0));
  assert.deepEqual(await messages('d'), ['d']);
  assert.deepEqual(made, ['a', 'd', 'd']);
});

test('a bundle is made again when a file in it has changed, or what a package manager has installed', async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-dry-')));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const notebook = join(folder, 'n.sluice.ts');
  const write = (name: string, text: string): string => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  // As pnpm lays them out: a package in a folder of its own, what it needs behind a link.
  const outer = write('node_modules/.pnpm/outer@1.0.0/node_modules/outer/index.js', "require('inner');\n");
  const inner = write('node_modules/.pnpm/inner@1.0.0/node_modules/inner/index.js', 'exports.n = 1;\n');
  symlinkSync('../../inner@1.0.0/node_modules/inner', join(dirname(dirname(outer)), 'inner'));
  const state = write('node_modules/.modules.yaml', '');
  const own = write('own.cjs', "require('./part.cjs');\n");
  const module = (specifier: string, path: string): BundledModule => ({
    ...{ specifier, from: notebook, path },
    place: { cell: 'a', offset: 0, length: 1, line: 1, column: 1 },
  });
  let made = 0;
  const bundles = new DryBundles((...order) => {
    made++;
    return bundlePackages(...order);
  });
  const problems = async (): Promise<readonly string[]> =>
    (await bundles.problems(notebook, [module('outer', outer), module('./own.cjs', own)])).map(
      ({ message }) => message,
    );
  const anew = async (change: () => void): Promise<readonly string[]> => {
    const before = made;
    change();
    const found = await problems();
    assert.equal(made, before + 1, 'it is made again');
    await problems();
    assert.equal(made, before + 1, 'nothing has changed');
    return found;
  };
  // A file system may count in steps, so each time is another one.
  let time = 0;
  const touch = (path: string): void => utimesSync(path, ++time, time);
  assert.deepEqual(await anew(() => undefined), [
    '"./own.cjs" cannot be bundled: Could not resolve "./part.cjs" (own.cjs).',
  ]);
  assert.deepEqual(await anew(() => touch(dirname(write('part.cjs', '')))), []);
  assert.deepEqual(await anew(() => touch(join(folder, 'part.cjs'))), []);
  assert.deepEqual(await anew(() => touch(state)), []);
  const asks = await anew(() => {
    writeFileSync(inner, 'exports.at = __filename;\n');
    touch(inner);
  });
  assert.match(asks.join(), /^"outer" may fail in the job: inner\/index\.js:1 looks for files beside itself/);
});
