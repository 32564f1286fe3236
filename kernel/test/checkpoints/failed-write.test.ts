// A write that fails leaves the former checkpoints whole and no files behind, says why, and the
// next write works.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { onTestFinished, test } from 'vitest';
import { SluiceError } from '../../../engine/errors/error.ts';
import { CheckpointDirectory, openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import { readSavepoint } from '../../checkpoints/savepoint.ts';
import { content, segment, task, testFolder } from './contents.ts';
import { faultyDisk } from './failing-disk.ts';
import { printed } from './store-process-run.ts';

const stable = segment(6000, 'stable');
const first = content(1, { sum: task({ 0: [stable] }) });
const second = content(2, { sum: task({ 0: [stable], 1: [segment(500, 'new')] }) });

function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => name.startsWith('checkpoint-'));
  return Object.fromEntries(names.map((name) => [name, crc32(readFileSync(join(directory, name))).toString(16)]));
}
function codeOf(code: string, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof SluiceError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  };
}

for (const [errno, code, words] of [
  ['ENOSPC', 'state-disk-full', /^Checkpoint 2 cannot be written: the disk of .* is full\. Free some space/],
  ['EDQUOT', 'state-disk-full', /is full/],
  ['EACCES', 'state-no-permission', /may not read or write in .* \(EACCES\)\. Give the right/],
  ['EROFS', 'state-no-permission', /\(EROFS\)/],
  ['EIO', 'checkpoint-failed', /^Checkpoint 2 cannot be written in .*: EIO: .*\. Check the disk/],
] as const)
  test(`${errno} at any step of a write is ${code} and costs only that checkpoint`, async () => {
    const root = testFolder();
    let failures = 0;
    for (let at = 0; ; at++) {
      const directory = join(root, String(at));
      const { disk, steps } = faultyDisk(at, errno, 1);
      let storage: CheckpointDirectory;
      try {
        storage = await CheckpointDirectory.open(directory, {}, disk);
        await storage.write(first);
      } catch {
        // The fault came before the second write.
        continue;
      }
      const before = filesOf(directory);
      const isBefore = steps.length > at;
      try {
        await storage.write(second);
        // Nothing is left to fail but the removal of files that are not there.
        if (!isBefore && steps.length <= at) break;
      } catch (error) {
        failures++;
        codeOf(code, words)(error);
        assert.deepEqual(filesOf(directory), before, `after ${steps[at]}`);
      }
      await storage.write({ ...second, id: storage.nextId });
      await storage.close();
      const reopened = await openCheckpoints(directory);
      assert.deepEqual(reopened.restored, { ...second, id: reopened.nextId - 1 });
      await reopened.close();
    }
    assert.ok(failures >= 8, `${failures} steps failed`);
  });

test('a disk that stays full spares the former checkpoint and takes the next one when it has space', async () => {
  const directory = join(testFolder(), 'state');
  let storage = await openCheckpoints(directory);
  await storage.write(first);
  await storage.close();
  const { disk, steps } = faultyDisk(3, 'ENOSPC', 50);
  storage = await CheckpointDirectory.open(directory, {}, disk);
  const before = filesOf(directory);
  while (steps.length < 53)
    await assert.rejects(storage.write({ ...second, id: storage.nextId }), codeOf('state-disk-full', /full/));
  for (const name of Object.keys(before)) assert.equal(filesOf(directory)[name], before[name]);
  await storage.write({ ...second, id: storage.nextId });
  await storage.close();
  const reopened = await openCheckpoints(directory);
  assert.deepEqual(reopened.restored?.parts, second.parts);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('checkpoint-')),
    ['checkpoint-00000001.data', 'checkpoint-00000001.manifest'].concat(
      ['data', 'manifest'].map((kind) => `checkpoint-${String(reopened.nextId - 1).padStart(8, '0')}.${kind}`),
    ),
  );
  await reopened.close();
});

test('a value that cannot be stored costs only its checkpoint', async () => {
  const directory = join(testFolder(), 'state');
  const storage = await openCheckpoints(directory);
  await storage.write(first);
  const before = filesOf(directory);
  await assert.rejects(
    storage.write({ ...second, session: { later: Promise.resolve() } }),
    codeOf('not-storable', /Promise/),
  );
  assert.deepEqual(filesOf(directory), before);
  await storage.write({ ...second, id: 3 });
  await storage.close();
});

test('a real file system of one MiB that is full is state-disk-full, and the next write works', async (ctx) => {
  const disk = testFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'pipe' });
  } catch (error) {
    ctx.skip(`A small tmpfs cannot be mounted here: ${String(error)}`);
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', disk]));
  const { blocks, bsize } = statfsSync(disk);
  assert.equal(blocks * bsize, 1 << 20);
  const directory = join(disk, 'state');
  const storage = await openCheckpoints(directory);
  await storage.write(first);
  const before = filesOf(directory);
  for (const [bytes, room] of [
    [3_000_000, 500_000],
    [1_200_000, 1_000_000],
    // Room for the data file and not for the manifest, or not even for the file of the next id.
    [12_000, 16_384],
    [12_000, 4096],
    [12_000, 0],
  ] as const) {
    writeFileSync(join(disk, 'filler'), new Uint8Array(Math.max(0, freeBytes(disk) - room)));
    const large = content(storage.nextId, { sum: task({ 0: [segment(bytes)] }) }, 'n'.repeat(20_000));
    await assert.rejects(storage.write(large), codeOf('state-disk-full', /the disk of .* is full/));
    for (const [name, checksum] of Object.entries(filesOf(directory)))
      assert.equal(checksum, before[name] ?? '0', `${name} has bytes with room for ${room}`);
    rmSync(join(disk, 'filler'));
  }
  await storage.write({ ...second, id: storage.nextId });
  await storage.close();
  // A restore needs no space.
  writeFileSync(join(disk, 'filler'), new Uint8Array(freeBytes(disk)));
  assert.equal(freeBytes(disk), 0);
  const reopened = await openCheckpoints(directory);
  assert.deepEqual(reopened.restored?.parts, second.parts);
  assert.deepEqual(reopened.skipped, []);
  await reopened.close();
});
function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

test('a savepoint that fails leaves nothing of it', async () => {
  for (let at = 0; ; at++) {
    const root = testFolder();
    const { disk, steps } = faultyDisk(at, 'ENOSPC', 1);
    let storage: CheckpointDirectory;
    try {
      storage = await CheckpointDirectory.open(join(root, 'state'), {}, disk);
    } catch {
      continue;
    }
    try {
      const { path } = await storage.savepoint(first, join(root, 'saved'));
      assert.deepEqual((await readSavepoint(path)).content, first);
      if (steps.length <= at) break;
    } catch (error) {
      codeOf('state-disk-full', /^Savepoint 1 cannot be written/)(error);
      const left = readdirSync(root).includes('saved') ? readdirSync(join(root, 'saved')) : [];
      assert.deepEqual(left, [], `after ${steps[at]}`);
    } finally {
      await storage.close();
    }
  }
});

// Root may write everywhere, so the store runs in a process of the user nobody.
test('a directory without permission is state-no-permission, before and after it was opened', async () => {
  const root = testFolder();
  chmodSync(root, 0o755);
  const closed = join(root, 'closed');
  mkdirSync(closed, { mode: 0o555 });
  assert.match(
    await printed('open', [join(closed, 'state')], 'nobody'),
    /^state-no-permission The state directory cannot be opened: this user may not read or write in \S+closed\/state \(EACCES\)/,
  );
  const open = join(root, 'open');
  mkdirSync(open, { mode: 0o700 });
  if (process.getuid?.() === 0) chownSync(open, 65534, 65534);
  // The process takes the right from its own directory between two writes, and gives it back.
  assert.match(
    await printed('write-without-right', [open], 'nobody'),
    /^state-no-permission Checkpoint 2 cannot be written: .*\nnames checkpoint-00000001\.data checkpoint-00000001\.manifest\nrestored 3\n$/s,
  );
});
