// What a job starts from, and what the user is told about it.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
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
