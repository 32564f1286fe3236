// Interrupts with and without an answer, crashes of executors, and the restored state after them.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { sessionView } from '../../session/session-view.ts';
import { ran, restart, Stage } from './stage.ts';

const ended = (cell?: string, operator?: string) =>
  ({
    kind: 'executor-ended',
    reason: 'interrupt',
    ...(cell !== undefined && { whereabouts: { cell, millis: 700, ...(operator !== undefined && { operator }) } }),
  }) as const;

test('an interrupt of all drops what waits and asks the executor about the rest', () => {
  const s = ran({ a: 'x = ', b: 'y = ' });
  s.run('a', 'b');
  s.compiled('a');
  assert.deepEqual(s.event({ kind: 'interrupt' }), [
    'b fails: Cell "b" was interrupted.',
    'interrupt all',
    'timer interrupt 500',
  ]);
});

test('a cell that awaits something is given up when the executor answers', () => {
  const s = ran({ a: 'x = ' });
  s.run('a');
  s.compiled('a');
  s.event({ kind: 'interrupt', cell: 'a' });
  assert.deepEqual(s.event({ kind: 'interrupted', interrupt: 1, stopped: [] }), [
    'no timer interrupt',
    'discard a',
    'a fails: Cell "a" was interrupted.',
    'answer a failed',
  ]);
});

test('an interrupt of one cell leaves the runs of the others alone', () => {
  const s = ran({ a: 'x = ', b: 'y = ' });
  s.run('a');
  s.compiled('a');
  s.pulls('a');
  s.mutated();
  s.run('b');
  s.compiled('b');
  s.event({ kind: 'interrupt', cell: 'a' });
  s.event({ kind: 'interrupted', interrupt: 1, stopped: [] });
  assert.deepEqual(
    s.state.runs.map(({ cell }) => cell),
    ['b'],
  );
});

test('pressing again does not give the executor more time', () => {
  const s = ran({ a: 'x = ' });
  s.event({ kind: 'interrupt' });
  assert.deepEqual(s.event({ kind: 'interrupt' }), []);
});

test('an executor that does not answer is ended, and the others come back from the snapshot, definitions first', () => {
  const s = ran({ b: 'y$ = ', a: 'x = ', c: 'z$ = y$' });
  s.runs('b');
  s.document({ b: 'y$ = ', a: 'x = #endless', c: 'z$ = y$' });
  s.run('a');
  s.compiled('a');
  s.event({ kind: 'interrupt', cell: 'a' });
  assert.deepEqual(s.event({ kind: 'timer', timer: 'interrupt' }), ['end executor']);
  assert.deepEqual(s.event(ended('a')), [
    'no timer interrupt',
    'discard a',
    'a fails: Cell "a" was interrupted.',
    'answer a failed',
    'start executor',
  ]);
  assert.deepEqual(s.ready(), ['evaluate b again']);
  assert.deepEqual(s.restored('b'), ['commit b', 'evaluate a again'], 'what a was before it was edited');
  assert.deepEqual(s.restored('a'), ['commit a', 'evaluate c again']);
  assert.deepEqual(s.restored('c'), ['commit c', 'mutate [b a c] from the snapshot']);
  assert.equal(s.state.executor, 'restoring');
  s.mutated();
  assert.equal(s.state.executor, 'ready');
});

test('an operator that does not return stays out, its values stay, and its cell has the error', () => {
  const s = ran({ a: 'x = ', b: 'y$ = x', c: 'z$ = ' });
  s.event({ kind: 'interrupt' });
  s.event({ kind: 'timer', timer: 'interrupt' });
  assert.deepEqual(s.event(ended('b', 'map lookup')), ['no timer interrupt', 'start executor']);
  s.ready();
  s.restored('a');
  s.restored('b');
  assert.deepEqual(s.restored('c'), ['commit c', 'mutate [a c] from the snapshot']);
  s.mutated();
  assert.equal(s.view('b').phase, 'failed');
  assert.match(
    s.view('b').errors[0]?.message ?? '',
    /^map lookup had not returned for 0.7 s when it was interrupted\.$/,
  );
  assert.equal(
    s.state.cells.get('b')?.active?.failures[0]?.error.hint,
    'Cell "b" and the operators that read from it have stopped. All others continue. Edit and run the cell to resume.',
  );
  s.run('b');
  s.compiled('b');
  assert.deepEqual(s.evaluated('b'), ['mutate [a b c] for b'], 'a run brings it back');
});

test('runs that wait go on after the restoration', () => {
  const s = ran({ a: 'x = ', b: 'y = ' });
  s.run('a');
  s.compiled('a');
  s.run('b');
  s.event({ kind: 'interrupt', cell: 'a' });
  s.event({ kind: 'timer', timer: 'interrupt' });
  assert.deepEqual(s.event(ended('a')).slice(-3), ['start executor', 'b begins', 'compile b']);
  s.compiled('b');
  s.ready();
  s.restored('a');
  assert.deepEqual(s.restored('b'), ['commit b', 'mutate [a b] from the snapshot']);
  assert.deepEqual(s.mutated(), ['evaluate b']);
});

test('a run that was lost by the fault of another cell names that cell', () => {
  const s = ran({ a: 'x$ = ', b: 'y = ' });
  s.run('b');
  s.compiled('b');
  s.pulls('b');
  s.event({ kind: 'interrupt', cell: 'a' });
  s.event({ kind: 'timer', timer: 'interrupt' });
  const said = s.event(ended('a', 'filter'));
  assert.match(
    said.join(),
    /The run of cell "b" was lost when the executor was ended: filter of cell "a" did not return/,
  );
});

test('a mutation in flight dies with its executor and its run, and is not waited for', () => {
  const s = ran({ a: 'x$ = ' });
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  assert.match(s.event({ kind: 'executor-ended', reason: 'out of memory' }).join(), /answer a failed,start executor/);
  s.ready();
  s.restored('a');
  assert.deepEqual(s.mutated(), []);
  assert.equal(s.state.executor, 'ready');
});

test('an executor that ends while it is restored, without a cell at work, is not restored again', () => {
  const s = ran({ a: 'x$ = ' });
  s.event(ended());
  s.ready();
  s.event({ kind: 'executor-ended', reason: 'out of memory' });
  assert.equal(s.state.executor, 'starting');
  assert.deepEqual(s.ready(), [], 'an empty one');
  assert.deepEqual(s.run('a'), ['answer a failed']);
  assert.match(s.view('a').errors[0]?.message ?? '', /no cell was at work \(out of memory\)\. Choose Resume/);
});

test('a cell that ends the executor while it is evaluated again is left out of the next try', () => {
  const s = ran({ a: 'x = ', b: 'y = ' });
  s.event(ended());
  s.ready();
  assert.deepEqual(s.event(ended('a')), ['no timer interrupt', 'start executor']);
  assert.deepEqual(s.ready(), ['evaluate b again']);
});

test('a cell that cannot be evaluated again does not hold back the others', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = ' });
  s.event(ended());
  s.ready();
  const run = s.state.cells.get('a')?.active?.run ?? -1;
  const said = s.event({ kind: 'evaluation-failed', run, error: { code: 'test', message: 'No such file.' } });
  assert.deepEqual(said, ['evaluate b again']);
  assert.deepEqual(s.restored('b'), ['commit b', 'mutate [b] from the snapshot']);
});

test('an operator that throws fails its cell; a run makes it anew', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = x$' });
  s.event({
    kind: 'operator-failed',
    instance: 'a/x$/map#1',
    cell: 'a',
    name: 'map',
    error: { code: 'test', message: 'No tier.' },
  });
  assert.equal(s.view('a').phase, 'failed');
  assert.equal(s.view('b').phase, 'defined');
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  assert.deepEqual(s.requests.at(-1)?.failed, ['a/x$/map#1']);
  s.mutated();
  assert.equal(s.view('a').phase, 'defined');
  assert.deepEqual(s.view('a').errors, []);
});

test('an operator that failed stays failed in the next executor, until its cell is run', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = x$' });
  const instance = 'a/x$/map#1';
  s.event({ kind: 'operator-failed', instance, cell: 'a', name: 'map', error: { code: 'test', message: 'No tier.' } });
  const failed = (): unknown => s.effects.findLast((effect) => effect.kind === 'mutate')?.failed;
  const restart = (): void => {
    s.event(ended());
    s.ready();
    s.restored('a');
    s.restored('b');
    s.mutated();
  };
  restart();
  assert.deepEqual(failed(), [instance]);
  assert.equal(s.view('a').phase, 'failed');
  assert.deepEqual(
    s.view('a').errors.map(({ message }) => message),
    ['No tier.'],
  );
  s.runs('a');
  restart();
  assert.deepEqual(failed(), []);
});

test('a source that lost partitions goes on; they are tried again by a run of its cell, and after a restart', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = x$' });
  const instance = 'a/x$/map#1';
  const fails = (...partitions: readonly string[]): void => {
    const error = { code: 'kafka-unreadable', message: `${partitions.join()} cannot be read.` };
    s.event({ kind: 'operator-failed', ...{ instance, cell: 'a', name: 'orders', partitions, error } });
  };
  const errors = (): string[] => s.view('a').errors.map(({ message }) => message);
  fails('t[0]');
  fails('t[1]', 't[2]');
  fails('t[0]');
  assert.deepEqual(errors(), ['t[0] cannot be read.', 't[1],t[2] cannot be read.']);
  assert.equal(s.view('a').phase, 'defined', 'its operators run');
  s.event(ended());
  s.ready();
  s.restored('a');
  s.restored('b');
  assert.deepEqual(s.effects.findLast((effect) => effect.kind === 'mutate')?.failed, []);
  s.mutated();
  assert.deepEqual(errors(), [], 'they report it again if it is still so');
  fails('t[0]');
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  assert.deepEqual(s.requests.at(-1)?.failed, [instance]);
  s.mutated();
  assert.deepEqual(errors(), []);
});

test('a call that has not returned for a while is shown in its cell', () => {
  const s = ran({ a: 'x$ = ' });
  s.event({ kind: 'stuck', whereabouts: { cell: 'a', operator: 'map', millis: 4100 } });
  assert.equal(s.view('a').reason, 'map has not returned for 4 s');
  s.event({ kind: 'stuck' });
  assert.equal(s.view('a').reason, undefined);
});

test('the session ends ten minutes after its last client', () => {
  const s = new Stage();
  s.event({ kind: 'client-joined', client: '1' });
  s.event({ kind: 'client-joined', client: '2' });
  assert.deepEqual(s.event({ kind: 'client-left', client: '1' }), []);
  assert.deepEqual(s.event({ kind: 'client-left', client: '2' }), ['timer idle 600000']);
  assert.deepEqual(s.event({ kind: 'client-joined', client: '3' }), ['no timer idle']);
  s.event({ kind: 'client-left', client: '3' });
  assert.match(s.event({ kind: 'timer', timer: 'idle' }).join(), /^end session/);
});

/** The executor ends by itself, with an operator of the cell at work. */
const died = (cell: string) =>
  ({ kind: 'executor-ended', reason: 'exit', whereabouts: { cell, operator: 'map', millis: 20 } }) as const;

test('an operator that is at work at a third end of the executor stays out; the others go on', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = ' });
  for (let end = 1; end <= 2; end++) {
    s.event(died('a'));
    restart(s, 'a', 'b');
    assert.equal(s.view('a').phase, 'defined', `restored after end ${end}`);
  }
  s.event(died('a'));
  s.ready();
  s.restored('a');
  assert.deepEqual(s.restored('b'), ['commit b', 'mutate [b] from the snapshot']);
  s.mutated();
  assert.equal(s.view('a').phase, 'failed');
  assert.match(s.view('a').errors[0]?.message ?? '', /^map was at work each of 3 times that the executor ended/);
});

test('a run of the cell, or an edit, forgets the ends of the executor', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = ' });
  for (let time = 1; time <= 2; time++) {
    s.event(died('a'));
    restart(s, 'a', 'b');
    s.runs('a');
  }
  for (let time = 1; time <= 2; time++) {
    s.event(died('a'));
    restart(s, 'a', 'b');
  }
  s.document({ a: 'x$ = #edited', b: 'y$ = ' });
  s.event(died('a'));
  restart(s, 'a', 'b');
  assert.notEqual(s.view('a').phase, 'failed');
});

test('after three ends within a minute with no cell at work the user chooses, and Resume goes on', () => {
  const s = ran({ a: 'x$ = ' });
  for (const second of [0, 50, 100]) {
    s.now = second * 1000;
    s.event({ kind: 'executor-ended', reason: 'its thread ended with code 1' });
    restart(s, 'a');
    assert.equal(s.state.executor, 'ready', 'two of them are within a minute');
  }
  s.now = 105_000;
  s.event({ kind: 'executor-ended', reason: 'its thread ended with code 1' });
  const why = /^The executor ended 3 times within a minute, and no cell was at work \(its thread ended with code 1\)\./;
  assert.match(s.view('a').errors[0]?.message ?? '', why);
  assert.match(s.view('a').errors[0]?.message ?? '', /Choose Resume .*, or Start Fresh\.$/);
  assert.equal(s.state.plan.nodes.length, 0);
  assert.match(sessionView(s.state, { now: s.now, hasView: () => false }).offered?.skipped[0] ?? '', why);
  assert.deepEqual(s.ready(), []);
  assert.deepEqual(s.run('a'), ['answer a failed'], 'before the choice nothing runs');
  assert.deepEqual(s.event({ kind: 'choose', choice: 'resume' }), ['evaluate a again']);
  s.restored('a');
  s.mutated();
  assert.equal(s.state.executor, 'ready');
  assert.deepEqual(s.view('a').errors, []);
  s.event({ kind: 'executor-ended', reason: 'its thread ended with code 1' });
  restart(s, 'a');
  assert.equal(s.state.executor, 'ready', 'its ends are counted anew');
});

test('Start Fresh after such ends runs the cell anew', () => {
  const s = ran({ a: 'x$ = ' });
  for (let end = 1; end <= 3; end++) {
    s.event({ kind: 'executor-ended', reason: 'its thread ended with code 1' });
    if (end < 3) restart(s, 'a');
  }
  s.ready();
  assert.deepEqual(s.event({ kind: 'choose', choice: 'fresh' }), ['discard checkpoints']);
  s.runs('a');
  assert.deepEqual(s.view('a').errors, []);
});

const memory = { limitMegabytes: 2048, heldMegabytes: 2531 };

test('an operator that needs too much memory stays out at once, and its error has the amount', () => {
  const s = ran({ hog: 'x$ = ', b: 'y$ = ' });
  s.event({ ...died('hog'), memory: { ...memory, holder: 'hog' } });
  s.ready();
  s.restored('hog');
  assert.deepEqual(s.restored('b'), ['commit b', 'mutate [b] from the snapshot']);
  assert.match(
    s.view('hog').errors[0]?.message ?? '',
    /^Cell "hog" needed more memory than the session may hold \(sluice\.memory: 2048 MB; the thread held 2,531 MB\)\./,
  );
});

test('a run that needs too much memory fails with the figures; what its cell ran before comes back', () => {
  const s = ran({ hog: 'x = ', b: 'y$ = ' });
  s.document({ hog: 'x = #more', b: 'y$ = ' });
  s.run('hog');
  s.compiled('hog');
  const said = s.event({ kind: 'executor-ended', reason: 'memory', whereabouts: { cell: 'hog', millis: 9 }, memory });
  assert.match(said.join(), /hog fails: Cell "hog" was at work when the session held more memory than it may/);
  assert.deepEqual(s.ready(), ['evaluate hog again']);
});
