// `sluice run --state` with exactly-once files, killed by SIGKILL again and again.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { seeded } from '../session-live/seeded.ts';
import { paced } from './killed-job.ts';
import { exported, folderOf, start as startJob } from './job-process.ts';
import { Folder, isRunning, sluice, start } from './sluice.ts';

const timeout = { timeout: 600_000 };
/** So many that no job ends before its kills. */
const records = 4000;
const notebook = `// %% id=source
import { configure, count, generate, sum } from 'sluice';
import { setTimeout as sleep } from 'node:timers/promises';
configure({ checkpoint: { interval: '200ms' } });
const events$ = generate(
  { rate: 600, limit: ${records}, timestamp: 'at' },
  ({ n, random }) => ({ n, at: n * 10, k: Math.floor(random() * 5), v: Math.floor(random() * 100) }),
)${paced};

// %% id=counts
events$.keyBy('k').aggregate({ c: count(), s: sum('v') }).toFile('counts.jsonl', { delivery: 'exactly-once' });

// %% id=rows
events$.toFile('rows.csv', { delivery: 'exactly-once', partitionBy: ({ k }) => 'key' + k });
export {};
`;

const isPart = (name: string): boolean => name.startsWith('part-');
const linesOf = (place: string): string[] =>
  (existsSync(place) ? readdirSync(place) : [])
    .filter(isPart)
    .toSorted()
    .flatMap((name) => readFileSync(join(place, name), 'utf8').trim().split('\n'));
/** The text of each part, by its path. */
const contents = (path: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ['counts', 'rows'].flatMap((name) =>
      (readdirSync(join(path, '..', name), { recursive: true }) as string[])
        .filter((file) => isPart(basename(file)))
        .map((file) => [file, readFileSync(join(path, '..', name, file), 'utf8')]),
    ),
  );
const keys = ['key0', 'key1', 'key2', 'key3', 'key4'];

test('files of a job that is killed again and again have each row once, in order', timeout, async (t) => {
  const folder = new Folder(t);
  const path = folder.write('job.sluice.ts', notebook);
  const at = (name: string): string => join(path, '..', name);
  const seed = Number(process.env['SLUICE_SEED'] ?? Date.now() % 1_000_000);
  const kills = Number(process.env['SLUICE_KILLS'] ?? 3);
  const { next: random } = seeded(seed);
  const state = `${path}.state`;
  const rowsOf = (name: string): string[] => keys.flatMap((key) => linesOf(at(`${name}/${key}`)));
  for (let n = 0; n < kills; n++) {
    const life = start(['run', path, '--json', '--state', state]);
    t.onTestFinished(() => void life.child.kill('SIGKILL'));
    // It is killed some time after a commit, so a busy machine kills it no earlier.
    const enough = linesOf(at('counts')).length + 1 + Math.floor(random() * 300);
    while (isRunning(life) && linesOf(at('counts')).length < enough) await sleep(5);
    await sleep(random() * 250);
    life.child.kill('SIGKILL');
    await life.ended;
    // What had ended by itself was not killed.
    assert.equal(
      life.child.signalCode,
      'SIGKILL',
      `SLUICE_SEED=${seed}: it has ended by itself: ${life.out()} ${life.err()}`,
    );
  }
  const last = await sluice('run', path, '--json', '--state', state);
  const replay = `SLUICE_SEED=${seed} SLUICE_KILLS=${kills}`;
  assert.equal(last.code, 0, `${replay}: ${last.out} ${last.err}`);
  assert.match(last.err, /The job goes on from the checkpoint of /);

  const numbers = rowsOf('rows').filter((line) => line !== 'n,at,k,v');
  assert.deepEqual(
    numbers.map((line) => Number(line.split(',')[0])).toSorted((a, b) => a - b),
    Array.from({ length: records }, (_, n) => n),
    replay,
  );
  const counts = linesOf(at('counts')).map((line) => JSON.parse(line) as { k: number; c: number });
  for (const k of [0, 1, 2, 3, 4])
    assert.deepEqual(
      counts.filter((row) => row.k === k).map(({ c }) => c),
      linesOf(at(`rows/key${k}`))
        .filter((line) => line !== 'n,at,k,v')
        .map((_, index) => index + 1),
      `${replay}: key ${k} counts up by one`,
    );
  const hidden = ['counts', ...keys.map((key) => `rows/${key}`)].flatMap((name) =>
    readdirSync(at(name)).filter((file) => file.startsWith('.part-')),
  );
  assert.deepEqual(hidden, [], `${replay}: nothing is left in progress`);

  const before = contents(path);
  const again = await sluice('run', path, '--json', '--state', state);
  assert.equal(again.code, 0, again.err);
  assert.match(
    again.err,
    /^This job had finished at .*, so nothing is written again\. Only rows that a sink had not committed yet are committed\. Give another --state folder, or remove .*\.state, to run it again\.$/m,
  );
  assert.doesNotMatch(again.err, /goes on from/);
  assert.deepEqual(contents(path), before, 'no file is written again');
});

test('a job without --state commits its last rows, and a second one refuses its folder', timeout, async (t) => {
  const folder = new Folder(t);
  const text = `// %% id=rows
import { appendFileSync } from 'node:fs';
import { generate } from 'sluice';
const rows$ = generate({ limit: 10 }, ({ n }) => ({ n }));
rows$.toFile('rows.jsonl', { delivery: 'exactly-once' });

// %% id=own
rows$.sink({
  begin: (): number[] => [],
  write: (rows, { n }) => void rows.push(n),
  preCommit: (rows) => rows,
  commit: (rows) => appendFileSync(import.meta.dirname + '/own.txt', rows.map((n) => n + ' ').join('')),
  abort() {},
});
export {};
`;
  const path = folder.write('job.sluice.ts', text);
  const first = await sluice('run', path, '--json');
  assert.equal(first.code, 0, first.err);
  assert.equal(linesOf(join(path, '../rows')).length, 10);
  assert.equal(readFileSync(join(path, '../own.txt'), 'utf8'), '0 1 2 3 4 5 6 7 8 9 ');
  const second = await sluice('run', path, '--json');
  assert.equal(second.code, 1);
  const error = second.lines.find((line) => line.error)?.error;
  assert.equal(error?.code, 'folder-in-use');
  assert.match(error?.message ?? '', /rows has the part files of another sink or of an earlier job/);
  assert.equal(linesOf(join(path, '../rows')).length, 10);
});

const runs = {
  'without a state folder, until Ctrl-C': { state: false, limit: undefined },
  'with a state folder, until Ctrl-C': { state: true, limit: undefined },
  'without a state folder, to the end': { state: false, limit: 2000 },
  'with a state folder, to the end': { state: true, limit: 2000 },
};
for (const [what, { state, limit }] of Object.entries(runs))
  test(`a run from the state of an exported job commits its parts ${what}`, timeout, async (t) => {
    const generated = `{ rate: 600${limit === undefined ? '' : `, limit: ${limit}`} }`;
    const text = `// %% id=counts
import { configure, count, generate } from 'sluice';
configure({ checkpoint: { interval: '200ms' } });
generate(${generated}, ({ n }) => ({ k: n % 5 })).keyBy('k').aggregate({ c: count() })
  .toFile('counts.jsonl', { delivery: 'exactly-once' });
export {};
`;
    const folder = folderOf(t, { 'n.sluice.ts': text });
    const job = await exported(folder);
    const place = join(folder, 'counts');
    const life = startJob(job, { SLUICE_HTTP_PORT: 'off', SLUICE_DATA_DIR: folder });
    await life.until(() => linesOf(place).length >= 200, '200 rows');
    assert.equal(await life.end('SIGTERM'), 0, JSON.stringify(life.log()));
    const before = linesOf(place).length;

    const own = state ? ['--state', join(folder, 'run-state')] : [];
    const run = start(['run', join(folder, 'n.sluice.ts'), '--from-savepoint', join(job, 'state', 'n'), ...own]);
    let isOver = false;
    void run.ended.then(() => (isOver = true));
    while (limit === undefined && !isOver && linesOf(place).length < before + 200) await sleep(20);
    if (limit === undefined) run.child.kill('SIGINT');
    const { code, out, err } = await run.ended;
    assert.equal(code, 0, `${out}${err}`);
    const counts = linesOf(place).map((line) => JSON.parse(line) as { k: number; c: number });
    assert.ok(limit === undefined ? counts.length >= before + 200 : counts.length === limit, `${counts.length} rows`);
    for (const k of [0, 1, 2, 3, 4])
      assert.deepEqual(
        counts.flatMap((row) => (row.k === k ? [row.c] : [])),
        Array.from({ length: counts.filter((row) => row.k === k).length }, (_, i) => i + 1),
        `key ${k} counts up by one`,
      );
  });
