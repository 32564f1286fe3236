// Faults of a state folder as `sluice run --state` shows them: a broken checkpoint, one of a newer
// version, a full disk, a folder without permission. Each has one clear error, and nothing is lost.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'vitest';
import { valueSegment } from '../../../engine/state/segment.ts';
import { type Ended, Folder, isRunning, type JsonLine, start, type Started, wholeLines } from './sluice.ts';

const timeout = { timeout: 600_000 };
const notebook = `// %% id=events
import { configure, count, generate } from 'sluice';
configure({ checkpoint: { interval: '100ms' } });
const events$ = generate({ rate: 300 }, ({ n }) => ({ n, k: n % 2 }));

// %% id=counts
events$.keyBy('k').aggregate({ c: count() }).show();
export {};
`;

const countsOf = (lines: readonly JsonLine[]): number[] =>
  lines.flatMap((line) => (line.cell === 'counts' && 'row' in line ? [(line.row as { c: number }).c] : []));
const manifestsIn = (state: string): string[] =>
  readdirSync(state)
    .filter((name) => name.endsWith('.manifest'))
    .toSorted();

interface Job {
  readonly path: string;
  readonly state: string;
  readonly begin: () => Started;
}
function job(t: TestContext, stateOf = (path: string): string => `${path}.state`): Job {
  const path = new Folder(t).write('job.sluice.ts', notebook);
  const state = stateOf(path);
  const begin = (): Started => {
    const life = start(['run', path, '--json', '--state', state]);
    t.onTestFinished(() => void life.child.kill('SIGKILL'));
    return life;
  };
  return { path, state, begin };
}
async function until(life: Started, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    assert.ok(isRunning(life), `The job has ended: ${life.out().slice(-500)} ${life.err()}`);
    await sleep(20);
  }
}
async function stopped(life: Started): Promise<Ended> {
  life.child.kill('SIGTERM');
  const ended = await life.ended;
  assert.equal(ended.code, 0, ended.err);
  return ended;
}
/** A life that has written three checkpoints. */
async function written({ begin, state }: Job): Promise<Ended> {
  const life = begin();
  await until(life, () => life.out() !== '' && manifestsIn(state).length >= 3);
  return stopped(life);
}
function breakByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[100]! ^= 4;
  writeFileSync(path, bytes);
}
/** Ends at once with one error. */
async function refused(life: Started): Promise<{ readonly code: string; readonly message: string }> {
  const ended = await life.ended;
  assert.equal(ended.code, 1, ended.err);
  assert.equal(ended.lines.length, 1, ended.out);
  return ended.lines[0]!.error!;
}

test(
  'a broken checkpoint is left out with a word, the one before counts on, and without a whole one nothing is removed',
  timeout,
  async (t) => {
    const one = job(t);
    const { state } = one;
    const first = await written(one);
    const newest = manifestsIn(state).at(-1)!;
    breakByte(join(state, newest));
    const life = one.begin();
    await until(life, () => countsOf(wholeLines(life.out())).length > 0);
    const second = await stopped(life);
    const id = Number(newest.match(/\d+/)![0]);
    assert.match(
      second.err,
      new RegExp(`^Checkpoint ${id} is left out: its manifest does not match its checksum\\.$`, 'm'),
    );
    assert.match(second.err, /^The job goes on from the checkpoint of \S+Z\.$/m);
    const [next] = countsOf(second.lines);
    const shown = countsOf(first.lines).at(-1)!;
    assert.ok(next! > 1 && next! <= shown + 1, `the counts go on: ${next}, and ${shown} was shown`);

    for (const name of manifestsIn(state)) breakByte(join(state, name));
    const before = readdirSync(state);
    const { code, message } = await refused(one.begin());
    assert.equal(code, 'bad-state');
    assert.ok(message.startsWith(`No checkpoint in ${state} can be restored. Checkpoint `), message);
    assert.match(message, /Nothing was removed\. Put a copy of the directory in its place, or start fresh/);
    assert.deepEqual(readdirSync(state), before);
  },
);

test('a checkpoint of a newer version ends the job with both versions, and nothing is removed', timeout, async (t) => {
  const one = job(t);
  await written(one);
  const newest = manifestsIn(one.state).at(-1)!;
  writeFileSync(join(one.state, newest), valueSegment({ format: 2, id: Number(newest.match(/\d+/)![0]) }));
  const before = readdirSync(one.state);
  const { code, message } = await refused(one.begin());
  assert.equal(code, 'newer-state');
  assert.match(
    message,
    /^Checkpoint \d+ in .* has format 2\. This version of Sluice reads formats up to 1\. Update Sluice/,
  );
  assert.deepEqual(readdirSync(one.state), before);
});

test('a full disk costs checkpoints, not the job: the next one that has space is complete', timeout, async (t) => {
  const disk = join(dirname(new Folder(t).write('x', '')), 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`A small tmpfs cannot be mounted here: ${String(error)}`);
  }
  t.onTestFinished(() => void execFileSync('umount', ['--lazy', disk]));
  const one = job(t, () => join(disk, 'state'));
  const life = one.begin();
  await until(life, () => life.out() !== '' && manifestsIn(one.state).length >= 1);
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'filler'), new Uint8Array(bavail * bsize));
  await until(life, () => life.err().includes('is full'));
  assert.match(life.err(), /Checkpoint \d+ cannot be written: the disk of \S+ is full\. Free some space, or choose/);
  const [shown, last] = [life.out().length, manifestsIn(one.state).at(-1)!];
  await until(life, () => life.out().length > shown + 1_000);
  rmSync(join(disk, 'filler'));
  await until(life, () => manifestsIn(one.state).at(-1)! > last);
  const first = await stopped(life);
  assert.equal(manifestsIn(one.state).length <= 3, true);
  const again = one.begin();
  await until(again, () => countsOf(wholeLines(again.out())).length > 0);
  const second = await stopped(again);
  assert.match(second.err, /^The job goes on from the checkpoint of \S+Z\.$/m);
  assert.ok(countsOf(second.lines)[0]! <= countsOf(first.lines).at(-1)! + 1);
  assert.ok(countsOf(second.lines)[0]! > 5);
});

// Root may write everywhere, so the job runs as the user nobody.
test('a folder without permission ends the job at once', timeout, async (t) => {
  const one = job(t);
  const folder = dirname(one.path);
  chmodSync(folder, 0o755);
  const closed = join(folder, 'closed');
  mkdirSync(closed, { mode: 0o555 });
  const state = join(closed, 'state');
  const { code, message } = await refused(
    start(['run', one.path, '--json', '--state', state], { user: 'nobody', environment: { HOME: folder } }),
  );
  assert.equal(code, 'state-no-permission');
  assert.equal(
    message,
    `The state directory cannot be opened: this user may not read or write in ${state} (EACCES). ` +
      'Give the right to do so, or choose another directory.',
  );
  assert.deepEqual(readdirSync(closed), []);
});

test('a state folder that is a file, or lies in one, ends the job at once', timeout, async (t) => {
  const file = new Folder(t).write('notes.txt', 'mine');
  for (const state of [file, join(file, 'state')]) {
    const { code, message } = await refused(job(t, () => state).begin());
    assert.equal(code, 'state-no-directory');
    assert.equal(
      message,
      `The state directory cannot be opened: ${state} is a file, or lies in one. Choose the path of a directory.`,
    );
  }
  assert.equal(readFileSync(file, 'utf8'), 'mine');
});
