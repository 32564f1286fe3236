// The first sample's windows over its file, which has records that are days late. Counts and late
// rows are the same at any pace, for a late reader, and through delete and undo.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = 300_000;
const lines = readFileSync(join(import.meta.dirname, '../../../samples/data/earthquakes.jsonl'), 'utf8');
const hour = 3_600_000;

interface Count {
  readonly windowStart: Date;
  readonly quakes: number;
}
/**
 * By the rules: the watermark is twelve hours and 1 ms behind the newest record before each one.
 */
function expected(): { readonly counts: readonly (readonly [number, number])[]; readonly late: readonly string[] } {
  const counts = new Map<number, number>();
  const late: string[] = [];
  let watermark = -Infinity;
  for (const line of lines.trim().split('\n')) {
    const { time } = JSON.parse(line) as { readonly time: string };
    const at = Date.parse(time);
    const start = Math.floor(at / (6 * hour)) * 6 * hour;
    if (start + 6 * hour - 1 <= watermark) late.push(time);
    else counts.set(start, (counts.get(start) ?? 0) + 1);
    watermark = Math.max(watermark, at - 12 * hour - 1);
  }
  return { counts: [...counts].sort(([a], [b]) => a - b), late };
}

const cells = (speed: string) => ({
  quakes: `import { count, file, tumbling } from 'sluice';
const quakes = file<{ time: string }>('quakes.jsonl', { timestamp: 'time', watermark: { outOfOrderness: '12h' }${speed} });
quakes.show();`,
  counts: `const counts = quakes.windowAll(tumbling('6h')).aggregate({ quakes: count() });\ncounts.show();`,
  late: 'counts.late.show();',
});
const paced = cells(', speed: 150_000');

function assertRows(session: LiveSession, counts: string, late: string, when: string): void {
  const rows = session.everyRow(counts) as readonly Count[];
  const lateRows = session.everyRow(late) as readonly { readonly time: string }[];
  const seen = {
    counts: rows.map((row) => [row.windowStart.getTime(), row.quakes]),
    late: lateRows.map(({ time }) => time),
  };
  assert.deepEqual(seen, expected(), when);
}
async function begun(): Promise<LiveSession> {
  const session = new LiveSession({ files: { 'quakes.jsonl': lines }, graceMillis: 20_000, lossless: true });
  for (const [id, text] of Object.entries(paced)) {
    session.edit(id, text);
    await session.ran(id);
  }
  return session;
}
async function inTheMiddle(session: LiveSession): Promise<void> {
  await session.until(
    () => session.everyRow('counts').length,
    (rows) => rows >= 5,
    'five windows',
  );
}

test('a replay, a late reader and a re-run at full speed find the same records late', { timeout }, async () => {
  assert.ok(expected().late.length > 5, 'the file has late records');
  await using session = await begun();
  await inTheMiddle(session);
  session.edit('counts2', paced.counts.replaceAll('counts', 'counts2'));
  session.edit('late2', 'counts2.late.show();');
  await session.ran('counts2', 'late2');
  await session.finished();
  assertRows(session, 'counts', 'late', 'replayed by event time');
  assertRows(session, 'counts2', 'late2', 'a late reader');
  session.edit('quakes', cells('').quakes);
  await session.ran('quakes');
  await session.finished();
  assertRows(session, 'counts', 'late', 'read again at full speed');
});

for (const deleted of ['quakes', 'counts'] as const)
  test(`the cell "${deleted}" is deleted and comes back: counts and late rows are the same`, { timeout }, async () => {
    await using session = await begun();
    await inTheMiddle(session);
    const before = session.control.session.plan.nodes.map(({ id }) => id).toSorted();
    session.delete(deleted);
    await session.until(
      () => session.control.session.plan.edges.some((edge) => edge.from === ''),
      (isCut) => isCut,
      'a lost input',
    );
    session.edit(deleted, paced[deleted]);
    await session.until(
      () => session.control.session.plan.edges.every((edge) => edge.from !== ''),
      (isBack) => isBack,
      'the input',
    );
    assert.deepEqual(session.control.session.plan.nodes.map(({ id }) => id).toSorted(), before, 'no new lane');
    await session.finished();
    assertRows(session, 'counts', 'late', 'behind delete and undo');
  });
