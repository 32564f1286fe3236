// A kernel that ends without a word, because of one allocation or a signal: its clients say in
// which call of user code.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { connectSession } from '../../client/connect.ts';
import { ProcessEnds } from '../../client/process-ends.ts';
import { readSummary } from '../../client/state-summary.ts';
import { callPath } from '../../client/session-folder.ts';
import { stateFolder } from '../../client/state-folder.ts';
import { code, kernelPath, Kernels, until, watch } from './kernels.ts';

/** Above 32 million elements, an array is a table. Its growth is one allocation. */
const huge = 'new Array(2 ** 26).fill(0)';

test('an allocation that ends the kernel is an error that names the cell', { timeout: 300_000 }, async (t) => {
  process.env['SLUICE_MEMORY'] = '64';
  t.onTestFinished(() => void delete process.env['SLUICE_MEMORY']);
  const kernels = new Kernels(t);
  // The session of another notebook goes on.
  const other = await kernels.connect(kernels.notebook('other.sluice.ts'));
  await other.request('sync', { cells: code({ beat }) });
  await other.request('run', { cells: ['beat'] });
  const session = await kernels.connect(kernels.notebook());
  assert.notEqual(session.entry.pid, other.entry.pid);
  await session.request('sync', { cells: code({ big: `const big = ${huge};` }) });
  const ran = session.request('run', { cells: ['big'] });
  const expected = /^The kernel has ended in the middle of cell "big"\. .*Make its array, text or map smaller/;
  await assert.rejects(ran, { message: expected });
  assert.match(await session.ended, expected);
  const rows = watch(other, 'beat');
  await until(() => rows.messages.length > 2, 'rows of the other notebook');
});

test('a kernel that is killed in a slow operator names it; one that is idle names nothing', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const session = await kernels.connect(notebook);
  const slow = `generate({ rate: 10 }, ({ n }) => n).map((n) => { const until = Date.now() + 60_000; while (Date.now() < until); return n; }).show();`;
  const beat = `import { generate } from 'sluice';\nconst beat = generate({ rate: 20 }, ({ n }) => ({ n }));\nbeat.show();`;
  const cells = code({ beat, slow });
  await session.request('sync', { cells });
  assert.equal((await session.request('run', { cells: ['beat'] }))[0]?.error, undefined);
  await until(() => (readSummary(notebook)?.bytes ?? 0) > 0, 'a checkpoint', 120_000);
  assert.equal((await session.request('run', { cells: ['slow'] }))[0]?.error, undefined);
  const call = callPath(kernels.folder, session.entry.session);
  await until(() => existsSync(call), 'the note of the call', 120_000);
  process.kill(session.entry.pid, 'SIGKILL');
  assert.match(await session.ended, /^The kernel has ended in the middle of map of cell "slow"\./);

  const next = await connectSession({ notebook, kernelPath, client: 'cli', build: 'test' });
  t.onTestFinished(() => next.close());
  assert.equal(next.started, true);
  // It goes on from the checkpoint, without the cell.
  let state = next.welcome.state;
  next.on('state', (view) => (state = view));
  assert.ok(state.offered);
  await next.request('sync', { cells });
  const lastCall = session.lastCall();
  assert.deepEqual([lastCall?.cell, lastCall?.operator], ['slow', 'map']);
  await next.request('choose', { choice: 'resume', lastCall: lastCall! });
  const phaseOf = (cell: string): string | undefined => state.cells.find(({ id }) => id === cell)?.phase;
  await until(() => phaseOf('beat') === 'live' && phaseOf('slow') === 'failed', 'the others to go on', 120_000);
  assert.match(state.cells.find(({ id }) => id === 'slow')!.errors[0]!.message, /in the middle of map of cell "slow"/);
  process.kill(next.entry.pid, 'SIGKILL');
  assert.equal(await next.ended, 'The kernel has ended.');
  assert.equal(next.lastCall(), undefined);
});

const beat = `import { generate } from 'sluice';\nconst beat = generate({ rate: 20 }, ({ n }) => ({ n }));\nbeat.show();`;
const late = `const late = beat.map(({ n }) => ({ late: n }));\nlate.show();`;
/** Ends the kernel as soon as its operator gets a row. */
const hog = `beat.map(() => ${huge}).show();`;

/** As long as these are there, no checkpoint of the next hundred is stored. */
function blockCheckpoints(folder: string): () => void {
  const last = Math.max(0, ...readdirSync(folder).map((name) => Number(/^checkpoint-(\d+)\./.exec(name)?.[1] ?? 0)));
  const names = Array.from({ length: 100 }, (_, n) => `checkpoint-${String(last + 1 + n).padStart(8, '0')}.data`);
  for (const name of names) mkdirSync(join(folder, name));
  return () => names.forEach((name) => rmSync(join(folder, name), { recursive: true, force: true }));
}

for (const hasCheckpoint of [true, false])
  test(
    `runs that no checkpoint has run again in the next kernel, without the cell that ended it; ${hasCheckpoint ? 'a' : 'no'} checkpoint before them`,
    { timeout: 300_000 },
    async (t) => {
      process.env['SLUICE_MEMORY'] = '64';
      t.onTestFinished(() => void delete process.env['SLUICE_MEMORY']);
      const kernels = new Kernels(t);
      const notebook = kernels.notebook();
      const folder = stateFolder(notebook);
      const session = await kernels.connect(notebook);
      const cells = code({ beat, late, hog });
      const runs = async (...names: string[]): Promise<void> => {
        for (const { error } of await session.request('run', { cells: names })) assert.equal(error, undefined);
      };
      await session.request('sync', { cells });
      let unblock = (): void => undefined;
      if (hasCheckpoint) {
        await runs('beat');
        await until(() => (readSummary(notebook)?.bytes ?? 0) > 0, 'a checkpoint');
        unblock = blockCheckpoints(folder);
        await runs('late');
      } else {
        unblock = blockCheckpoints(folder);
        await runs('beat', 'late');
      }
      // The kernel may end before the answer.
      void session.request('run', { cells: ['hog'] }).catch(() => undefined);
      assert.match(await session.ended, /^The kernel has ended in the middle of /);
      unblock();

      const next = await kernels.connect(notebook);
      let state = next.welcome.state;
      next.on('state', (view) => (state = view));
      assert.equal(state.offered?.takenAt, readSummary(notebook)?.takenAt);
      await next.request('sync', { cells });
      await next.request('choose', { choice: 'resume', lastCall: session.lastCall()! });
      const phaseOf = (cell: string): string | undefined => state.cells.find(({ id }) => id === cell)?.phase;
      await until(() => phaseOf('beat') === 'live' && phaseOf('late') === 'live', 'the cells to run again');
      await until(() => phaseOf('hog') === 'failed', 'the failure of the cell that ended it');
      const rows = watch(next, 'late');
      await until(() => rows.messages.length > 2, 'rows of the cell that ran again');
      // A checkpoint has them now, and the next end brings them back from there.
      await until(() => !existsSync(join(folder, 'noted-runs.json')), 'a checkpoint with all of them');
    },
  );

test('a kernel that ends again and again in a callback of nobody knows whom is not started a third time', () => {
  const ends = new ProcessEnds();
  assert.deepEqual(
    [0, 1, 2, 3].map((minute) => ends.goesOn({}, minute * 60_000)),
    [true, true, false, false],
  );
  assert.equal(ends.goesOn({ cell: 'a' }, 4 * 60_000), true, 'a cell that is known stays out');
  assert.equal(ends.goesOn({}, 20 * 60_000), true, 'the others are long ago');
});
