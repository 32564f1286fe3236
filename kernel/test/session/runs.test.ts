// Runs take turns. Evaluation and commit are one after the other, pulls run beside them, needed
// cells run first, and each request has one answer.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Stage } from './stage.ts';

function ready(cells: Readonly<Record<string, string>>): Stage {
  const stage = new Stage();
  stage.document(cells);
  stage.ready();
  return stage;
}

test('a run is compiled, evaluated, put into the graph and committed', () => {
  const s = ready({ a: 'x = ' });
  assert.deepEqual(s.run('a'), ['a begins', 'compile a']);
  assert.deepEqual(s.compiled('a'), ['evaluate a']);
  assert.deepEqual(s.evaluated('a'), ['mutate [a] for a']);
  assert.deepEqual(s.mutated(), ['commit a', 'a is done', 'answer a ok']);
});

test('a cell is compiled while the executor starts, and evaluated when it is ready', () => {
  const s = new Stage();
  s.document({ a: 'x = ' });
  assert.deepEqual(s.run('a'), ['a begins', 'compile a']);
  assert.equal(s.view('a').phase, 'starting');
  assert.deepEqual(s.compiled('a'), []);
  assert.deepEqual(s.ready(), ['evaluate a']);
  assert.equal(s.view('a').phase, 'running');
});

test('the runs of two clients take turns', () => {
  const s = ready({ a: 'x = ', b: 'y = ' });
  s.run('a');
  assert.deepEqual(s.run('b'), []);
  s.compiled('a');
  s.evaluated('a');
  assert.deepEqual(s.mutated(), ['commit a', 'a is done', 'answer a ok', 'b begins', 'compile b']);
});

test('a run that awaits a pull gives up its turn, and takes it again to commit', () => {
  const s = ready({ a: 'x = ', b: 'y = ' });
  s.run('a');
  s.compiled('a');
  s.run('b');
  assert.deepEqual(s.pulls('a', 'p1', 'totals', 1), ['mutate [p1]', 'b begins', 'compile b']);
  assert.equal(s.view('a').phase, 'pulling');
  assert.equal(s.view('a').reason, 'waiting for 1 row of totals');
  s.mutated();
  s.compiled('b');
  assert.deepEqual(s.pulled(), ['mutate []']);
  assert.deepEqual(s.evaluated('a'), [], 'b has the turn');
  assert.deepEqual(s.mutated(), []);
  assert.deepEqual(s.evaluated('b'), ['mutate [a] for a'], 'who was first commits first');
  assert.deepEqual(s.mutated(), ['commit a', 'a is done', 'answer a ok', 'mutate [a b] for b']);
});

test('Run All waits for a pull', () => {
  const s = ready({ a: 'x = ', b: 'y = ' });
  s.run('a', 'b');
  s.compiled('a');
  assert.deepEqual(s.pulls('a'), ['mutate [p1]']);
  s.mutated();
  s.pulled();
  s.mutated();
  s.evaluated('a');
  assert.deepEqual(s.mutated(), ['commit a', 'a is done', 'b begins', 'compile b']);
});

test('Run All stops at the first failing cell', () => {
  const s = ready({ a: 'x = ', b: 'y = ', c: 'z = ' });
  s.run('a', 'b', 'c');
  s.compiled('a');
  s.evaluated('a');
  s.mutated();
  s.compiled('b');
  assert.deepEqual(s.threw('b'), ['discard b', 'b fails: Boom.', 'answer a ok, b failed']);
  assert.deepEqual(s.state.runs, []);
});

test('a failure of one client does not stop the run of another', () => {
  const s = ready({ a: 'x = ', b: 'y = ' });
  s.run('a');
  s.run('b');
  assert.deepEqual(s.refused('a'), ['a fails: Unexpected token.', 'answer a failed', 'b begins', 'compile b']);
});

test('a compile error leaves the running version alone', () => {
  const s = ready({ a: 'x$ = ' });
  s.runs('a');
  s.document({ a: 'x$ = #wrong' });
  s.run('a');
  assert.deepEqual(s.refused('a'), ['a fails: Unexpected token.', 'answer a failed']);
  assert.equal(s.state.cells.get('a')?.active?.text, 'x$ = ');
  assert.equal(s.view('a').phase, 'failed');
  assert.deepEqual(s.view('a').errors, [
    { code: 'test', message: 'Unexpected token.', line: undefined, column: undefined },
  ]);
});

test('a run first runs the needed cells that have never run, and its result lists them', () => {
  const s = ready({ a: 'x = ', b: 'y = x', c: 'z = y' });
  s.run('c');
  assert.deepEqual(s.compiled('c'), ['b begins', 'compile b']);
  assert.deepEqual(s.compiled('b'), ['a begins', 'compile a']);
  s.compiled('a');
  s.evaluated('a');
  assert.deepEqual(s.mutated(), ['commit a', 'a is done', 'compile b']);
  s.compiled('b');
  s.evaluated('b');
  assert.deepEqual(s.mutated(), ['commit b', 'b is done after a', 'compile c']);
  s.compiled('c');
  s.evaluated('c');
  assert.deepEqual(s.mutated(), ['commit c', 'c is done after b', 'answer c ok']);
});

test('a needed cell that was edited since it ran is not run again', () => {
  const s = ready({ a: 'x = ', b: 'y = x' });
  s.runs('a');
  s.document({ a: 'x = #edited', b: 'y = x' });
  s.run('b');
  assert.deepEqual(s.compiled('b'), ['evaluate b']);
});

test('a cell that is further back in the same request runs where it is needed, once', () => {
  const s = ready({ b: 'y = x', a: 'x = ' });
  s.run('b', 'a');
  s.compiled('b');
  s.compiled('a');
  s.evaluated('a');
  s.mutated();
  s.compiled('b');
  s.evaluated('b');
  assert.deepEqual(s.mutated(), ['commit b', 'b is done after a', 'answer a ok, b ok']);
});

test('a needed cell that pulls for another client is waited for', () => {
  const s = ready({ a: 'x = ', b: 'y = x' });
  s.run('a');
  s.compiled('a');
  s.pulls('a');
  s.mutated();
  s.run('b');
  assert.deepEqual(s.compiled('b'), [], 'a has the value and is not done');
  s.pulled();
  s.mutated();
  s.evaluated('a');
  assert.deepEqual(s.mutated(), ['commit a', 'a is done', 'answer a ok', 'compile b']);
});

test('a run that needs a failed cell names this cell', () => {
  const s = ready({ a: 'x = ', b: 'y = x' });
  s.run('b');
  s.compiled('b');
  assert.deepEqual(s.refused('a'), [
    'a fails: Unexpected token.',
    'b fails: Cell "b" needs cell "a", which failed: Unexpected token. after a',
    'answer b failed',
  ]);
});

test('cells that need each other are refused with the way around', () => {
  const s = ready({ a: 'x = y', b: 'y = x' });
  s.run('a');
  assert.deepEqual(s.compiled('a'), [
    'a fails: Cell "a" needs itself: "a" uses y of "b", "b" uses x of "a". Move one of the definitions.',
    'answer a failed',
  ]);
});

test('a name that another cell has is refused with both cells', () => {
  const s = ready({ a: 'x = ', b: 'x = ' });
  s.runs('a');
  s.run('b');
  assert.deepEqual(s.compiled('b'), [
    'b fails: Cell "b": x is already defined in cell "a". Rename one of them.',
    'answer b failed',
  ]);
});

test('of two cells with one name the upper one runs, even when none has run', () => {
  const s = ready({ a: 'x = ', b: 'x = ' });
  s.runs('a');
  const t = ready({ a: 'x = ', b: 'x = ' });
  t.run('b');
  assert.match(t.compiled('b').join(), /already defined in cell "a"/);
});

test('a name can move to another cell once its former cell has given it up', () => {
  const s = ready({ a: 'x = ', b: 'y = ' });
  s.runs('a');
  s.document({ a: 'z = ', b: 'x = ' });
  s.runs('a');
  s.run('b');
  assert.deepEqual(s.compiled('b'), ['evaluate b']);
});

test('a cell that is not in the document is answered at once', () => {
  const s = ready({ a: 'x = ' });
  assert.deepEqual(s.run('q'), ['q begins', 'q fails: There is no cell "q" in this notebook.', 'answer q failed']);
});

test('a test cell is refused as something later', () => {
  const s = new Stage();
  s.event({ kind: 'sync', cells: [{ id: 't', kind: 'test', text: '' }] });
  assert.match(s.run('t').join(), /not-yet: test cells/);
});

test('a graph that cannot be changed fails the run and takes nothing else with it', () => {
  const s = ready({ a: 'x$ = ', b: 'y$ = x$' });
  s.runs('a');
  s.run('b');
  s.compiled('b');
  s.evaluated('b');
  assert.deepEqual(s.mutationFailed(), ['discard b', 'b fails: It has no end.', 'answer b failed', 'mutate [a]']);
});

test('a pull that cannot be attached is refused, and the cell goes on', () => {
  const s = ready({ a: 'x = ' });
  s.run('a');
  s.compiled('a');
  s.pulls('a');
  assert.deepEqual(s.mutationFailed(), ['refuse p1: It has no end.', 'mutate []']);
  s.mutated();
  assert.deepEqual(s.evaluated('a'), ['mutate [a] for a']);
});

test('the pulls of a cell that throws go with it', () => {
  const s = ready({ a: 'x = ' });
  s.run('a');
  s.compiled('a');
  s.pulls('a');
  s.mutated();
  assert.deepEqual(s.threw('a'), ['discard a', 'a fails: Boom.', 'answer a failed', 'mutate []']);
});

test('a version counts texts, not runs', () => {
  const s = ready({ a: 'x = ' });
  s.runs('a');
  s.runs('a');
  assert.equal(s.state.cells.get('a')?.active?.version, 1);
  s.document({ a: 'x = #2' });
  s.runs('a');
  assert.equal(s.state.cells.get('a')?.active?.version, 2);
});

test('in a job all cells join the graph together, once all have been evaluated', () => {
  const s = new Stage({ attach: 'together' });
  s.document({ a: 'x$ = ', b: 'y$ = x$' });
  s.ready();
  s.run('a', 'b');
  s.compiled('a');
  assert.deepEqual(s.evaluated('a'), ['commit a', 'a is done', 'b begins', 'compile b']);
  s.compiled('b');
  assert.deepEqual(s.evaluated('b'), ['commit b', 'b is done', 'answer a ok, b ok', 'mutate [a b]']);
  assert.deepEqual(s.mutated(), []);
});

test('in a job a pull brings the graph early: it could wait for nothing else', () => {
  const s = new Stage({ attach: 'together' });
  s.document({ a: 'x$ = ', b: 'y = x$', c: 'z$ = ' });
  s.ready();
  s.run('a', 'b', 'c');
  s.compiled('a');
  s.evaluated('a');
  s.compiled('b');
  assert.deepEqual(s.pulls('b'), ['mutate [a p1]']);
  s.mutated();
  assert.deepEqual(s.pulled(), ['mutate [a]']);
  s.mutated();
  assert.deepEqual(s.evaluated('b'), ['commit b', 'b is done', 'c begins', 'compile c']);
  s.compiled('c');
  assert.deepEqual(s.evaluated('c').at(-1), 'mutate [a b c]');
});

test('a graph that a job cannot have is reported', () => {
  const s = new Stage({ attach: 'together' });
  s.document({ a: 'x$ = ' });
  s.ready();
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  assert.deepEqual(s.mutationFailed(), ['the graph cannot change: It has no end.']);
});

test('in a job a cell that fails stops no cell but those that need it', () => {
  const s = new Stage({ attach: 'together' });
  s.document({ c: 'z = x', a: 'x = ', b: 'y = x', d: 'w = ' });
  s.ready();
  s.run('c', 'a', 'b', 'd');
  s.compiled('c');
  s.compiled('a');
  assert.deepEqual(s.threw('a'), [
    'discard a',
    'a fails: Boom.',
    'c fails: Cell "c" needs cell "a", which failed: Boom. after a',
    'b begins',
    'compile b',
  ]);
  assert.deepEqual(s.compiled('b'), ['b fails: Cell "b" needs cell "a", which failed: Boom.', 'd begins', 'compile d']);
  s.compiled('d');
  assert.deepEqual(s.evaluated('d'), [
    'commit d',
    'd is done',
    'answer a failed, c failed, b failed, d ok',
    'mutate [d]',
  ]);
  for (const [cell, code] of [
    ['a', 'test'],
    ['b', 'needed-cell-failed'],
    ['c', 'needed-cell-failed'],
  ] as const)
    assert.deepEqual(
      s.view(cell).errors.map((error) => error.code),
      [code],
    );
  assert.deepEqual(s.view('d').errors, []);
});

test('rows that were left out are counted, the first is the error of the cell, and the cell goes on', () => {
  const s = ready({ a: 'x = ' });
  s.runs('a');
  const refused = (message: string, count: number): string[] =>
    s.event({
      kind: 'row-refused',
      cell: 'a',
      display: 'a/0',
      instance: 'display/a/0',
      count,
      error: { code: 'row-not-shown', message },
      record: '{}',
    });
  refused('first', 1);
  refused('second', 1200);
  const { phase, leftOut, errors } = s.view('a');
  assert.notEqual(phase, 'failed');
  assert.equal(leftOut, '1,201 rows were left out');
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['first'],
  );
});
