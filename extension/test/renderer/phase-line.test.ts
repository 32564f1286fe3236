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
