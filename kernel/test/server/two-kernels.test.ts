// Two kernels on one state directory, as from two containers that share a home: each has its own
// folder of sessions, so the second one does not find the first. It says that it keeps nothing, and
// takes nothing away.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import type { Connection } from '../../client/connect.ts';
import { stateFolder } from '../../client/state-folder.ts';
import { readSummary } from '../../client/state-summary.ts';
import type { TablePart } from '../../protocol/displays.ts';
import type { SessionView } from '../../protocol/messages.ts';
import { code, Kernels, until, watch } from './kernels.ts';

const cells = code({
  ticks:
    "import { generate } from 'sluice';\nconst ticks = generate({ rate: 100 }, ({ n }) => ({ all: 'all', n, total: 1 }));\nconst counted = ticks.keyBy('all').reduce((a, b) => ({ ...b, total: a.total + 1 }));\ncounted.show()",
});
interface Client {
  readonly connection: Connection;
  readonly state: () => SessionView;
  readonly row: () => { readonly n: number; readonly total: number } | undefined;
}
async function connect(kernels: Kernels, notebook: string): Promise<Client> {
  process.env['SLUICE_SESSIONS'] = kernels.folder;
  const connection = await kernels.connect(notebook);
  assert.ok(connection.started);
  let state = connection.welcome.state;
  connection.on('state', (next) => (state = next));
  await connection.request('sync', { cells });
  const ticks = watch(connection, 'ticks');
  return {
    connection,
    state: () => state,
    row() {
      const table = (ticks.parts as readonly TablePart[]).find(({ kind }) => kind === 'table');
      return table?.rows.at(-1)?.value as ReturnType<Client['row']>;
    },
  };
}
async function runs({ connection, row }: Client): Promise<void> {
  const [result] = await connection.request('run', { cells: ['ticks'] });
  assert.equal(result?.error, undefined);
  await until(() => (row()?.total ?? 0) > 50, 'rows');
}

test('a second kernel on a state directory says that it is in use, and loses nothing of the first', async (t) => {
  process.env['SLUICE_CHECKPOINT_SECONDS'] = '0.2';
  const [here, there] = [new Kernels(t), new Kernels(t)];
  process.env['SLUICE_STATE'] = join(here.folder, 'shared');
  t.onTestFinished(() => {
    delete process.env['SLUICE_CHECKPOINT_SECONDS'];
    delete process.env['SLUICE_STATE'];
  });
  const notebook = here.notebook();
  const folder = stateFolder(notebook);
  const manifests = (): readonly string[] => readdirSync(folder).filter((name) => name.endsWith('.manifest'));

  const first = await connect(here, notebook);
  await runs(first);
  const completed = (): number => first.state().checkpoints?.completed ?? 0;
  await until(() => completed() >= 2, 'checkpoints of the first');

  const second = await connect(there, notebook);
  const inUse = second.state().warning ?? '';
  assert.ok(inUse.startsWith(`This session keeps no checkpoints. The state directory ${folder} is in use by process `));
  assert.match(inUse, new RegExp(` process ${first.connection.entry.pid} on .* Stop that session first`));
  assert.deepEqual([second.state().offered, second.state().checkpoints], [undefined, undefined]);
  await runs(second);
  assert.equal(second.state().warning, inUse, 'it says so as long as it runs');

  const before = completed();
  await until(() => completed() >= before + 2, 'more checkpoints of the first');
  assert.equal(first.state().checkpoints?.problem, undefined);
  const total = first.row()!.total;
  process.kill(first.connection.entry.pid, 'SIGKILL');
  await first.connection.ended;
  const left = { summary: readSummary(notebook), manifests: manifests() };
  assert.ok(left.summary && left.manifests.length > 0);
  const rows = second.row()!.total;
  await until(() => second.row()!.total > rows + 50, 'more rows of the second');
  // To remove what a session keeps removes nothing of another one.
  await second.connection.end({ discard: true });
  assert.deepEqual({ summary: readSummary(notebook), manifests: manifests() }, left);

  const next = await connect(there, notebook);
  assert.equal(next.state().warning, undefined);
  assert.equal(next.state().offered?.takenAt, left.summary.takenAt);
  await next.connection.request('choose', { choice: 'resume' });
  await until(() => (next.row()?.total ?? 0) > total, 'the count goes on');
  const row = next.row()!;
  assert.equal(row.total, row.n + 1, 'no record is lost and none counts twice');
  await until(() => (next.state().checkpoints?.completed ?? 0) >= 1, 'a checkpoint of the next one');
});
