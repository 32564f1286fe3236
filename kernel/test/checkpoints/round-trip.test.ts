// What is written is what is read, by checkpoints and by savepoints.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'vitest';
import { CheckpointDirectory, openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import { readSavepoint } from '../../checkpoints/savepoint.ts';
import { anyContent, content, segment, task, testFolder } from './contents.ts';
import { quickDisk } from './failing-disk.ts';

test('reopening gives the content that was written last', async () => {
  const root = testFolder();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyContent, { minLength: 1, maxLength: 4 }), async (contents) => {
      const directory = join(root, String(runs++));
      for (const one of contents) {
        const storage = await CheckpointDirectory.open(directory, {}, quickDisk);
        await storage.write({ ...one, id: storage.nextId });
        await storage.close();
        const reopened = await CheckpointDirectory.open(directory, {}, quickDisk);
        assert.deepEqual(reopened.restored, { ...one, id: reopened.nextId - 1 });
        assert.deepEqual(reopened.skipped, []);
        await reopened.close();
      }
    }),
    { numRuns: 40 },
  );
});

test('a savepoint of any content is read by its path', async () => {
  const root = testFolder();
  await fc.assert(
    fc.asyncProperty(anyContent, async (one) => {
      const storage = await openCheckpoints(join(root, 'state'));
      const saved = { ...one, id: storage.nextId };
      try {
        const { path } = await storage.savepoint(saved, join(root, 'savepoints'));
        assert.deepEqual((await readSavepoint(path)).content, saved);
      } finally {
        await storage.close();
      }
    }),
    { numRuns: 25 },
  );
});

test('only the user may read the directory and its files', async () => {
  const directory = join(testFolder(), 'state');
  const storage = await openCheckpoints(directory);
  await storage.write(content(1, { sum: task({ 1: [segment(10)] }) }));
  const { path } = await storage.savepoint(content(2, { sum: task({ 1: [segment(10)] }) }), join(directory, 'saved'));
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.deepEqual(names.map(({ parentPath, name }) => [name, statSync(join(parentPath, name)).mode & 0o777]).sort(), [
    ['checkpoint-00000001.data', 0o600],
    ['checkpoint-00000001.manifest', 0o600],
    ['checkpoint-00000002.data', 0o600],
    ['checkpoint-00000002.manifest', 0o600],
    ['lock', 0o600],
    ['next-id', 0o600],
    ['owner.json', 0o600],
  ]);
  await storage.close();
});
