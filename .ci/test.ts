// Everything that must hold before a commit goes out: `check` first (types, lint, format, architecture, unit tests), then the tests against real
// Kafka, a real browser and a real VS Code. `node .ci/test.ts check` stops after the first half; more words select test files by path.
import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FileTotals } from './totals.ts';

const root = dirname(import.meta.dirname);
const inCI = process.env['CI'] !== undefined && process.env['CI'] !== 'false';
const scratch = mkdtempSync(join(tmpdir(), 'sluice-test-'));

/** Tests that need something real and slow lie in folders of these names; all others are unit tests. */
const integrationFolders = ['live', 'cli', 'server', 'page', 'browser', 'kafka', 'vscode'] as const;

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const running = new Set<ChildProcess>();

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    for (const child of running) end(child, 'SIGTERM');
    process.exit(130);
  });
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const words = process.argv.slice(2);
const onlyCheck = words[0] === 'check';
const selected = onlyCheck ? words.slice(1) : words;
const files = globSync('{engine,kernel,extension}/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => selected.length === 0 || selected.some((word) => path.includes(word)))
  .sort();
const folderOf = (path: string): string | undefined =>
  integrationFolders.find((folder) => path.includes(`/test/${folder}/`));

const unitTests = files.filter((path) => folderOf(path) === undefined).map((path) => () => testFile(path, 60));
const tools = [
  () => tool('lint', 'node_modules/eslint/bin/eslint.js', ['.', '--max-warnings=0']),
  () => tool('types', 'node_modules/typescript/bin/tsc', ['-b']),
  () => tool('format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.']),
];
await inParallel(2, selected.length === 0 ? [...tools, ...unitTests] : unitTests);
if (!onlyCheck)
  for (const folder of integrationFolders) {
    const paths = files.filter((file) => folderOf(file) === folder);
    // VS Code is given what users are given.
    if (folder === 'vscode' && paths.length > 0) await tool('package', '.ci/build/package.ts', []);
    for (const path of paths) await testFile(path, 600);
  }
report();

/** A tool of the house counts as one test. */
async function tool(name: string, script: string, parameters: readonly string[]): Promise<void> {
  const began = performance.now();
  const { code, output } = await runNode([join(root, script), ...parameters], 300);
  count(name, output, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, failures: [] }, began);
}

async function inParallel(width: number, jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job();
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Each file has a process group of its own: whatever it started ends with it when it does not end by itself. */
async function testFile(path: string, limitSeconds: number): Promise<void> {
  const began = performance.now();
  const totalsFile = join(scratch, path.replaceAll('/', '-'));
  writeFileSync(totalsFile, '');
  const { code, output } = await runNode(
    [
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${pathToFileURL(join(root, '.ci', 'totals.ts')).href}`,
      `--test-reporter-destination=${totalsFile}`,
      join(root, path),
    ],
    limitSeconds,
  );
  const line = readFileSync(totalsFile, 'utf8').trim();
  const result: FileTotals =
    line === '' ? { passed: 0, failed: 0, skipped: 0, failures: [] } : (JSON.parse(line) as FileTotals);
  const why =
    code === 'timeout'
      ? `did not end within ${limitSeconds} s`
      : code !== 0 && result.failed === 0
        ? `ended with ${code}`
        : result.passed + result.failed + result.skipped === 0
          ? 'holds no test'
          : undefined;
  count(
    path,
    output,
    why === undefined ? result : { ...result, failed: result.failed + 1, failures: [...result.failures, why] },
    began,
  );
}

/** One line for what passed; everything it printed for what did not, and for what was skipped. */
function count(name: string, output: string, result: FileTotals, began: number): void {
  totals.passed += result.passed;
  totals.failed += result.failed;
  totals.skipped += result.skipped;
  failures.push(
    ...(result.failures.length === 0 && result.failed > 0 ? [name] : result.failures.map((f) => `${name}: ${f}`)),
  );
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const figures = `${result.passed} passed${result.failed > 0 ? `, ${result.failed} failed` : ''}${result.skipped > 0 ? `, ${result.skipped} SKIPPED` : ''}`;
  console.log(`${result.failed === 0 ? '✔' : '✖'} ${name} (${figures}, ${seconds} s)`);
  if (result.failed > 0 || result.skipped > 0) console.log(output.replace(/^/gm, '    '));
  // Whoever ends this run finds what was counted so far, and that it was not all.
  writeTotals(totals.passed, totals.failed + 1);
}

function runNode(
  parameters: readonly string[],
  limitSeconds: number,
): Promise<{ readonly code: number | string; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, parameters, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    running.add(child);
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      end(child, 'SIGKILL');
    }, limitSeconds * 1000);
    child.on('exit', (code, signal) => {
      clearTimeout(limit);
      running.delete(child);
      // What the file left running would hold its output open; a moment for what is still in the pipe, then it ends.
      setTimeout(() => end(child, 'SIGKILL'), 100);
      setTimeout(
        () => resolve({ code: timedOut ? 'timeout' : (code ?? signal ?? 1), output: Buffer.concat(output).toString() }),
        150,
      );
    });
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
  } catch {
    // It has ended already.
  }
}

function report(): void {
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join('\n')}`);
  if (totals.skipped > 0) {
    console.log(`\n${totals.skipped} tests were SKIPPED: something they need is not on this machine (see above).`);
    // CI has everything; what is skipped there would never be tested anywhere.
    if (inCI) totals.failed += totals.skipped;
  }
  writeTotals(totals.passed, totals.failed);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
}

function writeTotals(passed: number, failed: number): void {
  const file = process.env['SLUICE_TOTALS'];
  if (file) writeFileSync(file, `${passed} passed, ${failed} failed\n`);
}
