// `sluice run --state DIR`: a job that is killed goes on from its last checkpoint, a job that fails
// is restarted, a finished one is not run again, and a savepoint starts a changed notebook.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { seeded } from '../session-live/seeded.ts';
import { endsOfExecutor, killedNotebook, killSeed, shownCells } from './killed-job.ts';
import {
  type Ended,
  Folder,
  isRunning,
  type JsonLine,
  killableCli,
  sluice,
  start,
  type Started,
  wholeLines,
} from './sluice.ts';

const timeout = { timeout: 600_000 };
/** So many that no job ends before its kills. */
const records = 10_000;

const cells = Object.keys(shownCells);

const rowsOf = (lines: readonly JsonLine[], cell: string): string[] =>
  lines.flatMap((line) => (line.cell === cell && 'row' in line ? [JSON.stringify(line.row)] : []));
/**
 * Output is at least once, so rows may come again. None may be lost, and none may be another one.
 */
function assertSame(lives: readonly Ended[], undisturbed: Ended): void {
  const lines = lives.flatMap(({ out }) => wholeLines(out));
  assert.deepEqual(
    lives.flatMap(({ lines: all }) => all.filter(({ error }) => error)),
    [],
  );
  for (const cell of cells) {
    const expected = new Set(rowsOf(undisturbed.lines, cell));
    assert.ok(expected.size > 50, `${cell} has rows`);
    const found = new Set(rowsOf(lines, cell));
    assert.deepEqual([...found].filter((row) => !expected.has(row)).slice(0, 3), [], `${cell}: no other rows`);
    assert.deepEqual([...expected].filter((row) => !found.has(row)).slice(0, 3), [], `${cell}: no row is lost`);
  }
}

test('a job that is killed again and again gives the rows of a job without kills', timeout, async (t) => {
  const folder = new Folder(t);
  const unpaced = folder.write('undisturbed.sluice.ts', killedNotebook(records, { isPaced: false }));
  const undisturbed = await sluice('run', unpaced, '--json');
  const path = folder.write('job.sluice.ts', killedNotebook(records, { isPaced: true }));
  assert.equal(undisturbed.code, 0, undisturbed.err);
  const seed = killSeed();
  // With those of `session-live/executor-kills` they are 20. A kill of the process is one of the
  // whole machine for this job, because it has no other process.
  const kills = Number(process.env['SLUICE_KILLS'] ?? 14);
  const replay = `SLUICE_SEED=${seed} SLUICE_KILLS=${kills}`;
  const { next: random } = seeded(seed);
  const state = `${path}.state`;
  const begin = (): Started => start(['run', path, '--json', '--state', state], { command: killableCli });
  const lives: Ended[] = [];
  let life = begin();
  t.onTestFinished(() => void life.child.kill('SIGKILL'));
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      // What had ended by itself was not killed.
      assert.ok(isRunning(life), `${replay}: the job has ended by itself: ${life.err()}`);
      await sleep(5);
    }
  };
  let written = 0;
  for (let n = 0; n < kills; n++) {
    // It is killed at some row, so a busy machine kills it no earlier. A kill of the thread waits
    // for rows of the present one.
    const enough = written + 200 + Math.floor(random() * 20_000);
    const isThread = random() < 0.4;
    await until(() => life.out().length >= enough);
    if (isThread) {
      const before = endsOfExecutor(life.err());
      life.child.kill('SIGUSR2');
      await until(() => endsOfExecutor(life.err()) > before);
      written = life.out().length;
    } else {
      life.child.kill('SIGKILL');
      lives.push(await life.ended);
      assert.equal(life.child.signalCode, 'SIGKILL', `${replay}: the job has ended by itself`);
      life = begin();
      written = 0;
    }
  }
  life.child.kill('SIGKILL');
  lives.push(await life.ended);
  const last = await sluice('run', path, '--json', '--state', state);
  assert.equal(last.code, 0, `${replay}: ${last.err}`);
  lives.push(last);
  try {
    assertSame(lives, undisturbed);
  } catch (error) {
    throw new Error(`With ${replay}`, { cause: error });
  }
  const again = await sluice('run', path, '--json', '--state', state);
  assert.equal(again.code, 0);
  assert.deepEqual(again.lines, [], 'a finished job writes nothing again');
  assert.match(again.err, /This job had finished at/);
});

const failing = (attempts: number): string => `// %% id=source
import { configure, count, generate } from 'sluice';
configure({ checkpoint: { interval: '100ms' }, restart: { kind: 'fixed-delay', attempts: ${attempts}, delay: '50ms' } });
import { existsSync, writeFileSync } from 'node:fs';
const events$ = generate({ rate: 400, limit: 1200 }, ({ n }) => ({ n, k: n % 3 }));
const marker = import.meta.dirname + '/failed-once';
const poison = (e: { n: number }): boolean => {
  if (e.n === 600 && (${attempts} === 0 || !existsSync(marker))) {
    writeFileSync(marker, '');
    throw new Error('poison');
  }
  return true;
};

// %% id=counts
events$.filter(poison).keyBy('k').aggregate({ c: count() }).show();
export {};
`;

test('a job that fails once is restarted from its checkpoint, and counts on', timeout, async (t) => {
  const folder = new Folder(t);
  const path = folder.write('job.sluice.ts', failing(4));
  const ended = await sluice('run', path, '--json', '--state', `${path}.state`);
  assert.equal(ended.code, 0, ended.err);
  assert.match(ended.err, /poison.*restarts in .* from the last checkpoint \(restart 1\)/);
  const last = rowsOf(ended.lines, 'counts').slice(-3);
  assert.deepEqual(
    last.map((row) => (JSON.parse(row) as { c: number }).c),
    [400, 400, 400],
  );
});

test('a job without restarts left ends with the error, and its checkpoint has no hole', timeout, async (t) => {
  const folder = new Folder(t);
  const path = folder.write('job.sluice.ts', failing(0));
  const first = await sluice('run', path, '--json', '--state', `${path}.state`);
  assert.equal(first.code, 1);
  assert.match(first.lines.find(({ error }) => error)?.error?.message ?? '', /poison/);
  // It fails at the same record again: the record is not skipped.
  const second = await sluice('run', path, '--json', '--state', `${path}.state`);
  assert.equal(second.code, 1);
  assert.match(second.lines.find(({ error }) => error)?.error?.message ?? '', /poison/);
});

const unmendable = {
  'a file that is not there': {
    source: `file('missing.csv')`,
    error: /^file missing\.csv: There is no file .*missing\.csv/,
  },
  'a connection that nobody has defined': {
    source: `kafka('orders', { connection: 'nowhere' })`,
    error: /There is no Kafka connection "nowhere"/,
  },
};
for (const [what, { source, error }] of Object.entries(unmendable))
  test(`${what} ends a job at once, although it has a restart strategy`, timeout, async (t) => {
    const path = new Folder(t).write(
      'job.sluice.ts',
      `import { file, kafka } from 'sluice';\n// %% id=out\n${source}.show();\nvoid [file, kafka];\n`,
    );
    const { code, err, lines } = await sluice('run', path, '--json', '--state', `${path}.state`);
    assert.equal(code, 1, err);
    assert.match(lines[0]?.error?.message ?? '', error);
    assert.match(lines[0]?.error?.message ?? '', /It is not restarted, because it would fail in the same way again\.$/);
    assert.doesNotMatch(err, /restarts in/);
  });

/** Runs until it has shown rows of the cell, and is stopped then. */
async function untilRows(cell: string, parameters: readonly string[]): Promise<Ended> {
  const job = start(['run', ...parameters, '--json']);
  let isOver = false;
  void job.ended.then(() => (isOver = true));
  while (!isOver && rowsOf(wholeLines(job.out()), cell).length < 20) await sleep(20);
  job.child.kill('SIGTERM');
  return await job.ended;
}

test('a job that goes on names the sources that cannot be read again', timeout, async (t) => {
  const path = new Folder(t).write(
    'job.sluice.ts',
    `// %% id=live
import { from, generate } from 'sluice';
async function* endless() { yield { n: 0 }; await new Promise(() => {}); }
from(endless()).show();

// %% id=ticks
generate({ rate: 300 }, ({ n }) => ({ n })).show();
export {};
`,
  );
  const parameters = [path, '--state', `${path}.state`];
  const first = await untilRows('ticks', parameters);
  assert.equal(first.code, 0, first.err);
  assert.doesNotMatch(first.err, /read again/, 'the first start reads everything');
  const second = await untilRows('ticks', parameters);
  assert.match(
    second.err,
    /The job goes on from the checkpoint of \S+Z\. from of live cannot be read again: its cell fails\. Give another --state/,
  );
  assert.deepEqual([second.code, second.lines.find(({ error }) => error)?.error?.code], [1, 'not-replayable']);
});

const counting = (aggregates: string, extra = ''): string => `// %% id=source
import { count, generate, sum } from 'sluice';
const events$ = generate({ rate: 300 }, ({ n }) => ({ n, k: n % 2 }));

// %% id=counts
const counts$ = events$${extra}.keyBy('k').aggregate(${aggregates});
counts$.show();
export {};
`;

test(
  'a stopped job is a savepoint: same shape goes on with a warning, another shape is refused',
  timeout,
  async (t) => {
    const folder = new Folder(t);
    const path = folder.write('job.sluice.ts', counting('{ c: count() }'));
    const state = `${path}.state`;
    const first = await untilRows('counts', [path, '--state', state]);
    assert.equal(first.code, 0, first.err);
    const counted = rowsOf(first.lines, 'counts').length;
    assert.ok(counted > 0);
    assert.ok(readdirSync(state).some((name) => name.endsWith('.manifest')));

    folder.write('job.sluice.ts', counting('{ c: count() }', '.map((e) => ({ ...e, more: 1 }))'));
    const changed = await sluice('run', path, '--json', '--state', state);
    assert.equal(changed.code, 1);
    assert.match(changed.lines[0]?.error?.message ?? '', /The notebook has changed since the checkpoint.*"counts"/);

    const upgraded = await untilRows('counts', [path, '--from-savepoint', state]);
    assert.equal(upgraded.code, 0, upgraded.err);
    const [row] = rowsOf(upgraded.lines, 'counts');
    assert.ok((JSON.parse(row!) as { c: number }).c > 1, `the counts go on: ${row}`);

    folder.write('job.sluice.ts', counting('{ s: sum("n") }'));
    const other = await sluice('run', path, '--json', '--from-savepoint', state);
    assert.equal(other.code, 1);
    assert.match(JSON.stringify(other.lines), /another key, window, aggregate or type of state/);

    folder.write('job.sluice.ts', counting('{ c: count() }').replaceAll('counts', 'totals'));
    const missing = await sluice('run', path, '--json', '--from-savepoint', state);
    assert.match(JSON.stringify(missing.lines), /no operator has this id now/);
    const without = await untilRows('totals', [path, '--from-savepoint', state, '--allow-non-restored-state']);
    assert.equal(without.code, 0, without.err);
    assert.match(without.err, /is left out: no operator has this id/);
  },
);

test(
  'a job that fails at its first record after a savepoint has the state of the savepoint again',
  timeout,
  async (t) => {
    const folder = new Folder(t);
    const path = folder.write('job.sluice.ts', counting('{ c: count() }'));
    const state = `${path}.state`;
    const first = await untilRows('counts', [path, '--state', state]);
    assert.equal(first.code, 0, first.err);
    const counted = rowsOf(first.lines, 'counts').map((row) => JSON.parse(row) as { k: number; c: number });

    const once = `.filter(() => {
  if (existsSync(marker)) return true;
  writeFileSync(marker, '');
  throw new Error('poison');
})`;
    const before = `import { configure } from 'sluice';
import { existsSync, writeFileSync } from 'node:fs';
configure({ restart: { kind: 'fixed-delay', attempts: 4, delay: '50ms' } });
const marker = import.meta.dirname + '/failed-once';
`;
    folder.write('job.sluice.ts', counting('{ c: count() }', once).replace('import', `${before}import`));
    const second = await untilRows('counts', [path, '--from-savepoint', state, '--state', `${path}.next`]);
    assert.equal(second.code, 0, second.err);
    assert.match(second.err, /poison.*restarts in/);
    for (const k of [0, 1]) {
      const { c } = rowsOf(second.lines, 'counts')
        .map((row) => JSON.parse(row) as { k: number; c: number })
        .find((row) => row.k === k)!;
      // At its end the first job shows rows of after its last checkpoint.
      const shown = counted.filter((row) => row.k === k).length;
      assert.ok(c > 5 && c <= shown + 1, `the count of ${k} goes on: ${c}, and ${shown} were shown`);
    }
  },
);

test('faults of a state folder have one clear error each', timeout, async (t) => {
  const folder = new Folder(t);
  const path = folder.write('job.sluice.ts', counting('{ c: count() }'));
  const state = `${path}.state`;
  const running = start(['run', path, '--json', '--state', state]);
  while (!existsSync(state) || rowsOf(wholeLines(running.out()), 'counts').length === 0) await sleep(20);
  const second = await sluice('run', path, '--json', '--state', state);
  assert.equal(second.code, 1);
  assert.equal(second.lines[0]?.error?.code, 'state-in-use');
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).code, 0);
  const params = await sluice('run', path, '--json', '--state', state, '--from-savepoint', state);
  assert.equal(params.code, 1);
  const nothing = `${path}.nothing`;
  mkdirSync(nothing);
  const none = await sluice('run', path, '--json', '--from-savepoint', nothing);
  assert.equal(none.lines[0]?.error?.code, 'no-savepoint');
});
