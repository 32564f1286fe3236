// Rows of 50 MB: a display keeps the bytes of its limit, in the executor, in the session and in
// what a client gets. The cell and the other cells go on.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { keptBytes } from '../../protocol/kept-rows.ts';
import type { RowFrame } from '../../server/observer.ts';
import { LiveSession } from './live-session.ts';

test('eleven values of 50 MB keep less than the limit of a display', { timeout: 300_000 }, async () => {
  await using session = new LiveSession();
  const frames: RowFrame[] = [];
  const rows = session.control.views.rows.bind(session.control.views);
  session.control.views.rows = (frame) => {
    frames.push(frame);
    rows(frame);
  };
  session.edit(
    'large',
    `import { from } from 'sluice';
const large = from(Array.from({ length: 11 }, (_, n) => n)).map((n) => ({ n, text: 'x'.repeat(50_000_000), list: new Array(100_000).fill('y'.repeat(500)) }));
large.show();`,
  );
  session.edit('count', 'large.map(({ n, text }) => n + text.length).show();');
  await session.ran('large', 'count');
  await session.finished();
  assert.equal(session.total('large'), 11);
  assert.equal(session.rows('count').length, 11);
  const sent = JSON.stringify(frames.filter(({ display }) => display === 'large/0')).length;
  const kept = JSON.stringify(session.parts('large')).length;
  assert.ok(sent < keptBytes, `${sent} bytes were sent to the session`);
  assert.ok(kept < keptBytes, `${kept} bytes are kept for clients`);
  const [first] = session.rows('large') as { text: string }[];
  assert.match(first!.text, /^x{10000}… \(50,000,000 characters\)$/);
});
