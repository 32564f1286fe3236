// Checkpoints in the session: their ids, when they are asked for, what becomes of them, savepoints.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { readSavedSession } from '../../session/saved-session.ts';
import { sessionView } from '../../session/session-view.ts';
import { aborted, completed, lastStored, ofKind, running, stored, taken } from './checkpointing.ts';

test('with checkpoint: false nothing is stored, neither at a change nor at the end, and sinks commit at once', () => {
  const s = running({}, stored);
  taken(s);
  s.event({ kind: 'checkpoint-stored', id: 6, bytes: 1, newBytes: 1 });
  s.document({ a: 'ax = ', b: 'bx = ', c: 'cx = "checkpoint: false"' });
  s.runs('c');
  taken(s, { 'c~3': 1 });
  s.now = 60_000;
  s.event({ kind: 'heartbeat' });
  taken(s);
  s.event({ kind: 'want-checkpoint' });
  taken(s);
  assert.deepEqual(completed(s), [6, 7, 8, 9]);
  assert.deepEqual(
    ofKind(s, 'store-checkpoint').map(({ content }) => content.id),
    [6],
  );
  // A savepoint that the user asks for is written all the same.
  s.event({ kind: 'want-savepoint', request: 1, directory: '/there' });
  assert.ok(taken(s).includes('savepoint 1 in /there'));
  s.document({ a: 'ax = ', b: 'bx = ', c: 'cx = 1' });
  s.runs('c');
  taken(s);
  assert.equal(lastStored(s).id, 11, 'checkpoints are kept again');
});

test('without a directory a checkpoint is complete as soon as the control thread has it', () => {
  const s = running();
  taken(s);
  assert.deepEqual(completed(s), [2], 'the second mutation carries the second id');
  s.event({ kind: 'heartbeat' });
  taken(s);
  assert.deepEqual(completed(s), [2, 3]);
  assert.equal(ofKind(s, 'store-checkpoint').length, 0);
  assert.equal(sessionView(s.state, { now: 0, hasView: () => false }).checkpoints, undefined);
});

test('with a directory a checkpoint is complete when it is stored', () => {
  const s = running({}, stored);
  taken(s);
  assert.equal(lastStored(s).id, 6, 'ids go on behind those of earlier kernels');
  assert.deepEqual(completed(s), []);
  s.now = 40;
  s.event({ kind: 'checkpoint-stored', id: 6, bytes: 100, newBytes: 20 });
  assert.deepEqual(completed(s), [6]);
  assert.deepEqual(s.state.checkpoints.last, { id: 6, takenAt: 0, bytes: 100, newBytes: 20, millis: 40 });
});

test('between two checkpoints the snapshots of each second have no id', () => {
  const s = running({ checkpointMillis: 10_000 }, stored);
  taken(s);
  s.event({ kind: 'checkpoint-stored', id: 6, bytes: 1, newBytes: 1 });
  s.now = 5_000;
  assert.deepEqual(s.event({ kind: 'heartbeat' }), ['snapshot']);
  assert.deepEqual(s.state.checkpoints.asked, []);
  s.snapshot({ 'a~1': 2, 'b~2': 2 });
  s.now = 10_000;
  s.event({ kind: 'heartbeat' });
  assert.deepEqual(
    s.state.checkpoints.asked.map(({ id }) => id),
    [7],
  );
});

test('an interval of a second is a checkpoint at each heartbeat, although its parts come later', () => {
  const s = running({ checkpointMillis: 1_000 }, stored);
  s.now = 40;
  taken(s);
  s.event({ kind: 'checkpoint-stored', id: 6, bytes: 1, newBytes: 1 });
  s.now = 400;
  s.event({ kind: 'heartbeat' });
  assert.deepEqual(s.state.checkpoints.asked, []);
  s.snapshot({ 'a~1': 2 });
  s.now = 999;
  s.event({ kind: 'heartbeat' });
  assert.deepEqual(
    s.state.checkpoints.asked.map(({ id }) => id),
    [7],
  );
});

test('the next checkpoint waits until the last one is stored', () => {
  const s = running({ checkpointMillis: 1_000 }, stored);
  taken(s);
  s.now = 60_000;
  s.event({ kind: 'heartbeat' });
  assert.deepEqual(s.state.checkpoints.asked, []);
  s.snapshot({ 'a~1': 2 });
  s.event({ kind: 'checkpoint-stored', id: 6, bytes: 1, newBytes: 1 });
  s.event({ kind: 'heartbeat' });
  assert.equal(s.state.checkpoints.asked.length, 1);
});

test('a checkpoint that cannot be stored is failed, the former one stays, and the next one is asked for', () => {
  const s = running({ checkpointMillis: 1_000 }, stored);
  taken(s);
  s.event({ kind: 'checkpoint-failed', id: 6, message: 'The disk is full.' });
  assert.deepEqual(aborted(s), [6]);
  const { checkpoints } = sessionView(s.state, { now: 0, hasView: () => false });
  assert.deepEqual(checkpoints, { completed: 0, failed: 1, problem: 'The disk is full.' });
  s.now = 1_000;
  s.event({ kind: 'heartbeat' });
  taken(s, { 'a~1': 9 });
  s.event({ kind: 'checkpoint-stored', id: 7, bytes: 1, newBytes: 1 });
  assert.equal(sessionView(s.state, { now: 0, hasView: () => false }).checkpoints?.problem, undefined);
});

test('a barrier that does not come through fails its checkpoint after the time-out', () => {
  const s = running({}, stored);
  s.now = 600_001;
  s.event({ kind: 'heartbeat' });
  assert.match(JSON.stringify(s.state.checkpoints.history), /It took longer than 600 s/);
  const before = ofKind(s, 'store-checkpoint').length;
  s.snapshot({ 'a~1': 1 }, { checkpoint: 6 });
  assert.equal(ofKind(s, 'store-checkpoint').length, before, 'it comes too late');
  assert.equal(s.state.recovery.parts.size, 1, 'its state is known all the same');
});

test('an executor that ends owes no checkpoint any more', () => {
  const s = running({}, stored);
  s.event({ kind: 'executor-ended', reason: 'gone' });
  assert.deepEqual(s.state.checkpoints.asked, []);
});

test('a savepoint takes the next barrier and has the content of the checkpoint', () => {
  const s = running({ checkpointMillis: 60_000 }, stored);
  taken(s);
  s.event({ kind: 'checkpoint-stored', id: 6, bytes: 1, newBytes: 1 });
  assert.deepEqual(s.event({ kind: 'want-savepoint', request: 3, directory: '/there' }), ['snapshot']);
  assert.deepEqual(taken(s, { 'a~1': 4 }), ['savepoint 3 in /there', 'store 7']);
  assert.equal(lastStored(s).parts.get('a~1')?.watermark, 4);
  assert.deepEqual(s.state.checkpoints.savepoints, []);
});

test('in a job a failed operator declines the checkpoint, in a notebook it stays failed in it', () => {
  const failure = { kind: 'operator-failed', instance: 'a~1', cell: 'a', name: 'map' } as const;
  const error = { code: 'exception', message: 'Boom.' };
  const job = running({ attach: 'together' }, stored);
  job.event({ ...failure, error });
  job.event({ kind: 'want-checkpoint' });
  const before = ofKind(job, 'store-checkpoint').length;
  taken(job);
  assert.equal(ofKind(job, 'store-checkpoint').length, before);
  assert.match(JSON.stringify(job.state.checkpoints.history.at(-1)), /map\\" has failed/);
  const notebook = running({}, stored);
  notebook.event({ ...failure, error });
  taken(notebook);
  const saved = readSavedSession(lastStored(notebook).saved);
  assert.equal(saved.cells[0]?.active?.failures[0]?.error.message, 'Boom.');
});
