// Late elements are counted whether or not somebody reads `late`, and a late reader of `late` says
// how many were late before it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const counts = `import { count, generate, tumbling } from 'sluice';
const ticks = generate({ rate: 200, timestamp: 'at' }, ({ n, now }) => ({ all: 'all', at: n % 5 === 4 ? now - 60_000 : now }));
const counts = ticks.keyBy('all').window(tumbling('1s')).aggregate({ n: count() });
counts.show();`;

test('late elements are counted before and after somebody reads them', { timeout: 300_000 }, async () => {
  await using session = new LiveSession();
  session.edit('counts', counts);
  await session.ran('counts');
  const late = (): number => session.state('counts')?.late ?? 0;
  await session.until(late, (n) => n > 20, 'late elements that nobody reads');
  session.edit('reader', 'counts.late.show();');
  await session.ran('reader');
  const table = await session.until(
    () => session.parts('reader').find((part) => part.kind === 'table'),
    (part) => part !== undefined && part.total > 20 && /late before/.test(JSON.stringify(part.caption)),
    'rows, and what was late before',
  );
  assert.equal(table!.caption.waiting, false, 'it waits for nothing');
  const known = Number(
    /([\d,]+) elements were late before/.exec(JSON.stringify(table!.caption))?.[1]?.replace(',', ''),
  );
  assert.ok(known > 20, `${known}`);
  await session.until(late, (n) => n >= known + table!.total, 'those that are read count, too');
  assert.ok((session.state('reader')!.late ?? 0) > known, 'the reader shows all that were late');
  const windows = session.operators().find(({ late: n }) => n > 0)!;
  assert.ok(windows.lateDropped < windows.late, 'what is read is not dropped');
});
