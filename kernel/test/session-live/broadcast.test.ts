// Broadcast state in a live session: rules of one cell, elements of another. A changed function
// keeps the rules.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const ticks = `import { generate, mapState } from 'sluice';
const ticks = generate({ rate: 200 }, ({ n }) => ({ n, user: 'u' + (n % 4) }));
const rules = generate({ rate: 20 }, ({ n }) => ({ n, name: 'r' + n })).filter((rule) => rule.n < 3).broadcast();`;
const judged = (by: number): string => `const judged = ticks.keyBy('user').connect(rules).process({
  broadcast: { names: mapState() },
  *onElement(tick, { broadcast }) { yield { n: tick.n, rules: [...broadcast.names].length, by: ${by} }; },
  onBroadcast(rule, { broadcast }) { broadcast.names.set(rule.name, rule.n); },
});
judged.show();`;
interface Row {
  readonly n: number;
  readonly rules: number;
  readonly by: number;
}

test('a broadcast stream of another cell, and an edit that keeps the rules', { timeout: 300_000 }, async () => {
  await using session = new LiveSession({ lossless: true });
  session.edit('ticks', ticks);
  session.edit('judged', judged(1));
  await session.ran('ticks', 'judged');
  const rows = (): readonly Row[] => session.everyRow('judged') as readonly Row[];
  await session.until(
    () => rows().at(-1),
    (row) => row?.rules === 3,
    'all rules',
  );
  session.edit('judged', judged(2));
  await session.ran('judged');
  const after = await session.until(rows, (seen) => seen.length > 50 && seen.at(-1)!.by === 2, 'rows after the edit');
  assert.ok(
    after.filter(({ by }) => by === 2).every(({ rules }) => rules === 3),
    'the rules went over to the new text',
  );
});
