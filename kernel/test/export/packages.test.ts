// The packages of a job: bundled by either esbuild to the same bytes, with a source map, and those
// with a native part beside the bundle.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, test } from 'vitest';
import type { CellDiagnostic } from '../../cells/compile.ts';
import { bundlePackages } from '../../export/bundle-packages.ts';
import { portableBundler } from '../../export/bundler.ts';
import type { BundledModule } from '../../export/job-modules.ts';
import { lockedPackage } from '../../export/locked-packages.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-packages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const notebook = join(folder, 'n.sluice.ts');

const entry = (version: string, more: object = {}): object => ({ version, resolved: 'r', integrity: 'i', ...more });
const files: Readonly<Record<string, string>> = {
  'node_modules/esm/package.json': '{"name":"esm","version":"1.0.0","type":"module","exports":"./index.js"}',
  'node_modules/esm/index.js':
    "import { inner } from './inner.js';\nimport common from 'common';\n// Not in import.meta.url\nexport default () => inner() + common.n;\n",
  'node_modules/esm/inner.js': 'export function inner() {\n  throw new Error("inner");\n}\n',
  'node_modules/common/package.json': '{"name":"common","version":"1.0.0"}',
  'node_modules/common/index.js': "const fast = require('fast');\nexports.n = fast.n;\nexports['default'] = 1;\n",
  'node_modules/fast/package.json': '{"name":"fast","version":"3.1.0"}',
  'node_modules/fast/index.js': 'exports.n = 3;',
  'node_modules/fast/prebuilds/linux/fast.node': '',
  'node_modules/broken/package.json': '{"name":"broken","version":"1.0.0"}',
  'node_modules/broken/index.js': "require('./gone.js');\n",
  'node_modules/broken-too/package.json': '{"name":"broken-too","version":"1.0.0"}',
  'node_modules/broken-too/index.js': "require('./gone.js');\n",
  'node_modules/words/package.json': '{"name":"words","version":"1.0.0"}',
  'node_modules/words/index.js':
    "const { readFileSync } = require('node:fs');\n// __dirname\nexports.words = readFileSync(__dirname + '/words.txt', 'utf8');\nexports.zero = '\\0';\n",
  'node_modules/words/words.txt': 'a b',
  'node_modules/plain-words/package.json': '{"name":"plain-words","version":"1.0.0"}',
  'node_modules/plain-words/index.js':
    "exports.plain = 'a plain package, which speaks of __dirname';\nconst own = { require: String };\nown.require(1);\n",
  'node_modules/wasm/package.json': '{"name":"wasm","version":"1.0.0","type":"module","exports":"./index.js"}',
  'node_modules/wasm/index.js': "export const add = new URL('./add.wasm', import.meta.url);\n",
  'node_modules/wasm/add.wasm': '',
  'node_modules/worker/package.json': '{"name":"worker","version":"1.0.0"}',
  'node_modules/worker/index.js':
    "const { Worker } = require('node:worker_threads');\nexports.start = () => new Worker(require.resolve('./worker.js'));\n",
  'node_modules/worker/worker.js': '',
  'node_modules/loads/package.json': '{"name":"loads","version":"1.0.0"}',
  'node_modules/loads/index.js': 'exports.load = (name) => require(name);\n',
  'node_modules/inner-gyp/package.json': '{"name":"inner-gyp","version":"1.0.0"}',
  'node_modules/inner-gyp/index.js': 'exports.n = 1;\n',
  'node_modules/inner-gyp/deps/zlib/binding.gyp': '{}',
  'node_modules/systems/package.json':
    '{"name":"systems","version":"1.0.0","optionalDependencies":{"@systems/this":"1.0.0"}}',
  'node_modules/systems/index.js': 'exports.n = 1;\n',
  'node_modules/unlocked/package.json': '{"name":"unlocked","version":"1.0.0"}',
  'node_modules/unlocked/index.js':
    "exports.words = require('node:fs').readFileSync(require('node:path').join(__dirname, 'words.txt'));\n",
  'node_modules/unlocked/words.txt': '',
  'node_modules/local/package.json': '{"name":"local","version":"1.0.0"}',
  'node_modules/local/index.js': "exports.at = __dirname + '/words.txt';\n",
  'node_modules/local/words.txt': '',
  'node_modules/asks/package.json': '{"name":"asks","version":"1.0.0"}',
  'node_modules/asks/index.js': 'exports.isMain = process.argv[1] === __filename;\n',
  'node_modules/imports-wasm/package.json': '{"name":"imports-wasm","version":"1.0.0"}',
  'node_modules/imports-wasm/index.js': "require('./add.wasm');\n",
  'node_modules/imports-wasm/add.wasm': '',
  'node_modules/outer/package.json': '{"name":"outer","version":"1.0.0"}',
  'node_modules/outer/index.js': "exports.inner = require('inner');\n",
  'node_modules/outer/node_modules/inner/package.json': '{"name":"inner","version":"1.0.0"}',
  'node_modules/outer/node_modules/inner/index.js': 'exports.at = __filename;\n',
  'node_modules/@systems/this/package.json': '{"name":"@systems/this","version":"1.0.0","os":["linux"],"cpu":["x64"]}',
  ...Object.fromEntries(
    ['awaits', 'awaits-too', 'needs'].flatMap((name) => [
      [`node_modules/${name}/package.json`, `{"name":"${name}","type":"module","exports":"./index.js"}`],
      [
        `node_modules/${name}/index.js`,
        name === 'needs' ? "export { n } from 'awaits';\n" : 'export const n = await Promise.resolve(1);\n',
      ],
    ]),
  ),
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
      'node_modules/@fast/mac': entry('3.1.0', { optional: true, os: ['darwin'] }),
      'node_modules/esm': entry('1.0.0'),
      'node_modules/local': entry('1.0.0', { resolved: 'file:../local-1.0.0.tgz' }),
      ...Object.fromEntries(
        ['words', 'plain-words', 'wasm', 'worker', 'loads', 'inner-gyp', 'systems', 'awaits', 'needs'].map((name) => [
          `node_modules/${name}`,
          entry('1.0.0'),
        ]),
      ),
      'node_modules/outer': entry('1.0.0', { dependencies: { inner: '1.0.0' } }),
      'node_modules/outer/node_modules/inner': entry('1.0.0'),
    },
  }),
};
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
const module = (specifier: string, more: Partial<BundledModule> = {}): BundledModule => ({
  ...{ specifier, from: notebook, path: join(folder, 'node_modules', specifier, 'index.js') },
  place: { cell: 'out', offset: 40, length: 8, line: 3, column: 7 },
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
    'node_modules/@fast/mac',
    'node_modules/fast',
    'node_modules/fast/node_modules/load',
  ]);
  assert.equal('dev' in locked['node_modules/fast']!, false);
  const direct = await bundlePackages(notebook, [module('fast', { native: 'fast.node' })]);
  assert.match(direct.code, /import\("fast"\)|require\("fast"\)/);
  assert.deepEqual(direct.dependencies, { fast: '3.1.0' });
});

test('a package without a locked version has a way out', () => {
  assert.deepEqual(lockedPackage(join(folder, 'node_modules/common/index.js')), {
    problem: 'No package-lock.json beside it names its version. npm install common writes one.',
  });
});

const lines = (problems: readonly CellDiagnostic[]): readonly string[] =>
  problems.map(
    ({ cell, line, column, severity, code, message }) => `${cell} ${line}:${column} ${severity} ${code} ${message}`,
  );

test('a package that comes from a path of this machine cannot be installed beside the job', async () => {
  const { problems } = await bundlePackages(notebook, [module('local')]);
  assert.match(
    lines(problems).join(),
    /"local" cannot be bundled: .*words\.txt\)\. It would stay a dependency of the job\. node_modules\/local comes from a path of this machine/,
  );
});

test('each import that cannot be bundled is an error at the import of the cell', async () => {
  const { code, problems } = await bundlePackages(notebook, [module('esm'), module('broken'), module('broken-too')]);
  assert.equal(code, '');
  assert.deepEqual(lines(problems), [
    'out 3:7 error not-bundled "broken" cannot be bundled: Could not resolve "./gone.js" (broken/index.js).',
    'out 3:7 error not-bundled "broken-too" cannot be bundled: Could not resolve "./gone.js" (broken-too/index.js).',
  ]);
});

test('a package that looks for files beside its own stays outside, and so does the one around it', async () => {
  const found = await bundlePackages(notebook, [
    ...['words', 'wasm', 'worker', 'loads', 'outer'].map((name) => module(name)),
    module('inner-gyp', { native: 'binding.gyp' }),
    module('systems', { native: '@systems/this' }),
    module('plain-words'),
  ]);
  assert.deepEqual(found.problems, []);
  assert.deepEqual(found.reasons, {
    'inner-gyp': 'it has a native part (binding.gyp)',
    systems: 'it has a native part (@systems/this)',
    words: 'words/index.js:3 looks for files beside itself (__dirname: words.txt)',
    wasm: 'wasm/index.js:1 looks for files beside itself (import.meta.url: add.wasm)',
    worker: 'worker/index.js:2 looks for files beside itself (require.resolve: worker.js)',
    loads: 'loads/index.js:1 looks for files beside itself (require())',
    outer: 'inner/index.js:1 looks for files beside itself (__filename)',
  });
  assert.equal(found.dependencies['outer'], '1.0.0');
  assert.deepEqual(
    Object.keys(found.locked).filter((name) => name.includes('outer')),
    ['node_modules/outer', 'node_modules/outer/node_modules/inner'],
  );
  // The bundle has none of their code.
  assert.doesNotMatch(found.code, /words\.txt|add\.wasm|worker\.js/);
  assert.match(found.code, /import\("words"\)/);
  assert.match(found.code, /a plain package/);
});

test('a package that awaits at its top level stays outside, and one that needs it', async () => {
  const found = await bundlePackages(notebook, [module('awaits'), module('needs'), module('plain-words')]);
  assert.deepEqual(found.problems, []);
  assert.deepEqual(found.reasons, { awaits: 'it awaits at its top level', needs: 'it awaits at its top level' });
  const { problems } = await bundlePackages(notebook, [module('awaits-too')]);
  assert.match(
    lines(problems).join(),
    /"awaits-too" cannot be bundled: Top-level await .* npm install awaits-too writes one\.$/,
  );
});

test('without a locked version it is an error if the file is there, and else a warning', async () => {
  const { code, problems } = await bundlePackages(notebook, [
    module('plain-words'),
    module('unlocked'),
    module('asks'),
  ]);
  assert.equal(code, '');
  const way = 'It would stay a dependency of the job. No package-lock.json beside it names its version. npm install';
  assert.deepEqual(lines(problems), [
    `out 3:7 error not-bundled "unlocked" cannot be bundled: unlocked/index.js:1 looks for files beside itself (__dirname: words.txt). ${way} unlocked writes one.`,
    `out 3:7 warning files-beside "asks" may fail in the job: asks/index.js:1 looks for files beside itself (__filename), and a bundle has no such files. ${way} asks writes one.`,
  ]);
  const asks = await bundlePackages(notebook, [module('asks')]);
  assert.notEqual(asks.code, '');
  const imports = await bundlePackages(notebook, [module('imports-wasm')]);
  assert.match(
    lines(imports.problems).join(),
    /"imports-wasm" cannot be bundled: it imports imports-wasm\/add\.wasm, which is no JavaScript\./,
  );
});
