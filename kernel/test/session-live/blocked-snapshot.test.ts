// An operator that never forwards a barrier blocks snapshots, and the session reports it. Snapshots
// go on when the operator is gone.
// An operator that only a pull reads blocks none.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const ticks = `import { count, generate } from 'sluice';
const ticks = generate({ rate: 100 }, ({ n }) => ({ n, all: 'all' }));`;
const counts = `const counts = ticks.keyBy('all').aggregate({ n: count() }); counts.show();`;

async function counting(): Promise<LiveSession> {
  const session = new LiveSession({ lossless: true, graceMillis: 500 });
  session.edit('ticks', ticks);
  session.edit('counts', counts);
  await session.ran('ticks', 'counts');
  return session;
}

/** After a whole snapshot a crash sets the count back to a time after its begin. */
async function assertSnapshotsGoOn(session: LiveSession): Promise<void> {
  const counted = session.everyRow('counts').length;
  const { asked } = session.control.session.recovery;
  await session.until(
    () => session.control.session.recovery,
    (recovery) => recovery.asked > asked + 1 || (recovery.asked > asked && !recovery.isAwaited),
    'a snapshot',
  );
  const before = session.everyRow('counts').length;
  await session.crash();
  const rows = await session.until(
    () => session.everyRow('counts') as readonly { n: number }[],
    ({ length }) => length > before + 100,
    'the count to go on',
  );
  assert.deepEqual(
    rows.map(({ n }) => n),
    rows.map((_, i) => i + 1),
    'no gap, no repeat',
  );
  const setBackTo = session.setBackTo('counts');
  assert.ok(setBackTo >= counted, `the crash took the count back to ${setBackTo}, before ${counted}`);
}

test('a blocked snapshot names its operator, and snapshots go on when the operator is removed', timeout, async () => {
  await using session = await counting();
  session.edit('endless', `ticks.take(1).flatMap(function* () { for (;;) yield 1; }).show();`);
  await session.ran('endless');
  const warning = await session.until(
    () => session.control.view().warning,
    (said) => said !== undefined,
    'the warning',
  );
  const expected = /^no snapshot for \d+ s: it waits for (flatMap|table).* of endless\./;
  assert.match(warning!, expected);
  const notes = session.state('endless')?.notes ?? [];
  assert.equal(notes.length, 1);
  assert.match(notes[0]!, expected);
  session.delete('endless');
  await session.until(
    () => session.control.view().warning,
    (said) => said === undefined,
    'the end of the warning',
  );
  await assertSnapshotsGoOn(session);
});

test('a pull whose reader never comes back holds no snapshot back', timeout, async () => {
  await using session = await counting();
  session.edit('reader', `for await (const row of ticks.map((tick) => tick.n)) await new Promise(() => {});`);
  void session.run('reader');
  await session.until(
    () => session.phase('reader'),
    (phase) => phase === 'pulling',
    'the pull',
  );
  await new Promise((resolve) => setTimeout(resolve, 6000));
  assert.equal(session.control.view().warning, undefined);
  await assertSnapshotsGoOn(session);
});
