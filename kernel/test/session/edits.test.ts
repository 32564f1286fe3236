// The effect of an edit on other cells: none, stale, detached. The state that is kept for a while
// after a deletion.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { noModules } from '../../cells/used-modules.ts';
import { Stage } from './stage.ts';

function ready(cells: Readonly<Record<string, string>>): Stage {
  const stage = new Stage();
  stage.document(cells);
  stage.ready();
  return stage;
}
function ran(cells: Readonly<Record<string, string>>): Stage {
  const stage = ready(cells);
  for (const id of Object.keys(cells)) stage.runs(id);
  return stage;
}

test('a cell is edited while the text at hand is not the one that runs', () => {
  const s = ran({ a: 'x = ' });
  assert.equal(s.view('a').edited, false);
  s.document({ a: 'x = #1' });
  assert.equal(s.view('a').edited, true);
  s.document({ a: 'x = ' });
  assert.equal(s.view('a').edited, false);
});

test('a cell that never ran is not edited', () => {
  const s = ready({ a: 'x = ' });
  s.document({ a: 'x = #1' });
  assert.equal(s.view('a').edited, false);
  assert.equal(s.view('a').phase, 'not-run');
});

for (const { title, first, again, stale } of [
  { title: 'a value that was defined anew', first: 'x = ', again: 'x = #2', stale: ['x'] },
  { title: 'a value whose definition disappeared', first: 'x = ', again: 'q = ', stale: ['x'] },
])
  test(`${title} makes its readers stale and names itself`, () => {
    const s = ran({ a: first, b: 'y = x' });
    s.document({ a: again, b: 'y = x' });
    s.runs('a');
    assert.deepEqual(s.view('b').stale, stale);
  });

test('a cell that is run again unchanged makes nothing stale', () => {
  const s = ran({ a: 'x = ', b: 'y = x' });
  s.runs('a');
  assert.deepEqual(s.view('b').stale, []);
});

test('only names whose value changed make stale', () => {
  const s = new Stage();
  s.hashes.set('same', '1');
  s.document({ a: 'same other = ', b: 'y = same', c: 'z = other' });
  s.ready();
  for (const id of ['a', 'b', 'c']) s.runs(id);
  s.document({ a: 'same other = #2', b: 'y = same', c: 'z = other' });
  s.runs('a');
  assert.deepEqual([s.view('b').stale, s.view('c').stale], [[], ['other']]);
});

test('staleness does not spread: what has not captured the name is not out of date', () => {
  const s = ran({ a: 'x = ', b: 'y = x', c: 'z = y' });
  s.document({ a: 'x = #2', b: 'y = x', c: 'z = y' });
  s.runs('a');
  assert.deepEqual([s.view('b').stale, s.view('c').stale], [['x'], []]);
  s.runs('b');
  assert.deepEqual([s.view('b').stale, s.view('c').stale], [[], []], 'b has the value it had');
});

test('a stream is an edge: nothing is stale when it is another one', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = x$' });
  s.document({ a: 'x$ = #2', b: 'y$ = x$' });
  s.runs('a');
  assert.deepEqual(s.view('b').stale, []);
});

test('the readers of a deleted stream are detached and have a note', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = x$' });
  s.document({ b: 'y$ = x$' });
  assert.deepEqual(s.view('b').stale, []);
  assert.equal(s.view('b').reason, 'x$ was deleted a moment ago: its rows end unless its cell comes back');
  s.mutated();
  s.event({ kind: 'timer', timer: 'grace:a' });
  s.mutated();
  assert.equal(s.view('b').reason, 'its input is detached: x$ is no longer defined');
});

test('a helper module that changed makes the cells stale that import it', () => {
  const s = ran({ a: 'x = ./lib.ts', b: 'y = ' });
  s.event({ kind: 'modules-changed', modules: [{ path: './lib.ts', hash: '2' }] });
  assert.deepEqual([s.view('a').stale, s.view('b').stale], [['./lib.ts'], []]);
  s.runs('a');
  assert.deepEqual(s.view('a').stale, []);
});

test('a helper module that has again the text with which a cell ran makes it stale no more', () => {
  const s = ran({ a: 'x = ./lib.ts' });
  const module = { path: 'lib.ts', hash: '1', code: new Uint8Array(), specifiers: [], resolved: {} };
  s.event({ kind: 'modules-used', run: 1, used: { ...noModules, modules: [module] }, paths: [] });
  s.event({ kind: 'modules-changed', modules: [{ path: './lib.ts', hash: '2' }] });
  assert.deepEqual(s.view('a').stale, ['./lib.ts']);
  s.event({ kind: 'modules-changed', modules: [{ path: './lib.ts', hash: '1' }] });
  assert.deepEqual(s.view('a').stale, []);
});

test('a module whose name an import() computes makes the cell stale once it is imported', () => {
  const s = ran({ a: 'x = ' });
  const changed = { kind: 'modules-changed', modules: [{ path: '/n/lazy.ts', hash: '2' }] } as const;
  s.event(changed);
  assert.deepEqual(s.view('a').stale, []);
  const module = { path: 'lazy.ts', hash: '1', code: new Uint8Array(), specifiers: [], resolved: {} };
  s.event({ kind: 'modules-used', run: 1, used: { ...noModules, modules: [module] }, paths: ['/n/lazy.ts'] });
  s.event(changed);
  assert.deepEqual(s.view('a').stale, ['/n/lazy.ts']);
});

test('a deleted cell keeps its operators for ten seconds, then everything of it goes', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = x$' });
  assert.deepEqual(s.document({ b: 'y$ = x$' }), ['timer grace:a 10000', 'mutate [b a?]']);
  s.mutated();
  assert.deepEqual(s.event({ kind: 'timer', timer: 'grace:a' }), ['forget a', 'mutate [b]']);
  assert.equal(s.state.cells.has('a'), false);
});

test('undo resumes a deleted cell with its state and without a run', () => {
  const s = ran({ a: 'x$ = ' });
  s.document({});
  s.mutated();
  assert.deepEqual(s.document({ a: 'x$ = ' }), ['no timer grace:a', 'mutate [a]']);
  assert.equal(s.view('a').phase, 'defined');
});

test('a client may say that a cell is deleted before it sends the new document', () => {
  const s = ran({ a: 'x$ = ' });
  assert.deepEqual(s.event({ kind: 'delete', cell: 'a' }), ['timer grace:a 10000', 'mutate [a?]']);
  s.mutated();
  assert.deepEqual(s.document({}), []);
});

test('a cell that is deleted while it is evaluated is answered and forgotten', () => {
  const s = ready({ a: 'x = ' });
  s.run('a');
  s.compiled('a');
  assert.deepEqual(s.document({}), ['discard a', 'a fails: Cell "a" was deleted while it ran.', 'answer a failed']);
  assert.deepEqual(s.state.runs, []);
});

test('a cell that is deleted while it is committed is deleted after that', () => {
  const s = ready({ a: 'x$ = ' });
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  assert.deepEqual(s.document({}), ['timer grace:a 10000']);
  assert.deepEqual(s.mutated(), ['commit a', 'a is done', 'answer a ok', 'mutate [a?]']);
});

test('a cell whose id is taken is open and does not run', () => {
  const s = new Stage();
  s.event({
    kind: 'sync',
    cells: [
      { id: 'a', kind: 'code', text: 'x = ' },
      { id: 'a', kind: 'code', text: 'y = ' },
    ],
  });
  s.ready();
  assert.deepEqual(s.run('a'), ['a begins', 'compile a']);
  const compile = s.effects.find((effect) => effect.kind === 'compile');
  assert.deepEqual(compile?.kind === 'compile' && compile.cells.map(({ text }) => text), ['x = ']);
});

test('the sinks of a cell are previews until they are armed, and again when they write elsewhere', () => {
  const s = ran({ a: 'x$ = !orders' });
  assert.deepEqual(s.view('a').sink, { armed: false, target: 'orders' });
  assert.deepEqual(s.event({ kind: 'arm', cell: 'a', armed: true }), ['mutate [a!]']);
  s.mutated();
  s.run('a');
  s.compiled('a');
  assert.deepEqual(s.evaluated('a'), ['mutate [a!] for a'], 'the same target stays armed');
  s.mutated();
  s.document({ a: 'x$ = !totals' });
  s.run('a');
  s.compiled('a');
  assert.deepEqual(s.evaluated('a'), ['mutate [a] for a'], 'another target is asked for again');
});

for (const { arming, sentence } of [
  { arming: 'all', sentence: 'mutate [a!] for a' },
  { arming: 'none', sentence: 'mutate [a] for a' },
] as const)
  test(`with arming ${arming} no question is asked`, () => {
    const s = new Stage({ arming });
    s.document({ a: 'x$ = !orders' });
    s.ready();
    s.run('a');
    s.compiled('a');
    assert.deepEqual(s.evaluated('a'), [sentence]);
  });

const texts = (cells: Readonly<Record<string, string>>) =>
  Object.entries(cells).map(([id, text]) => ({ id, kind: 'code', text }) as const);

test('a second window that opens the saved file deletes nothing of what only the first one has', () => {
  const s = new Stage();
  s.ready();
  const sync = (client: string, cells: Readonly<Record<string, string>>) =>
    s.event({ kind: 'sync', client, cells: texts(cells) });
  sync('one', { a: 'x$ = ', unsaved: 'y$ = x$' });
  s.runs('a');
  s.runs('unsaved');
  assert.deepEqual(sync('two', { a: 'x$ = ' }), []);
  assert.equal(s.view('unsaved').phase, 'defined');
  s.document({ a: 'x$ = ' });
  assert.deepEqual(s.state.cells.get('unsaved')?.deleted, false);
  assert.deepEqual(
    sync('one', { a: 'x$ = ' }),
    ['timer grace:unsaved 10000', 'mutate [a unsaved?]'],
    'who had it deletes it',
  );
});

test('cells that only a departed client had are removed with the next document', () => {
  const s = new Stage();
  s.ready();
  s.event({ kind: 'sync', client: 'one', cells: texts({ a: 'x$ = ' }) });
  s.runs('a');
  s.event({ kind: 'client-joined', client: 'two' });
  s.event({ kind: 'client-left', client: 'one' });
  assert.deepEqual(s.event({ kind: 'sync', client: 'two', cells: [] }), ['timer grace:a 10000', 'mutate [a?]']);
});

/**
 * Two windows on one notebook, each with a document of its own; `text` is what the session holds of
 * a cell.
 */
function twoWindows(cells: Readonly<Record<string, string>>) {
  const s = new Stage();
  s.ready();
  const own: Record<'one' | 'two', Record<string, string>> = { one: { ...cells }, two: { ...cells } };
  const sync = (client: 'one' | 'two') => s.event({ kind: 'sync', client, cells: texts(own[client]) });
  let request = 1000;
  sync('one');
  for (const id of Object.keys(cells)) s.runs(id);
  sync('two');
  return {
    s,
    text: (id: string) => s.state.document.find((cell) => cell.id === id)?.text,
    write: (client: 'one' | 'two', id: string, text: string) => {
      own[client][id] = text;
      return sync(client);
    },
    drop: (client: 'one' | 'two', id: string) => {
      delete own[client][id];
      s.event({ kind: 'delete', client, cell: id });
      return sync(client);
    },
    run: (client: 'one' | 'two', ...ids: string[]) => s.event({ kind: 'run', client, request: ++request, cells: ids }),
    own,
  };
}

test('what one window has not saved is not undone by typing in another one', () => {
  const { write, text } = twoWindows({ a: 'x = ', b: 'y = ' });
  write('one', 'a', 'x = #unsaved');
  write('two', 'b', 'y = #typed');
  assert.deepEqual([text('a'), text('b')], ['x = #unsaved', 'y = #typed']);
  write('one', 'b', 'y = #later');
  write('two', 'a', 'x = #later');
  assert.deepEqual([text('a'), text('b')], ['x = #later', 'y = #later'], 'of two edits the later one stands');
});

test('a window that opens the saved file does not take back what another one has not saved', () => {
  const { s, write, text } = twoWindows({ a: 'x = ' });
  write('one', 'a', 'x = #unsaved');
  s.event({ kind: 'sync', client: 'three', cells: texts({ a: 'x = ' }) });
  assert.equal(text('a'), 'x = #unsaved');
  s.event({ kind: 'client-left', client: 'one' });
  s.event({ kind: 'client-left', client: 'two' });
  s.event({ kind: 'sync', client: 'four', cells: texts({ a: 'x = #saved' }) });
  assert.equal(text('a'), 'x = #saved', 'nobody has the other text any more');
});

test('a run takes the texts of the window that asks for it', () => {
  const { s, write, run } = twoWindows({ a: 'x = ' });
  write('one', 'a', 'x = #one');
  run('two', 'a');
  s.compiled('a');
  s.evaluated('a');
  s.mutated();
  assert.equal(s.state.cells.get('a')?.active?.text, 'x = ');
  run('one', 'a');
  s.compiled('a');
  s.evaluated('a');
  s.mutated();
  assert.equal(s.state.cells.get('a')?.active?.text, 'x = #one');
});

test('a cell that one window deletes comes back when another one writes in it or runs it, not when it types elsewhere', () => {
  for (const back of ['write', 'run'] as const) {
    const { s, write, drop, run, text } = twoWindows({ a: 'x$ = ', b: 'y = ' });
    drop('two', 'a');
    write('one', 'b', 'y = #typed');
    assert.deepEqual([text('a'), s.state.cells.get('a')?.deleted], [undefined, true]);
    s.mutated();
    s.said();
    if (back === 'write') write('one', 'a', 'x$ = #again');
    else run('one', 'a');
    assert.equal(text('a'), back === 'write' ? 'x$ = #again' : 'x$ = ');
    assert.equal(s.state.cells.get('a')?.deleted, false);
  }
});

test('whatever two windows write, the session holds the last edit of each cell', () => {
  const edit = fc.record({
    client: fc.constantFrom('one' as const, 'two' as const),
    id: fc.constantFrom('a', 'b', 'c'),
    n: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 20 }), (edits) => {
      const last: Record<string, string> = { a: 'a = ', b: 'b = ', c: 'c = ' };
      const windows = twoWindows(last);
      for (const { client, id, n } of edits) {
        const text = `${id} = #${n}`;
        if (windows.own[client][id] !== text) last[id] = text;
        windows.write(client, id, text);
        for (const [cell, wanted] of Object.entries(last)) assert.equal(windows.text(cell), wanted);
      }
    }),
  );
});
