// A checkpoint with a broken byte is left out, and the user is told. The one before is used. When
// none is whole, nothing is removed.
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { test } from 'vitest';
import { SluiceError } from '../../../engine/errors/error.ts';
import { valueSegment } from '../../../engine/state/segment.ts';
import { CheckpointDirectory } from '../../checkpoints/checkpoint-directory.ts';
import { readSavepoint } from '../../checkpoints/savepoint.ts';
import { content, segment, task, testFolder } from './contents.ts';
import { quickDisk } from './failing-disk.ts';

const shared = segment(60, 'shared');
const old = segment(50, 'old');
const contents = [
  content(1, { sum: task({ 0: [shared, old] }) }),
  content(2, { sum: task({ 0: [shared], 1: [segment(70, 'new')] }) }, { logo: new Uint8Array(4096).fill(9) }),
] as const;
/** Offsets in the data file of checkpoint 1: `shared` is first. */
const sharedEnd = shared.length;

const manifest1 = 'checkpoint-00000001.manifest';
const data1 = 'checkpoint-00000001.data';
const manifest2 = 'checkpoint-00000002.manifest';
const data2 = 'checkpoint-00000002.data';
const all = [data1, manifest1, data2, manifest2].sort();

function open(directory: string, options = {}): Promise<CheckpointDirectory> {
  return CheckpointDirectory.open(directory, options, quickDisk);
}
/** A directory with checkpoints 1 and 2. */
async function twoCheckpoints(): Promise<string> {
  const directory = join(testFolder(), 'state');
  const storage = await open(directory);
  for (const one of contents) await storage.write(one);
  await storage.close();
  return directory;
}
function ours(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith('checkpoint-'))
    .sort();
}

/** What is restored with these bytes in the place of a file, and what the user is told. */
async function restoredWith(directory: string, name: string, bytes: Uint8Array | undefined) {
  const path = join(directory, name);
  const before = readFileSync(path);
  if (bytes) writeFileSync(path, bytes);
  else rmSync(path);
  try {
    const storage = await open(directory);
    const { restored, skipped } = storage;
    await storage.close();
    return { restored: restored?.id, skipped, content: restored };
  } finally {
    writeFileSync(path, before);
  }
}
function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at]! ^= 1 << (at % 8);
  return copy;
}

for (const name of [manifest2, data2])
  test(`any flipped bit of ${name} leaves checkpoint 2 out, and 1 is restored`, async () => {
    const directory = await twoCheckpoints();
    const bytes = readFileSync(join(directory, name));
    for (let at = 0; at < bytes.length; at += at < 400 ? 1 : 37) {
      const { restored, skipped, content } = await restoredWith(directory, name, flipped(bytes, at));
      assert.equal(restored, 1, `byte ${at}`);
      assert.deepEqual(content, contents[0]);
      assert.deepEqual([skipped.length, skipped[0]?.id], [1, 2]);
      assert.match(skipped[0]!.reason, /^Checkpoint 2 is left out: .* checksum\.$/);
      assert.deepEqual(ours(directory), all);
    }
  });

for (const name of [manifest2, data2])
  test(`${name} cut off anywhere, or gone, leaves checkpoint 2 out`, async () => {
    const directory = await twoCheckpoints();
    const bytes = readFileSync(join(directory, name));
    for (let length = 0; length < bytes.length; length += length < 200 ? 7 : 101) {
      const { restored, skipped } = await restoredWith(directory, name, bytes.subarray(0, length));
      assert.deepEqual([restored, skipped[0]?.id], [1, 2], `${length} bytes`);
    }
    if (name === manifest2) return;
    const { restored, skipped } = await restoredWith(directory, name, undefined);
    assert.equal(restored, 1);
    assert.deepEqual(skipped, [{ id: 2, reason: `Checkpoint 2 is left out: its file ${data2} is missing.` }]);
  });

test('a checkpoint whose manifest is gone counts as not finished', async () => {
  const directory = await twoCheckpoints();
  const { restored, skipped } = await restoredWith(directory, manifest2, undefined);
  assert.equal(restored, 1);
  assert.deepEqual(skipped, [
    { id: 2, reason: 'Checkpoint 2 is left out: it was not finished when its process ended.' },
  ]);
});

test('only the bytes that a checkpoint needs decide about it', async () => {
  const directory = await twoCheckpoints();
  const bytes = readFileSync(join(directory, data1));
  for (let at = 0; at < bytes.length; at++) {
    if (at >= sharedEnd) {
      const { restored, skipped } = await restoredWith(directory, data1, flipped(bytes, at));
      assert.deepEqual([restored, skipped], [2, []]);
      continue;
    }
    await assert.rejects(restoredWith(directory, data1, flipped(bytes, at)), noneWhole);
    assert.deepEqual(ours(directory), all);
  }
});

function noneWhole(error: unknown): boolean {
  assert.ok(error instanceof SluiceError);
  assert.equal(error.code, 'bad-state');
  assert.match(
    error.message,
    /^No checkpoint in \S+ can be restored\. Checkpoint 2 is left out: .* Checkpoint 1 is left out: .* Nothing was removed\. .*start fresh/,
  );
  return true;
}

test('a directory without a whole checkpoint can be started fresh, and its ids go on', async () => {
  const directory = await twoCheckpoints();
  rmSync(join(directory, data1));
  await assert.rejects(open(directory), noneWhole);
  assert.deepEqual(ours(directory), [manifest1, data2, manifest2].sort());
  const storage = await open(directory, { startFresh: true });
  assert.deepEqual([storage.restored, storage.skipped, storage.nextId], [undefined, [], 3]);
  assert.deepEqual(ours(directory), []);
  await storage.close();
});

test('what a broken checkpoint may still need stays until the next whole one', async () => {
  const directory = await twoCheckpoints();
  writeFileSync(join(directory, manifest2), flipped(readFileSync(join(directory, manifest2)), 30));
  for (let turn = 0; turn < 2; turn++) {
    const storage = await open(directory);
    assert.deepEqual([storage.restored?.id, storage.skipped.length, storage.nextId], [1, 1, 3]);
    assert.deepEqual(ours(directory), all);
    await storage.close();
  }
  const storage = await open(directory);
  await storage.write({ ...contents[1], id: 3 });
  assert.deepEqual(ours(directory), [data1, manifest1, 'checkpoint-00000003.data', 'checkpoint-00000003.manifest']);
  await storage.close();
});

test('a manifest under the name of another checkpoint is not taken for it', async () => {
  const directory = await twoCheckpoints();
  copyFileSync(join(directory, manifest1), join(directory, 'checkpoint-00000005.manifest'));
  const storage = await open(directory);
  assert.equal(storage.restored?.id, 2);
  assert.deepEqual(storage.skipped, [{ id: 5, reason: 'Checkpoint 5 is left out: its manifest is of checkpoint 1.' }]);
  assert.equal(storage.nextId, 6);
  await storage.close();
});

/** A whole segment of a later format. */
function ofFormat(segmentBytes: Uint8Array, format: number): Uint8Array {
  const bytes = Buffer.from(segmentBytes);
  bytes[4] = format;
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

test('a newer format of a manifest or a segment is an error that names both versions, and nothing is removed', async () => {
  const directory = await twoCheckpoints();
  const third = 'checkpoint-00000003.manifest';
  for (const [bytes, format] of [
    [valueSegment({ format: 2, id: 3, anything: 'else' }), 2],
    [ofFormat(valueSegment({ format: 1, id: 3 }), 7), 7],
  ] as const) {
    writeFileSync(join(directory, third), bytes);
    writeFileSync(join(directory, 'checkpoint-00000004.data'), 'an orphan');
    await assert.rejects(open(directory), newer(3, format));
    assert.deepEqual(ours(directory), [...all, third, 'checkpoint-00000004.data'].sort());
    rmSync(join(directory, third));
    rmSync(join(directory, 'checkpoint-00000004.data'));
  }
  const written = readFileSync(join(directory, data2));
  await assert.rejects(restoredWith(directory, data2, withNewerStart(written)), newer(2, 3));
  assert.deepEqual(ours(directory), all);
});
/** The first segment of a data file in format 3. */
function withNewerStart(data: Buffer): Uint8Array {
  const { length } = segment(70, 'new');
  return Buffer.concat([ofFormat(data.subarray(0, length), 3), data.subarray(length)]);
}
function newer(id: number, format: number) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof SluiceError);
    assert.equal(error.code, 'newer-state');
    assert.match(error.message, new RegExp(`^Checkpoint ${id} in \\S+ has format ${format}\\. .* formats up to 1\\.`));
    return true;
  };
}

test('a savepoint that is a state directory: the newest whole checkpoint is used, and the user is told', async () => {
  const directory = await twoCheckpoints();
  assert.deepEqual(await readSavepoint(directory), { content: contents[1], warnings: [] });
  const instead = `The state is that of checkpoint 1 of ${new Date(contents[0].takenAt).toISOString()}, the one before.`;
  const manifest = readFileSync(join(directory, manifest2));
  writeFileSync(join(directory, manifest2), flipped(manifest, 30));
  const broken = await readSavepoint(directory);
  assert.deepEqual(broken.content, contents[0]);
  assert.match(broken.warnings[0]!, /^Checkpoint 2 is left out: .* checksum\.$/);
  assert.deepEqual(broken.warnings.slice(1), [instead]);
  rmSync(join(directory, manifest2));
  const unfinished = 'Checkpoint 2 is left out: it was not finished when its process ended.';
  assert.deepEqual(await readSavepoint(directory), { content: contents[0], warnings: [unfinished, instead] });
  // None is whole.
  writeFileSync(join(directory, manifest2), flipped(manifest, 30));
  rmSync(join(directory, data1));
  const said =
    /^The savepoint \S+ cannot be restored\. Checkpoint 2 is left out: .* Checkpoint 1 is left out: .*missing\. Take another/;
  await assert.rejects(readSavepoint(directory), { code: 'bad-state', message: said });
  // Reading has removed nothing.
  assert.deepEqual(ours(directory), [manifest1, data2, manifest2].sort());
});

test('a broken savepoint is an error that names it, and so is what is none', async () => {
  const root = testFolder();
  const storage = await open(join(root, 'state'));
  const { path } = await storage.savepoint({ ...contents[1], id: 1 }, join(root, 'saved'));
  await storage.close();
  const moved = join(root, 'moved');
  cpSync(path, moved, { recursive: true });
  rmSync(path, { recursive: true });
  assert.deepEqual((await readSavepoint(moved)).content, { ...contents[1], id: 1 });
  const file = join(moved, data1);
  const bytes = readFileSync(file);
  writeFileSync(file, flipped(bytes, 20));
  const coded = (code: string, words: RegExp) => (error: unknown) => {
    assert.ok(error instanceof SluiceError);
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  };
  await assert.rejects(
    readSavepoint(moved),
    coded(
      'bad-state',
      /^The savepoint \S+moved cannot be restored\. Checkpoint 1 is left out: .*checksum\. Take another/,
    ),
  );
  renameSync(file, join(root, 'elsewhere'));
  await assert.rejects(readSavepoint(moved), coded('bad-state', /is missing/));
  await assert.rejects(readSavepoint(path), coded('no-savepoint', /is not there\. Give the folder/));
  await assert.rejects(readSavepoint(root), coded('no-savepoint', /has no manifest/));
  await assert.rejects(readSavepoint(join(moved, manifest1)), coded('no-savepoint', /is not a folder/));
});
