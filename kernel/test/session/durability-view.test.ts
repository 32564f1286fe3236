// Which cells say of what age the last checkpoint is: those of which it has something.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PlanNode } from '../../../engine/graph/plan.ts';
import { isKept } from '../../session/durability-view.ts';
import { sessionView } from '../../session/session-view.ts';
import type { Settings } from '../../session/state.ts';
import { graph } from './reports.ts';
import { Stage } from './stage.ts';

function stageOf(arming: Settings['arming']): Stage {
  const stage = new Stage({ arming });
  stage.document({ out: 'out$ = ' });
  stage.ready();
  stage.runs('out');
  return stage;
}
const isKeptWith = (node: Partial<PlanNode>, arming: Settings['arming'] = 'none'): boolean => {
  const { state } = stageOf(arming);
  const own = graph(['out/it:map'], []).nodes.map((one) => ({ ...one, ...node }) as PlanNode);
  return isKept(state, state.cells.get('out')!, own);
};

test('a cell with a source, with state or with an armed sink is kept in checkpoints, and one without is not', () => {
  assert.equal(isKeptWith({ kind: 'kafka' }), true);
  assert.equal(isKeptWith({ kind: 'aggregate', shape: 'sum' }), true);
  assert.equal(isKeptWith({ kind: 'map' }), false);
  assert.equal(isKeptWith({ kind: 'functionSink' }, 'all'), true);
  assert.equal(isKeptWith({ kind: 'functionSink' }, 'none'), false);
});

test('clients are told of each such cell', () => {
  const stage = stageOf('none');
  const seen = (nodes: readonly string[]) => {
    const state = { ...stage.state, plan: graph(nodes, []) };
    return sessionView(state, { now: 0, hasView: () => false }).cells[0]!.isKept;
  };
  assert.deepEqual([seen(['out/source:kafka']), seen(['out/it:map'])], [true, undefined]);
});
