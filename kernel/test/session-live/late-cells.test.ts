// A late cell. Over a live source it gets rows from now on, with its first incomplete window
// marked.
// Over a source that can be read again it starts at the beginning. Also tests how many rows a
// display keeps.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { WireRow } from '../../protocol/displays.ts';
import { fromWire } from '../../protocol/values.ts';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const live = `import { count, generate, sliding, tumbling } from 'sluice';
const clicks = generate({ rate: 100, timestamp: 'at', watermark: { outOfOrderness: '100ms' } }, ({ n, now }) => ({ n, at: now }));`;
const windows = (name: string, assigner = "tumbling('1s')") =>
  `const ${name} = clicks.windowAll(${assigner}).aggregate({ n: count() }); ${name}.show();`;

interface Counted {
  readonly n: number;
  readonly start: number;
  readonly partial: boolean;
}
function countedRows(session: LiveSession, id: string): Counted[] {
  const part = session.parts(id).find((one) => one.kind === 'table');
  const rows: readonly WireRow[] = part?.rows ?? [];
  return [...rows]
    .sort((a, b) => a.n - b.n)
    .map((row) => {
      const { n, windowStart } = fromWire(row.value) as { n: number; windowStart: Date };
      return { n, start: windowStart.getTime(), partial: row.partial === true };
    });
}
const someRows = (session: LiveSession, id: string, least: number): Promise<Counted[]> =>
  session.until(
    () => countedRows(session, id),
    (rows) => rows.length >= least,
    `${least} windows of ${id}`,
  );

test('a late cell marks its first window partial, a cell that was there from the start none', timeout, async () => {
  await using session = new LiveSession();
  session.edit('clicks', live);
  session.edit('first', windows('first'));
  session.edit('late', windows('late'));
  await session.ran('clicks', 'first');
  await someRows(session, 'first', 1);
  // In the middle of a window.
  await new Promise((resolve) => setTimeout(resolve, 400));
  await session.ran('late');
  const late = await someRows(session, 'late', 3);
  assert.deepEqual(
    late.map(({ partial }) => partial),
    late.map((_, index) => index === 0),
    JSON.stringify(late),
  );
  assert.ok(late[0]!.n < 100, `it has seen a part: ${late[0]!.n}`);
  assert.deepEqual(
    late.slice(1).map(({ n }) => n),
    late.slice(1).map(() => 100),
  );
  const first = countedRows(session, 'first');
  assert.deepEqual(
    first.map(({ partial }) => partial),
    first.map(() => false),
  );
  const whole = new Map(first.map(({ start, n }) => [start, n]));
  assert.ok((whole.get(late[0]!.start) ?? 0) > late[0]!.n, 'the first cell has seen all of that window');
});

test('every sliding window that was open when its cell came is partial', timeout, async () => {
  await using session = new LiveSession();
  session.edit('clicks', live);
  session.edit('first', windows('first', "sliding('1s', '500ms')"));
  session.edit('late', windows('late', "sliding('1s', '500ms')"));
  await session.ran('clicks', 'first');
  await someRows(session, 'first', 2);
  await session.ran('late');
  const late = await someRows(session, 'late', 6);
  const first = new Map((await someRows(session, 'first', 8)).map(({ start, n }) => [start, n]));
  for (const { start, n, partial } of late.slice(0, 5))
    assert.equal(partial, n < (first.get(start) ?? NaN), `${n} of ${first.get(start)} in ${JSON.stringify(late)}`);
  assert.ok(late[0]!.partial);
});

test('what is hung later below a running window shows whole windows', timeout, async () => {
  await using session = new LiveSession();
  session.edit('clicks', live);
  session.edit('counts', windows('counts'));
  session.edit('below', 'const below = counts.map((c) => ({ ...c })).filter((c) => c.n > 0); below.show();');
  await session.ran('clicks', 'counts');
  await someRows(session, 'counts', 1);
  await session.ran('below');
  const rows = await someRows(session, 'below', 2);
  assert.deepEqual(
    rows.map(({ n, partial }) => [n, partial]),
    rows.map(() => [100, false]),
  );
});

test('an edit that keeps what was counted makes no window partial', timeout, async () => {
  await using session = new LiveSession();
  session.edit('clicks', live);
  session.edit('counts', windows('counts'));
  await session.ran('clicks', 'counts');
  await someRows(session, 'counts', 2);
  session.edit('counts', windows('counts').replace('clicks.', 'clicks.filter((c) => c.n >= 0).'));
  await session.ran('counts');
  const rows = await someRows(session, 'counts', 5);
  assert.deepEqual(
    rows.map(({ partial }) => partial),
    rows.map(() => false),
  );
  assert.deepEqual(
    rows.slice(1).map(({ n }) => n),
    rows.slice(1).map(() => 100),
  );
});

const records = Array.from({ length: 400 }, (_, n) => ({ n, at: 1_700_000_000_000 + n * 100 }));
const files = { 'data.jsonl': records.map((record) => JSON.stringify(record)).join('\n') };
const source = `import { count, file, tumbling } from 'sluice';
const events = file<{ n: number; at: number }>('data.jsonl', { timestamp: 'at' });
events.show();`;

test('a new reader of a file that has been read sees all of its rows, and whole windows', timeout, async () => {
  await using session = new LiveSession({ files });
  session.edit('events', source);
  await session.ran('events');
  await session.finished();
  session.edit('odd', 'const odd = events.filter((e) => e.n % 2 === 1); odd.show();');
  session.edit('tens', "const tens = odd.windowAll(tumbling('10s')).aggregate({ n: count() }); tens.show();");
  await session.ran('odd', 'tens');
  await session.finished();
  assert.equal(session.total('odd'), 200);
  assert.deepEqual(
    countedRows(session, 'tens').map(({ n, partial }) => ({ n, partial })),
    [50, 50, 50, 50].map((n) => ({ n, partial: false })),
  );
  assert.equal(session.total('events'), 400, 'the first reader sees nothing twice');
});

test(
  'a table keeps the last hundred rows or as many as it is told, a chart two thousand points; both know of all',
  timeout,
  async () => {
    const many = Array.from({ length: 5000 }, (_, n) => JSON.stringify({ n, at: 1_700_000_000_000 + n }));
    await using session = new LiveSession({ files: { 'data.jsonl': many.join('\n') } });
    session.edit('events', source);
    session.edit('few', 'events.map((e) => ({ ...e })).show({ rows: 7 });');
    session.edit('chart', "events.map((e) => ({ ...e })).chart({ x: 'at', y: 'n', last: 10_000 });");
    await session.ran('events', 'few', 'chart');
    await session.finished();
    const numbers = (id: string): number[] => (session.rows(id) as { n: number }[]).map(({ n }) => n);
    assert.deepEqual(
      numbers('events'),
      Array.from({ length: 100 }, (_, i) => 4900 + i),
    );
    assert.deepEqual(numbers('few'), [4993, 4994, 4995, 4996, 4997, 4998, 4999]);
    assert.ok(numbers('chart').length <= 2000 && numbers('chart').length > 100, String(numbers('chart').length));
    for (const id of ['events', 'few', 'chart']) {
      assert.equal(session.total(id), 5000);
      assert.deepEqual(
        numbers(id),
        numbers(id).toSorted((a, b) => a - b),
      );
    }
  },
);
