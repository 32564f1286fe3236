// The figures of the line under a cell, on the served page.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { CellState } from '../../../kernel/protocol/messages.ts';
import { phaseFigures } from '../../renderer/page/phase-line.ts';

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
