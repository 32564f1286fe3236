// A timer, a callback or a promise that a run left behind ends the executor: its cell is not
// evaluated again.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ran, restart } from './stage.ts';

const memory = { limitMegabytes: 2048, heldMegabytes: 2531, holder: 'hog' };

/** The executor ends by itself, and the cell is at work in a timer or a callback. */
const leftBehind = (cell: string) =>
  ({ kind: 'executor-ended', reason: 'exit', whereabouts: { cell, millis: 3100 } }) as const;

test('a cell whose timer needs too much memory is not evaluated again; the others come back', () => {
  const s = ran({ hog: 'x$ = ', b: 'y$ = ' });
  s.event({ ...leftBehind('hog'), memory });
  assert.deepEqual(s.ready(), ['evaluate b again']);
  assert.deepEqual(s.restored('b'), ['commit b', 'mutate [b] from the snapshot']);
  s.mutated();
  assert.equal(s.view('hog').phase, 'failed');
  assert.match(s.view('hog').errors[0]?.message ?? '', /^Cell "hog" needed more memory/);
  assert.notEqual(s.view('b').phase, 'failed');
});

test('a cell whose timer is at work at a third end of the executor stays out; a run of it counts anew', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = ' });
  for (let time = 1; time <= 2; time++) {
    for (let end = 1; end <= 2; end++) {
      s.event(leftBehind('a'));
      restart(s, 'a', 'b');
      assert.equal(s.view('a').phase, 'defined', `restored after end ${end}`);
    }
    if (time === 1) s.runs('a');
  }
  s.event(leftBehind('a'));
  assert.deepEqual(s.ready(), ['evaluate b again']);
  s.restored('b');
  s.mutated();
  assert.equal(s.state.executor, 'ready');
  assert.match(
    s.view('a').errors[0]?.message ?? '',
    /^A timer, a callback or a promise of cell "a" was at work each of 3 times that the executor ended: exit\.$/,
  );
});

test('an interrupt that ends a timer without end leaves its cell out at once', () => {
  const s = ran({ a: 'x$ = ', b: 'y$ = ' });
  s.event({ kind: 'interrupt' });
  s.event({ kind: 'timer', timer: 'interrupt' });
  s.event(leftBehind('a'));
  assert.deepEqual(s.ready(), ['evaluate b again']);
  assert.match(
    s.view('a').errors[0]?.message ?? '',
    /^A timer, a callback or a promise of cell "a" had not returned for 3\.1 s when it was interrupted\.$/,
  );
});

test('the timer of a restored cell that fills the memory while another is evaluated keeps only its own cell out', () => {
  const s = ran({ hog: 'x$ = ', b: 'y$ = ' });
  s.event({ ...leftBehind('b'), reason: 'exit' });
  s.ready();
  s.restored('hog');
  s.event({ ...leftBehind('hog'), memory });
  assert.deepEqual(s.ready(), ['evaluate b again']);
  s.restored('b');
  s.mutated();
  assert.match(s.view('hog').errors[0]?.message ?? '', /^Cell "hog" needed more memory/);
  assert.notEqual(s.view('b').phase, 'failed');
});
