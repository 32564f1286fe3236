// `sluice run --state` and modules that change between two starts: a helper that was saved, a
// package of another version, an upgrade, and a job that is exported again.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { exported, folderOf, type Life, start as startJob } from './job-process.ts';
import { type Ended, isRunning, type JsonLine, sluice, start, type Started, wholeLines } from './sluice.ts';

const timeout = { timeout: 600_000 };

const notebook = `// %% id=source
import { configure, generate } from 'sluice';
import { plus } from './helper.ts';
import { unit } from 'units';
configure({ checkpoint: { interval: '100ms' } });
const events$ = generate({ rate: 300 }, ({ n }) => ({ n, all: 'all', c: 1, v: 0, unit }));

// %% id=counts
const added$ = events$.map((e) => ({ ...e, v: plus(0) }));
const counts$ = added$.keyBy('all').reduce((a, b) => ({ ...b, c: a.c + 1 }));
counts$.show();
export {};
`;
const helper = (n: number): string => `export const plus = (x: number): number => x + ${n};\n`;
interface Row {
  readonly c: number;
  readonly v: number;
  readonly n: number;
}

function notebookFolder(t: Parameters<typeof folderOf>[0]): string {
  const folder = folderOf(t, { 'n.sluice.ts': notebook, 'helper.ts': helper(1) });
  writeUnits(folder, '1.0.0');
  return folder;
}
function writeUnits(folder: string, version: string): void {
  const units = join(folder, 'node_modules/units');
  mkdirSync(units, { recursive: true });
  writeFileSync(join(units, 'package.json'), JSON.stringify({ name: 'units', version, main: 'i.js' }));
  writeFileSync(join(units, 'i.js'), `exports.unit = ${JSON.stringify(version)};`);
}

const rowsOf = (lines: readonly JsonLine[]): readonly Row[] => lines.flatMap(({ row }) => (row ? [row as Row] : []));
async function moreRows(job: Started): Promise<void> {
  const many = (): number => rowsOf(wholeLines(job.out())).length;
  const enough = many() + 100;
  while (many() < enough) {
    assert.ok(isRunning(job), `the job has ended by itself: ${job.out()}${job.err()}`);
    await sleep(20);
  }
}
/** The number of the newest checkpoint. */
function newest(state: string): number {
  const names = existsSync(state) ? readdirSync(state) : [];
  return Math.max(0, ...names.map((name) => Number(/^checkpoint-(\d+)\.manifest$/.exec(name)?.[1] ?? 0)));
}
/** Runs until there are rows, and a checkpoint that has them. Then it gets this signal. */
async function life(
  parameters: readonly string[],
  signal: NodeJS.Signals,
  state?: string,
): Promise<Ended & { readonly rows: readonly Row[] }> {
  const job = start(['run', ...parameters, ...(state === undefined ? [] : ['--state', state]), '--json']);
  await moreRows(job);
  // One may be under way that does not have them.
  const enough = state === undefined ? 0 : newest(state) + 2;
  while (state !== undefined && newest(state) < enough) {
    assert.ok(isRunning(job), `the job has ended by itself: ${job.out()}${job.err()}`);
    await sleep(20);
  }
  job.child.kill(signal);
  const ended = await job.ended;
  return { ...ended, rows: rowsOf(wholeLines(ended.out)) };
}

test(
  'a job that is killed goes on with the helper of its first start; an upgrade uses the saved one',
  timeout,
  async (t) => {
    const folder = notebookFolder(t);
    const path = join(folder, 'n.sluice.ts');
    const state = join(folder, 'state');
    const first = await life([path], 'SIGKILL', state);
    assert.deepEqual([...new Set(first.rows.map(({ v }) => v))], [1]);

    writeFileSync(join(folder, 'helper.ts'), helper(2));
    const second = await life([path], 'SIGKILL', state);
    assert.deepEqual([...new Set(second.rows.map(({ v }) => v))], [1], second.err);
    assert.ok(second.rows[0]!.c > 1, `the count goes on: ${second.rows[0]!.c}`);
    for (const { c, n } of second.rows) assert.equal(c, n + 1, 'no record is lost, and none counts twice');
    assert.equal(second.err.match(/The job goes on with the former text of helper\.ts/g)?.length, 1, second.err);

    const third = await life([path], 'SIGTERM', state);
    assert.deepEqual([...new Set(third.rows.map(({ v }) => v))], [1], 'what was restored is kept as well');
    assert.equal(third.code, 0, third.err);

    const upgraded = await life([path, '--from-savepoint', state], 'SIGTERM', `${state}-2`);
    assert.deepEqual([...new Set(upgraded.rows.map(({ v }) => v))], [2]);
    assert.match(
      upgraded.err,
      /^Changed since the savepoint: helper\.ts\. The cells are evaluated with what is there now\.$/m,
    );
    const last = third.rows.at(-1)!;
    assert.ok(upgraded.rows[0]!.c > third.rows[0]!.c, `${upgraded.rows[0]!.c} counts on, ${last.c} was the last row`);

    const again = await life([path], 'SIGTERM', `${state}-2`);
    assert.deepEqual([...new Set(again.rows.map(({ v }) => v))], [2]);
    assert.doesNotMatch(again.err, /helper\.ts/);
  },
);

test('a job does not go on with another version of a package, and an upgrade does', timeout, async (t) => {
  const folder = notebookFolder(t);
  const path = join(folder, 'n.sluice.ts');
  const state = join(folder, 'state');
  await life([path], 'SIGKILL', state);
  writeUnits(folder, '2.0.0');
  const refused = await sluice('run', path, '--json', '--state', state);
  assert.equal(refused.code, 1);
  assert.deepEqual(
    refused.lines.map(({ error }) => error?.code),
    ['package-changed'],
  );
  assert.match(refused.lines[0]!.error!.message, /units, which was 1\.0\.0 and is 2\.0\.0 now/);
  const upgraded = await life([path, '--from-savepoint', state], 'SIGTERM');
  assert.ok(upgraded.rows[0]!.c > 1, `the count goes on: ${JSON.stringify(upgraded.rows[0])} ${upgraded.err}`);
  assert.match(upgraded.err, /Changed since the savepoint: units, which was 1\.0\.0 and is 2\.0\.0 now\./);
});

test('a job that is exported again with another helper does not go on from the checkpoint', timeout, async (t) => {
  const folder = folderOf(t, {
    'n.sluice.ts': notebook
      .replace("import { unit } from 'units';\n", '')
      .replace(', unit }', ' }')
      .replace('counts$.show();', "counts$.toFile('../counts.jsonl');"),
    'helper.ts': helper(1),
  });
  const state = join(folder, 'state');
  const environment = { SLUICE_STATE_DIR: state };
  const start = async (): Promise<Life> => {
    rmSync(join(folder, 'job'), { recursive: true, force: true });
    return startJob(await exported(folder), environment);
  };
  const first = await start();
  // The folder of the application.
  await first.until(() => newest(join(state, 'n')) > 0, 'a checkpoint');
  assert.equal(await first.end('SIGTERM'), 0);
  const same = await start();
  const former = newest(join(state, 'n'));
  // A job that is stopped while it comes back has another exit code.
  await same.until(() => newest(join(state, 'n')) > former, 'a checkpoint of the second life');
  assert.equal(await same.end('SIGTERM'), 0);
  writeFileSync(join(folder, 'helper.ts'), helper(2));
  const other = await start();
  assert.equal((await other.ended).code, 3);
  assert.match(
    other.log().find(({ code }) => code === 'notebook-changed')!.message,
    /other modules than the checkpoint in .* \(helper\.ts\)\. Take the change back, or start from the checkpoint as an upgrade: SLUICE_START=savepoint:/,
  );
});
