// Everything that must hold before a commit goes out. First `check`: types, lint, format,
// architecture and unit tests. Then the tests against real Kafka, a real browser and VS Code.
// `node .ci/test.ts check` stops after the first half. More words select test files by path.
import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inCI } from './in-ci.ts';
import { integrationKinds, kindOf, limitSeconds, testFiles, type Kind } from './kinds.ts';
import type { FileResult, Message } from './reporter.ts';

const root = dirname(import.meta.dirname);
// Most tests start processes that load the whole source. With the compiled code of earlier ones,
// a process starts in about half the time.
const environment = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'), ...process.env };

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
/** What each file with a failure has added to the totals. */
const failedFiles = new Map<string, Pick<FileResult, 'passed' | 'failed' | 'skipped'>>();
/** Failures of files that passed when they ran again. */
const passedLater: string[] = [];
const running = new Set<ChildProcess>();

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    for (const child of running) end(child, 'SIGTERM');
    process.exit(130);
  });

/** With more failed files than this, none runs again. */
const filesToTryAgain = 4;

const words = process.argv.slice(2);
const onlyCheck = words[0] === 'check';
const selected = onlyCheck ? words.slice(1) : words;
const files = globSync(testFiles, { cwd: root, exclude: ['**/node_modules/**'] })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => selected.length === 0 || selected.some((word) => path.includes(word)))
  .sort();
const filesOfKind = (kind: Kind): string[] => files.filter((path) => kindOf(path) === kind);

await Promise.all([selected.length === 0 ? tools() : undefined, runUnitTests()]);
if (!onlyCheck && selected.length === 0) await tool('advisories', '.ci/advisories.ts', [], { showsLastLine: true });
if (!onlyCheck) {
  await runIntegrationTests();
  await runFailedFilesAgain();
}
report();

/**
 * Each file is a vitest of its own. Most wait for a process, a broker or a window, so three run at
 * a time. A file of VS Code has a browser and an editor beside its test: two of those would take
 * twice the time each, so one lane runs them, and the other two lanes run all else.
 */
async function runIntegrationTests(): Promise<void> {
  const [editor, others] = [
    filesOfKind('vscode'),
    integrationKinds.filter((kind) => kind !== 'vscode').flatMap(filesOfKind),
  ];
  const run = async (left: string[]): Promise<void> => {
    // A minute more than one test may take, so that vitest names a test that hangs.
    for (let path = left.shift(); path !== undefined; path = left.shift())
      await runVitest(kindOf(path), [path], limitSeconds.integration + 60);
  };
  // VS Code is given what users are given.
  if (editor.length > 0) await tool('package', '.ci/build/package.ts', []);
  await Promise.all([run(editor).then(() => run(others)), run(others), run(others)]);
}

/**
 * A file that failed beside another one runs once more, alone. A fault fails again, and the run
 * with it. What passes now has failed by chance, by the seed of a law or on a busy machine: it is
 * listed at the end, with its first failure, as a test to mend. Many failures are no accident, so
 * they are not tried again.
 */
async function runFailedFilesAgain(): Promise<void> {
  if (failedFiles.size > filesToTryAgain) return;
  for (const [path, first] of [...failedFiles]) {
    console.log(`\nOnce more, alone: ${path}`);
    failedFiles.delete(path);
    const earlier = failures.filter((failure) => isOf(path, failure));
    failures.splice(0, failures.length, ...failures.filter((failure) => !isOf(path, failure)));
    totals.passed -= first.passed;
    totals.failed -= first.failed;
    totals.skipped -= first.skipped;
    await runVitest(kindOf(path), [path], limitSeconds.integration + 60);
    if (!failedFiles.has(path)) passedLater.push(...earlier);
  }
}

function isOf(path: string, failure: string): boolean {
  return failure === path || failure.startsWith(`${path}: `);
}

async function tools(): Promise<void> {
  await tool('lint', 'node_modules/eslint/bin/eslint.js', ['.', '--max-warnings=0']);
  await tool('types', 'node_modules/typescript/bin/tsc', ['-b']);
  await tool('format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.']);
}

async function runUnitTests(): Promise<void> {
  const paths = filesOfKind('unit');
  if (paths.length > 0) await runVitest('unit', paths, 1_800);
}

/** A tool of the house counts as one test. */
async function tool(
  name: string,
  script: string,
  parameters: readonly string[],
  { showsLastLine = false } = {},
): Promise<void> {
  const began = performance.now();
  const { code, output } = await runNode([join(root, script), ...parameters], 900);
  const result = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, failures: [] };
  count(name, output, result, (performance.now() - began) / 1000);
  if (showsLastLine && code === 0) console.log(`    ${output.trimEnd().split('\n').at(-1)}`);
}

/**
 * Runs vitest once, in a process group of its own. When the run ends, or when its time is up, the
 * whole group is killed, so nothing that a test has started stays. These count as failed tests:
 * a file that sends no result, an exit code without a failed test, and an error outside all tests.
 */
async function runVitest(kind: Kind, paths: readonly string[], limit: number): Promise<void> {
  const waiting = new Set(paths);
  const begun = new Set<string>();
  const wrong: string[] = [];
  let failed = 0;
  let skipped = 0;
  const parameters = [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    `--project=${kind}`,
    `--reporter=${join(root, '.ci', 'reporter.ts')}`,
    ...paths,
  ];
  const { code, output } = await runNode(parameters, limit, (message, printed) => {
    if (message.kind === 'begun') begun.add(message.path);
    else if (message.kind === 'end') wrong.push(...message.errors);
    else {
      waiting.delete(message.path);
      begun.delete(message.path);
      failed += message.failed;
      skipped += message.skipped;
      // What several files print outside their tests cannot be told apart. It follows below.
      const rest = paths.length === 1 ? printed() : '';
      count(message.path, `${message.output}\n${rest}`, message, message.seconds);
    }
  });
  if (code === 'timeout')
    wrong.push(`did not end within ${limit} s${begun.size > 0 ? `; at work: ${[...begun].join(', ')}` : ''}`);
  else if (waiting.size > 0) wrong.push(...[...waiting].map((path) => `${path} did not run to its end`));
  else if (code !== 0 && failed === 0 && wrong.length === 0) wrong.push(`ended with ${code}`);
  if (wrong.length > 0) {
    const name = paths.length === 1 ? paths[0]! : `vitest, ${kind} tests`;
    const failures = wrong.map((text) => text.split('\n', 1)[0]!);
    count(name, [...wrong, output].join('\n'), { passed: 0, failed: wrong.length, skipped: 0, failures }, 0);
  } else if (paths.length > 1 && failed + skipped > 0 && output !== '')
    console.log(`Printed outside all tests:\n${output.replace(/^/gm, '    ')}`);
}

/** One line for what passed; everything it printed for what did not, and for what was skipped. */
function count(
  name: string,
  output: string,
  result: Pick<FileResult, 'passed' | 'failed' | 'skipped' | 'failures'>,
  seconds: number,
): void {
  totals.passed += result.passed;
  totals.failed += result.failed;
  totals.skipped += result.skipped;
  const earlier = failedFiles.get(name);
  if (files.includes(name) && (result.failed > 0 || earlier !== undefined))
    failedFiles.set(name, {
      passed: result.passed + (earlier?.passed ?? 0),
      failed: result.failed + (earlier?.failed ?? 0),
      skipped: result.skipped + (earlier?.skipped ?? 0),
    });
  failures.push(
    ...(result.failures.length === 0 && result.failed > 0 ? [name] : result.failures.map((f) => `${name}: ${f}`)),
  );
  const figures = `${result.passed} passed${result.failed > 0 ? `, ${result.failed} failed` : ''}${result.skipped > 0 ? `, ${result.skipped} SKIPPED` : ''}`;
  console.log(`${result.failed === 0 ? '✔' : '✖'} ${name} (${figures}, ${seconds.toFixed(1)} s)`);
  if (result.failed > 0 || result.skipped > 0) console.log(output.replace(/^/gm, '    '));
  // If this run is ended early, the totals hold the tests so far and one failure.
  writeTotals(totals.passed, totals.failed + 1);
}

function runNode(
  parameters: readonly string[],
  limit: number,
  onMessage?: (message: Message, printed: () => string) => void,
): Promise<{ readonly code: number | string; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, parameters, {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', ...(onMessage ? (['ipc'] as const) : [])],
      detached: process.platform !== 'win32',
    });
    running.add(child);
    const output: Buffer[] = [];
    const printed = (): string => Buffer.concat(output).toString();
    child.stdout!.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr!.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('message', (message) => onMessage?.(message as Message, printed));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      end(child, 'SIGKILL');
    }, limit * 1000);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      // A process that the file has left would keep the output open. So the group is killed, after
      // a moment in which the rest of the output arrives.
      setTimeout(() => end(child, 'SIGKILL'), 100);
      setTimeout(() => resolve({ code: timedOut ? 'timeout' : (code ?? signal ?? 1), output: printed() }), 150);
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
  if (passedLater.length > 0)
    console.log(
      `\nPassed only when they ran again, alone:\n${passedLater.map((failure) => `  ${failure}`).join('\n')}`,
    );
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
