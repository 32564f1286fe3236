// Trouble of sources in a pipe: a line when it begins, changes and ends, and none in between.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { CellState } from '../../protocol/messages.ts';
import { LiveTerminal } from '../../terminal/live-terminal.ts';

test('a pipe gets one line when trouble begins, changes and ends', () => {
  let written = '';
  const terminal = new LiveTerminal({ isTTY: false, rows: 24, columns: 80, write: (text) => (written += text) });
  const cell = (trouble?: string): CellState => ({
    ...{ id: 'orders', phase: 'live', edited: false, stale: [], notes: [], hasView: false, errors: [] },
    ...(trouble !== undefined && { trouble }),
  });
  const refused = '127.0.0.1:9092 refused the connection (since 10:00:31); trying again';
  const leaderless = 'orders[1] waits: the partition has no leader (since 10:00:31); trying again';
  for (const trouble of [undefined, refused, refused, leaderless, undefined, undefined])
    terminal.hear('state', { cells: [cell(trouble)], clients: 1, recordsPerSecond: 0 });
  const lines = written.trimEnd().split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('▲')),
    [`▲ orders  ${refused}`, `▲ orders  ${leaderless}`, '▲ orders  the trouble is over'],
  );
});
