// The limits of a root with the state directories of many sessions.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { test } from 'vitest';
import { openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import { readSavepoint } from '../../checkpoints/savepoint.ts';
import { pruneSessions } from '../../checkpoints/session-directories.ts';
import { content, segment, task, testFolder } from './contents.ts';
import { printed } from './store-process-run.ts';

const hour = 3_600_000;

/** A directory of about 10 kB that was used this many hours ago. */
async function stateDirectory(root: string, name: string, hoursAgo: number): Promise<string> {
  const directory = join(root, name);
  const storage = await openCheckpoints(directory);
  await storage.write(content(1, { sum: task({ 0: [segment(10_000, name)] }) }));
  await storage.close();
  used(directory, hoursAgo);
  return directory;
}
function used(directory: string, hoursAgo: number): void {
  const time = new Date(Date.now() - hoursAgo * hour);
  utimesSync(join(directory, 'lock'), time, time);
}
const noLimit = { maxBytes: Infinity, maxAgeMillis: Infinity };

test('directories that are too old are removed, the oldest first', async () => {
  const root = testFolder();
  for (const [name, age] of [
    ['b', 30],
    ['a', 50],
    ['c', 2],
  ] as const)
    await stateDirectory(root, name, age);
  assert.deepEqual(await pruneSessions(root, noLimit), []);
  assert.deepEqual(await pruneSessions(root, { ...noLimit, maxAgeMillis: 24 * hour }), [
    join(root, 'a'),
    join(root, 'b'),
  ]);
  assert.deepEqual(readdirSync(root), ['c']);
});

test('the oldest directories are removed until the others fit', async () => {
  const root = testFolder();
  for (const [name, age] of [
    ['b', 3],
    ['a', 5],
    ['c', 2],
    ['d', 1],
  ] as const)
    await stateDirectory(root, name, age);
  assert.deepEqual(await pruneSessions(root, { ...noLimit, maxBytes: 25_000 }), [join(root, 'a'), join(root, 'b')]);
  assert.deepEqual(await pruneSessions(root, { ...noLimit, maxBytes: 25_000 }), []);
  const storage = await openCheckpoints(join(root, 'c'));
  assert.equal(storage.restored?.id, 1);
  await storage.close();
  assert.deepEqual(await pruneSessions(root, { ...noLimit, maxBytes: 0 }), [join(root, 'd'), join(root, 'c')]);
  assert.deepEqual(readdirSync(root), []);
});

test('a directory in use is never removed, and it counts', async () => {
  const root = testFolder();
  for (const [name, age] of [
    ['old', 9],
    ['new', 1],
  ] as const)
    await stateDirectory(root, name, age);
  const storage = await openCheckpoints(join(root, 'old'));
  used(join(root, 'old'), 9);
  assert.deepEqual(await pruneSessions(root, { maxBytes: 0, maxAgeMillis: 0 }), [join(root, 'new')]);
  await storage.write(content(2));
  await storage.close();
  const reopened = await openCheckpoints(join(root, 'old'));
  assert.equal(reopened.restored?.id, 2);
  await reopened.close();
});

test('opening and closing a directory is a use', async () => {
  const root = testFolder();
  const directory = await stateDirectory(root, 'a', 100);
  await (await openCheckpoints(directory)).close();
  assert.deepEqual(await pruneSessions(root, { ...noLimit, maxAgeMillis: hour }), []);
  assert.deepEqual(readdirSync(root), ['a']);
});

test('what is not ours stays, and so do savepoints', async () => {
  const root = testFolder();
  const directory = await stateDirectory(root, 'a', 0);
  const storage = await openCheckpoints(directory);
  const { path } = await storage.savepoint(content(2), join(directory, 'saved'));
  await storage.close();
  used(directory, 100);
  mkdirSync(join(root, 'photos'));
  writeFileSync(join(root, 'photos', 'checkpoint-00000001.data'), 'no state directory: it has no lock');
  writeFileSync(join(root, 'notes.txt'), 'text');
  assert.deepEqual(await pruneSessions(root, { maxBytes: 0, maxAgeMillis: hour }), [directory]);
  assert.deepEqual(readdirSync(root).sort(), ['a', 'notes.txt', 'photos']);
  assert.deepEqual(readdirSync(directory), ['saved']);
  assert.deepEqual((await readSavepoint(path)).content, content(2));
  assert.ok(existsSync(join(root, 'photos', 'checkpoint-00000001.data')));
  assert.deepEqual(await pruneSessions(root, { maxBytes: 0, maxAgeMillis: 0 }), []);
});

test('a session that opens its directory while it is being removed keeps what it writes', async () => {
  const root = testFolder();
  let isOver = false;
  const using = printed('use-again-and-again', [join(root, 'a')]).finally(() => (isOver = true));
  let removed = 0;
  while (!isOver) {
    removed += (await pruneSessions(root, { maxBytes: 0, maxAgeMillis: -hour })).length;
    await setImmediate();
  }
  assert.equal(await using, 'used\n');
  assert.ok(removed > 0);
});

test('a root that is not there has nothing to remove', async () => {
  assert.deepEqual(await pruneSessions(join(testFolder(), 'nowhere'), { maxBytes: 0, maxAgeMillis: 0 }), []);
});
