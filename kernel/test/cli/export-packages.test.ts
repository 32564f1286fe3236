// Packages that read files beside their own cannot be in the one file of a job: npm installs them
// beside it, with the versions of the notebook's lock file. Without such a file, the export says
// so.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { exported, folderOf, start } from './job-process.ts';
import { type PackageFiles, servedPackages } from './package-server.ts';
import { sluice } from './sluice.ts';

const timeout = { timeout: 600_000 };

/** A module of WebAssembly that exports add(i32, i32). */
const addWasm = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 3, 2, 1, 0, 7, 7, 1, 3, 0x61, 0x64, 0x64],
  ...[0, 0, 10, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b],
]);
const esm = '{"type":"module","exports":{".":{"types":"./index.d.ts","default":"./index.js"}}}';
const packages: Readonly<Record<string, PackageFiles>> = {
  'node_modules/wasm-add': {
    'package.json': esm,
    'index.js': `import { readFileSync } from 'node:fs';
const { instance } = await WebAssembly.instantiate(readFileSync(new URL('./add.wasm', import.meta.url)));
export const add = instance.exports.add;
`,
    'index.d.ts': 'export declare function add(a: number, b: number): number;\n',
    'add.wasm': addWasm,
  },
  'node_modules/word-list': {
    'index.js': `const { readFileSync } = require('node:fs');
const { join } = require('node:path');
exports.words = readFileSync(join(__dirname, 'data', 'words.txt'), 'utf8').trim().split(' ');
`,
    'index.d.ts': 'export declare const words: string[];\n',
    'data/words.txt': 'ann bob\n',
  },
  'node_modules/square-worker': {
    'package.json': esm,
    'index.js': `import { Worker } from 'node:worker_threads';
export const square = (n) => new Promise((resolve, reject) => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: n });
  worker.once('message', resolve);
  worker.once('error', reject);
});
`,
    'worker.js':
      "import { parentPort, workerData } from 'node:worker_threads';\nparentPort.postMessage(workerData * workerData);\n",
    'index.d.ts': 'export declare function square(n: number): Promise<number>;\n',
  },
  'node_modules/fast-sum': {
    'index.js': 'exports.sum = (a, b) => a + b;\n',
    'index.d.ts': 'export declare function sum(a: number, b: number): number;\n',
    'deps/fast/binding.gyp': '{}',
  },
  // Bundled itself. What it needs is not, and its own copy of a package makes another one stay.
  'node_modules/plain': {
    'package.json': '{"dependencies":{"word-list":"1.0.0","greeting":"1.0.0"}}',
    'index.js': "exports.plain = () => [...require('word-list').words, require('greeting').greeting()];\n",
    'index.d.ts': 'export declare function plain(): string[];\n',
  },
  'node_modules/greeting': {
    'package.json': '{"dependencies":{"template":"1.0.0"}}',
    'index.js': "exports.greeting = () => require('template').template;\n",
  },
  'node_modules/greeting/node_modules/template': {
    'index.js': "exports.template = require('node:fs').readFileSync(__dirname + '/hello.txt', 'utf8').trim();\n",
    'hello.txt': 'hello\n',
  },
};
const notebook = `// %% id=rows
import { from } from 'sluice';
import { add } from 'wasm-add';
import { words } from 'word-list';
import { square } from 'square-worker';
import { plain } from 'plain';
import { sum } from './lib/sum.ts';
const rows = from([1, 2, 3]);

// %% id=out
rows
  .mapAsync(async (n) => ({ n, more: add(n, 1), square: await square(n), sum: sum(n, 10), words, plain: plain() }))
  .toFile('rows.jsonl');
`;

test('a job runs with packages that read files, start workers or have native parts', timeout, async (t) => {
  const served = await servedPackages(t, packages);
  const folder = folderOf(t, {
    ...served.files,
    'n.sluice.ts': notebook,
    'lib/sum.ts': "export { sum } from 'fast-sum';\n",
  });
  await served.install(folder);
  const { code, out } = await sluice('check', join(folder, 'n.sluice.ts'), '--target', 'node');
  assert.equal(code, 0, out);
  assert.match(out, /no problems/);
  const job = await exported(folder);
  rmSync(join(folder, 'node_modules'), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(job, 'package.json'), 'utf8')) as { dependencies: object };
  const outside = ['fast-sum', 'greeting', 'square-worker', 'wasm-add', 'word-list'];
  assert.deepEqual(dependencies, Object.fromEntries(outside.map((name) => [name, '1.0.0'])));
  const readme = readFileSync(join(job, 'README.md'), 'utf8');
  assert.match(readme, /- `wasm-add` 1\.0\.0: it awaits at its top level\./);
  assert.match(
    readme,
    /- `word-list` 1\.0\.0: word-list\/index\.js:3 looks for files beside itself \(__dirname: words\.txt\)\./,
  );
  assert.match(readme, /- `fast-sum` 1\.0\.0: it has a native part \(binding\.gyp\)\./);
  assert.doesNotMatch(readme, /nothing is downloaded/);

  await served.install(job);
  assert.deepEqual(
    readdirSync(join(job, 'node_modules'))
      .filter((name) => !name.startsWith('.'))
      .sort(),
    outside,
  );
  const life = start(job, { SLUICE_HTTP_PORT: 'off' });
  assert.equal((await life.ended).code, 0, JSON.stringify(life.log()));
  const rows = readFileSync(join(job, 'rows.jsonl'), 'utf8').trim().split('\n');
  const words = ['ann', 'bob'];
  assert.deepEqual(
    rows.map((row) => JSON.parse(row) as unknown),
    [1, 2, 3].map((n) => ({ n, more: n + 1, square: n * n, sum: n + 10, words, plain: [...words, 'hello'] })),
  );
});

test('without a lock file beside the notebook, the job has what npm has installed', timeout, async (t) => {
  const needed = ['plain', 'word-list', 'greeting', 'greeting/node_modules/template'];
  const served = await servedPackages(
    t,
    Object.fromEntries(needed.map((name) => [`node_modules/${name}`, packages[`node_modules/${name}`]!])),
  );
  const folder = folderOf(t, {
    ...served.files,
    'n.sluice.ts': `// %% id=out
import { from } from 'sluice';
import { plain } from 'plain';
from([1]).map((n) => ({ n, plain: plain() })).toFile('rows.jsonl');
`,
  });
  await served.install(folder);
  rmSync(join(folder, 'package-lock.json'));
  const job = await exported(folder);
  rmSync(join(folder, 'node_modules'), { recursive: true });
  await served.install(job);
  const life = start(job, { SLUICE_HTTP_PORT: 'off' });
  assert.equal((await life.ended).code, 0, JSON.stringify(life.log()));
  assert.deepEqual(JSON.parse(readFileSync(join(job, 'rows.jsonl'), 'utf8')), {
    ...{ n: 1, plain: ['ann', 'bob', 'hello'] },
  });
});

test('check says what export says, of packages and of values, and export writes nothing', timeout, async (t) => {
  const folder = folderOf(t, {
    'node_modules/word-list/package.json': '{"name":"word-list","version":"1.0.0","types":"index.d.ts"}',
    ...Object.fromEntries(
      Object.entries(packages['node_modules/word-list']!).map(([name, text]) => [
        `node_modules/word-list/${name}`,
        String(text),
      ]),
    ),
    'n.sluice.ts': `// %% id=rows
import { from } from 'sluice';
import { words } from 'word-list';
const rows = from([1]);

// %% id=out
rows.sink(() => void words);
`,
    'values.sluice.ts': `// %% id=values
import { from } from 'sluice';
const make = (value: unknown): any => value;
const live = make(new AbortController());
const large = 'x'.repeat(5_000_000);

// %% id=out
from([1]).sink(() => void [live, large]);
`,
  });
  const said = async (name: string, ...parameters: readonly string[]): Promise<readonly string[]> => {
    const { code, out, err } = await sluice(
      parameters[0]!,
      join(folder, name),
      '--target',
      'node',
      ...parameters.slice(1),
    );
    assert.equal(code, 1, out + err);
    return out.split('\n').filter((line) => line.includes('error'));
  };
  const expected: Readonly<Record<string, readonly RegExp[]>> = {
    'n.sluice.ts': [
      /rows.*not-bundled.*"word-list" cannot be bundled: word-list\/index\.js:3 looks for files beside itself \(__dirname: words\.txt\)\..*npm install word-list writes one\./,
    ],
    'values.sluice.ts': [
      /captured-too-large.*large of cell "values" takes 5\.0 MB/,
      /captured-live.*captures live of cell "values", an instance of AbortController/,
    ],
  };
  for (const [name, patterns] of Object.entries(expected)) {
    const checked = await said(name, 'check');
    for (const pattern of patterns) assert.match(checked.join('\n'), pattern);
    const exporting = await said(name, 'export', '--out', join(folder, 'job'));
    assert.deepEqual(
      exporting,
      checked.filter((line) => !/^\d+ error/.test(line)),
      name,
    );
    assert.equal(existsSync(join(folder, 'job')), false);
  }
});
