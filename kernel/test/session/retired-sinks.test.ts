// Sinks that were removed before their last commit: they are in every checkpoint until then, and
// the next executor gets them.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Plan, PlanNode } from '../../../engine/graph/plan.ts';
import { planOf } from '../../../engine/test/runtime/graph-kit.ts';
import type { MutateCommand } from '../../executor/executor-protocol.ts';
import { retiredToRestore } from '../../session/retired-sinks.ts';
import { saveSession } from '../../session/saved-session.ts';
import { createSession } from '../../session/state.ts';
import { ran, Stage, taskState } from './stage.ts';

const sinkNode = (id: string, more: object = {}): PlanNode =>
  Object.assign(
    { id, uid: id, name: `to ${id}`, group: 'out', own: id, shape: id },
    {
      kind: 'kafkaSink' as const,
      parameters: { topic: id, format: 'json' as const, delivery: 'exactly-once' as const, ...more },
    },
  );
const planWith = (...nodes: readonly PlanNode[]): Plan => ({ ...planOf('a>b'), nodes });
const lastMutation = (s: Stage): MutateCommand => {
  const found = s.effects.findLast((effect) => effect.kind === 'mutate');
  assert.ok(found?.kind === 'mutate');
  return found;
};
const names = (command: MutateCommand): string[] => (command.retired ?? []).map(({ instance }) => instance);

/** A cell `out`, whose plan is given. */
function running(plan: Plan): Stage {
  const s = new Stage();
  s.state = createSession({}, { isStored: true, nextId: 5 });
  s.planner = () => ({ plan, handover: {}, displays: [], notes: {} });
  s.document({ out: 'x = ' });
  s.ready();
  s.runs('out');
  return s;
}
function changed(s: Stage, plan: Plan, handover: Readonly<Record<string, string>> = {}): void {
  s.planner = () => ({ plan, handover, displays: [], notes: {} });
  s.runs('out');
}
function restarted(s: Stage): MutateCommand {
  s.now += 100_000;
  s.event({ kind: 'executor-ended', reason: 'ended' });
  s.ready();
  s.restored('out');
  return lastMutation(s);
}

test('a removed sink is known until a snapshot is without it, and the next executor gets it', () => {
  const s = running(planWith(sinkNode('a')));
  s.snapshot({ a: 1 });
  changed(s, planWith());
  // The change has happened, and no snapshot has it.
  assert.deepEqual(names(restarted(s)), ['a#7']);
  s.mutated();
  const retired = [{ instance: 'a#7', node: sinkNode('a'), state: taskState(2) }];
  s.event({ kind: 'snapshot', epoch: 0, parts: [], clock: 0, retired, views: new Map(), millis: 0, behindMillis: 0 });
  assert.deepEqual(saveSession(s.state).retired, [{ instance: 'a#7', node: sinkNode('a') }]);
  assert.deepEqual(names(restarted(s)), ['a#7']);
  s.mutated();
  s.snapshot({});
  assert.deepEqual([saveSession(s.state).retired, names(restarted(s))], [undefined, []]);
});

test('a sink that goes on, or has a successor, is not removed', () => {
  for (const [next, handover] of [
    ['a', {}],
    ['a~1', { 'a~1': 'a' }],
  ] as const) {
    const s = running(planWith(sinkNode('a')));
    s.snapshot({ a: 1 });
    changed(s, planWith({ ...sinkNode('a'), id: next }), handover);
    assert.deepEqual(names(restarted(s)), [], next);
  }
});

test('of sinks without transactions, and of previews, nothing is to be committed', () => {
  for (const more of [{ delivery: 'at-least-once' }, { armed: false }]) {
    const s = running(planWith(sinkNode('a', more)));
    s.snapshot({ a: 1 });
    changed(s, planWith());
    assert.deepEqual(names(restarted(s)), []);
  }
});

test("a user's sink needs the functions of its cell: without them there is a warning", () => {
  const own = (text: string): PlanNode => {
    const fn = (slot: string) => ({ uid: 'own', slot, textHash: text });
    const [begin, write, preCommit, commit, abort] = ['begin', 'write', 'preCommit', 'commit', 'abort'].map(fn);
    const parameters = { begin, write, preCommit, commit, abort };
    return Object.assign({}, sinkNode('own'), { kind: 'twoPhaseSink', parameters });
  };
  const { state } = ran({ out: 'x = ' });
  const list = [new Uint8Array()];
  const recovery = {
    ...state.recovery,
    parts: new Map([['own#3', { ...taskState(1), list }]]),
    retired: [{ instance: 'own#3', node: own('former') }],
  };
  const next = { plan: planWith(), handover: {} };
  const kept = retiredToRestore({ ...state, recovery }, next, [own('now')]);
  assert.deepEqual(
    kept.retired.map(({ node }) => (node.kind === 'twoPhaseSink' ? node.parameters.commit.textHash : undefined)),
    ['now'],
  );
  const gone = retiredToRestore({ ...state, recovery }, next, []);
  assert.equal(gone.retired.length, 0);
  assert.match(gone.warnings.join(), /"to own" of cell "out" had rows to commit/);
});
