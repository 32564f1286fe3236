// What a job starts from, and what the user is told about it.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import type { ModuleFiles } from '../../cells/module-files.ts';
import { constantText } from '../../cells/constant-text.ts';
import type { UsedModules } from '../../cells/used-modules.ts';
import { openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import type { PresentModules } from '../../job/changed-modules.ts';
import { type JobState, openJobState, type StateOptions } from '../../job/job-state.ts';
import { saveSession } from '../../session/saved-session.ts';
import { createSession } from '../../session/state.ts';
import { content, testFolder } from '../checkpoints/contents.ts';

const session = { ...saveSession(createSession()), isFinished: false, lost: ['from of live'] };
const unfinished = 'Checkpoint 9 is left out: it was not finished when its process ended.';
const instead = 'The state is that of checkpoint 2 of 2023-11-14T22:13:20.002Z, the one before.';

/** A state directory with checkpoints 1 and 2, and the beginning of checkpoint 9. */
async function leftDirectory(): Promise<string> {
  const directory = join(testFolder(), 'state');
  const storage = await openCheckpoints(directory);
  for (const id of [1, 2]) await storage.write(content(id, {}, session));
  await storage.close();
  writeFileSync(join(directory, 'checkpoint-00000009.data'), 'a beginning');
  return directory;
}
async function opened(options: Partial<StateOptions>): Promise<JobState> {
  const state = await openJobState(
    { directory: undefined, savepoint: undefined, mayLeaveOut: false, ...options },
    [],
    {},
  );
  await state.storage?.close();
  return state;
}

test('a job goes on from its last checkpoint: one sentence for each that is left out, and what cannot be read again', async () => {
  const { resumes, warnings } = await opened({ directory: await leftDirectory() });
  assert.deepEqual(resumes?.lost, ['from of live']);
  assert.deepEqual(warnings, [unfinished]);
});

test('a state directory as a savepoint: the newest whole checkpoint is used, with or without a new directory', async () => {
  const savepoint = await leftDirectory();
  for (const directory of [undefined, join(testFolder(), 'state')]) {
    const { resumes, upgrade, warnings } = await opened({ directory, savepoint });
    assert.deepEqual([resumes, upgrade?.id, warnings], [undefined, 2, [unfinished, instead]]);
  }
  writeFileSync(join(savepoint, 'checkpoint-00000002.manifest'), 'broken');
  rmSync(join(savepoint, 'checkpoint-00000009.data'));
  const { upgrade, warnings } = await opened({ savepoint });
  assert.equal(upgrade?.id, 1);
  assert.match(warnings[0]!, /^Checkpoint 2 is left out: /);
  assert.match(warnings[1]!, /^The state is that of checkpoint 1 of /);
});

// -------------------------------------------------------------------------------- other modules

/** A state directory whose one cell ran with these. */
async function leftWith(used: UsedModules, isFinished = false): Promise<string> {
  const directory = join(testFolder(), 'state');
  const storage = await openCheckpoints(directory);
  const cells = [{ id: 'a', active: { used, kept: { values: { rate: 1 } } } }];
  await storage.write(content(1, {}, { ...session, cells, lost: [], isFinished }));
  await storage.close();
  return directory;
}
const ranWith: UsedModules = {
  resolved: { './h.ts': 'h.ts' },
  modules: [{ path: 'h.ts', hash: 'one', code: new Uint8Array(), specifiers: [], resolved: {} }],
  packages: [{ specifier: 'zod', from: 'n.sluice.ts', name: 'zod', version: '4.0.0' }],
};
function present(hash: string, version: string, areInJob = false): PresentModules {
  const files: ModuleFiles = {
    resolve: () => undefined,
    source: (path) => Promise.resolve({ path, hash, code: '', specifiers: [] }),
    load: () => Promise.reject(new Error('nothing is loaded')),
    versionOf: () => version,
  };
  return { notebook: '/n/n.sluice.ts', files, areInJob };
}

test('a job goes on with saved modules, because the checkpoint has their former texts, and not with other packages', async () => {
  const directory = await leftWith(ranWith);
  assert.ok((await opened({ directory, modules: present('two', '4.0.0') })).resumes);
  await assert.rejects(opened({ directory, modules: present('one', '4.1.0') }), {
    code: 'package-changed',
    message:
      `Not what the cells of the checkpoint in ${directory} ran with: zod, which was 4.0.0 and is 4.1.0 now. Packages are ` +
      'not in a checkpoint. Install the former version again, or start from the checkpoint as an upgrade: ' +
      `--from-savepoint ${directory} with another --state folder.`,
  });
  const finished = await leftWith(ranWith, true);
  assert.ok((await opened({ directory: finished, modules: present('one', '4.1.0') })).resumes, 'it does nothing');
});

test('an exported job does not go on from the checkpoint of a job with other modules', async () => {
  const directory = await leftWith(ranWith);
  assert.ok((await opened({ directory, modules: present('one', '4.0.0', true) })).resumes);
  await assert.rejects(opened({ directory, modules: present('two', '4.1.0', true) }), {
    code: 'notebook-changed',
    message: new RegExp(`The job has other modules than the checkpoint in .* \\(h\\.ts; zod, which was 4\\.0\\.0`),
  });
  // Other values of constants are no reason to overlook the modules.
  const constants = { a: { rate: constantText(2) } };
  await assert.rejects(opened({ directory, constants, modules: present('two', '4.0.0', true) }), {
    code: 'notebook-changed',
  });
  const { upgrade } = await opened({ directory, constants, modules: present('one', '4.0.0', true) });
  assert.equal(upgrade?.id, 1);
});

test('an upgrade says which modules and packages have changed since the savepoint', async () => {
  const savepoint = await leftWith(ranWith);
  assert.deepEqual((await opened({ savepoint, modules: present('one', '4.0.0') })).warnings, []);
  assert.deepEqual((await opened({ savepoint, modules: present('two', '4.1.0') })).warnings, [
    'Changed since the savepoint: h.ts; zod, which was 4.0.0 and is 4.1.0 now. The cells are evaluated with what is there now.',
  ]);
});
