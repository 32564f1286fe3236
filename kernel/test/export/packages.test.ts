// The packages of a job: bundled by either esbuild to the same bytes, with a source map, and those
// with a native part beside the bundle.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, test } from 'vitest';
import { bundlePackages } from '../../export/bundle-packages.ts';
import { portableBundler } from '../../export/bundler.ts';
import { CellFailure } from '../../export/evaluated-cells.ts';
import type { BundledModule } from '../../export/job-modules.ts';
import { lockedPackages } from '../../export/locked-packages.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-packages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const notebook = join(folder, 'n.sluice.ts');

const entry = (version: string, more: object = {}): object => ({ version, resolved: 'r', integrity: 'i', ...more });
const files: Readonly<Record<string, string>> = {
  'node_modules/esm/package.json': '{"name":"esm","version":"1.0.0","type":"module","exports":"./index.js"}',
  'node_modules/esm/index.js':
    "import { inner } from './inner.js';\nimport common from 'common';\nexport default () => inner() + common.n;\nexport const at = import.meta.url;\n",
  'node_modules/esm/inner.js': 'export function inner() {\n  throw new Error("inner");\n}\n',
  'node_modules/common/package.json': '{"name":"common","version":"1.0.0"}',
  'node_modules/common/index.js': "const fast = require('fast');\nexports.n = fast.n;\nexports['default'] = 1;\n",
  'node_modules/fast/package.json': '{"name":"fast","version":"3.1.0"}',
  'node_modules/fast/index.js': 'exports.n = 3;',
  'node_modules/fast/prebuilds/linux/fast.node': '',
  'node_modules/broken/package.json': '{"name":"broken","version":"1.0.0"}',
  'node_modules/broken/index.js': "require('./gone.js');\n",
  'package-lock.json': JSON.stringify({
    packages: {
      'node_modules/fast': entry('3.1.0', {
        dev: true,
        dependencies: { load: '^1.0.0' },
        optionalDependencies: { '@fast/linux': '3.1.0', '@fast/mac': '3.1.0' },
      }),
      'node_modules/fast/node_modules/load': entry('1.2.0'),
      'node_modules/load': entry('2.0.0'),
      'node_modules/@fast/linux': entry('3.1.0', { optional: true, os: ['linux'] }),
      'node_modules/esm': entry('1.0.0'),
    },
  }),
};
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
const module = (specifier: string, more: Partial<BundledModule> = {}): BundledModule => ({
  ...{ specifier, from: notebook, path: join(folder, 'node_modules', specifier, 'index.js') },
  place: { cell: 'out', line: 3, column: 7 },
  ...more,
});

test('esbuild in WebAssembly gives the bytes of the native one, with the same map', async () => {
  const modules = [module('esm'), module('common')];
  const native = await bundlePackages(notebook, modules);
  const portable = await bundlePackages(notebook, modules, () => Promise.resolve(portableBundler()!));
  assert.equal(portable.code, native.code);
  assert.equal(portable.map, native.map);
  assert.deepEqual(portable.locked, native.locked);
  const { sources } = JSON.parse(native.map) as { readonly sources: readonly string[] };
  assert.deepEqual(sources.filter((name) => name !== 'packages.mjs').sort(), [
    'node_modules/common/index.js',
    'node_modules/esm/index.js',
    'node_modules/esm/inner.js',
  ]);
  assert.doesNotMatch(native.code + native.map, new RegExp(folder));
});

test('a package with a native part stays outside, also below another one, with what it needs', async () => {
  const { code, dependencies, locked } = await bundlePackages(notebook, [module('common')]);
  assert.match(code, /require\("fast"\)/);
  assert.deepEqual(dependencies, { fast: '3.1.0' });
  assert.deepEqual(Object.keys(locked).sort(), [
    'node_modules/@fast/linux',
    'node_modules/fast',
    'node_modules/fast/node_modules/load',
  ]);
  assert.equal('dev' in locked['node_modules/fast']!, false);
  const direct = await bundlePackages(notebook, [module('fast', { dependency: 'fast' })]);
  assert.match(direct.code, /import\("fast"\)|require\("fast"\)/);
  assert.deepEqual(direct.dependencies, { fast: '3.1.0' });
});

test('a package without a locked version has a way out', () => {
  assert.deepEqual(lockedPackages('common', join(folder, 'node_modules/common/index.js')), {
    problem: 'No package-lock.json beside it names its version. npm install common writes one.',
  });
});

test('an import that cannot be bundled is an error at the import of the cell', async () => {
  await assert.rejects(bundlePackages(notebook, [module('esm'), module('broken')]), (error) => {
    assert.ok(error instanceof CellFailure);
    const { cell, line, column, code, message } = error.problem;
    assert.deepEqual([cell, line, column, code], ['out', 3, 7, 'not-bundled']);
    assert.equal(message, '"broken" cannot be bundled: Could not resolve "./gone.js" (broken/index.js).');
    return true;
  });
});
