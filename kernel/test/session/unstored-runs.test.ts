// Runs that are done and that no checkpoint on disk has: they are noted before the run is answered,
// forgotten when a checkpoint has them, and run again by the next kernel.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { noCheckpoints, type UnstoredRun } from '../../session/checkpoint-state.ts';
import { saveSession } from '../../session/saved-session.ts';
import { createSession } from '../../session/state.ts';
import { planInstances } from './instance-planner.ts';
import { Stage } from './stage.ts';

const stored = { isStored: true, nextId: 5 };

function begun(cells: Readonly<Record<string, string>>): Stage {
  const s = new Stage();
  s.state = createSession({}, { ...noCheckpoints, ...stored });
  s.planner = planInstances;
  s.document(cells);
  s.ready();
  return s;
}
/** The noted cells, oldest first. */
const noted = (s: Stage): readonly string[] => {
  const effect = s.effects.findLast(({ kind }) => kind === 'note-runs');
  return effect?.kind === 'note-runs' ? effect.runs.map(({ cell }) => cell) : [];
};
const lastId = (s: Stage): number => s.state.checkpoints.asked.at(-1)!.id;

test('a run is noted with its text before it is answered', () => {
  const s = begun({ a: 'ax = #one' });
  s.runs('a');
  const kinds = s.effects.map(({ kind }) => kind);
  assert.ok(kinds.indexOf('note-runs') < kinds.indexOf('answer'), kinds.join());
  assert.deepEqual(s.state.checkpoints.unstored, [{ cell: 'a', text: 'ax = #one', uses: [] }]);
});

test('a stored checkpoint forgets the runs that it has, and no later ones', () => {
  const s = begun({ a: 'ax = ', b: 'bx = ax' });
  s.runs('a');
  const id = lastId(s);
  s.snapshot({ 'a~1': 1 }, { checkpoint: id });
  s.runs('b');
  assert.deepEqual(noted(s), ['a', 'b']);
  s.event({ kind: 'checkpoint-stored', id, bytes: 1, newBytes: 1 });
  assert.deepEqual(noted(s), ['b']);
});

test('a checkpoint that fails leaves its runs noted; the next one has them', () => {
  const s = begun({ a: 'ax = ', b: 'bx = ' });
  s.runs('a');
  const first = lastId(s);
  s.snapshot({ 'a~1': 1 }, { checkpoint: first });
  s.event({ kind: 'checkpoint-failed', id: first, message: 'The disk is full.' });
  assert.deepEqual(noted(s), ['a']);
  s.runs('b');
  const second = lastId(s);
  s.snapshot({ 'a~1': 2, 'b~2': 2 }, { checkpoint: second });
  s.event({ kind: 'checkpoint-stored', id: second, bytes: 1, newBytes: 1 });
  assert.deepEqual(noted(s), []);
});

test('a notebook that wants no checkpoints notes nothing, nor does a session without a directory', () => {
  const none = begun({ a: 'ax = checkpoint: false' });
  none.runs('a');
  assert.deepEqual(none.state.checkpoints.unstored, []);
  const s = new Stage();
  s.planner = planInstances;
  s.document({ a: 'ax = ' });
  s.ready();
  s.runs('a');
  assert.deepEqual(s.state.checkpoints.unstored, []);
});

// --------------------------------------------------------------------------------- the next kernel

const ran = (...cells: readonly (readonly [string, string, ...string[]])[]): readonly UnstoredRun[] =>
  cells.map(([cell, text, ...uses]) => ({ cell, text, uses }));

/** The checkpoint has cell a as `ax = `. */
function after(runs: readonly UnstoredRun[]): Stage {
  const former = begun({ a: 'ax = ' });
  former.runs('a');
  const saved = structuredClone(saveSession(former.state));
  const s = new Stage();
  const offered = { id: 4, takenAt: 12, saved, parts: new Map(), skipped: [], ran: runs };
  s.state = createSession({}, { ...noCheckpoints, ...stored, offered });
  s.planner = planInstances;
  return s;
}
const compiles = (said: readonly string[]): readonly string[] => said.filter((one) => one.startsWith('compile'));
/** The checkpoint is back, and the next cell is compiled. */
function resumes(s: Stage, lastCall?: { readonly cell: string }): readonly string[] {
  s.ready();
  const went = s.event({ kind: 'choose', choice: 'resume', ...(lastCall && { lastCall }) });
  return compiles([...went, ...s.restored('a'), ...s.mutated()]);
}

test('resume brings the checkpoint back, and runs the noted cells again, one after the other', () => {
  const s = after(ran(['b', 'bx = ax', 'a'], ['c', 'cx = ']));
  s.document({ a: 'ax = ', b: 'bx = ax', c: 'cx = ' });
  assert.deepEqual(resumes(s), ['compile b']);
  s.compiled('b');
  s.evaluated('b');
  assert.deepEqual(compiles(s.mutated()), ['compile c']);
  s.compiled('c');
  s.evaluated('c');
  s.mutated();
  assert.deepEqual(
    [...s.state.cells.values()].map(({ active }) => active?.text),
    ['ax = ', 'bx = ax', 'cx = '],
  );
});

test('one that fails stops no other, and is not tried by a further kernel', () => {
  const s = after(ran(['b', 'bx = '], ['c', 'cx = ']));
  s.document({ a: 'ax = ', b: 'bx = ', c: 'cx = ' });
  assert.deepEqual(resumes(s), ['compile b']);
  s.compiled('b');
  assert.deepEqual(compiles(s.threw('b')), ['compile c']);
  assert.deepEqual(noted(s), ['c']);
});

test('a cell that was edited since then waits for its user, and one that the checkpoint has does not run again', () => {
  const s = after(ran(['a', 'ax = '], ['b', 'bx = '], ['gone', 'gx = ']));
  s.document({ a: 'ax = ', b: 'bx = #edited' });
  assert.deepEqual(resumes(s), []);
  assert.deepEqual(noted(s), []);
});

test('the cell in which the kernel ended stays out, with the cells that read from it', () => {
  const s = after(ran(['hog', 'hx = '], ['b', 'bx = hx', 'hog'], ['c', 'cx = bx', 'b'], ['d', 'dx = ']));
  s.document({ a: 'ax = ', hog: 'hx = ', b: 'bx = hx', c: 'cx = bx', d: 'dx = ' });
  assert.deepEqual(resumes(s, { cell: 'hog' }), ['compile d']);
  assert.deepEqual(noted(s), ['d']);
  assert.equal(s.view('hog').phase, 'failed');
});

test('what is still to be run again stays noted when a checkpoint comes in between', () => {
  const s = after(ran(['b', 'bx = '], ['c', 'cx = ']));
  s.document({ a: 'ax = ', b: 'bx = ', c: 'cx = ' });
  resumes(s);
  s.compiled('b');
  s.evaluated('b');
  s.mutated();
  const id = lastId(s);
  s.snapshot({ 'a~1': 1, 'b~2': 1 }, { checkpoint: id });
  s.event({ kind: 'checkpoint-stored', id, bytes: 1, newBytes: 1 });
  assert.deepEqual(noted(s), ['c']);
});

test('without any checkpoint the noted cells are offered alone', () => {
  const s = new Stage();
  const offered = { id: 0, takenAt: 12, saved: saveSession(createSession()), parts: new Map(), skipped: [] };
  s.state = createSession({}, { ...noCheckpoints, ...stored, offered: { ...offered, ran: ran(['b', 'bx = ']) } });
  s.planner = planInstances;
  s.document({ b: 'bx = ' });
  s.ready();
  assert.deepEqual(compiles(s.event({ kind: 'choose', choice: 'resume' })), ['compile b']);
});
