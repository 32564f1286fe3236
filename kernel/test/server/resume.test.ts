// A kernel that is killed, and the next one: what a client knows of the checkpoint without a
// kernel, the choice, and what goes on.
import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import type { Connection } from '../../client/connect.ts';
import { readSummary } from '../../client/state-summary.ts';
import { stateFolder } from '../../client/state-folder.ts';
import type { FiguresPart, TablePart } from '../../protocol/displays.ts';
import type { CellState, SessionView } from '../../protocol/messages.ts';
import { code, Kernels, until, watch } from './kernels.ts';

const cells = code({
  lines:
    "import { from } from 'sluice';\nasync function* later() { yield { n: 0 }; await new Promise(() => {}); }\nconst once = from(later());\nonce",
  ticks:
    "import { generate } from 'sluice';\nconst ticks = generate({ rate: 100 }, ({ n }) => ({ all: 'all', n, total: 1 }));\nconst counted = ticks.keyBy('all').reduce((a, b) => ({ ...b, total: a.total + 1 }));\ncounted.show()",
  panel: "import { checkpoints } from 'sluice';\ncheckpoints()",
});

interface Client {
  readonly connection: Connection;
  readonly state: () => SessionView;
}
async function connect(kernels: Kernels, notebook: string, document = cells): Promise<Client> {
  const connection = await kernels.connect(notebook);
  let state = connection.welcome.state;
  connection.on('state', (next) => (state = next));
  await connection.request('sync', { cells: document });
  return { connection, state: () => state };
}
const table = (parts: readonly unknown[]): TablePart | undefined =>
  (parts as readonly TablePart[]).find(({ kind }) => kind === 'table');
const lastRow = (parts: readonly unknown[]): { n: number; total: number } | undefined =>
  table(parts)?.rows.at(-1)?.value as { n: number; total: number } | undefined;

test('a killed session leaves a summary, is offered by the next kernel, and counts on when it is resumed', async (t) => {
  process.env['SLUICE_CHECKPOINT_SECONDS'] = '0.2';
  t.onTestFinished(() => void delete process.env['SLUICE_CHECKPOINT_SECONDS']);
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  assert.equal(readSummary(notebook), undefined);
  const first = await connect(kernels, notebook);
  const results = await first.connection.request('run', { cells: ['lines', 'ticks', 'panel'] });
  assert.deepEqual(
    results.map(({ error }) => error),
    [undefined, undefined, undefined],
  );
  const ticks = watch(first.connection, 'ticks');
  const panel = watch(first.connection, 'panel');
  await until(() => (lastRow(ticks.parts)?.total ?? 0) > 50, 'rows');
  await until(() => (first.state().checkpoints?.completed ?? 0) >= 3, 'three checkpoints');
  const figures = (): FiguresPart | undefined => panel.parts.at(0) as FiguresPart | undefined;
  await until(() => (figures()?.groups[0]?.rows.length ?? 0) >= 3, 'the panel shows them');
  assert.match(figures()!.note!, /^\d+ complete, 0 failed$/);

  const summary = readSummary(notebook)!;
  assert.deepEqual(summary.lost.length, 1);
  assert.ok(summary.bytes > 0 && summary.takenAt > first.connection.welcome.since);
  const path = join(stateFolder(notebook), 'summary.json');
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readSummary(notebook, { SLUICE_STATE: join(kernels.folder, 'elsewhere') }), undefined);

  process.kill(first.connection.entry.pid, 'SIGKILL');
  assert.equal(await first.connection.ended, 'The kernel has ended.');
  const left = readSummary(notebook)!;
  const total = lastRow(ticks.parts)!.total;
  // As a process leaves it that ended while it wrote.
  writeFileSync(join(stateFolder(notebook), 'checkpoint-00099999.data'), 'a beginning');

  const second = await connect(kernels, notebook);
  assert.equal(second.state().offered?.takenAt, left.takenAt);
  assert.deepEqual(second.state().offered?.lost, left.lost);
  assert.equal(
    second.state().offered?.skipped[0],
    'Checkpoint 99999 is left out: it was not finished when its process ended.',
  );
  const [refused] = await second.connection.request('run', { cells: ['ticks'] });
  assert.equal(refused?.error?.code, 'resume-first');
  await second.connection.request('choose', { choice: 'resume' });
  const resumed = watch(second.connection, 'ticks');
  await until(() => (lastRow(resumed.parts)?.total ?? 0) > total, 'the count goes on');
  const row = lastRow(resumed.parts)!;
  assert.equal(row.total, row.n + 1, 'no record is lost and none counts twice');
  assert.deepEqual(
    table(resumed.parts)!.caption.pieces.at(-2),
    ' · restarted '.slice(table(resumed.parts)!.caption.pieces.length === 2 ? 3 : 0),
  );
  assert.equal(second.state().resumedFrom, left.takenAt);

  await second.connection.end({ discard: true });
  assert.equal(readSummary(notebook), undefined);
  assert.deepEqual(
    readdirSync(stateFolder(notebook)).filter((name) => /manifest|summary/.test(name)),
    [],
  );
});

test('a resumed session runs the modules of before, and says which were saved since; a run uses them', async (t) => {
  process.env['SLUICE_CHECKPOINT_SECONDS'] = '0.2';
  t.onTestFinished(() => void delete process.env['SLUICE_CHECKPOINT_SECONDS']);
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const helper = (added: number): void =>
    writeFileSync(join(kernels.folder, 'helper.ts'), `export const plus = (x: number): number => x + ${added};`);
  helper(1000);
  const importing = code({
    ticks:
      "import { generate } from 'sluice';\nconst ticks = generate({ rate: 100 }, ({ n }) => ({ all: 'all', n, total: 1 }));",
    counted:
      "import { plus } from './helper.ts';\nconst moved = ticks.map((row) => ({ ...row, n: plus(row.n) }));\nmoved.keyBy('all').reduce((a, b) => ({ ...b, total: a.total + 1 })).show();",
  });
  const first = await connect(kernels, notebook, importing);
  await first.connection.request('run', { cells: ['ticks', 'counted'] });
  const counted = watch(first.connection, 'counted');
  await until(() => (lastRow(counted.parts)?.total ?? 0) > 50, 'rows');
  const { completed } = first.state().checkpoints!;
  await until(() => first.state().checkpoints!.completed >= completed + 2, 'a checkpoint that has them');
  process.kill(first.connection.entry.pid, 'SIGKILL');
  await first.connection.ended;
  helper(5_000_000);

  const second = await connect(kernels, notebook, importing);
  await second.connection.request('choose', { choice: 'resume' });
  const resumed = watch(second.connection, 'counted');
  const { total } = lastRow(counted.parts)!;
  await until(() => (lastRow(resumed.parts)?.total ?? 0) > total + 50, 'the count goes on');
  const { n, total: present } = lastRow(resumed.parts)!;
  assert.equal(n, present - 1 + 1000, 'the text with which the cell ran; no record is lost and none counts twice');
  const cell = (): CellState => second.state().cells.find(({ id }) => id === 'counted')!;
  assert.deepEqual(cell().errors, []);
  assert.deepEqual(cell().stale, [join(kernels.folder, 'helper.ts')]);
  assert.match(cell().notes.join('\n'), /goes on with the former text of helper\.ts/);

  const [ran] = await second.connection.request('run', { cells: ['counted'] });
  assert.equal(ran?.error, undefined);
  await until(() => (lastRow(resumed.parts)?.n ?? 0) > 5_000_000, 'rows of the new text');
  assert.ok(lastRow(resumed.parts)!.total > present, `the state stays: ${cell().notes.join()}`);
  await until(() => cell().stale.length === 0, 'the cell is not stale');
  assert.doesNotMatch(cell().notes.join('\n'), /former text/);
  await second.connection.end({ discard: true });
});

test('a summary that is no summary, or that has no checkpoint beside it, is none', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const { connection } = await connect(kernels, notebook);
  await connection.request('run', { cells: ['ticks'] });
  await connection.end();
  const folder = stateFolder(notebook);
  assert.ok(readSummary(notebook), 'a session that ends takes a last checkpoint');
  writeFileSync(join(folder, 'summary.json'), '{"notebook": 1}');
  assert.equal(readSummary(notebook), undefined);
  writeFileSync(join(folder, 'summary.json'), '{');
  assert.equal(readSummary(notebook), undefined);
});
