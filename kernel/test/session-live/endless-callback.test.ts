// Code that a cell left behind and that does not return: the session names the cell, an interrupt
// ends it, and the others come back without it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const ticks = `import { generate } from 'sluice';
const ticks = generate({ rate: 100 }, ({ n }) => ({ n }));
ticks.show();`;
/** The runs of the cells are over before it begins, on a busy machine too. */
const beginMillis = 2_000;
const endless: Readonly<Record<string, string>> = {
  'a timer': `setTimeout(() => { for (;;); }, ${beginMillis});`,
  'a promise that nobody awaits': `void (async () => { await new Promise((done) => setTimeout(done, ${beginMillis})); for (;;); })();`,
  'a loop of microtasks': `setTimeout(() => { const again = () => queueMicrotask(again); again(); }, ${beginMillis});`,
};

for (const [what, text] of Object.entries(endless))
  test(`${what} without end: the cell is named, and stays out after an interrupt`, { timeout: 300_000 }, async () => {
    await using session = new LiveSession();
    session.edit('ticks', ticks);
    session.edit('stuck', text);
    await session.ran('ticks', 'stuck');
    await session.stuckIn('stuck');
    session.control.dispatch({ kind: 'interrupt' });
    await session.until(
      () => session.phase('stuck'),
      (phase) => phase === 'failed',
      'the failure of the cell',
    );
    assert.match(
      session.state('stuck')?.errors[0]?.message ?? '',
      /^A timer, a callback or a promise of cell "stuck" had not returned for [\d.]+ s when it was interrupted\.$/,
    );
    await session.executorReady();
    const shown = session.total('ticks');
    await session.until(
      () => session.total('ticks'),
      (total) => total > shown + 50,
      'more rows of the other cell',
    );
  });
