// A peek's panel without a browser: what a place means, the sentence about the rows, and the rows
// that are kept.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PeekNews } from '../../../kernel/protocol/browse.ts';
import { peekFrom } from '../../renderer/peek/peek-place.ts';
import { mostRows, PeekRows } from '../../renderer/peek/peek-rows.ts';
import { peekStatus } from '../../renderer/peek/peek-status.ts';

const news: PeekNews = {
  ...{
    peek: 'p',
    state: 'reading',
    rows: [],
    read: 100,
    matched: 0,
    skipped: 0,
    rate: 0,
    isAtEnd: true,
    format: 'JSON',
  },
};
const live = { from: { kind: 'newest' }, filter: '', shown: 100, dropped: 0 } as const;

test('a place is an offset, a time or a sentence about what is wrong', () => {
  const now = Date.parse('2026-01-31T12:00:00Z');
  assert.deepEqual(peekFrom('newest', 'anything', now), { kind: 'newest' });
  assert.deepEqual(peekFrom('offset', '1,200', now), { kind: 'offset', offset: 1200 });
  assert.deepEqual(peekFrom('offset', ' 3:1200 ', now), { kind: 'offset', partition: 3, offset: 1200 });
  assert.deepEqual(peekFrom('offset', '3@12', now), { kind: 'offset', partition: 3, offset: 12 });
  assert.match(peekFrom('offset', '-1', now) as string, /^Give an offset/);
  assert.match(peekFrom('offset', '99999999999999999999', now) as string, /^Give an offset/);
  assert.deepEqual(peekFrom('time', '15 min ago', now), { kind: 'time', time: now - 900_000 });
  assert.deepEqual(peekFrom('time', '2026-01-31T11:00:00Z', now), { kind: 'time', time: now - 3_600_000 });
  assert.deepEqual(peekFrom('time', String(now), now), { kind: 'time', time: now });
  assert.match(peekFrom('time', 'soon', now) as string, /^Give a time/);
});

test('the sentence says what is shown, and what to do for more', () => {
  const text = (change: Partial<PeekNews>, shown = {}): string =>
    peekStatus({ ...news, ...change }, { ...live, ...shown }).text;
  assert.equal(peekStatus(undefined, live).text, 'connecting');
  assert.equal(text({}), 'JSON · 100 records · live');
  assert.equal(text({ state: 'paused' }), 'JSON · 100 records · paused: continue to see more');
  assert.equal(
    text({ rate: 18_240, skipped: 4000 }),
    'JSON · 100 records · a sample: 4,000 more came too fast · 18.2 k/s · live',
  );
  const from = { kind: 'earliest' } as const;
  assert.equal(text({ state: 'full' }, { from, shown: 500 }), 'JSON · 500 records · continue for the next 500');
  assert.equal(
    text({ matched: 3 }, { from, filter: 'record.a' }),
    'JSON · 3 of 100 records match · at the end; waiting for new ones',
  );
  assert.match(text({ read: 0 }, { shown: 0 }), /no records here yet; waiting/);
  assert.equal(peekStatus({ ...news, state: 'failed', trouble: 'It is gone.' }, live).action, undefined);
  assert.equal(peekStatus({ ...news, trouble: 'b refused' }, live).isProblem, true);
});

test('the newest rows are kept, and the columns learn keys and problems when there are some', () => {
  const rows = new PeekRows();
  const row = (n: number, more = {}) => ({ n, t: n, partition: 0, offset: n, value: { id: `o-${n}` }, ...more });
  rows.add({ ...news, rows: [row(0)] }, 0);
  assert.deepEqual(
    rows.columns.columns.map(({ name }) => name),
    ['time', 'partition:offset', 'id'],
  );
  const changed = rows.add({ ...news, rows: [row(1, { key: 'k', problem: 'not JSON' })] }, 0);
  assert.deepEqual(
    [changed, rows.columns.columns.map(({ name }) => name)],
    [true, ['time', 'partition:offset', 'key', 'problem', 'id']],
  );
  rows.add({ ...news, rows: Array.from({ length: mostRows }, (_, i) => row(2 + i)) }, 0);
  assert.deepEqual([rows.rows.length, rows.dropped, rows.rows[0]!.peeked.n], [mostRows, 2, 2]);
});
