// A kernel that starts removes what SLUICE_STATE_DAYS and SLUICE_STATE_MEGABYTES do not allow in
// the state folder of all notebooks.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { lockName } from '../../checkpoints/directory-lock.ts';
import { fileName } from '../../checkpoints/file-names.ts';
import { stateFolder, stateRoot } from '../../client/state-folder.ts';
import { Kernels } from './kernels.ts';

const dayMillis = 86_400_000;

/** The state folder of a notebook as its last session left it. */
function left(name: string, bytes: number, ageDays: number): void {
  const folder = join(stateRoot(), name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, fileName(1, 'manifest')), 'm');
  writeFileSync(join(folder, fileName(1, 'data')), new Uint8Array(bytes));
  writeFileSync(join(folder, lockName), '');
  const at = new Date(Date.now() - ageDays * dayMillis);
  utimesSync(join(folder, lockName), at, at);
}
/** Starts a kernel of another notebook. Gives the folders that it has left, without its own. */
async function keptBy(
  t: TestContext,
  kernels: Kernels,
  variables: Readonly<Record<string, string>>,
): Promise<string[]> {
  for (const [name, value] of Object.entries(variables)) process.env[name] = value;
  t.onTestFinished(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
  });
  const notebook = kernels.notebook();
  const { welcome } = await kernels.connect(notebook);
  assert.equal(welcome.state.warning, undefined);
  const own = basename(stateFolder(notebook));
  const names = readdirSync(stateRoot());
  assert.ok(names.includes(own), 'its own folder is there');
  return names.filter((name) => name !== own).toSorted();
}

test('SLUICE_STATE_DAYS removes what no session has used for so long', async (t) => {
  const kernels = new Kernels(t);
  left('one-day', 10, 1);
  left('three-days', 10, 3);
  assert.deepEqual(await keptBy(t, kernels, { SLUICE_STATE_DAYS: '2' }), ['one-day']);
});

test('SLUICE_STATE_MEGABYTES removes the oldest until the others fit', async (t) => {
  const kernels = new Kernels(t);
  for (const [age, name] of ['new', 'older', 'oldest'].entries()) left(name, 600_000, age + 1);
  assert.deepEqual(await keptBy(t, kernels, { SLUICE_STATE_MEGABYTES: '1.5' }), ['new', 'older']);
});

test('what is no number above 0 counts as the defaults, 30 days and 2048 megabytes', async (t) => {
  const kernels = new Kernels(t);
  left('29-days', 10, 29);
  left('31-days', 10, 31);
  assert.deepEqual(await keptBy(t, kernels, { SLUICE_STATE_DAYS: '-1', SLUICE_STATE_MEGABYTES: 'many' }), ['29-days']);
});
