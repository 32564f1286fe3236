// Checkpoints and savepoints of earlier formats are read for ever.
import assert from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import { readSavepoint } from '../../checkpoints/savepoint.ts';
import { testFolder } from './contents.ts';
import { stored } from './fixtures/format-1.ts';

const fixtures = join(import.meta.dirname, 'fixtures');

test('a state directory of format 1 is restored, and goes on', async () => {
  // A copy, because opening writes a lock.
  const directory = join(testFolder(), 'state');
  cpSync(join(fixtures, 'format-1'), directory, { recursive: true });
  const storage = await openCheckpoints(directory);
  assert.deepEqual(storage.restored, stored);
  assert.deepEqual([storage.skipped, storage.nextId], [[], 4]);
  await storage.write({ ...stored, id: 4 });
  await storage.close();
  const reopened = await openCheckpoints(directory);
  assert.deepEqual(reopened.restored, { ...stored, id: 4 });
  await reopened.close();
});

test('a savepoint of format 1 is read', async () => {
  const folder = join(fixtures, 'format-1-savepoint');
  const before = readdirSync(folder);
  assert.deepEqual((await readSavepoint(folder)).content, { ...stored, id: 3, kind: 'savepoint' });
  assert.deepEqual(readdirSync(folder), before);
});
