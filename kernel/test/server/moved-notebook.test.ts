// A notebook that is renamed or moved finds its checkpoints again, with and without a session, and
// a new notebook at its old path does not get them.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { stateIn } from '../../client/notebook-state.ts';
import { stateFolder } from '../../client/state-folder.ts';
import { readSummary, writeSummary } from '../../client/state-summary.ts';
import { lockDirectory } from '../../checkpoints/directory-lock.ts';
import { claimedState } from '../../server/claimed-state.ts';
import { code, Kernels, until } from './kernels.ts';

/** A folder for notebooks, with a state root beside them. */
function folders(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'sluice-moved-'));
  process.env['SLUICE_STATE'] = join(root, 'state');
  t.onTestFinished(() => {
    delete process.env['SLUICE_STATE'];
    rmSync(root, { recursive: true, force: true });
  });
  const notebook = (name: string): string => {
    const path = join(root, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '// %% id=a\n');
    return path;
  };
  /** As a kernel leaves it. */
  const kept = (path: string, takenAt: number, folder = stateFolder(path)): string => {
    writeSummary(folder, { notebook: path, takenAt, bytes: 1, lost: [] });
    writeFileSync(join(folder, 'checkpoint-00000001.manifest'), String(takenAt));
    return folder;
  };
  return { root, notebook, kept };
}
const takenAt = (path: string): number | undefined => readSummary(path)?.takenAt;

test('a notebook that is moved on disk, alone or with its folder, is found by its file', (t) => {
  const { root, notebook, kept } = folders(t);
  const first = notebook('work/a.sluice.ts');
  kept(first, 5);
  kept(notebook('work/other.sluice.ts'), 6);
  const second = join(root, 'work/b.sluice.ts');
  renameSync(first, second);
  assert.equal(takenAt(second), 5);
  renameSync(join(root, 'work'), join(root, 'done'));
  const third = join(root, 'done/b.sluice.ts');
  assert.deepEqual(readSummary(third), { notebook: third, takenAt: 5, bytes: 1, lost: [] });
  const folder = claimedState(third);
  assert.equal(folder, stateFolder(third));
  assert.equal(stateIn(folder)?.summary.takenAt, 5);
  assert.ok(!existsSync(stateFolder(first)), 'the folder has the name of the new path');
});

test('another file does not get the checkpoints of one that is gone, and its own path gets its own', (t) => {
  const { root, notebook, kept } = folders(t);
  const gone = notebook('gone.sluice.ts');
  kept(gone, 5);
  const another = notebook('another.sluice.ts');
  rmSync(gone);
  assert.equal(takenAt(another), undefined);
  assert.equal(takenAt(notebook('new.sluice.ts')), undefined, 'perhaps with the inode of the one that is gone');
  assert.equal(claimedState(another), stateFolder(another));
  assert.equal(stateIn(stateFolder(gone))?.summary.takenAt, 5, 'it stays where it is');
  // An editor that writes a new file in the place of the former one.
  writeFileSync(join(root, 'saved'), '');
  const saved = notebook('saved.sluice.ts');
  kept(saved, 7);
  renameSync(join(root, 'saved'), saved);
  assert.equal(takenAt(saved), 7);
});

test('a new notebook at the old path begins without the checkpoints, and the moved one keeps them', (t) => {
  const { root, notebook, kept } = folders(t);
  const old = notebook('a.sluice.ts');
  const folder = kept(old, 5);
  const moved = join(root, 'b.sluice.ts');
  renameSync(old, moved);
  // The session of the notebook has heard of its new path, and has taken another checkpoint.
  kept(moved, 6, folder);
  notebook('a.sluice.ts');
  assert.deepEqual([takenAt(old), takenAt(moved)], [undefined, 6]);
  const lock = lockDirectory(folder);
  assert.throws(() => claimedState(old), { code: 'state-in-use' });
  lock.release();
  assert.equal(stateIn(claimedState(old)), undefined);
  assert.deepEqual([takenAt(old), takenAt(moved)], [undefined, 6]);
  assert.equal(stateIn(claimedState(moved))?.summary.takenAt, 6);
});

test('of two states the newer one stays the offer, and the other is not offered again', (t) => {
  const { root, notebook, kept } = folders(t);
  const old = notebook('a.sluice.ts');
  kept(old, 5);
  const moved = join(root, 'b.sluice.ts');
  // What a notebook left that had the new path before.
  writeFileSync(moved, '');
  kept(moved, 4);
  renameSync(old, moved);
  kept(moved, 6, stateFolder(old));
  rmSync(stateFolder(moved), { recursive: true });
  kept(moved, 4);
  assert.equal(takenAt(moved), 4, 'its path has a state');
  notebook('a.sluice.ts');
  claimedState(old);
  assert.equal(takenAt(moved), 6);
  rmSync(stateFolder(moved), { recursive: true });
  assert.equal(takenAt(moved), undefined);
});

test('a session that is renamed while it runs is offered at its new path when it was killed', async (t) => {
  process.env['SLUICE_CHECKPOINT_SECONDS'] = '0.2';
  t.onTestFinished(() => void delete process.env['SLUICE_CHECKPOINT_SECONDS']);
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const first = await kernels.connect(notebook);
  const cells = code({
    ticks: "import { generate } from 'sluice';\nconst ticks = generate({ rate: 10 }, ({ n }) => ({ n }));\nticks",
  });
  await first.request('sync', { cells });
  const [ran] = await first.request('run', { cells: ['ticks'] });
  assert.equal(ran?.error, undefined);
  await until(() => (readSummary(notebook)?.bytes ?? 0) > 0, 'a checkpoint');
  const moved = join(kernels.folder, 'moved.sluice.ts');
  renameSync(notebook, moved);
  await first.request('rename', { notebook: moved });
  await until(() => stateIn(stateFolder(notebook))?.summary.notebook === moved, 'a checkpoint with the new path');
  process.kill(first.entry.pid, 'SIGKILL');
  await first.ended;
  const left = readSummary(moved)!;
  const second = await kernels.connect(moved);
  assert.equal(second.welcome.state.offered?.takenAt, left.takenAt);
  assert.equal(stateIn(stateFolder(notebook)), undefined);
  const another = await kernels.connect(kernels.notebook());
  assert.equal(another.welcome.state.offered, undefined, 'a new notebook at the old path has none');
});
