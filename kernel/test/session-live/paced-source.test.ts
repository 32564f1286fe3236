// A late cell over a source with a pace. It sees the source from its start and catches up with the
// other cells at once.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const records = Array.from({ length: 2000 }, (_, n) => JSON.stringify({ n, at: n * 1000 })).join('\n');

for (const { title, source } of [
  { title: 'generate with a limit', source: `generate({ rate: 100, limit: 100_000 }, ({ n }) => ({ n }))` },
  {
    title: 'a file that is replayed',
    source: `file<{ n: number }>('ticks.jsonl', { timestamp: 'at', speed: 100 })`,
  },
])
  test(`a cell that comes late to ${title} catches up at once`, async () => {
    await using session = new LiveSession({ files: { 'ticks.jsonl': records }, lossless: true });
    session.edit('ticks', `import { file, generate } from 'sluice';\nconst ticks = ${source};\nticks.show();`);
    await session.ran('ticks');
    await session.until(
      () => session.everyRow('ticks').length,
      (seen) => seen >= 10,
      'ten ticks',
    );
    await new Promise((resolve) => setTimeout(resolve, 3000));
    session.edit('late', 'const late = ticks.map(({ n }) => n);\nlate.show();');
    await session.ran('late');
    await session.until(
      () => session.everyRow('late').length,
      (seen) => seen >= 1,
      'a row of the late cell',
    );
    // The late cell has the rows of the first one, except for rows between two frames. Without a
    // common start it would stay three seconds behind, which are 300 rows.
    const isLevel = (): boolean => session.everyRow('ticks').length - session.everyRow('late').length < 100;
    await session.until(isLevel, (level) => level, 'the late cell to be level');
    assert.equal(session.everyRow('late')[0], 0);
  });
