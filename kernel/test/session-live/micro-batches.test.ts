// configure() switches a running session to micro-batches and back. No record is lost or doubled,
// and the batches can be shown.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

interface Batch {
  readonly source: string;
  readonly records: number;
  readonly time: Date;
}

test('a session turns to micro-batches and back while it runs', async () => {
  await using session = new LiveSession({ lossless: true });
  session.edit(
    'ticks',
    `import { generate } from 'sluice';\nconst ticks = generate({ rate: 500 }, ({ n }) => ({ n }));\nticks.show();`,
  );
  await session.ran('ticks');
  const ticks = (): number => session.everyRow('ticks').length;
  await session.until(ticks, (seen) => seen > 100, 'ticks of the continuous session');

  session.edit(
    'mode',
    `import { configure, microBatches } from 'sluice';\nconfigure({ mode: { microBatch: '200ms' } });\nmicroBatches().chart({ x: 'time', y: 'records', color: 'source' });`,
  );
  await session.ran('mode');
  const batches = (): Batch[] => session.everyRow('mode') as Batch[];
  // 200 ms at 500 records a second; a busy machine moves some to the next batch.
  const isFull = ({ records }: Batch): boolean => records >= 50;
  const full = await session.until(batches, (seen) => seen.length >= 5 && seen.slice(1).some(isFull), 'full batches');
  for (const { source } of full) assert.equal(source, 'generate');

  const before = ticks();
  session.edit('mode', `import { configure } from 'sluice';\nconfigure({ mode: 'continuous' });`);
  await session.ran('mode');
  await session.until(ticks, (seen) => seen > before + 200, 'ticks after the batches');
  const numbers = session.everyRow('ticks').map((row) => (row as { n: number }).n);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  );
});
