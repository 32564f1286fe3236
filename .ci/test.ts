// Everything that must hold before a commit goes out: `check` first (types, lint, format, architecture, unit tests), then the tests against real
// Kafka, a real browser and a real VS Code. `node .ci/test.ts check` stops after the first half; more words select test files by path.
import { spawn } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = dirname(import.meta.dirname);
const inCI = process.env['CI'] !== undefined && process.env['CI'] !== 'false';

/** Tests that need something real and slow lie in folders of these names; all others are unit tests. */
const integrationFolders = ['cli', 'server', 'page', 'browser', 'kafka', 'vscode'] as const;

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}
const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

const [what, ...selected] = process.argv[2] === 'check' ? process.argv.slice(2) : ['all', ...process.argv.slice(2)];
const files = globSync('{engine,kernel,extension}/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => selected.length === 0 || selected.some((word) => path.includes(word)))
  .sort();
const folderOf = (path: string) => integrationFolders.find((folder) => path.includes(`/test/${folder}/`));

if (selected.length === 0) {
  await tool('types', 'typescript/bin/tsc', ['-b']);
  await tool('lint', 'eslint/bin/eslint.js', ['.', '--max-warnings=0']);
  await tool('format', 'prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.']);
}
await tests(
  'unit',
  files.filter((path) => !folderOf(path)),
  2,
  60,
);
if (what !== 'check')
  for (const folder of integrationFolders)
    await tests(
      folder,
      files.filter((path) => folderOf(path) === folder),
      1,
      600,
    );
report();

/** A tool of the house counts as one test. */
async function tool(name: string, script: string, parameters: readonly string[]): Promise<void> {
  const began = performance.now();
  const code = await new Promise<number>((resolve) => {
    const child = spawn(process.execPath, [join(root, 'node_modules', script), ...parameters], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', () => resolve(1));
    child.on('exit', (status) => resolve(status ?? 1));
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${code === 0 ? '✔' : '✖'} ${name} (${seconds} s)`);
  if (code === 0) totals.passed++;
  else {
    totals.failed++;
    failures.push(name);
  }
}

/** Runs test files in processes of their own; a file that has not ended after `limitSeconds` fails. */
async function tests(name: string, paths: readonly string[], concurrency: number, limitSeconds: number): Promise<void> {
  if (paths.length === 0) return;
  console.log(`\n${name}: ${paths.length} files`);
  const stream = run({
    cwd: root,
    files: paths.map((path) => join(root, path)),
    concurrency,
    timeout: limitSeconds * 1000,
    forceExit: false,
  });
  stream.on('test:summary', (summary) => {
    // The summary of the whole run names no file.
    if (summary.file !== undefined) return;
    const { tests, passed, skipped, todo } = summary.counts;
    totals.passed += passed;
    totals.failed += tests - passed - skipped - todo;
    totals.skipped += skipped + todo;
  });
  stream.on('test:fail', (event) => {
    if (event.details.error.cause !== undefined && event.details.type !== 'suite')
      failures.push(`${event.file ? event.file.slice(root.length + 1) : name}: ${event.name}`);
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(text as string);
}

function report(): void {
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join('\n')}`);
  if (totals.skipped > 0) {
    console.log(`\n${totals.skipped} tests were SKIPPED: something they need is not on this machine (see above).`);
    // CI has everything; what is skipped there would never be tested anywhere.
    if (inCI) totals.failed += totals.skipped;
  }
  const line = `${totals.passed} passed, ${totals.failed} failed`;
  console.log(`\n${line}`);
  const file = process.env['SLUICE_TOTALS'];
  if (file) writeFileSync(file, `${line}\n`);
  process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
}
