// A session with a sink that writes at least once is killed again and again, and resumed each time:
// its sink gets every row, and rows come again only from behind a checkpoint.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import type { Connection } from '../../client/connect.ts';
import { readSummary } from '../../client/state-summary.ts';
import { seeded } from '../session-live/seeded.ts';
import { code, Kernels, until } from './kernels.ts';

/** So many that none of the kills comes after the end. */
const rows = 12_000;
const kills = 5;
const cells = (output: string) =>
  code({
    source: `import { generate } from 'sluice';
import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
const paced$ = generate({ rate: 50_000, limit: ${rows} }, ({ n }) => ({ n, k: n % 3 })).mapAsync(async (e) => (await sleep(1), e), { capacity: 2 });
const counted$ = paced$.keyBy('k').reduce((a, b) => ({ ...b, total: (a.total ?? 1) + 1 }));`,
    out: `counted$.sink(async (row) => appendFile(${JSON.stringify(output)}, JSON.stringify(row) + '\\n'));`,
  });
interface Row {
  readonly n: number;
  readonly k: number;
  readonly total?: number;
}

test('kills and Resume: an at-least-once sink gets every row, with the totals of a run without kills', async (t) => {
  process.env['SLUICE_CHECKPOINT_SECONDS'] = '0.2';
  t.onTestFinished(() => void delete process.env['SLUICE_CHECKPOINT_SECONDS']);
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const output = join(kernels.folder, 'rows.jsonl');
  const seed = Number(process.env['SLUICE_SEED'] ?? Date.now() % 1_000_000);
  const { next: random } = seeded(seed);
  /** A kill may cut the last line of a life, and the next life writes behind it. */
  const written = (): Row[] =>
    (existsSync(output) ? readFileSync(output, 'utf8') : '').split('\n').flatMap((line) => {
      const whole = /\{"n":\d+,"k":\d+(,"total":\d+)?\}$/.exec(line);
      return whole ? [JSON.parse(whole[0]) as Row] : [];
    });
  const found = (): Set<number> => new Set(written().map(({ n }) => n));
  const untilSeeded = (isSo: () => boolean, what: string): Promise<void> =>
    until(isSo, `${what} (SLUICE_SEED=${seed})`);

  let connection: Connection = await kernels.connect(notebook);
  await connection.request('sync', { cells: cells(output) });
  const results = await connection.request('run', { cells: ['source', 'out'] });
  assert.deepEqual(
    results.map(({ error }) => error),
    [undefined, undefined],
  );
  await connection.request('arm', { cell: 'out', armed: true });
  for (let kill = 0; kill < kills; kill++) {
    const before = readSummary(notebook)?.takenAt ?? 0;
    const enough = written().length + 20 + Math.floor(random() * 300);
    await untilSeeded(
      () => written().length >= enough && (readSummary(notebook)?.takenAt ?? 0) > before,
      'rows and a checkpoint',
    );
    process.kill(connection.entry.pid, 'SIGKILL');
    await connection.ended;
    assert.ok(found().size < rows, 'it was killed in the middle');
    connection = await kernels.connect(notebook);
    await connection.request('sync', { cells: cells(output) });
    assert.equal(connection.welcome.state.offered?.takenAt, readSummary(notebook)!.takenAt);
    await connection.request('choose', { choice: 'resume' });
  }
  await untilSeeded(() => found().size === rows, 'every row');
  // A row comes again as it was: its total was restored with the position.
  for (const { n, k, total = 1 } of written()) assert.deepEqual([k, total], [n % 3, Math.floor(n / 3) + 1], `row ${n}`);
  assert.ok(written().length > rows, `a kill behind a checkpoint writes rows again (SLUICE_SEED=${seed})`);
});
