// While a notebook is edited, its packages are bundled only when something about them has changed.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import type { BundledPackages, bundlePackages } from '../../export/bundle-packages.ts';
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
    return { code: '', map: '', dependencies: {}, locked: {}, reasons: {}, problems } satisfies BundledPackages;
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
