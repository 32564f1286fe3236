// The figures of the line under a cell, on the served page.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { CellState } from '../../../kernel/protocol/messages.ts';
import { phaseFigures, phaseTitle } from '../../renderer/page/phase-line.ts';

test('the page shows the rejected records of a source, with the first reason', () => {
  const state: CellState = {
    ...{ id: 'orders', phase: 'live', edited: false, stale: [], notes: [], hasView: true, errors: [] },
    rejected: [{ text: '2 of 4 records of orders were rejected', first: 'orders[3]@7 is not JSON.' }],
  };
  assert.deepEqual(phaseFigures(state), ['2 of 4 records of orders were rejected: orders[3]@7 is not JSON.']);
  assert.deepEqual(phaseFigures({ ...state, rejected: [] }), []);
});

test('the page says what a sink cannot write, once', () => {
  const state: CellState = {
    ...{ id: 'out', phase: 'live', edited: false, stale: [], notes: [], hasView: false, errors: [] },
    trouble: 'orders[2] has no leader',
  };
  assert.deepEqual(phaseFigures(state), ['orders[2] has no leader']);
  assert.deepEqual(phaseFigures({ ...state, reason: 'orders[2] has no leader' }), ['orders[2] has no leader']);
});

test('the page shows the lag of a cell while it lives', () => {
  const state: CellState = {
    ...{ id: 'orders', phase: 'live', edited: false, stale: [], notes: [], hasView: true, errors: [] },
    lag: 'lag 10.9 k (4 min 36 s)',
  };
  assert.deepEqual(phaseFigures(state), ['lag 10.9 k (4 min 36 s)']);
  assert.deepEqual(phaseFigures({ ...state, phase: 'failed' }), []);
});

test('the title of a line has the whole reason, and the last checkpoint of a cell that keeps something', () => {
  const now = 1_000_000_000;
  const last = { id: 7, takenAt: now - 14_000, bytes: 3_100_000, millis: 40 };
  const session = { cells: [], clients: 1, recordsPerSecond: 0, checkpoints: { completed: 7, failed: 2, last } };
  const state: CellState = {
    ...{ id: 'totals', phase: 'live', edited: false, stale: [], notes: [], hasView: true, errors: [] },
    reason: 'no window has closed',
    isKept: true,
  };
  assert.deepEqual(phaseTitle('live · totals', state, session, now).split('\n'), [
    'live · totals',
    'no window has closed',
    'checkpoint 14 s ago · 3.1 MB',
    'The last checkpoint of the notebook has the state of this cell.',
    'Whole notebook: 3.1 MB, taken in 40 ms. 7 complete, 2 failed.',
  ]);
  const line = 'live · totals · no window has closed';
  assert.equal(phaseTitle(line, { ...state, isKept: false }, session, now), line);
});
