// The executor ends while a sink of before a change waits for its target: the session goes back to
// before the change, and makes it again when its sources have read as far as they had.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { MutateCommand } from '../../executor/executor-protocol.ts';
import { ran, type Stage } from './stage.ts';

const read = { 'in/rows': { n: 30 } };
/** The change goes on behind a sink. */
function mutatedBehind(s: Stage): void {
  s.event({ kind: 'mutated', epoch: s.state.epoch, positions: {}, read });
  s.said();
}
function edited(s: Stage, text: string): void {
  s.document({ in: 'x$ = ', out: text });
  s.run('out');
  s.compiled('out');
  s.evaluated('out');
  mutatedBehind(s);
}
function ends(s: Stage): string[] {
  s.now += 100_000;
  s.event({ kind: 'executor-ended', reason: 'ended' });
  s.ready();
  return ['in', 'out'].flatMap((cell) => s.restored(cell));
}
const lastMutation = (s: Stage): MutateCommand => {
  const found = s.effects.findLast((effect) => effect.kind === 'mutate');
  assert.ok(found?.kind === 'mutate');
  return found;
};
function armed(text: string): Stage {
  const s = ran({ in: 'x$ = ', out: text });
  // The sink that runs.
  s.event({ kind: 'arm', cell: 'out', armed: true });
  const { state, epoch } = { state: s.state, epoch: s.state.epoch };
  const plan = { ...state.plan, nodes: [sinkNode] };
  s.state = { ...state, mutation: { ...state.mutation!, plan } };
  s.event({ kind: 'mutated', epoch, positions: {} });
  s.snapshot({ 'in/rows': 1 });
  s.said();
  return s;
}
const sinkNode = Object.assign(
  { id: 'out/sink#1', uid: 'out/sink#1', name: 'to a', group: 'out', own: '', shape: '' },
  {
    kind: 'kafkaSink' as const,
    parameters: { topic: 'a', format: 'json' as const, delivery: 'exactly-once' as const, armed: true },
  },
);

test('the former text of the cell is restored first, and its run is made again behind the rows of then', () => {
  const s = armed(' = x$ !a');
  edited(s, ' = x$ !b');
  assert.equal(s.state.cells.get('out')?.active?.text, ' = x$ !b');
  ends(s);
  assert.equal(s.state.cells.get('out')?.active?.text, ' = x$ !a');
  assert.deepEqual(lastMutation(s).readsAgain, read);
  s.mutated();
  assert.deepEqual(s.view('out').edited, true);
  assert.match(s.view('out').notes.join(), /gone back to before the last change of this cell/);
  assert.deepEqual(s.view('in').notes, []);
  s.said();
  assert.deepEqual(s.event({ kind: 'caught-up' }), ['out begins', 'compile out']);
  s.compiled('out');
  s.evaluated('out');
  s.mutated();
  assert.equal(s.state.cells.get('out')?.active?.text, ' = x$ !b');
  assert.deepEqual(s.view('out').notes, []);
});

test('a sink that was disarmed writes until then, and is disarmed again', () => {
  const s = armed(' = x$ !a');
  s.event({ kind: 'arm', cell: 'out', armed: false });
  mutatedBehind(s);
  assert.ok(ends(s).includes('mutate [in out!] from the snapshot'));
  s.mutated();
  s.said();
  assert.deepEqual(s.event({ kind: 'caught-up' }), ['mutate [in out]']);
});

test('a sink that was armed for another target writes to it when its run is made again, and not before', () => {
  const s = armed(' = x$ !a');
  edited(s, ' = x$ !b');
  s.event({ kind: 'arm', cell: 'out', armed: true });
  mutatedBehind(s);
  ends(s);
  s.mutated();
  s.said();
  assert.deepEqual(s.event({ kind: 'caught-up' }), ['out begins', 'compile out']);
  s.compiled('out');
  assert.ok(s.evaluated('out').includes('mutate [in out!] for out'));
});

test('a snapshot has the change, so the next executor goes on with it', () => {
  const s = armed(' = x$ !a');
  edited(s, ' = x$ !b');
  s.snapshot({ 'in/rows': 2 });
  ends(s);
  assert.equal(s.state.cells.get('out')?.active?.text, ' = x$ !b');
  assert.equal(lastMutation(s).readsAgain, undefined);
});

test('an executor that ends again before that leaves the change to the next one', () => {
  const s = armed(' = x$ !a');
  edited(s, ' = x$ !b');
  ends(s);
  s.mutated();
  s.snapshot({ 'in/rows': 2 });
  ends(s);
  assert.deepEqual(lastMutation(s).readsAgain, read);
  s.mutated();
  s.said();
  assert.deepEqual(s.event({ kind: 'caught-up' }), ['out begins', 'compile out']);
});

test('what the user does meanwhile counts', () => {
  const s = armed(' = x$ !a');
  edited(s, ' = x$ !b');
  ends(s);
  s.mutated();
  s.document({ in: 'x$ = ', out: ' = x$ !c' });
  s.said();
  assert.deepEqual(s.event({ kind: 'caught-up' }), []);
  ends(s);
  s.mutated();
  s.event({ kind: 'arm', cell: 'out', armed: false });
  s.mutated();
  assert.deepEqual(s.event({ kind: 'caught-up' }), []);
  assert.equal(s.state.cells.get('out')?.active?.text, ' = x$ !a');
});
