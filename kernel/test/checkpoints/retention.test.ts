// How much a state directory holds: the retained checkpoints, at most twice their live bytes, and
// nothing else of ours.
import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'vitest';
import { mergeSnapshots, readSnapshot, type TaskSnapshot } from '../../../engine/runtime/snapshot.ts';
import { SegmentWriter } from '../../../engine/state/segment.ts';
import { CheckpointDirectory, openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import { fileName, parsedName } from '../../checkpoints/file-names.ts';
import { type DataFile, emptiedFiles, mostFiles } from '../../checkpoints/places.ts';
import { readManifestOf } from '../../checkpoints/read-checkpoint.ts';
import { seeded } from '../session-live/seeded.ts';
import { content, segment, task, testFolder } from './contents.ts';
import { quickDisk } from './failing-disk.ts';

function ours(directory: string): string[] {
  return readdirSync(directory).filter((name) => parsedName(name));
}
function bytesOf(directory: string, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

test('the newest three checkpoints are retained by default, and their files only', async () => {
  const directory = join(testFolder(), 'state');
  const stable = segment(5000, 'stable');
  const storage = await openCheckpoints(directory);
  for (let id = 1; id <= 5; id++)
    await storage.write(content(id, { sum: task({ 0: [stable], 1: [segment(50, id)] }) }));
  const expected = [1, 3, 4, 5]
    .map((id) => fileName(id, 'data'))
    .concat([3, 4, 5].map((id) => fileName(id, 'manifest')));
  assert.deepEqual(ours(directory).sort(), expected.sort());
  await storage.close();
  const other = await openCheckpoints(directory, { retained: 1 });
  await other.write(content(6));
  assert.deepEqual(ours(directory), [fileName(6, 'manifest')]);
  await other.close();
  await assert.rejects(openCheckpoints(directory, { retained: 0 }), /retained is 0\. Give/);
});

test('a kept checkpoint before another one is read, and one that is broken is left out', async () => {
  const directory = join(testFolder(), 'state');
  const storage = await openCheckpoints(directory);
  assert.equal(await storage.before(1), undefined);
  for (let id = 1; id <= 4; id++) await storage.write(content(id, { sum: task({ 0: [segment(50, id)] }) }));
  assert.equal((await storage.before(9))?.id, 4);
  const third = await storage.before(4);
  assert.deepEqual([third?.id, third?.parts], [3, content(3, { sum: task({ 0: [segment(50, 3)] }) }).parts]);
  writeFileSync(join(directory, fileName(3, 'data')), 'broken');
  assert.equal((await storage.before(4))?.id, 2);
  assert.equal(await storage.before(2), undefined, 'the first is not kept');
  // What was read is not written again.
  const second = (await storage.before(3))!;
  const written = await storage.write({ ...second, id: 5 });
  assert.ok(written.newBytes < written.bytes, `${written.newBytes} of ${written.bytes} bytes`);
  await storage.close();
});

test('orphans and beginnings of files are removed at open, and other files stay', async () => {
  const directory = join(testFolder(), 'state');
  let storage = await openCheckpoints(directory);
  await storage.write(content(7, { sum: task({ 0: [segment(50)] }) }));
  await storage.close();
  const foreign = ['notes.txt', 'checkpoint-00000002.data.bak', 'checkpoint-2.data', 'checkpoint-00000003.manifest.gz'];
  for (const name of [fileName(2, 'data'), fileName(9, 'data'), fileName(9, 'manifest.tmp'), 'next-id.tmp', ...foreign])
    writeFileSync(join(directory, name), 'text');
  storage = await openCheckpoints(directory);
  assert.equal(storage.restored?.id, 7);
  assert.deepEqual(storage.skipped, [
    { id: 9, reason: 'Checkpoint 9 is left out: it was not finished when its process ended.' },
  ]);
  assert.equal(storage.nextId, 10);
  assert.deepEqual(
    readdirSync(directory).sort(),
    [...foreign, fileName(7, 'data'), fileName(7, 'manifest'), 'lock', 'next-id', 'owner.json'].sort(),
  );
  await storage.discardAll();
  assert.deepEqual(readdirSync(directory).sort(), [...foreign, 'lock', 'next-id', 'owner.json'].sort());
  assert.equal(storage.restored, undefined);
  await storage.close();
  storage = await openCheckpoints(directory);
  assert.deepEqual([storage.restored, storage.skipped, storage.nextId], [undefined, [], 10]);
  await storage.close();
});

test('a clock that was set back changes no order', async () => {
  const directory = join(testFolder(), 'state');
  const storage = await openCheckpoints(directory);
  await storage.write({ ...content(1), takenAt: 2_000_000_000_000 });
  await storage.write({ ...content(2), takenAt: 1_000_000_000_000 });
  await storage.close();
  const reopened = await openCheckpoints(directory);
  assert.equal(reopened.restored?.id, 2);
  await reopened.close();
});

test('calls at the same time are done one after the other', async () => {
  const directory = join(testFolder(), 'state');
  const storage = await openCheckpoints(directory);
  const writes = [1, 2, 3].map((id) => storage.write(content(id, { sum: task({ 0: [segment(50, id)] }) })));
  const closed = storage.close();
  await Promise.all([...writes, closed]);
  const reopened = await openCheckpoints(directory);
  assert.deepEqual(reopened.restored, content(3, { sum: task({ 0: [segment(50, 3)] }) }));
  await assert.rejects(reopened.write(content(2)), /an id of at least 4, not 2/);
  await reopened.close();
});

test('bytes that are on disk are not written again, also after a restore', async () => {
  const directory = join(testFolder(), 'state');
  const logo = new Uint8Array(3_000_000).fill(3);
  const state = task({ 0: [segment(400_000)] });
  let storage = await openCheckpoints(directory);
  const first = await storage.write(content(1, { sum: state, twin: state }, { logo, again: [logo] }));
  assert.ok(first.newBytes > 3_400_000 && first.newBytes < 3_410_000, `${first.newBytes} bytes`);
  const second = await storage.write(content(2, { sum: state }, { logo }));
  assert.ok(second.newBytes < 500, `${second.newBytes} bytes`);
  assert.ok(second.bytes > 3_400_000);
  await storage.close();
  storage = await openCheckpoints(directory);
  const restored = storage.restored!;
  const third = await storage.write({ ...restored, id: 3 });
  assert.ok(third.newBytes < 500, `${third.newBytes} bytes`);
  // The names of a file that was removed are forgotten: its bytes are written again.
  await storage.discardAll();
  const fourth = await storage.write({ ...restored, id: 4 });
  assert.ok(fourth.newBytes > 3_400_000, `${fourth.newBytes} bytes`);
  await storage.close();
});

/** For each of 8 key groups: keep it (0), or replace it by a segment of this size. */
const change = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4000 })), { minLength: 8, maxLength: 8 });

test('a checkpoint keeps at most twice its live bytes, and the directory what its checkpoints keep', async () => {
  const root = testFolder();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(25),
      async (changes, retained, reopenAt) => {
        const directory = join(root, String(runs++));
        const open = () => CheckpointDirectory.open(directory, { retained }, quickDisk);
        let storage = await open();
        let groups: Record<number, readonly Uint8Array[]> = {};
        let live: number[] = [];
        for (const [index, sizes] of changes.entries()) {
          if (index === reopenAt) {
            await storage.close();
            storage = await open();
            groups = Object.fromEntries(storage.restored?.parts.get('sum')?.groups ?? []);
          }
          for (const [group, size] of sizes.entries())
            if (size > 0) groups[group] = [segment(size, `${group} of ${index}`)];
          const written = await storage.write(content(storage.nextId, { sum: task(groups) }));
          live = [...live, written.bytes].slice(-retained);
          const kept = ours(directory);
          const needed = new Set<string>();
          for (const name of kept.filter((one) => one.endsWith('manifest'))) {
            const { id } = parsedName(name)!;
            const { files } = await readManifestOf(directory, id);
            const own = [name, ...files.map((file) => fileName(file, 'data'))];
            for (const one of own) needed.add(one);
            const liveBytes = live[kept.filter((one) => one.endsWith('manifest')).indexOf(name)]!;
            assert.ok(
              bytesOf(directory, own) <= 2 * liveBytes,
              `${id} keeps ${bytesOf(directory, own)} for ${liveBytes}`,
            );
          }
          assert.deepEqual([...needed].sort(), kept.sort());
        }
        await storage.close();
        const reopened = await open();
        assert.deepEqual(reopened.restored?.parts.get('sum'), task(groups));
        await reopened.close();
      },
    ),
    { numRuns: 40 },
  );
});

test('the emptiest files go first, and no more than needed', () => {
  const file = (id: number, size: number): DataFile => ({ id, size, isRemoved: false });
  const [full, half, empty] = [file(1, 1000), file(2, 1000), file(3, 1000)];
  const emptied = (live: readonly (readonly [DataFile, number])[], newBytes: number): number[] =>
    [...emptiedFiles(new Map(live), newBytes)].map(({ id }) => id);
  assert.deepEqual(
    emptied(
      [
        [full, 1000],
        [half, 500],
        [empty, 0],
      ],
      0,
    ),
    [],
  );
  assert.deepEqual(
    emptied(
      [
        [full, 900],
        [half, 500],
        [empty, 10],
      ],
      0,
    ),
    [3],
  );
  assert.deepEqual(
    emptied(
      [
        [full, 900],
        [half, 500],
        [empty, 10],
      ],
      1000,
    ),
    [],
  );
  assert.deepEqual(
    emptied(
      [
        [full, 100],
        [half, 90],
        [empty, 10],
      ],
      0,
    ),
    [3, 2, 1],
  );
});

test('many small checkpoints are merged, and the large file beside them is left alone', async () => {
  const directory = join(testFolder(), 'state');
  const storage = await CheckpointDirectory.open(directory, { retained: 1 }, quickDisk);
  const groups: Record<number, readonly Uint8Array[]> = { 1000: [segment(1_000_000)] };
  let mostWritten = 0;
  for (let id = 1; id <= 2 * mostFiles; id++) {
    groups[id] = [segment(100, id)];
    const { newBytes } = await storage.write(content(id, { sum: task(groups) }));
    if (id > 1) mostWritten = Math.max(mostWritten, newBytes);
    assert.ok(ours(directory).length <= mostFiles + 1, `${ours(directory).length} files`);
  }
  assert.ok(mostWritten < 150_000, `${mostWritten} bytes were written at once`);
  await storage.close();
  const reopened = await CheckpointDirectory.open(directory, {}, quickDisk);
  assert.deepEqual(reopened.restored?.parts.get('sum'), task(groups));
  await reopened.close();
});

/** Entries of a keyed sum, as its operator writes them. */
function entries(keys: readonly number[], value: number, isFull: boolean): TaskSnapshot {
  const writer = new SegmentWriter();
  for (const key of keys) writer.put(undefined, [`customer ${key}`], [value, key], undefined);
  const groups = new Map([...writer.segments()].map(([group, one]) => [group, [one]]));
  return { full: isFull, schema: { columns: ['total', 'count'] }, groups, watermark: 0 };
}

/** The 1,000 keys that change before a checkpoint. */
const changes = {
  'side by side': (id: number) => Array.from({ length: 1_000 }, (_, n) => id * 1_000 + n),
  'at random': (id: number) => {
    const { next } = seeded(id);
    const keys = new Set<number>();
    while (keys.size < 1_000) keys.add(Math.floor(next() * 300_000));
    return [...keys];
  },
};
for (const [where, changedIn] of Object.entries(changes))
  test(`1,000 changed of 300,000 entries, ${where}, write less than 2 % of the bytes, checkpoint after checkpoint`, async () => {
    const directory = join(testFolder(), 'state');
    const storage = await openCheckpoints(directory);
    const keys = Array.from({ length: 300_000 }, (_, key) => key);
    const expected = new Map<unknown, unknown>(keys.map((key) => [`customer ${key}`, 0]));
    let state = entries(keys, 0, true);
    const { newBytes: all } = await storage.write(content(1, { sum: state }));
    for (let id = 2; id <= 40; id++) {
      const changed = changedIn(id);
      for (const key of changed) expected.set(`customer ${key}`, id);
      state = mergeSnapshots(state, entries(changed, id, false));
      const { newBytes } = await storage.write(content(id, { sum: state }));
      assert.ok(newBytes < 0.02 * all, `checkpoint ${id}: ${newBytes} of ${all} bytes`);
    }
    await storage.close();
    const reopened = await openCheckpoints(directory);
    const read = readSnapshot(reopened.restored!.parts.get('sum')!);
    const values = new Map([...read.entries()].map(({ tuple, content: [value] }) => [tuple[0], value]));
    assert.equal(values.size, 300_000);
    const other = [...expected].filter(([key, value]) => values.get(key) !== value);
    assert.deepEqual(other.slice(0, 3), []);
    await reopened.close();
  });
