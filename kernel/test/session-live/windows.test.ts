// Windows with triggers in a running notebook. Their contents survive a changed function.
// A count window of a late cell is not marked partial. A window without output shows the reason.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromWire } from '../../protocol/values.ts';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
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
  );
  session.edit('totals', everyNth(35));
  await session.ran('totals');
  const after = await session.until(
    () => counts(session, 'totals').filter((n) => n % 35 === 0 && n % 10 !== 0),
    (seen) => seen.length > 0,
    'a firing of the new trigger',
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
  );
});

test('a window is shown while it is open, and its row comes when it closes', timeout, async () => {
  await using session = new LiveSession();
  session.edit('clicks', clicks.replace("'sluice'", "'sluice';\nimport { tumbling, max } from 'sluice'"));
  session.edit(
    'totals',
    `clicks.keyBy('user').window(tumbling('3s')).aggregate({ n: count() }).chart({ mark: 'bar', x: 'windowStart', y: 'n', color: 'user' });`,
  );
  session.edit('slow', `clicks.windowAll(tumbling('365d')).aggregate({ n: count(), last: max('n') }).show();`);
  await session.ran('clicks', 'totals', 'slow');
  const chart = () => session.parts('totals').find((part) => part.kind === 'chart');
  const open = await session.until(
    () => chart(),
    (part) => part !== undefined && (part.open?.length ?? 0) > 0,
    'open windows',
  );
  assert.ok(open!.open!.every((row) => row.open === true));
  await session.until(
    () => JSON.stringify(chart()?.caption.pieces),
    (caption) => /the next open window closes in (?:< 1|≈ [123]) s/.test(caption),
    'when it closes',
  );
  const closed = await session.until(chart, (part) => part!.rows.length > 2, 'a closed window');
  assert.ok(closed!.rows.every((row) => row.open === undefined));
  const table = () => session.parts('slow').find((part) => part.kind === 'table');
  const countOf = () => (fromWire(table()?.open?.[0]?.value) as { n: number } | undefined)?.n ?? 0;
  const before = countOf();
  assert.ok(before > 0);
  await session.until(countOf, (n) => n > before, 'the open window goes on');
  assert.equal(table()!.rows.length, 0);
  assert.equal(session.total('slow'), 0, 'rows of open windows are not counted');
});

test('more rows of open windows than are drawn: the caption says so', timeout, async () => {
  await using session = new LiveSession();
  session.edit(
    'clicks',
    clicks.replace("'sluice'", "'sluice';\nimport { tumbling } from 'sluice'").replace('200', '5000'),
  );
  session.edit('each', `clicks.keyBy(({ n }) => n % 1000).window(tumbling('365d')).aggregate({ n: count() }).show();`);
  await session.ran('clicks', 'each');
  const table = () => session.parts('each').find((part) => part.kind === 'table');
  await session.until(
    () => JSON.stringify(table()?.caption.pieces),
    (caption) => /showing the first \d+ of the rows of open windows/.test(caption),
    'what is not shown',
  );
  assert.ok((table()?.open?.length ?? 0) <= 200);
});

test('open windows are shown behind functions without an effect, and behind no others', timeout, async () => {
  await using session = new LiveSession();
  session.edit(
    'clicks',
    `${clicks.replace("'sluice'", "'sluice';\nimport { tumbling } from 'sluice'")}
const totals = clicks.keyBy('user').window(tumbling('365d')).aggregate({ n: count() });`,
  );
  session.edit(
    'tidy',
    `const half = 2;
totals.filter(({ user }) => user === 'ann').map(({ user, n }) => ({ user, half: n / half })).show();`,
  );
  session.edit('throws', `totals.map(({ user, n }) => ({ user, n: n.none.toFixed() })).show();`);
  session.edit('counts', `let calls = 0;\ntotals.map((row) => ({ ...row, calls: ++calls })).show();`);
  session.edit('plain', `totals.show();`);
  await session.ran('clicks', 'tidy', 'throws', 'counts', 'plain');
  const open = (id: string) =>
    session
      .parts(id)
      .flatMap((part) => (part.kind === 'table' ? (part.open ?? []) : []))
      .map(({ value }) => fromWire(value) as Record<string, unknown>);
  const [row, ...others] = await session.until(
    () => open('tidy'),
    (rows) => rows.length > 0 && Number(rows[0]!['half']) > 20,
    'an open window behind filter and map',
  );
  assert.deepEqual([Object.keys(row!), row!['user'], others.length], [['user', 'half'], 'ann', 0]);
  await session.until(
    () => open('plain'),
    (rows) => rows.length > 0,
    'open windows without a function',
  );
  for (const id of ['throws', 'counts']) {
    assert.deepEqual(open(id), [], id);
    assert.ok(
      session.parts(id).every(({ kind }) => kind === 'table'),
      'an error of a row that does not exist yet is none',
    );
  }
});
