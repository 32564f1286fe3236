// Checkpoints and restarts in the terminal: lines in a pipe when something changes, and at the top
// of what a terminal draws.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { SessionView } from '../../protocol/messages.ts';
import { LiveTerminal } from '../../terminal/live-terminal.ts';

const view = (more: Partial<SessionView>): SessionView => ({ cells: [], clients: 1, recordsPerSecond: 0, ...more });
const problem = 'The disk of /state is full.';
const last = { id: 7, takenAt: Date.now() - 60_000, bytes: 3_100_000, millis: 40 };
const checkpoints = { completed: 7, failed: 0, last };
const failing = { ...checkpoints, failed: 1, problem };
const restarting = { startsAt: 0, attempt: 1, cell: 'orders', cause: 'It broke.' };

function written(isTTY: boolean, states: readonly Partial<SessionView>[], showsErrors = true): string {
  let text = '';
  const out = { isTTY, rows: 24, columns: 200, write: (more: string) => (text += more) };
  const terminal = new LiveTerminal(out, { showsErrors });
  for (const state of states) terminal.hear('state', view(state));
  terminal.end();
  return text;
}

test('a pipe gets a line when checkpoints begin to fail, when one is complete again, and for each restart', () => {
  const second = { ...restarting, attempt: 2 };
  const states = [{ checkpoints }, { checkpoints: failing }, { checkpoints: failing }, { checkpoints }];
  const restarts = [{ restarting }, { restarting }, {}, { restarting: second }];
  assert.equal(written(false, states), `▲ checkpoint failed: ${problem}\n▲ checkpoints are complete again\n`);
  assert.equal(
    written(false, restarts),
    '▲ restarting (attempt 1): orders: It broke.\n▲ restarting (attempt 2): orders: It broke.\n',
  );
  assert.equal(written(false, restarts, false), '', 'a caller that prints errors also prints restarts');
});

test('a terminal has the last checkpoint at its top, and what is wrong', () => {
  const text = written(true, [{ checkpoints: failing, restarting }]);
  assert.match(text, /checkpoint 1 min( \d+ s)? ago · 3\.1 MB in 40 ms · 1 failed/);
  assert.match(text, /▲ restarting \(attempt 1\): orders: It broke\./);
  assert.match(text, /▲ checkpoint failed: The disk of \/state is full\./);
});
