// A process may end between any two steps on the disk, and the power may fail there. Reopening
// gives the last complete checkpoint.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { CheckpointDirectory } from '../../checkpoints/checkpoint-directory.ts';
import type { CheckpointContent } from '../../checkpoints/checkpoint-storage.ts';
import type { Disk } from '../../checkpoints/disk.ts';
import { readSavepoint } from '../../checkpoints/savepoint.ts';
import { content, segment, task, testFolder } from './contents.ts';
import { DiskStopped, ForgetfulDisk, quickDisk, stoppingDisk } from './failing-disk.ts';

const stable = segment(4000, 'stable');
const logo = new Uint8Array(5000).fill(7);
const often = Array.from({ length: 9 }, (_, id) => segment(3000, id));

/** Later contents replace most of what earlier ones wrote, so old files are emptied on the way. */
function contentOf(id: number): CheckpointContent {
  const chain = id % 3 === 0 ? [often[id]!] : [often[id - 1]!, often[id]!];
  return content(id, { sum: task({ 0: [stable], 7: chain }) }, { cells: [`cell of ${id}`], logo });
}

interface Journey {
  /** Ids whose `write` has returned. */
  readonly complete: number[];
  /** The id that was being written when the disk stopped. */
  begun: number;
  isDiscarding: boolean;
  savepoint: string | undefined;
}

/** Writes checkpoints in two processes, then a savepoint, starts fresh, and writes again. */
async function travel(directory: string, disk: Disk, journey: Journey): Promise<void> {
  const open = () => CheckpointDirectory.open(directory, { retained: 2 }, disk);
  const write = async (storage: CheckpointDirectory, id: number): Promise<void> => {
    journey.begun = id;
    await storage.write(contentOf(id));
    journey.complete.push(id);
  };
  let storage = await open();
  try {
    for (const id of [1, 2, 3]) await write(storage, id);
    await storage.close();
    storage = await open();
    await write(storage, 4);
    journey.savepoint = (await storage.savepoint(contentOf(5), join(directory, 'saved'))).path;
    journey.isDiscarding = true;
    await storage.discardAll();
    journey.isDiscarding = false;
    journey.complete.length = 0;
    await write(storage, 6);
  } finally {
    await storage.close();
  }
}

/** What holds after a crash at any point. */
async function assertWhole(directory: string, { complete, begun, isDiscarding }: Journey): Promise<number | undefined> {
  const storage = await CheckpointDirectory.open(directory, { retained: 2 }, quickDisk);
  const restored = storage.restored?.id;
  const last = complete.at(-1);
  const allowed = isDiscarding ? [last, undefined] : [last, begun === last ? last : begun];
  assert.ok(allowed.includes(restored), `${restored} was restored, not one of ${allowed.join(', ')}`);
  if (restored !== undefined) assert.deepEqual(storage.restored, contentOf(restored));
  assert.ok(storage.skipped.every(({ id }) => id > (restored ?? 0)));
  const next = storage.nextId;
  assert.ok(next > (restored ?? 0) && next > (last ?? 0));
  // The next write works and leaves nothing behind.
  const written = { ...contentOf(7), id: next };
  await storage.write(written);
  await storage.close();
  const reopened = await CheckpointDirectory.open(directory, {}, quickDisk);
  assert.deepEqual(reopened.restored, written);
  assert.deepEqual(reopened.skipped, []);
  await reopened.close();
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith('.tmp')),
    [],
  );
  return restored;
}

function newJourney(): Journey {
  return { complete: [], begun: 0, isDiscarding: false, savepoint: undefined };
}

/** False: the disk never stopped. */
async function isStopped(travelling: Promise<void>): Promise<boolean> {
  try {
    await travelling;
    return false;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    assert.ok(cause instanceof DiskStopped, String(error));
    return true;
  }
}

test('a process that ends between any two steps loses no complete checkpoint', async () => {
  const root = testFolder();
  const restored = new Set<number | undefined>();
  let after = 0;
  for (; ; after++) {
    const directory = join(root, String(after));
    const journey = newJourney();
    const { disk } = stoppingDisk(after);
    const wasStopped = await isStopped(travel(directory, disk, journey));
    restored.add(await assertWhole(directory, journey));
    if (journey.savepoint !== undefined)
      assert.deepEqual((await readSavepoint(journey.savepoint)).content, contentOf(5));
    if (!wasStopped) break;
  }
  assert.ok(after > 80, `there are ${after} steps`);
  assert.deepEqual([...restored], [undefined, 1, 2, 3, 4, 6]);
});

/** How many of the steps on names reach the disk without a sync, by what the test is called. */
const reached = {
  'no name': () => 0,
  'one name': (names: number) => Math.min(1, names),
  'all names': (names: number) => names,
} satisfies Record<string, (names: number) => number>;

for (const [what, keep] of Object.entries(reached))
  test(`a loss of power at any step loses no complete checkpoint, when ${what} had reached the disk before`, async () => {
    const root = testFolder();
    let after = 0;
    for (; ; after++) {
      const directory = join(root, String(after));
      const forgetful = new ForgetfulDisk(`${directory}-trash`);
      const journey = newJourney();
      const { disk } = stoppingDisk(after, forgetful.disk);
      const wasStopped = await isStopped(travel(directory, disk, journey));
      forgetful.losePower(keep(forgetful.unsyncedNames));
      await assertWhole(directory, journey);
      if (journey.savepoint !== undefined)
        assert.deepEqual((await readSavepoint(journey.savepoint)).content, contentOf(5));
      if (!wasStopped) break;
    }
    assert.ok(after > 80, `there are ${after} steps`);
  });

test('an id is never used twice, also when its checkpoint left nothing behind', async () => {
  const root = testFolder();
  const { disk, steps } = stoppingDisk(Infinity);
  await travel(join(root, 'whole'), disk, newJourney());
  const created = (names: readonly string[]): number =>
    Math.max(
      0,
      ...names.flatMap((step) => (step.startsWith('create checkpoint-') ? [Number(step.slice(18, 26))] : [])),
    );
  for (let after = 0; after < steps.length; after++) {
    const directory = join(root, String(after));
    const stopping = stoppingDisk(after);
    await isStopped(travel(directory, stopping.disk, newJourney()));
    // Twice, because opening removes what shows the id.
    for (let turn = 0; turn < 2; turn++) {
      const storage = await CheckpointDirectory.open(directory, {}, quickDisk);
      assert.ok(storage.nextId > created(stopping.steps), `after step ${after}: ${stopping.steps.at(-1)}`);
      await storage.close();
    }
  }
});
