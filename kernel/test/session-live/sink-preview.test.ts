// A sink shows the rows that it would write, says before it is armed what would keep it from
// writing, and counts what it has written when it is armed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, vi } from 'vitest';
import { LiveSession } from './live-session.ts';

const ticks = `import { generate } from 'sluice';
const ticks = generate({ rate: 100 }, ({ n }) => ({ n, name: 'n' + n }));`;

test('a preview of a topic shows key and value, and the obstacle', { timeout: 300_000 }, async () => {
  vi.stubEnv('SLUICE_BROKERS', '');
  try {
    await using session = new LiveSession();
    session.edit('ticks', ticks);
    session.edit('sink', "ticks.to('alerts', { key: 'name' });");
    await session.ran('ticks', 'sink');
    const [row] = await session.until(
      () => session.rows('sink'),
      (rows) => rows.length > 0,
      'rows of the preview',
    );
    const { key, value } = row as { key: string; value: { n: number; name: string } };
    assert.equal(key, value.name);
    const table = session.parts('sink').find((part) => part.kind === 'table');
    assert.equal(table?.title, 'rows for topic alerts');
    const sink = await session.until(
      () => session.state('sink')?.sink,
      (state) => state?.obstacle !== undefined,
      'the obstacle',
    );
    assert.equal(sink!.armed, false);
    assert.equal(sink!.written, undefined);
    assert.match(sink!.obstacle!, /^There is no Kafka connection/);
    assert.equal(session.phase('sink'), 'live');
  } finally {
    vi.unstubAllEnvs();
  }
});

test('an armed sink says how many rows it has written, and when the last', { timeout: 300_000 }, async () => {
  await using session = new LiveSession();
  session.edit('ticks', ticks);
  session.edit('sink', "const written = ticks.toFile('ticks.jsonl');");
  await session.ran('ticks', 'sink');
  await session.until(
    () => session.rows('sink').length,
    (rows) => rows > 0,
    'rows of a sink that is no last expression',
  );
  session.control.dispatch({ kind: 'arm', cell: 'sink', armed: true });
  const sink = await session.until(
    () => session.state('sink')?.sink,
    (state) => (state?.written ?? 0) > 0,
    'written rows',
  );
  assert.match(sink!.acknowledged!, /^\d\d:\d\d:\d\d$/);
  const lines = readFileSync(join(session.folder, 'ticks.jsonl'), 'utf8').trim().split('\n').length;
  assert.ok(lines >= sink!.written!, 'what is counted is in the file');
  assert.ok(session.rows('sink').length > 0, 'the rows are shown as before');
});
