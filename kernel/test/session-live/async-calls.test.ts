// Cells with mapAsync beside a live source. No edit, no deletion and no crash of another cell loses
// a pending call.
// Pending calls block none of them.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const ticks = `import { generate } from 'sluice';
const ticks = generate({ rate: 200 }, ({ n }) => ({ n }));`;
/** Answers after a while. Every 50th call gets no answer. */
const hanging = `const asked = ticks.mapAsync(async ({ n }) => {
  if (n % 50 === 49) await new Promise(() => {});
  await new Promise((resolve) => setTimeout(resolve, 30));
  return { n, by: 1 };
}, { capacity: 20, timeout: '1h' });`;
const answering = `const asked = ticks.mapAsync(async ({ n }) => {
  await new Promise((resolve) => setTimeout(resolve, 30));
  return { n, by: 2 };
}, { capacity: 20, timeout: '1h' });`;
const shown = 'asked.map((row) => row).show();';

interface Row {
  readonly n: number;
  readonly by: number;
}
async function asking(text: string): Promise<LiveSession> {
  const session = new LiveSession({ lossless: true, graceMillis: 500 });
  session.edit('ticks', ticks);
  session.edit('asked', text);
  session.edit('shown', shown);
  await session.ran('ticks', 'asked', 'shown');
  return session;
}
const rowsOf = (session: LiveSession): readonly Row[] => session.everyRow('shown') as readonly Row[];
function assertConsecutive(rows: readonly Row[]): void {
  assert.deepEqual(
    rows.map(({ n }) => n),
    rows.map((_, i) => rows[0]!.n + i),
  );
}
const untilRows = (session: LiveSession, count: number): Promise<readonly Row[]> =>
  session.until(
    () => rowsOf(session),
    ({ length }) => length >= count,
    `${count} rows`,
  );

test('an edit takes over what has no answer yet, at once, though calls hang and no room is left', timeout, async () => {
  await using session = await asking(hanging);
  await untilRows(session, 49);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(rowsOf(session).length, 49, 'all wait for the one that hangs');
  // The call that hangs would hold the edit up for its timeout of an hour.
  session.edit('asked', answering);
  await session.ran('asked');
  const rows = await untilRows(session, 300);
  assertConsecutive(rows);
  assert.equal(rows[48]!.by, 1);
  assert.equal(rows[49]!.by, 2, 'the one that hung was called for again');
});

test('a crash calls again for what had no answer', timeout, async () => {
  await using session = await asking(answering);
  await untilRows(session, 100);
  await session.crash();
  const before = rowsOf(session).length;
  assertConsecutive(await untilRows(session, before + 200));
});

test('deleting the cell drops its answers, and the session goes on', timeout, async () => {
  await using session = await asking(answering.replace('30', '700'));
  session.edit('beside', 'ticks.show();');
  await session.ran('beside');
  await untilRows(session, 5);
  session.delete('shown');
  session.delete('asked');
  await session.until(
    () => session.operators().filter((one) => one.cell === 'asked' || one.cell === 'shown').length,
    (n) => n === 0,
    'the operators to be gone',
  );
  const rows = session.everyRow('beside').length;
  await session.until(
    () => session.everyRow('beside').length,
    (n) => n > rows + 200,
    'rows of the other cell',
  );
  assert.equal(session.state('beside')?.errors.length, 0);
});

test(
  'a call that fails shows the element, stops the operators that read from it, and a re-run resumes',
  timeout,
  async () => {
    await using session = await asking(
      `const asked = ticks.mapAsync(async ({ n }) => {\n  await null;\n  if (n % 100 === 99) throw new RangeError('one hundred');\n  return { n, by: 1 };\n});`,
    );
    const state = await session.until(
      () => session.state('asked'),
      (seen) => (seen?.errors.length ?? 0) > 0,
      'the error',
    );
    assert.match(state!.errors[0]!.message, /one hundred/);
    assert.equal(state!.errors[0]!.line, 3);
    session.edit('asked', answering);
    await session.ran('asked');
    await session.until(
      () => rowsOf(session).at(-1),
      (row) => row?.by === 2,
      'rows after the re-run',
    );
  },
);

test('interrupting a cell that awaits answers which never come ends its calls, and nothing else', timeout, async () => {
  await using session = await asking(answering);
  session.edit('pull', 'const first = await ticks.mapAsync(() => new Promise<number>(() => {})).take(1).toArray();');
  const running = session.run('pull');
  await untilRows(session, 100);
  session.control.dispatch({ kind: 'interrupt', cell: 'pull' });
  const [result] = await running;
  assert.equal(result!.error?.code, 'interrupted');
  await session.until(
    () => session.operators().filter((one) => one.cell === 'pull').length,
    (n) => n === 0,
    'its operators to be gone',
  );
  assertConsecutive(await untilRows(session, rowsOf(session).length + 100));
});
