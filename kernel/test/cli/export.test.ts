// `sluice export --target node`: the folder stands alone and gives the rows of `sluice run`; a
// kill, SIGTERM and a restart lose nothing; a second instance and a wrong environment are refused.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { exported, folderOf, start } from './job-process.ts';
import { sluice } from './sluice.ts';

const timeout = { timeout: 600_000 };
const run = promisify(execFile);

const windows = `// %% id=orders
import { count, generate, param, sum, tumbling } from 'sluice';
import { limitOf } from './lib/limit.ts';
import { scale } from 'scale';
const orders = generate({ limit: 5000, timestamp: 'at' }, ({ n, random }) => ({ n, k: n % 5, v: Math.floor(random() * 9), at: n * 10 }));
orders.show();

// %% id=totals
const low = orders.filter((o) => o.k < limitOf());
low.map((o) => o.v).show();
const totals = low.keyBy('k').window(tumbling('1s')).aggregate({ n: count(), v: sum((o) => scale(o.v)) });
totals.chart({ x: 'windowStart', y: 'n' });
console.log('not in the job', await totals.take(1).toArray());

// %% id=out
totals.toFile(param('file', 'totals.jsonl'));
`;
const windowFiles = {
  'n.sluice.ts': windows,
  'lib/limit.ts': "import { most } from './most.ts';\nexport const limitOf = (): number => most;\n",
  'lib/most.ts': 'export const most = 3;\n',
  'node_modules/scale/package.json': '{"name":"scale","version":"1.0.0","main":"index.js","types":"index.d.ts"}',
  'node_modules/scale/index.js': 'exports.scale = (n) => n * 10;\n',
  'node_modules/scale/index.d.ts': 'export declare function scale(n: number): number;\n',
};

test('the folder stands alone: npm ci and npm start give the rows of sluice run', timeout, async (t) => {
  const folder = folderOf(t, windowFiles);
  const job = await exported(folder);
  // The same notebook elsewhere gives the same bytes.
  const elsewhere = folderOf(t, windowFiles);
  const again = await exported(elsewhere);
  const names = readdirSync(job, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.equal(names.length, 9);
  for (const { name, parentPath } of names) {
    const path = join(parentPath, name);
    assert.ok(readFileSync(path).equals(readFileSync(path.replace(job, again))), name);
  }
  const { code, err } = await sluice('run', join(folder, 'n.sluice.ts'), '--json');
  assert.equal(code, 0, err);

  const clean = join(mkdtempSync(join(tmpdir(), 'sluice-job-')), 'job');
  t.onTestFinished(() => rmSync(dirname(clean), { recursive: true, force: true }));
  cpSync(job, clean, { recursive: true });
  rmSync(elsewhere, { recursive: true });
  const environment = { PATH: process.env['PATH'], SLUICE_HTTP_PORT: 'off', HOME: clean, npm_config_offline: 'true' };
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: clean, env: environment });
  const { stdout } = await run('npm', ['start', '--silent'], { cwd: clean, env: environment });
  assert.doesNotMatch(stdout, /not in the job/);
  const rowsOf = (path: string): readonly string[] => readFileSync(path, 'utf8').trim().split('\n').sort();
  const rows = rowsOf(join(clean, 'totals.jsonl'));
  assert.equal(rows.length, 150);
  assert.deepEqual(rows, rowsOf(join(folder, 'totals.jsonl')));

  const finished = start(clean, { SLUICE_HTTP_PORT: 'off' });
  assert.equal((await finished.ended).code, 0);
  assert.match(
    finished
      .log()
      .map(({ message }) => message)
      .join('\n'),
    /This job had finished at .* Set another SLUICE_APPLICATION_ID/,
  );
  const other = { SLUICE_HTTP_PORT: 'off', SLUICE_APPLICATION_ID: 'n-2', SLUICE_PARAM_file: 'again.jsonl' };
  assert.equal((await start(clean, other).ended).code, 0);
  assert.deepEqual(rowsOf(join(clean, 'again.jsonl')), rows);
});

const counting = `// %% id=events
import { count, generate } from 'sluice';
const events = generate({ rate: 1000 }, ({ n }) => ({ n, k: n % 3 }));
events.keyBy('k').aggregate({ c: count() }).toFile('counts.jsonl');
export {};
`;
interface Count {
  readonly k: number;
  readonly c: number;
}

test('a job that is killed, started twice and stopped loses no row and writes none twice', timeout, async (t) => {
  const job = await exported(folderOf(t, { 'n.sluice.ts': counting }));
  const environment = { SLUICE_CHECKPOINT_SECONDS: '0.2' };
  const path = join(job, 'counts.jsonl');
  const isAtLeast = (rows: number): boolean => existsSync(path) && readFileSync(path, 'utf8').split('\n').length > rows;
  const answer = async (port: number, page: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://127.0.0.1:${port}/${page}`);
    return { status: response.status, text: await response.text() };
  };

  const first = start(job, environment);
  const port = await first.port();
  assert.equal((await answer(port, 'health')).status, 200);
  while ((await answer(port, 'ready')).status !== 200) await sleep(20);
  while (!/numberOfCompletedCheckpoints\{job_name="n"\} [1-9]/.test((await answer(port, 'metrics')).text))
    await sleep(20);
  while (
    !/operator_numRecordsIn\{[^}]*operator_name="toFile counts.jsonl"[^}]*\} [1-9]/.test(
      (await answer(port, 'metrics')).text,
    )
  )
    await sleep(20);
  assert.equal((await answer(port, 'nothing')).status, 404);

  const second = start(job, environment);
  assert.equal((await second.ended).code, 3);
  assert.equal(second.log().at(-1)!.code, 'state-in-use');
  assert.match(second.log().at(-1)!.message, /is in use by process/);

  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  const killedAt = existsSync(path) ? readFileSync(path, 'utf8').split('\n').length : 0;
  const third = start(job, environment);
  await third.port();
  while (!isAtLeast(killedAt + 200)) await sleep(20);
  process.kill(third.pid, 'SIGTERM');
  assert.equal((await third.ended).code, 0, JSON.stringify(third.log()));
  assert.match(
    third
      .log()
      .map(({ message }) => message)
      .join('\n'),
    /goes on from the checkpoint[^]*SIGTERM: [^]*has stopped/,
  );

  const counted = assertCounts(path);

  // The state of the stopped job is a savepoint for another application.
  const upgraded = {
    ...environment,
    SLUICE_APPLICATION_ID: 'n-2',
    SLUICE_START: `savepoint:${join(job, 'state', 'n')}`,
  };
  const other = start(job, upgraded);
  await other.port();
  while (!isAtLeast(counted + 200)) await sleep(20);
  process.kill(other.pid, 'SIGINT');
  assert.equal((await other.ended).code, 0, JSON.stringify(other.log()));
  assert.ok(assertCounts(path) >= counted + 200);
  // A platform starts the job again with the same variables: it goes on from its own checkpoint.
  const upTo = assertCounts(path);
  const again = start(job, upgraded);
  await again.port();
  while (!isAtLeast(upTo + 200)) await sleep(20);
  process.kill(again.pid, 'SIGTERM');
  assert.equal((await again.ended).code, 0, JSON.stringify(again.log()));
  assert.ok(again.log().some(({ message }) => message.endsWith('The savepoint is not used again.')));
  assert.ok(assertCounts(path) >= upTo + 200);
});

/** Each count once, from 1 on: nothing is lost, and nothing is written twice. Gives the rows. */
function assertCounts(path: string): number {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as Count);
  for (const key of [0, 1, 2]) {
    const counts = rows.flatMap(({ k, c }) => (k === key ? [c] : []));
    assert.deepEqual(
      counts,
      [...counts.keys()].map((n) => n + 1),
    );
    assert.ok(counts.length > 60);
  }
  return rows.length;
}

test('each wrong environment variable has a line, and nothing runs', timeout, async (t) => {
  const notebook = `// %% id=orders
import { kafka } from 'sluice';
kafka('orders', { connection: 'prod' }).to('copies');
export {};
`;
  const job = await exported(folderOf(t, { 'n.sluice.ts': notebook }));
  const wrong = start(job, {
    SLUICE_APPLICATION_ID: 'a b',
    SLUICE_CHECKPOINT_SECONDS: '-1',
    SLUICE_HTTP_PORT: '70000',
    SLUICE_LOG_LEVEL: 'loud',
    SLUICE_START: 'yesterday',
    SLUICE_PARAM_limit: '3',
    SLUICE_STATE_DIRECTORY: '/state',
  });
  assert.equal((await wrong.ended).code, 2);
  const lines = wrong.log();
  assert.deepEqual(
    lines.map(({ level, message }) => `${level} ${message.split(' ', 1)[0]}`),
    [
      'warn SLUICE_STATE_DIRECTORY',
      'error SLUICE_BROKERS',
      'error SLUICE_CONNECTION_PROD',
      'error SLUICE_APPLICATION_ID',
      'error SLUICE_START',
      'error SLUICE_HTTP_PORT',
      'error SLUICE_CHECKPOINT_SECONDS',
      'error SLUICE_LOG_LEVEL',
      'error SLUICE_PARAM_limit',
    ],
  );
  assert.equal(existsSync(join(job, 'state')), false);
});

test('an older Node is one line of the log, and nothing runs', timeout, async (t) => {
  const folder = folderOf(t, {
    'n.sluice.ts': "// %% id=out\nimport { from } from 'sluice';\nfrom([1]).toFile('rows.jsonl');\nexport {};\n",
    'older.cjs': "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.9.0' } });\n",
  });
  const job = await exported(folder);
  const life = start(job, { NODE_OPTIONS: `--require=${join(folder, 'older.cjs')}` });
  assert.equal((await life.ended).code, 2);
  assert.deepEqual(
    life.log().map(({ level, message, code }) => [level, message, code]),
    [['error', 'The job needs Node 24 or later, and this is Node 22.9.0.', 'bad-configuration']],
  );
  assert.equal(existsSync(join(job, 'state')), false);
});

test('a savepoint that is not there and a port that is taken are one error each', timeout, async (t) => {
  const job = await exported(folderOf(t, { 'n.sluice.ts': counting }));
  const none = start(job, { SLUICE_START: `savepoint:${join(job, 'none')}` });
  assert.equal((await none.ended).code, 3);
  const errors = none.log().filter(({ level }) => level === 'error');
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['no-savepoint'],
  );
  assert.ok(errors[0]!.message.includes(join(job, 'none')));
  const server = createServer().listen(0, '127.0.0.1');
  t.onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const taken = start(job, { SLUICE_HTTP_PORT: String(port) });
  assert.equal((await taken.ended).code, 2);
  assert.match(taken.log().at(-1)!.message, new RegExp(`${port}`));
});

test('what cannot be exported is refused, and nothing is written', timeout, async (t) => {
  const folder = folderOf(t, {
    'n.sluice.ts': `// %% id=a\nimport { from } from 'sluice';\nfrom([1]).toFile('a');\n`,
    'full/file.txt': '',
  });
  const exporting = (name: string, target: string, out: string) =>
    sluice('export', join(folder, name), '--target', target, '--out', join(folder, out));
  const full = await exporting('n.sluice.ts', 'node', 'full');
  assert.equal(full.code, 1);
  assert.match(full.err, /full is not empty\. Give a new folder to --out/);
  const flink = await exporting('n.sluice.ts', 'flink', 'job');
  assert.equal(flink.code, 1);
  assert.match(flink.err, /not-yet: sluice export --target flink/);
  assert.equal(existsSync(join(folder, 'job')), false);
});
