// Windows with triggers in a running notebook. Their contents survive a changed function.
// A count window of a late cell is not marked partial. A window without output shows the reason.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromWire } from '../../protocol/values.ts';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 60_000 };
const clicks = `import { count, countWindow, generate, globalWindow, session, trigger } from 'sluice';
const clicks = generate({ rate: 200, timestamp: 'at', watermark: { outOfOrderness: '100ms' } }, ({ n, now }) => ({ n, user: n % 2 === 0 ? 'ann' : 'bob', at: now }));`;
const everyNth = (n: number) => `const every = trigger.custom<{ n: number }>({
  onElement(_click, _at, { state }) {
    const seen = ((state.get('seen') as number | undefined) ?? 0) + 1;
    state.set('seen', seen);
    return seen % ${n} === 0 ? 'fire' : 'continue';
  },
});
const totals = clicks.keyBy('user').window(globalWindow()).trigger(every).aggregate({ n: count() });
totals.show();`;
const counts = (session: LiveSession, id: string): number[] => (session.rows(id) as { n: number }[]).map(({ n }) => n);

test('another text of a trigger takes over the windows and what the trigger remembers', timeout, async () => {
  await using session = new LiveSession();
  session.edit('clicks', clicks);
  session.edit('totals', everyNth(10));
  await session.ran('clicks', 'totals');
  await session.until(
    () => counts(session, 'totals'),
    (seen) => seen.some((n) => n >= 100),
    'a hundred clicks',
    15_000,
  );
  session.edit('totals', everyNth(35));
  await session.ran('totals');
  const after = await session.until(
    () => counts(session, 'totals').filter((n) => n % 35 === 0 && n % 10 !== 0),
    (seen) => seen.length > 0,
    'a firing of the new trigger',
    15_000,
  );
  assert.ok(after[0]! >= 100, `it went on from what it had: ${after[0]}`);
});

test('a count window of a late cell is as whole as any other', timeout, async () => {
  await using session = new LiveSession();
  session.edit('clicks', clicks);
  session.edit('first', 'clicks.show();');
  await session.ran('clicks', 'first');
  await session.until(
    () => session.total('first'),
    (total) => total > 10,
    'clicks',
  );
  session.edit('counts', `clicks.keyBy('user').window(countWindow(20)).aggregate({ n: count() }).show();`);
  await session.ran('counts');
  const rows = await session.until(
    () => session.parts('counts').flatMap((part) => (part.kind === 'table' ? part.rows : [])),
    (seen) => seen.length >= 4,
    'four windows',
    15_000,
  );
  for (const row of rows) {
    assert.equal((fromWire(row.value) as { n: number }).n, 20);
    assert.notEqual(row.partial, true);
  }
});

test('a global window that no trigger fires has a note under its cell', timeout, async () => {
  await using session = new LiveSession();
  session.edit('clicks', clicks);
  session.edit('silent', `clicks.keyBy('user').window(globalWindow()).aggregate({ n: count() }).show();`);
  await session.ran('clicks', 'silent');
  await session.until(
    () => JSON.stringify([session.parts('silent'), session.state('silent')]),
    (seen) => seen.includes('has a global window without a trigger'),
    'the reason',
    15_000,
  );
});
