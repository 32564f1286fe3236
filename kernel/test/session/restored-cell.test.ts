// Cells that are evaluated again after the end of an executor: what is said of their modules, and
// what becomes of operators whose functions are others than before.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PlanNode } from '../../../engine/graph/plan.ts';
import { noModules, type ModuleNews, type UsedModules } from '../../cells/used-modules.ts';
import type { SessionEvent } from '../../session/events.ts';
import type { Settings } from '../../session/state.ts';
import { planInstances } from './instance-planner.ts';
import { result, Stage } from './stage.ts';

type Evaluated = Extract<SessionEvent, { kind: 'evaluated' }>;

function mapNode(cell: string, textHash: string): PlanNode {
  const id = `${cell}/m/map#1`;
  const parameters = { fn: { uid: id, slot: 'fn', textHash } };
  return { id, uid: id, kind: 'map', name: 'm', group: cell, parameters, own: textHash, shape: '' };
}
/** The answer of the executor. `textHash`: of the function of the cell's one operator. */
function evaluated(s: Stage, cell: string, textHash: string, more: Partial<Evaluated> = {}): Evaluated {
  const known = s.state.cells.get(cell)!;
  const run = known.active?.run ?? s.state.runs.find((one) => one.cell === cell)!.id;
  const plain = result(cell, known.text, s.hashes);
  const fragment = { ...plain.fragment, nodes: [mapNode(cell, textHash)] };
  return { kind: 'evaluated', run, ...plain, fragment, ...more };
}
/** The cells have run, and their executor has ended. */
function ended(cells: Readonly<Record<string, string>>, used?: UsedModules, settings: Partial<Settings> = {}): Stage {
  const s = new Stage({ endsWithoutCause: Infinity, ...settings });
  s.planner = planInstances;
  s.document(cells);
  s.ready();
  for (const cell of Object.keys(cells)) {
    s.run(cell);
    s.compiled(cell);
    s.event(evaluated(s, cell, 'one', used && { used }));
    s.mutated();
  }
  s.state = { ...s.state, plan: { ...s.state.plan, nodes: Object.keys(cells).map((cell) => mapNode(cell, 'one')) } };
  s.event({ kind: 'executor-ended', reason: 'out of memory' });
  s.said();
  s.ready();
  return s;
}
const lib = { name: 'lib.ts', path: '/n/lib.ts' };
const used: UsedModules = {
  ...noModules,
  modules: [{ path: 'lib.ts', hash: '1', code: new Uint8Array([1]), specifiers: [], resolved: {} }],
};
const saved: ModuleNews = {
  files: [lib],
  packages: [
    { name: 'zod', versions: { former: '4.0.0', now: '4.1.0' } },
    { name: 'own.cjs', versions: undefined },
  ],
};

test('a cell gets its modules back, and has a note for each thing that has changed, once', () => {
  const s = ended({ a: 'x = ./lib.ts' }, used);
  const restoring = s.effects.findLast((effect) => effect.kind === 'evaluate');
  assert.equal(restoring?.kind === 'evaluate' && restoring.used?.modules[0]?.code, used.modules[0]!.code);
  s.event(evaluated(s, 'a', 'one', { used, news: saved }));
  s.mutated();
  const notes = [
    'This cell goes on with the former text of lib.ts, which was saved since the cell ran. Run the cell to use the new text.',
    'zod was 4.0.0 when this cell ran, and it is 4.1.0 now. The present one is used.',
    'own.cjs has changed since this cell ran. Its present content is used.',
  ];
  assert.deepEqual([s.view('a').notes, s.view('a').stale], [notes, [lib.path]]);
  s.event({ kind: 'executor-ended', reason: 'again' });
  s.ready();
  s.event(evaluated(s, 'a', 'one', { used, news: { files: [], packages: saved.packages } }));
  s.mutated();
  assert.deepEqual([s.view('a').notes, s.view('a').stale], [notes, []]);
});

test('a job warns of a saved module once, and goes on', () => {
  const s = ended({ a: 'x = ./lib.ts', b: 'y = ./lib.ts' }, used, { attach: 'together' });
  const news = { files: [lib], packages: [] };
  const warning =
    'warn The job goes on with the former text of lib.ts, which was saved since the job started. A start with --from-savepoint uses the new text.';
  assert.deepEqual(s.event(evaluated(s, 'a', 'one', { used, news })).slice(0, 2), ['commit a', warning]);
  assert.equal(s.event(evaluated(s, 'b', 'one', { used, news })).includes(warning), false);
  assert.equal(s.state.executor, 'restoring');
});

test('cells that import the same module share its bytes', () => {
  const s = ended({ a: 'x = ./lib.ts', b: 'y = ./lib.ts' }, used);
  const bytes = (cell: string): unknown => s.state.cells.get(cell)!.active!.used!.modules[0]!.code;
  s.event(evaluated(s, 'a', 'one', { used: structuredClone(used) }));
  s.event(evaluated(s, 'b', 'one', { used: structuredClone(used) }));
  assert.equal(bytes('a'), bytes('b'));
});

test('an operator that captured a name of a cell that has run again since stays failed, and so does one behind it', () => {
  const s = ended({ f: 'f = ', a: 'x = f', b: 'y = x' });
  const { active } = s.state.cells.get('a')!;
  s.state = {
    ...s.state,
    cells: new Map(s.state.cells).set('a', {
      ...s.state.cells.get('a')!,
      active: { ...active!, captured: { f: 'a former hash' } },
    }),
  };
  s.event(evaluated(s, 'f', 'one'));
  s.event(evaluated(s, 'a', 'two'));
  s.event(evaluated(s, 'b', 'two'));
  const mutate = s.effects.findLast((effect) => effect.kind === 'mutate');
  assert.deepEqual(mutate?.kind === 'mutate' && mutate.failed, ['a/m/map#1', 'b/m/map#1']);
  s.mutated();
  assert.deepEqual([s.view('a').phase, s.view('b').phase], ['failed', 'failed']);
  const message = (name: string): string =>
    `"m" cannot go on after the restart: it captured ${name}, and a cell behind that has run again since. Run the cell to go on with the present text.`;
  const place = { code: 'function-changed', line: undefined, column: undefined };
  assert.deepEqual(s.view('a').errors, [{ ...place, message: message('f') }]);
  assert.deepEqual(s.view('b').errors, [{ ...place, message: message('x') }]);
  assert.deepEqual(s.view('f').errors, []);
});

test('an older checkpoint has no modules: a changed function fails its operator, or ends the job', () => {
  const s = ended({ a: 'x = ./lib.ts', b: 'y = ' });
  s.event(evaluated(s, 'a', 'two'));
  s.event(evaluated(s, 'b', 'one'));
  s.mutated();
  assert.match(s.view('a').errors[0]!.message, /\.\/lib\.ts may have been saved since,.*Run the cell/);
  assert.deepEqual([s.view('a').phase, s.view('b').errors], ['failed', []]);

  const job = ended({ a: 'x = ./lib.ts' }, undefined, { attach: 'together' });
  const said = job.event(evaluated(job, 'a', 'two'));
  assert.match(
    said.join('\n'),
    /^commit a\nthe graph cannot change: .*\.\/lib\.ts may have been saved.*--from-savepoint/,
  );
  assert.equal(job.state.executor, 'broken');
});

test('a cell whose imports are types only has used no module, and holds up no other one', () => {
  const none = { resolved: {}, modules: [], packages: [] };
  const s = ended({ a: 'x = ./types.ts', b: 'y = ' }, none);
  s.event(evaluated(s, 'a', 'one', { used: none }));
  s.event(evaluated(s, 'b', 'two', { used: none }));
  s.mutated();
  assert.deepEqual([s.view('a').errors, s.view('b').errors], [[], []]);
  assert.match(s.view('b').notes.join(), /made anew at each start/);
});

test('a value that is made anew at each start is noted, and its operator goes on', () => {
  const s = ended({ a: 'x = ./lib.ts' }, used);
  s.event(evaluated(s, 'a', 'two', { used }));
  s.mutated();
  assert.deepEqual(s.view('a').notes, [
    'Something that "m" captured is made anew at each start, and it is another value now.',
  ]);
  assert.deepEqual(s.view('a').errors, []);
});
