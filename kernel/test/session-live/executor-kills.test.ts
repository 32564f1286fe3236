// A job whose executor is killed at random, again and again, while the kernel lives: its rows are
// those of a job without kills, each once.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { killSeed, restartCell, shownCells, sourceCell } from '../cli/killed-job.ts';
import { LiveSession } from './live-session.ts';
import { seeded } from './seeded.ts';

const records = 6_000;
const ids = Object.keys(shownCells);

async function started(isPaced: boolean): Promise<LiveSession> {
  const session = new LiveSession({ lossless: true });
  session.edit('source', sourceCell(records, { isPaced }));
  session.edit('restart', restartCell);
  for (const [id, text] of Object.entries(shownCells)) session.edit(id, text);
  await session.ran('source', 'restart', ...ids);
  return session;
}
/** The rows of each cell when all have ended, in any order. */
async function rowsAtEnd(session: LiveSession): Promise<ReadonlyMap<string, readonly string[]>> {
  for (const id of ids)
    await session.until(
      () => session.phase(id),
      (phase) => phase === 'finished',
      `the end of ${id}`,
    );
  return new Map(
    ids.map((id) => [
      id,
      session
        .everyRow(id)
        .map((row) => JSON.stringify(row))
        .toSorted(),
    ]),
  );
}

test('a job whose executor is killed at random has the rows of a job without kills', { timeout: 300_000 }, async () => {
  const seed = killSeed();
  const kills = Number(process.env['SLUICE_KILLS'] ?? 6);
  const { next: random } = seeded(seed);
  await using undisturbed = await started(false);
  const expected = await rowsAtEnd(undisturbed);
  for (const id of ids) assert.ok(expected.get(id)!.length > 50, `${id} has rows`);
  await using session = await started(true);
  const at = Array.from({ length: kills }, () => Math.floor(random() * 0.7 * records)).toSorted((a, b) => a - b);
  for (const rows of at) {
    await session.until(
      () => session.everyRow('rolling').length,
      (count) => count >= rows,
      `${rows} rows`,
    );
    // What had ended by itself was not killed.
    assert.notEqual(session.phase('rolling'), 'finished');
    await session.crash();
  }
  const found = await rowsAtEnd(session);
  for (const id of ids)
    assert.deepEqual(found.get(id), expected.get(id), `${id}, with SLUICE_SEED=${seed} SLUICE_KILLS=${kills}`);
});
