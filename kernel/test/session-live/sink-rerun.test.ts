// A re-run of an armed sink's cell: the former sink writes what was sent to it before the change,
// the new one what comes after. No row is lost, and none is written twice.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
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

test('a sink whose target takes nothing is cut after a while, and its rows are counted', { timeout }, async () => {
  await using session = new LiveSession();
  const sink = (version: number): string =>
    `rows.sink(async () => { await new Promise(() => undefined); return void ${version}; });`;
  session.edit('rows', source);
  session.edit('out', sink(1));
  await session.ran('rows', 'out');
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await seconds(3);
  session.edit('out', sink(2));
  await session.ran('out');
  const errors = await session.until(
    () => session.state('out')?.errors ?? [],
    (seen) => seen.length > 0,
    'an error that counts the rows',
  );
  assert.equal(errors[0]?.code, 'rows-not-written');
  assert.match(errors[0].message, /At least \d{3,} of its rows were not written/);
});
