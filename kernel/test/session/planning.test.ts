// The session plans by itself: its messages to the executor, and errors of a plan that cannot be
// made.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SluiceError } from '../../../engine/errors/error.ts';
import type { LivePlanner } from '../../live/plan-request.ts';
import { planInstances } from './instance-planner.ts';
import { Stage } from './stage.ts';

function ready(cells: Readonly<Record<string, string>>): Stage {
  const stage = new Stage();
  stage.planner = planInstances;
  stage.document(cells);
  stage.ready();
  return stage;
}
/** Refuses every graph that has one of the cells in it. */
const refusing =
  (...refused: readonly string[]): LivePlanner =>
  (request) => {
    const found = request.graph.cells.find(({ cell }) => refused.includes(cell));
    if (found) throw new SluiceError('cycle', `${found.cell} needs itself.`);
    return planInstances(request);
  };

test('the executor gets the plan and the handovers, and the plan runs when it confirms', () => {
  const s = ready({ a: 'x = ' });
  s.runs('a');
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  const mutate = s.effects.at(-1);
  assert.ok(mutate?.kind === 'mutate');
  assert.deepEqual(
    mutate.plan.nodes.map(({ id }) => id),
    ['a~2'],
  );
  assert.deepEqual(mutate.handover, { 'a~2': 'a~1' });
  assert.equal(mutate.restore, undefined);
  assert.deepEqual(
    s.state.plan.nodes.map(({ id }) => id),
    ['a~1'],
    'the former plan runs until then',
  );
  s.mutated();
  assert.equal(s.state.plan, mutate.plan);
});

test('a planner that throws fails the run in the same step, and the executor gets no mutation', () => {
  const s = ready({ a: 'x = ', b: 'y = ' });
  s.runs('a');
  s.planner = refusing('b');
  s.run('b');
  s.compiled('b');
  assert.deepEqual(s.evaluated('b'), ['discard b', 'b fails: b needs itself.', 'answer b failed', 'mutate [a]']);
  assert.equal(s.state.cells.get('b')?.error?.code, 'cycle');
  assert.deepEqual(s.mutated(), []);
});

test('what was prepared for views is dropped when the planner throws', () => {
  const s = ready({ a: 'x = ' });
  s.planner = refusing('a');
  s.run('a');
  s.compiled('a');
  const before = s.effects.length;
  s.evaluated('a');
  assert.equal(s.effects[before]?.kind, 'drop-prepared-views');
});

test('a defect in the planner fails the run and keeps its stack', () => {
  const s = ready({ a: 'x = ' });
  let isBroken = true;
  s.planner = (request) => {
    if (isBroken) throw new TypeError('nodes is not iterable');
    return planInstances(request);
  };
  s.run('a');
  s.compiled('a');
  assert.deepEqual(s.evaluated('a').slice(0, 2), ['discard a', 'a fails: nodes is not iterable']);
  const { error } = s.state.cells.get('a')!;
  assert.equal(error?.code, 'internal');
  assert.match(error?.stack?.[0] ?? '', /planning\.test/);
  isBroken = false;
  s.run('a');
  s.compiled('a');
  assert.deepEqual(s.evaluated('a'), ['mutate [a] for a'], 'the session goes on');
});

test('a pull whose plan cannot be made is refused, and the graph is tried without it', () => {
  const s = ready({ a: 'x = ' });
  s.planner = (request) => {
    if (request.graph.pulls.length > 0) throw new SluiceError('unbounded', 'It has no end.');
    return planInstances(request);
  };
  s.run('a');
  s.compiled('a');
  assert.deepEqual(s.pulls('a'), ['refuse p1: It has no end.', 'mutate []']);
  assert.equal(s.state.pulls.size, 0);
});

test('a change without a run whose plan cannot be made is reported once and not tried for ever', () => {
  const s = ready({ a: 'x = ', b: 'y = ' });
  s.runs('a');
  s.runs('b');
  s.planner = refusing('a');
  const plan = s.state.plan;
  assert.deepEqual(s.event({ kind: 'arm', cell: 'b', armed: true }), ['the graph cannot change: a needs itself.']);
  assert.equal(s.state.graphChanged, false);
  assert.equal(s.state.plan, plan);
});

test('a planner that throws while the executor is restored leaves the session broken', () => {
  const s = ready({ a: 'x = ' });
  s.runs('a');
  s.event({ kind: 'executor-ended', reason: 'out of memory' });
  s.ready();
  s.planner = refusing('a');
  s.restored('a');
  assert.equal(s.state.executor, 'broken');
  assert.equal(s.state.mutation, undefined);
  assert.match(s.view('a').errors[0]?.message ?? '', /a needs itself.*Restart the session/);
});

test('each change has an epoch of its own, also one whose plan could not be made', () => {
  const s = ready({ a: 'x = ', b: 'y = ' });
  s.planner = refusing('a');
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  s.mutated();
  s.runs('b');
  const epochs = s.effects.flatMap((effect) => (effect.kind === 'mutate' ? [effect.epoch] : []));
  assert.deepEqual(epochs, [2, 3]);
});
