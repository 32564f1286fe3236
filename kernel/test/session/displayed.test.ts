// The displays that a mutation installs and those that continue, the prepared views, and the end of
// all displays.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { DisplaySpec } from '../../../engine/api/fragment.ts';
import type { PlanEdge } from '../../../engine/graph/plan.ts';
import type { DisplayInstall } from '../../executor/executor-protocol.ts';
import { hasEnded, rowLabel, shownBy } from '../../session/displayed.ts';
import type { Session } from '../../session/state.ts';
import type { Settings } from '../../session/state.ts';
import { planInstances } from './instance-planner.ts';
import { Stage } from './stage.ts';

const table = (node: string, port = 'out'): DisplaySpec => ({ kind: 'table', from: { node, port }, rows: 50 });

function ready(shows: Readonly<Record<string, readonly DisplaySpec[]>>, settings: Partial<Settings> = {}): Stage {
  const stage = new Stage(settings);
  stage.planner = planInstances;
  stage.document(Object.fromEntries(Object.keys(shows).map((cell) => [cell, `${cell}$ = `])));
  for (const [cell, parts] of Object.entries(shows)) stage.shows.set(cell, { parts });
  stage.ready();
  return stage;
}
const installed = (s: Stage): readonly DisplayInstall[] => {
  const mutate = s.effects.findLast((effect) => effect.kind === 'mutate');
  assert.ok(mutate?.kind === 'mutate');
  return mutate.displays;
};
const generations = (installs: readonly DisplayInstall[]): string[] =>
  installs.map(({ display, installed: since, keep }) => `${display} since ${since}${keep ? ' kept' : ''}`);
const prepared = (s: Stage, from: number): string[] =>
  s.effects.slice(from).flatMap((effect) => (effect.kind === 'prepare-view' ? [effect.cell] : []));

test('each part that shows rows is a display of its cell', () => {
  const view: DisplaySpec = {
    kind: 'view',
    parts: [table('a/a$/map#1'), { kind: 'backpressure' }, table('a/b/map#1')],
  };
  const s = ready({ a: [view] });
  s.runs('a');
  assert.deepEqual(generations(installed(s)), ['a/0 since 1', 'a/2 since 1'], 'views are unfolded');
  const [first] = installed(s);
  assert.deepEqual([first?.perSecond, first?.newest, first?.instance], [250, true, 'a~1']);
});

test('in a lossless session displays send every row', () => {
  const s = ready({ a: [table('a/a$/map#1')] }, { lossless: true });
  s.runs('a');
  assert.equal(installed(s)[0]?.perSecond, undefined);
});

test('the display of a cell that was not run again continues under its generation, the other one is new', () => {
  const s = ready({ a: [table('a/a$/map#1')], b: [table('b/b$/map#1')] });
  s.runs('a');
  const before = s.effects.length;
  s.runs('b');
  assert.deepEqual(generations(installed(s)), ['a/0 since 1 kept', 'b/0 since 2']);
  assert.deepEqual(prepared(s, before), ['b'], 'only the new one is prepared');
  s.runs('a');
  assert.deepEqual(generations(installed(s)), ['a/0 since 3', 'b/0 since 2 kept']);
});

test('a display that begins anew without a run of its cell is prepared too', () => {
  const s = ready({ a: [table('a/a$/map#1')], b: [table('b/b$/map#1')] });
  s.runs('a');
  s.planner = (request) => {
    const planned = planInstances(request);
    return { ...planned, displays: planned.displays.map((install) => ({ ...install, keep: false })) };
  };
  const before = s.effects.length;
  s.runs('b');
  assert.deepEqual(prepared(s, before), ['a', 'b']);
});

test('a failed mutation leaves the displays that run as they were', () => {
  const s = ready({ a: [table('a/a$/map#1')] });
  s.runs('a');
  const { displays } = s.state;
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  assert.equal(s.state.displays, displays, 'until the executor has answered, the former ones run');
  s.mutationFailed();
  assert.equal(s.state.displays, displays);
});

test('after the end of an executor displays continue under their generations', () => {
  const s = ready({ a: [table('a/a$/map#1')] });
  s.runs('a');
  const before = s.effects.length;
  s.event({ kind: 'executor-ended', reason: 'out of memory' });
  s.ready();
  s.restored('a');
  assert.deepEqual(generations(installed(s)), ['a/0 since 1 kept']);
  assert.deepEqual(prepared(s, before), ['a'], 'in a new process nothing is shown yet');
});

test('rows are labelled with their stream, also before their mutation is done', () => {
  const s = ready({ a: [table('a/a$/map#1'), table('a/a$/map#1', 'late')] });
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  const label = { cell: 'a', stream: 'a$.late', isOneOfSeveral: true };
  assert.deepEqual(rowLabel(s.state, { display: 'a/1', installed: 1 }), label);
  s.mutated();
  assert.deepEqual(rowLabel(s.state, { display: 'a/1', installed: 1 }), label);
  assert.equal(rowLabel(s.state, { display: 'a/1', installed: 0 }), undefined, 'rows of a former stream have none');
});

const allEnded = (session: Session): boolean => session.displays.every(({ install }) => hasEnded(session, install));

test('all displays have ended when each one has, in its present generation', () => {
  const s = ready({ a: [table('a/a$/map#1')], b: [table('b/b$/map#1')] });
  s.runs('a');
  s.runs('b');
  s.event({ kind: 'display-ended', display: 'a/0', installed: 1 });
  assert.equal(allEnded(s.state), false);
  s.event({ kind: 'display-ended', display: 'b/0', installed: 2 });
  assert.equal(allEnded(s.state), true);
  s.runs('b');
  assert.equal(allEnded(s.state), false, 'b begins anew');
  s.event({ kind: 'display-ended', display: 'b/0', installed: 2 });
  assert.equal(allEnded(s.state), false, 'that was its former stream');
  s.event({ kind: 'display-ended', display: 'b/0', installed: 3 });
  assert.equal(allEnded(s.state), true, 'a has ended already');
});

test('a display may end before its mutation is done', () => {
  const s = ready({ a: [table('a/a$/map#1')] });
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  s.event({ kind: 'display-ended', display: 'a/0', installed: 1 });
  s.mutated();
  assert.equal(allEnded(s.state), true);
});

test('a cell shows the stream behind its first display', () => {
  const s = ready({ a: [table('a/a$/map#1')] });
  s.planner = (request) => {
    const planned = planInstances(request);
    const edges = planned.plan.nodes.map(({ id }): PlanEdge => ({
      from: 'source',
      port: 'late',
      to: id,
      input: 0,
      exchange: 'forward',
    }));
    return { ...planned, plan: { ...planned.plan, edges } };
  };
  s.runs('a');
  assert.deepEqual(shownBy(s.state, 'a'), { instance: 'source', port: 'late', display: 'a~1', stream: 'a$' });
  assert.equal(shownBy(s.state, 'b'), undefined);
});
