// A re-run of an armed sink's cell: the former sink writes what was sent to it before the change,
// the new one what comes after. No row is lost, and none is written twice.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = 300_000;

async function seconds(count: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, count * 1000));
}
/** Nothing more is written: the file stays as it is for three seconds. */
async function atRest(path: string): Promise<void> {
  for (let lines = -1; lines !== linesOf(path).length; await seconds(3)) lines = linesOf(path).length;
}
/** Each number between the first and the last is there once. */
function assertWhole(numbers: readonly number[]): void {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [first = 0, last = -1] = [sorted[0], sorted.at(-1)];
  assert.equal(new Set(sorted).size, sorted.length, 'rows were written twice');
  assert.equal(sorted.length, last - first + 1, `rows were lost between ${first} and ${last}`);
}
function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}
async function begun(session: LiveSession, path: string, atLeast: number): Promise<void> {
  await session.until(
    () => linesOf(path).length,
    (count) => count >= atLeast,
    `${atLeast} rows in ${path}`,
  );
}
const source = `import { generate } from 'sluice';\nconst rows = generate({ rate: 30000 }, ({ n }) => ({ n }));\nrows.show();`;

test('an asynchronous function, run again with another text', { timeout }, async () => {
  await using session = new LiveSession();
  const path = join(session.folder, 'out.txt');
  const sink = (version: string): string => `import { appendFileSync } from 'node:fs';
rows.sink(async (row) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  appendFileSync(${JSON.stringify(path)}, '${version} ' + row.n + '\\n');
});`;
  session.edit('rows', source);
  session.edit('out', sink('v1'));
  await session.ran('rows', 'out');
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await begun(session, path, 1000);
  session.edit('out', sink('v2'));
  await session.ran('out');
  const former = linesOf(path).length;
  await begun(session, path, former + 1000);
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: false });
  await atRest(path);
  const lines = linesOf(path);
  assert.ok(lines.some((line) => line.startsWith('v1')) && lines.some((line) => line.startsWith('v2')));
  assertWhole(lines.map((line) => Number(line.split(' ')[1])));
});

test('a file whose rows come another way, and then disarmed', { timeout }, async () => {
  await using session = new LiveSession();
  const path = join(session.folder, 'out.jsonl');
  session.edit('rows', source);
  session.edit('out', `rows.toFile(${JSON.stringify(path)});`);
  await session.ran('rows', 'out');
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await begun(session, path, 1000);
  session.edit('out', `rows.map((row) => ({ n: row.n })).toFile(${JSON.stringify(path)});`);
  await session.ran('out');
  await begun(session, path, linesOf(path).length + 1000);
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: false });
  await atRest(path);
  assertWhole(linesOf(path).map((line) => (JSON.parse(line) as { n: number }).n));
});

/** Each answers when the target is back; the text of v2 does not ask for it. */
const sinksOfUser: Readonly<Record<string, (version: string, folder: string) => string>> = {
  function: (version, folder) => `${helpersOf(version, folder)}
rows.sink(async (row) => {
  await isBack();
  append(textOf(row));
});`,
  'two-phase sink': (version, folder) => `${helpersOf(version, folder)}
rows.sink({
  begin: () => [] as string[],
  write: (taken, row) => void taken.push(textOf(row)),
  preCommit: async (taken) => {
    await isBack();
    return taken;
  },
  commit: (taken) => append(taken.join('')),
  abort: () => undefined,
});`,
};
function helpersOf(version: string, folder: string): string {
  return `import { appendFileSync, existsSync } from 'node:fs';
async function isBack() {
  while (${version === 'v1'} && !existsSync(${JSON.stringify(join(folder, 'back'))}))
    await new Promise((resolve) => setTimeout(resolve, 100));
}
const textOf = (row: { n: number }) => '${version} ' + row.n + '\\n';
const append = (text: string) => appendFileSync(${JSON.stringify(join(folder, 'out.txt'))}, text);`;
}

for (const [name, sink] of Object.entries(sinksOfUser))
  test(`a ${name} whose target is away keeps its rows, over a new one`, { timeout }, async () => {
    await using session = new LiveSession({ graceMillis: 1 });
    const path = join(session.folder, 'out.txt');
    session.edit('rows', source);
    session.edit('out', sink('v1', session.folder));
    await session.ran('rows', 'out');
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    await session.until(
      () => session.control.session.metrics?.operators.find(({ cell, unwritten }) => cell === 'out' && unwritten),
      (found) => found !== undefined,
      'rows that are not written',
    );
    session.edit('out', sink('v2', session.folder));
    await session.ran('out');
    const note = /has still to write [\d,]+ rows, and no checkpoint is complete before that/;
    await session.until(
      () => session.state('out')?.notes.join() ?? '',
      (notes) => note.test(notes),
      'the cell to say that rows wait',
    );
    writeFileSync(join(session.folder, 'back'), '');
    await session.until(
      () => [session.state('out')?.notes.join() ?? '', linesOf(path).join()] as const,
      ([notes, lines]) => !note.test(notes) && lines.includes('v1') && lines.includes('v2'),
      'the rows of both',
    );
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: false });
    await atRest(path);
    assertWhole(linesOf(path).map((line) => Number(line.split(' ')[1])));
    assert.deepEqual(session.state('out')?.errors, []);
  });

test(
  'a function that never answers is replaced at once, and its rows are given up with its cell',
  { timeout },
  async () => {
    const warnings: string[] = [];
    await using session = new LiveSession({
      graceMillis: 1,
      observer: { warned: (text: string) => void warnings.push(text) },
    });
    const path = join(session.folder, 'out.txt');
    session.edit('rows', source);
    session.edit('out', `rows.sink(() => new Promise<void>(() => undefined));`);
    await session.ran('rows', 'out');
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    await seconds(3);
    session.edit('out', sinksOfUser['function']!('v2', session.folder));
    await session.ran('out');
    await begun(session, path, 1000);
    session.delete('out');
    await session.until(
      () => warnings.join(),
      (text) => /At least \d{3,} of its rows were not written/.test(text),
      'the number of rows that are given up',
    );
  },
);

test('its rows are given up also where an operator between waits for room', { timeout }, async () => {
  const warnings: string[] = [];
  await using session = new LiveSession({
    graceMillis: 1,
    observer: { warned: (text: string) => void warnings.push(text) },
  });
  const cell = (answer: string): string => `const same = rows.map((row) => ({ n: row.n }));\nsame.sink(${answer});`;
  session.edit('rows', source);
  session.edit('out', cell('() => new Promise<void>(() => undefined)'));
  await session.ran('rows', 'out');
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await seconds(3);
  session.edit('out', cell('() => undefined'));
  await session.ran('out');
  session.delete('out');
  await session.until(
    () => warnings.join(),
    (text) => /At least [\d,]{3,} of its rows were not written/.test(text),
    'the number of rows that are given up',
  );
  const read = session.state('rows')?.rows ?? 0;
  await session.until(
    () => session.state('rows')?.rows ?? 0,
    (rows) => rows > read + 1000,
    'rows of the other cell',
  );
});
