// The state of a savepoint is not lost between the mutation that carries it to the executor and the
// first snapshot that has it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PlanNode } from '../../../engine/graph/plan.ts';
import { createSession, type Settings } from '../../session/state.ts';
import type { Upgrade } from '../../session/upgrade.ts';
import { ofKind, stored } from './checkpointing.ts';
import { planInstances } from './instance-planner.ts';
import { Stage, taskState } from './stage.ts';

const saved = (watermark: number) => ({ ...taskState(watermark), groups: new Map([[1, []]]) });
const nodeOf = (cell: string): PlanNode => ({
  ...{ id: cell, uid: cell, kind: 'union', name: cell, group: cell },
  ...{ parameters: {}, own: '', shape: 'state' },
});
const upgrade: Upgrade = {
  ...{ id: 4, takenAt: 5_000, clock: 9_500, mayLeaveOut: false },
  plan: { version: 1, nodes: [nodeOf('a'), nodeOf('b')], edges: [] },
  parts: new Map([
    ['a', saved(7)],
    ['b', saved(8)],
  ]),
};
const restartAtOnce: Partial<Settings> = {
  restart: { kind: 'fixed-delay', attempts: 10, delayMillis: 0 },
};

/** Cells run, and the mutation with the state of the savepoint is in flight. */
function starting(settings: Partial<Settings> = {}): Stage {
  const s = new Stage();
  s.state = createSession({ attach: 'together', ...settings }, { ...stored, upgrade, upgradedFrom: 4, completeId: 4 });
  s.planner = planInstances;
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  s.run('a', 'b');
  for (const cell of ['a', 'b']) {
    s.compiled(cell);
    s.evaluated(cell);
  }
  return s;
}
/** Instance → the watermark of the state that the last mutation gives it. */
const given = (s: Stage): Readonly<Record<string, number>> => {
  const { restore = [] } = ofKind(s, 'mutate').at(-1)!;
  return Object.fromEntries(restore.map(({ instance, state }) => [instance, state.watermark]));
};
const lastId = (s: Stage): number => ofKind(s, 'mutate').at(-1)!.checkpoint!;
function nextExecutor(s: Stage, ...cells: readonly string[]): void {
  s.event({ kind: 'timer', timer: 'restart' });
  s.ready();
  for (const cell of cells) s.restored(cell);
}

test('an executor that ends before the first snapshot: the next one has the state of the savepoint', () => {
  for (const settings of [{}, restartAtOnce]) {
    const s = starting(settings);
    assert.deepEqual(given(s), { 'a~1': 7, 'b~2': 8 });
    s.mutated();
    s.event({ kind: 'executor-ended', reason: 'ended' });
    nextExecutor(s, 'a', 'b');
    assert.deepEqual(given(s), { 'a~1': 7, 'b~2': 8 });
    assert.equal(ofKind(s, 'mutate').at(-1)!.goesOnFrom, 9_500, 'its clock too');
    s.mutated();
    // And once more.
    s.event({ kind: 'executor-ended', reason: 'ended' });
    nextExecutor(s, 'a', 'b');
    assert.deepEqual(given(s), { 'a~1': 7, 'b~2': 8 });
  }
});

test('an operator that fails at its first record: the snapshot is not taken, and the savepoint is', () => {
  const s = starting(restartAtOnce);
  const id = lastId(s);
  s.mutated();
  s.event({
    ...{ kind: 'operator-failed', instance: 'a~1', cell: 'a', name: 'map' },
    error: { code: 'exception', message: 'Boom.' },
  });
  s.snapshot({ 'a~1': 9, 'b~2': 9 }, { checkpoint: id });
  s.event({ kind: 'executor-ended', reason: 'ended' });
  nextExecutor(s, 'a', 'b');
  assert.deepEqual(given(s), { 'a~1': 7, 'b~2': 8 });
});

test('after the first snapshot the next executor has the state of the snapshot', () => {
  const s = starting();
  const id = lastId(s);
  s.mutated();
  s.snapshot({ 'a~1': 9, 'b~2': 10 }, { checkpoint: id });
  assert.deepEqual([s.state.checkpoints.upgrade, s.state.checkpoints.upgrading], [undefined, undefined]);
  s.event({ kind: 'executor-ended', reason: 'ended' });
  nextExecutor(s, 'a', 'b');
  assert.deepEqual(given(s), { 'a~1': 9, 'b~2': 10 });
});

test('a change that the executor cannot make takes no state out of the session', () => {
  const s = starting();
  s.mutationFailed();
  assert.equal(s.state.checkpoints.upgrade, upgrade);
  s.event({ kind: 'arm', cell: 'a', armed: true });
  assert.deepEqual(given(s), { 'a~1': 7, 'b~2': 8 });
});

/** Cell b waits for rows of a, so the first plan has the operator of a alone. */
function partly(): Stage {
  const s = new Stage();
  s.state = createSession({ attach: 'together' }, { ...stored, upgrade, upgradedFrom: 4, completeId: 4 });
  s.planner = planInstances;
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  s.run('a', 'b');
  s.compiled('a');
  s.evaluated('a');
  s.compiled('b');
  s.pulls('b');
  assert.deepEqual(given(s), { 'a~1': 7 });
  return s;
}

test('while a part of the savepoint waits, no checkpoint is kept, and the failure says why', () => {
  const s = partly();
  const id = lastId(s);
  s.mutated();
  s.snapshot({ 'a~1': 9 }, { checkpoint: id });
  assert.deepEqual(ofKind(s, 'store-checkpoint'), []);
  assert.match(JSON.stringify(s.state.checkpoints.history.at(-1)), /savepoint waits for cells that have not run yet/);
  s.pulled();
  s.mutated();
  s.evaluated('b');
  assert.deepEqual(given(s), { 'b~2': 8 });
  s.mutated();
  s.snapshot({ 'a~1': 11, 'b~2': 12 }, { checkpoint: lastId(s) });
  assert.deepEqual([...ofKind(s, 'store-checkpoint').at(-1)!.content.parts.keys()], ['a~1', 'b~2']);
});

test('the waiting part and the last snapshot both go to the next executor', () => {
  const s = partly();
  s.mutated();
  s.snapshot({ 'a~1': 9 }, { checkpoint: lastId(s) });
  s.pulled();
  s.mutated();
  s.evaluated('b');
  assert.deepEqual(given(s), { 'b~2': 8 });
  s.event({ kind: 'executor-ended', reason: 'ended' });
  nextExecutor(s, 'a', 'b');
  assert.deepEqual(given(s), { 'a~1': 9, 'b~2': 8 });
});
