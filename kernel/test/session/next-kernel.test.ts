// The checkpoint that an earlier kernel has left: it is offered, and the session goes on from it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { noCheckpoints, type SavedCheckpoint } from '../../session/checkpoint-state.ts';
import { readSavedSession, saveSession } from '../../session/saved-session.ts';
import { sessionView } from '../../session/session-view.ts';
import { createSession } from '../../session/state.ts';
import { lastStored, ofKind, running, stored, taken } from './checkpointing.ts';
import { planInstances } from './instance-planner.ts';
import { Stage, taskState } from './stage.ts';

const parts = new Map([['a~1', taskState(7)]]);
function offered(): Stage {
  const former = running({}, stored);
  former.event({ kind: 'arm', cell: 'a', armed: true });
  const s = new Stage();
  const saved = structuredClone(saveSession(former.state));
  s.state = createSession(
    {},
    { ...noCheckpoints, ...stored, offered: { id: 4, takenAt: 12, saved, parts, skipped: ['x'] } },
  );
  s.planner = planInstances;
  return s;
}

test('what an earlier kernel has left is offered, and nothing runs before the choice', () => {
  const s = offered();
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  assert.deepEqual(s.run('a'), ['answer a failed']);
  assert.deepEqual(sessionView(s.state, { now: 0, hasView: () => false }).offered, {
    ...{ takenAt: 12, lost: [], skipped: ['x'] },
  });
  s.event({ kind: 'heartbeat' });
  assert.equal(ofKind(s, 'store-checkpoint').length, 0);
});

test('resume evaluates the cells again and restores their state', () => {
  const s = offered();
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  assert.deepEqual(s.event({ kind: 'choose', choice: 'resume' }), ['evaluate a again']);
  assert.deepEqual(s.restored('a'), ['commit undefined', 'evaluate b again']);
  assert.match(s.restored('b').join(), /mutate \[a b\] from the snapshot/);
  const mutate = ofKind(s, 'mutate').at(-1);
  assert.deepEqual(mutate?.restore, [{ instance: 'a~1', state: taskState(7) }]);
  assert.deepEqual(s.mutated(), []);
  assert.equal(s.state.executor, 'ready');
  assert.equal(s.state.checkpoints.resumedFrom, 12);
  assert.equal(s.view('a').edited, false);
});

test('resume goes on from the clock of the executor, also when the wall clock was set back', () => {
  const former = running({}, stored);
  former.now = 9_000;
  taken(former, { 'a~1': 7 });
  assert.equal(readSavedSession(lastStored(former).saved).clock, 9_000);
  former.event({ kind: 'checkpoint-stored', id: 6, bytes: 1, newBytes: 1 });
  former.now = 5_000;
  former.event({ kind: 'want-checkpoint' });
  former.snapshot({ 'a~1': 8 }, { checkpoint: former.state.checkpoints.asked.at(-1)!.id, clock: 9_500 });
  const content = structuredClone(lastStored(former));
  const resumed = (left: SavedCheckpoint): number | undefined => {
    const s = new Stage();
    s.state = createSession({}, { ...noCheckpoints, ...stored, offered: { ...left, skipped: [] } });
    s.planner = planInstances;
    s.document({ a: 'ax = ', b: 'bx = ' });
    s.ready();
    s.event({ kind: 'choose', choice: 'resume' });
    s.restored('a');
    s.restored('b');
    return ofKind(s, 'mutate').at(-1)!.goesOnFrom;
  };
  assert.equal(content.takenAt, 5_000);
  assert.equal(resumed(content), 9_500);
  const { clock: _absent, ...older } = readSavedSession(content.saved);
  assert.equal(resumed({ ...content, saved: older }), 5_000, 'a checkpoint of an older version has no clock');
});

test('a job goes on from the clock of the savepoint that it starts with', () => {
  for (const [clock, goesOnFrom] of [
    [9_500, 9_500],
    [4_000, 5_000],
    [undefined, 5_000],
  ]) {
    const s = new Stage({ attach: 'together' });
    const plan = { version: 1, nodes: [], edges: [] } as const;
    const upgrade = { id: 4, takenAt: 5_000, ...(clock !== undefined && { clock }), plan, parts, mayLeaveOut: true };
    s.state = createSession({ attach: 'together' }, { ...noCheckpoints, ...stored, upgrade });
    s.planner = planInstances;
    s.document({ a: 'ax = ' });
    s.ready();
    s.runs('a');
    assert.equal(ofKind(s, 'mutate')[0]?.goesOnFrom, goesOnFrom);
  }
});

test('a snapshot of the executor before it was restored takes no state away', () => {
  const s = offered();
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  assert.deepEqual(s.event({ kind: 'heartbeat' }), [], 'nothing runs, so nothing is asked for');
  s.event({ kind: 'choose', choice: 'resume' });
  // An answer without operators: the executor has none yet.
  s.snapshot({});
  s.restored('a');
  s.restored('b');
  assert.deepEqual(ofKind(s, 'mutate').at(-1)?.restore, [{ instance: 'a~1', state: taskState(7) }]);
  s.snapshot({});
  assert.deepEqual([...s.state.recovery.parts.keys()], ['a~1'], 'not before the mutation is done');
  s.mutated();
  s.snapshot({ 'a~1': 8 });
  assert.equal(s.state.recovery.parts.get('a~1')?.watermark, 8);
});

test('a removed sink of the checkpoint commits also when no cell is left', () => {
  const s = offered();
  const { offered: left, ...checkpoints } = s.state.checkpoints;
  const node = { id: 'a~1', kind: 'kafkaSink', uid: 'a', name: 'to t', group: 'a', parameters: { topic: 't' } };
  const saved = {
    ...(left!.saved as object),
    ...{ document: [], cells: [], displays: [], plan: { nodes: [], edges: [] } },
    retired: [{ instance: 'a~1#3', node }],
  };
  const parts = new Map([['a~1#3', taskState(7)]]);
  s.state = { ...s.state, checkpoints: { ...checkpoints, offered: { ...left!, saved, parts } } };
  s.document({});
  s.ready();
  s.event({ kind: 'choose', choice: 'resume' });
  assert.deepEqual(
    ofKind(s, 'mutate')
      .at(-1)
      ?.retired?.map(({ instance }) => instance),
    ['a~1#3'],
  );
  s.mutated();
  assert.equal(s.state.executor, 'ready');
});

test('resume before the executor is ready, and before the document is known', () => {
  const s = offered();
  s.event({ kind: 'choose', choice: 'resume' });
  assert.deepEqual(s.ready(), ['evaluate a again']);
});

test('a savepoint is resumed instead of what is offered, and its id gives the next ones', () => {
  const left = offered();
  const { offered: content } = left.state.checkpoints;
  assert.ok(content);
  const parts = new Map([['a~1', taskState(9)]]);
  const from = { id: 90, takenAt: 40, saved: content.saved, parts };
  const fresh = new Stage();
  fresh.state = createSession({}, { isStored: true, nextId: 5 });
  fresh.planner = planInstances;
  for (const s of [left, fresh]) {
    s.document({ a: 'ax = ', b: 'bx = ' });
    s.ready();
    assert.deepEqual(s.event({ kind: 'choose', choice: 'resume', from }), ['discard checkpoints', 'evaluate a again']);
    s.restored('a');
    s.restored('b');
    const mutate = ofKind(s, 'mutate').at(-1);
    assert.deepEqual(mutate?.restore, [{ instance: 'a~1', state: taskState(9) }]);
    assert.deepEqual([mutate?.completed, mutate?.checkpoint], [90, 91]);
    assert.equal(s.state.checkpoints.offered, undefined);
    assert.equal(s.state.checkpoints.resumedFrom, 40);
  }
});

test('texts that have changed meanwhile are edits, and cells that are gone are deleted', () => {
  const s = offered();
  s.document({ a: 'ax = #changed' });
  s.ready();
  s.event({ kind: 'choose', choice: 'resume' });
  assert.equal(s.view('a').edited, true);
  assert.equal(s.state.cells.get('b')?.deleted, true);
});

test('a fresh start removes what was left, and runs', () => {
  const s = offered();
  s.document({ a: 'ax = ' });
  s.ready();
  assert.deepEqual(s.event({ kind: 'choose', choice: 'fresh' }), ['discard checkpoints']);
  assert.deepEqual(s.run('a'), ['a begins', 'compile a']);
});

test('a manifest of a newer version is refused by name', () => {
  const saved = { ...saveSession(running().state), format: 99, build: '9.0' };
  assert.throws(() => readSavedSession(saved), /written by Sluice 9\.0/);
});

test('the cell in whose run the former kernel ended is failed, and its former version goes on', () => {
  const s = offered();
  s.document({ a: 'ax = #huge', b: 'bx = ' });
  s.ready();
  const went = s.event({ kind: 'choose', choice: 'resume', lastCall: { cell: 'a' } });
  assert.ok(went.includes('evaluate a again'), went.join());
  assert.match(
    s.state.cells.get('a')?.error?.message ?? '',
    /^The kernel has ended in the middle of cell "a"\. .*run the cell/,
  );
  assert.equal(s.view('a').phase, 'failed');
  assert.equal(s.state.cells.get('b')?.error, undefined);
});

test('a cell that ended the former kernel while it was brought back is not evaluated again', () => {
  const s = offered();
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  const went = s.event({ kind: 'choose', choice: 'resume', lastCall: { cell: 'a', duringRestore: true } });
  assert.deepEqual(
    went.filter((one) => one.startsWith('evaluate')),
    ['evaluate b again'],
  );
  assert.equal(s.view('a').phase, 'failed');
});

test('an operator in which the former kernel ended has stopped; a cell that is not known changes nothing', () => {
  const s = offered();
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  s.event({ kind: 'choose', choice: 'resume', lastCall: { cell: 'b', operator: 'map' } });
  const { active } = s.state.cells.get('b')!;
  assert.equal(active?.stopped, true);
  assert.match(active.failures[0]!.error.message, /^The kernel has ended in the middle of map of cell "b"\./);
  for (const lastCall of [{}, { cell: 'gone' }]) {
    const other = offered();
    other.document({ a: 'ax = ', b: 'bx = ' });
    other.ready();
    other.event({ kind: 'choose', choice: 'resume', lastCall });
    assert.deepEqual(
      [...other.state.cells.values()].map(({ error }) => error),
      [undefined, undefined],
    );
  }
});
