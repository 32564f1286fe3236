// Every display that a cell makes is shown, in order, one below the other.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { CellState } from '../../protocol/messages.ts';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const one = `import { from } from 'sluice';
const one = from([{ a: 1 }]);`;

/** Kind and title of each part, or the text of a value. */
const shown = (session: LiveSession, cell: string): string[] =>
  session
    .parts(cell)
    .map((part) => (part.kind === 'value' ? part.text : 'title' in part ? `${part.kind} ${part.title}` : part.kind));
const cellState = (session: LiveSession, cell: string): CellState => {
  const found = session.control.view().cells.find(({ id }) => id === cell);
  assert.ok(found);
  return found;
};
const everyRow = (session: LiveSession, cell: string, count: number): Promise<unknown[]> =>
  session.until(
    () => session.parts(cell).flatMap((part) => ('rows' in part ? part.rows.map(({ value }) => value) : [])),
    (rows) => rows.length === count,
    `${count} rows of ${cell}`,
  );

test('each statement that makes a display shows it, wherever it stands; a value is below', timeout, async () => {
  await using session = new LiveSession();
  session.edit('a', `${one}\none.show();\none.map((r) => ({ b: r.a + 1 })).chart({ x: 'b', y: 'b' });\n1 + 1;`);
  await session.ran('a');
  assert.deepEqual(shown(session, 'a'), ['table one', 'chart b', '2']);
  assert.deepEqual(await everyRow(session, 'a', 2), [{ a: 1 }, { b: 2 }]);
  await session.until(
    () => cellState(session, 'a').phase,
    (phase) => phase === 'finished',
    'the end of the cell',
  );
});

test('displays of loops, functions and awaits are shown; equal labels are numbered', timeout, async () => {
  await using session = new LiveSession();
  session.edit('one', one);
  session.edit(
    'loop',
    `for (const k of ['x', 'y']) one.map((r) => ({ k, a: r.a })).show();
const later = async () => one.filter((r) => r.a > 0).show();
await later();
['x', 'y'].map((k) => one.filter((r) => r.a > 0).chart({ x: 'a', y: 'a' }));`,
  );
  await session.ran('one', 'loop');
  assert.deepEqual(shown(session, 'loop'), [
    'table map#1',
    'table map#2',
    'table filter',
    'chart a · filter#2',
    'chart a · filter#3',
  ]);
  assert.deepEqual(await everyRow(session, 'loop', 5), [
    { k: 'x', a: 1 },
    { k: 'y', a: 1 },
    { a: 1 },
    { a: 1 },
    { a: 1 },
  ]);
});

test('a part of a view is not shown beside it, and a display is shown once', timeout, async () => {
  await using session = new LiveSession();
  session.edit(
    'a',
    `import { backpressure, view } from 'sluice';
${one}
const table = one.show();
const panel = backpressure();
const inner = view(one.map((r) => r.a).show(), one);
view(inner, panel);
table;`,
  );
  await session.ran('a');
  assert.deepEqual(shown(session, 'a'), ['table one#1', 'table inner', 'table one#2', 'backpressure']);
  session.edit('b', 'table;');
  await session.ran('b');
  assert.deepEqual(shown(session, 'b'), ['table one'], 'another cell may show the display too');
});

test('a stream is shown only as the last expression', timeout, async () => {
  await using session = new LiveSession();
  session.edit('a', `${one}\none;\none.map((r) => r.a);\nconst last = 1;`);
  session.edit('b', `one.map((r) => ({ b: r.a })).show();\none;`);
  await session.ran('a', 'b');
  assert.deepEqual(shown(session, 'a'), []);
  assert.deepEqual(shown(session, 'b'), ['table map', 'table one']);
});

test('a re-run shows the displays of the new text, and one that throws keeps the former ones', timeout, async () => {
  await using session = new LiveSession();
  session.edit('a', `${one}\none.show();\none.map((r) => r.a).show();`);
  await session.ran('a');
  session.edit('a', `${one}\none.filter((r) => true).show();`);
  await session.ran('a');
  assert.deepEqual(shown(session, 'a'), ['table filter']);
  session.edit('a', `${one}\none.show();\none.show();\nthrow new Error('no');`);
  assert.equal((await session.run('a'))[0]?.ok, false);
  assert.deepEqual(shown(session, 'a'), ['error', 'table filter · former version']);
});

test('a display that is made after the run of its cell is an error', timeout, async () => {
  await using session = new LiveSession();
  session.edit('a', `${one}\none.show();\nsetTimeout(() => one.show());`);
  await session.ran('a');
  const said = await session.until(
    () => session.parts('a').flatMap((part) => (part.kind === 'log' ? part.lines.map(({ text }) => text) : [])),
    (lines) => lines.length > 0,
    'the error of the timer',
  );
  assert.match(said.join('\n'), /show\(\) cannot be called here: the run of cell "a" is over/);
});
