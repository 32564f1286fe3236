// Each part of a job has the versions of packages that it had beside the notebook, or the export
// says that this cannot be: copies with other versions, and lock files that are not whole.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { type BundledPackages, bundlePackages } from '../../export/bundle-packages.ts';

const entry = (version: string, more: object = {}): object => ({ version, resolved: 'r', integrity: 'i', ...more });
const lockOf = (entries: Readonly<Record<string, object>>): string =>
  JSON.stringify({
    packages: Object.fromEntries(Object.entries(entries).map(([place, one]) => [`node_modules/${place}`, one])),
  });

/** `imports`: a specifier, and the path of its file. */
async function bundled(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  imports: readonly (readonly [specifier: string, path: string, native?: string])[],
): Promise<BundledPackages & { readonly messages: readonly string[] }> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-copies-')));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const notebook = join(folder, 'n.sluice.ts');
  const found = await bundlePackages(
    notebook,
    imports.map(([specifier, path, native]) => ({
      ...{ specifier, from: notebook, path: join(folder, path) },
      ...(native !== undefined && { native }),
      place: { cell: 'out', offset: 0, length: 1, line: 1, column: 1 },
    })),
  );
  return { ...found, messages: found.problems.map(({ severity, message }) => `${severity} ${message}`) };
}

const words = 'exports.at = __dirname;\n';

test('an inner copy of an outside package with another version is bundled, not taken for it', async (t) => {
  const { code, dependencies, messages } = await bundled(
    t,
    {
      'node_modules/words/index.js': words,
      'node_modules/plain/index.js': "exports.n = require('words').second;\n",
      'node_modules/plain/node_modules/words/index.js': "exports.second = 'the second version';\n",
      'package-lock.json': lockOf({ words: entry('1.0.0'), 'plain/node_modules/words': entry('2.0.0') }),
    },
    [
      ['words', 'node_modules/words/index.js'],
      ['plain', 'node_modules/plain/index.js'],
    ],
  );
  assert.deepEqual(messages, []);
  assert.deepEqual(dependencies, { words: '1.0.0' });
  assert.match(code, /the second version/);
  assert.equal(code.match(/(?:import|require)\("words"\)/g)?.length, 1);
});

test('a module that is outside is imported by its name, whatever the notebook finds under it', async (t) => {
  const { code, dependencies, messages } = await bundled(
    t,
    {
      'node_modules/words/index.js': "exports.first = 'the first version';\n",
      'lib/node_modules/words/index.js': words,
      'lib/package-lock.json': lockOf({ words: entry('2.0.0') }),
    },
    [['words', 'lib/node_modules/words/index.js']],
  );
  assert.deepEqual(messages, []);
  assert.deepEqual(dependencies, { words: '2.0.0' });
  assert.doesNotMatch(code, /the first version/);
});

test('two versions of what outside packages need are an error', async (t) => {
  const { messages } = await bundled(
    t,
    {
      'node_modules/words/index.js': words,
      'lib/node_modules/lines/index.js': words,
      'package-lock.json': lockOf({ words: entry('1.0.0', { dependencies: { load: '1' } }), load: entry('1.0.0') }),
      'lib/package-lock.json': lockOf({ lines: entry('1.0.0', { dependencies: { load: '2' } }), load: entry('2.0.0') }),
    },
    [
      ['words', 'node_modules/words/index.js'],
      ['lines', 'lib/node_modules/lines/index.js'],
    ],
  );
  assert.match(messages.join(), /The job would need load 1\.0\.0 and load 2\.0\.0, and it can have one of them\./);
});

test('a package under another name keeps both names', async (t) => {
  const { dependencies, locked } = await bundled(
    t,
    {
      'node_modules/words/index.js': words,
      'package-lock.json': lockOf({ words: entry('1.0.0', { name: 'word-list' }) }),
    },
    [['words', 'node_modules/words/index.js']],
  );
  assert.deepEqual(dependencies, { words: 'npm:word-list@1.0.0' });
  assert.deepEqual(locked, { 'node_modules/words': entry('1.0.0', { name: 'word-list' }) });
});

test('a native package without a locked version below another one is an error at the import', async (t) => {
  const { messages } = await bundled(
    t,
    {
      'node_modules/.pnpm/plain@1.0.0/node_modules/plain/index.js': "require('fast');\n",
      'node_modules/.pnpm/plain@1.0.0/node_modules/fast/index.js': 'exports.n = 1;\n',
      'node_modules/.pnpm/plain@1.0.0/node_modules/fast/binding.gyp': '{}',
      // Of an earlier npm install: pnpm does not read it.
      'package-lock.json': lockOf({ fast: entry('1.0.0') }),
    },
    [['plain', 'node_modules/.pnpm/plain@1.0.0/node_modules/plain/index.js']],
  );
  assert.deepEqual(messages, [
    'error "plain" cannot be bundled: it has a native part (binding.gyp). It would stay a dependency of the job. No package-lock.json beside it names its version. npm install fast writes one.',
  ]);
});

const wordsIn = (lockFile: string, entries: Readonly<Record<string, object>>): Readonly<Record<string, string>> => ({
  'node_modules/words/index.js': words,
  'node_modules/words/package.json': '{"name":"words","version":"1.0.0"}',
  [lockFile]: lockOf(entries),
});
const ofWords = [['words', 'node_modules/words/index.js']] as const;

test('without a lock file, what npm has installed is locked, if it is all that any system needs', async (t) => {
  const lockFile = 'node_modules/.package-lock.json';
  const needs = { dependencies: { load: '1' }, optionalDependencies: { '@words/mac': '1.0.0' } };
  const peers = { peerDependencies: { react: '*' }, peerDependenciesMeta: { react: { optional: true } } };
  const whole = { words: entry('1.0.0', { ...needs, ...peers, extraneous: true }), load: entry('1.0.0') };
  const mac = entry('1.0.0', { optional: true, os: ['darwin'] });
  const found = await bundled(t, wordsIn(lockFile, { ...whole, '@words/mac': mac }), ofWords);
  assert.deepEqual(found.messages, []);
  assert.deepEqual(found.locked['node_modules/words'], entry('1.0.0', { ...needs, ...peers }));
  const without = await bundled(t, wordsIn(lockFile, whole), ofWords);
  assert.match(
    without.messages.join(),
    /node_modules\/\.package-lock\.json beside it does not name @words\/mac, which words needs: it has what npm has installed on this system\. npm install --package-lock-only writes a package-lock\.json\.$/,
  );
});

test('a lock file that npm ci would refuse is named, and so is one that is not what is installed', async (t) => {
  const incomplete = await bundled(
    t,
    wordsIn('package-lock.json', { words: entry('1.0.0', { peerDependencies: { react: '*' } }) }),
    ofWords,
  );
  assert.match(
    incomplete.messages.join(),
    /package-lock\.json beside it does not name react, which words needs, so npm ci would refuse the job\./,
  );
  const other = await bundled(t, wordsIn('package-lock.json', { words: entry('1.0.1') }), ofWords);
  assert.match(
    other.messages.join(),
    /node_modules\/words is installed in version 1\.0\.0\. package-lock\.json names another one: run npm ci\.$/,
  );
});
