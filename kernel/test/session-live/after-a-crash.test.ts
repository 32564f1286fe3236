// The executor of a session ends; the next one goes on where the last snapshot stood.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const numbers = `import { count, generate } from 'sluice';
const numbers = generate({ rate: 200 }, ({ n }) => ({ n, k: 'a' }));`;

/** The session has taken a snapshot from now on. */
async function snapshotTaken(session: LiveSession): Promise<void> {
  const { asked } = session.control.session.recovery;
  await session.until(
    () => session.control.session.recovery,
    (recovery) => recovery.asked > asked + 1 && !recovery.isAwaited,
    'a snapshot',
  );
}

test('an operator that failed stays failed after a crash, until its cell is run', timeout, async () => {
  await using session = new LiveSession();
  session.edit('numbers', numbers);
  session.edit(
    'counts',
    `let seen = 0;
const checked = numbers.map((row) => { if (++seen === 60) throw new Error('poison'); return row; });
const counts = checked.keyBy('k').aggregate({ c: count() });
counts.show();`,
  );
  session.edit('below', `counts.map((row) => row.c).show();`);
  session.edit('others', `numbers.show();`);
  await session.ran('numbers', 'others', 'counts', 'below');
  await session.until(
    () => session.phase('counts'),
    (phase) => phase === 'failed',
    'the failure',
  );
  await snapshotTaken(session);
  const [row] = session.rows('counts').slice(-1);
  const below = session.rows('below').at(-1);
  await session.crash();
  const shown = session.total('others');
  await session.until(
    () => session.total('others'),
    (total) => total > shown + 100,
    'more rows of the others',
  );
  assert.deepEqual(session.rows('counts').at(-1), row, 'nothing was counted behind the failure');
  assert.equal(session.rows('below').at(-1), below, 'the reader in the other cell keeps what it held');
  assert.equal(session.phase('counts'), 'failed');
  assert.match(session.state('counts')?.errors[0]?.message ?? '', /poison/);
  session.edit('counts', `const counts = numbers.keyBy('k').aggregate({ c: count() });\ncounts.show();`);
  const shownBelow = session.total('below');
  await session.ran('counts');
  assert.notEqual(session.phase('counts'), 'failed');
  await session.until(
    () => session.total('below'),
    (total) => total > shownBelow + 50,
    'rows of the reader in the other cell, which is connected again',
  );
  assert.notEqual(session.phase('below'), 'failed');
});
