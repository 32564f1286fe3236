// `sluice serve` and `sluice check` as processes.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { WebSocket } from 'ws';
import { entries, isAlive } from '../../client/registry.ts';
import { readSummary } from '../../client/state-summary.ts';
import { protocolVersion } from '../../protocol/messages.ts';
import { code, Kernels, until } from '../server/kernels.ts';
import { exported, folderOf, start as startJob } from './job-process.ts';
import { Folder, sluice, start } from './sluice.ts';

const endless =
  "// %% id=a\nimport { generate } from 'sluice';\nconst x = generate({ rate: 20 }, (g) => ({ n: g.n }));\nx\n";

test('serve starts a session, runs the notebook, shows rows and the page’s address, and ends it with Ctrl-C', async (t) => {
  const kernels = new Kernels(t);
  const { child, ended, out } = start(['serve', kernels.notebook('a.sluice.ts', endless)]);
  await until(() => /^a {2}n=5$/m.test(out()), 'a row');
  const address = /^http:\/\/127\.0\.0\.1:\d+\/\?token=\S+$/m.exec(out())?.[0];
  assert.ok(address, out());
  const [entry] = entries(kernels.folder);
  assert.ok(entry);
  child.kill('SIGINT');
  const { code: exit, err } = await ended;
  assert.deepEqual([exit, err], [0, '']);
  await until(() => !isAlive(entry.pid), 'the kernel to end');
});

test('serve goes on from the last session, runs what was edited since then, and --fresh starts anew', async (t) => {
  const kernels = new Kernels(t);
  const counting = `${endless}\n// %% id=b\nx.map(({ n }) => ({ n, text: 'first' }))\n`;
  const notebook = kernels.notebook('a.sluice.ts', counting);
  const stopped = async (parameters: readonly string[], row: RegExp): Promise<string> => {
    const { child, ended, out } = start(['serve', notebook, ...parameters]);
    await until(() => row.test(out()), `${row} in ${out()}`);
    child.kill('SIGINT');
    assert.equal((await ended).code, 0);
    return out();
  };
  await stopped([], /^b {2}n=20 {2}text=first$/m);
  kernels.notebook('a.sluice.ts', counting.replace('first', 'second'));
  const second = await stopped([], /^b {2}n=\d+ {2}text=second$/m);
  assert.match(second, /The session goes on from the checkpoint of .* \(--fresh starts anew\)/);
  assert.ok(Number(/^b {2}n=(\d+) {2}text=second$/m.exec(second)?.[1]) > 5, second);
  const fresh = await stopped(['--fresh'], /^a {2}n=0$/m);
  assert.doesNotMatch(fresh, /goes on from/);
});

test('serve starts from a savepoint with its state, runs what was edited, and refuses a running session', async (t) => {
  const kernels = new Kernels(t);
  const once = 'async function* once() { yield { n: 0 }; await new Promise(() => {}); }\nfrom(once())';
  const counting = `${endless}
// %% id=b
x.map(({ n }) => ({ n, text: 'first' }))
// %% id=c
import { from } from 'sluice';
${once}
`;
  const notebook = kernels.notebook('a.sluice.ts', counting);
  const first = start(['serve', notebook]);
  await until(() => /^b {2}n=20 {2}text=first$/m.test(first.out()), `rows in ${first.out()}`);
  const taken = await sluice('savepoint', notebook, join(kernels.folder, 'savepoints'));
  assert.equal(taken.code, 0, taken.err);
  const savepoint = taken.out.trim();
  const refused = await sluice('serve', notebook, '--from-savepoint', savepoint);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^A session of this notebook runs already.*\n$/);
  first.child.kill('SIGINT');
  assert.equal((await first.ended).code, 0);

  // What is no savepoint takes nothing away.
  const none = await sluice('serve', notebook, '--from-savepoint', kernels.folder);
  assert.equal(none.code, 1);
  assert.match(none.err, /^.* has no manifest of a savepoint\. Give the folder of a savepoint.*\n$/);
  assert.ok(readSummary(notebook), 'the checkpoint of the last session is there');

  kernels.notebook('a.sluice.ts', counting.replace('first', 'second'));
  // As a process leaves it that ended while it wrote.
  writeFileSync(join(savepoint, 'checkpoint-00099999.data'), 'a beginning');
  const second = start(['serve', notebook, '--from-savepoint', savepoint]);
  const row = /^b {2}n=(\d+) {2}text=second$/m;
  await until(() => row.test(second.out()), `rows in ${second.out()}`);
  assert.ok(second.out().includes(`The session goes on from the savepoint ${savepoint}.`));
  assert.match(second.out(), /^▲ Checkpoint 99999 is left out: it was not finished when its process ended\.$/m);
  assert.match(second.out(), /^▲ from\S* of c cannot be read again: its cells go on without it\.$/m);
  assert.ok(Number(row.exec(second.out())![1]) >= 20, second.out());
  // Its checkpoints are those of this session.
  await until(() => (readSummary(notebook)?.takenAt ?? 0) > 0, 'a checkpoint');
  second.child.kill('SIGINT');
  assert.equal((await second.ended).code, 0);
});

test('serve goes on from the state of an exported job, and its sinks wait to be armed', async (t) => {
  // The session has a folder of its own.
  void new Kernels(t);
  const text = `// %% id=counts
import { count, generate } from 'sluice';
const counts = generate({ rate: 200 }, ({ n }) => ({ k: n % 2 })).keyBy('k').aggregate({ c: count() });
counts.show();
counts.toFile('counts.jsonl');
export {};
`;
  const folder = folderOf(t, { 'n.sluice.ts': text });
  const job = await exported(folder);
  const written = join(job, 'counts.jsonl');
  const life = startJob(job);
  await life.until(() => existsSync(written) && readFileSync(written, 'utf8').split('\n').length > 200, '200 rows');
  assert.equal(await life.end('SIGTERM'), 0, JSON.stringify(life.log()));
  const rows = readFileSync(written, 'utf8').split('\n').length - 1;

  const served = start(['serve', join(folder, 'n.sluice.ts'), '--from-savepoint', join(job, 'state', 'n')]);
  const counted = (): number[] => [...served.out().matchAll(/^counts {2}.*\bc=(\d+)/gm)].map(([, c]) => Number(c));
  await until(() => counted().length > 0, `rows in ${served.out()}`);
  // Two keys have counted half of the rows each.
  assert.ok(Math.min(...counted()) >= Math.floor(rows / 2), served.out());
  served.child.kill('SIGINT');
  assert.equal((await served.ended).code, 0);
  assert.equal(existsSync(join(folder, 'counts.jsonl')), false);
});

test('an open page shows it when Ctrl-C ends the session', async (t) => {
  const kernels = new Kernels(t);
  const { child, ended, out } = start(['serve', kernels.notebook('a.sluice.ts', endless)]);
  await until(() => /^a {2}n=5$/m.test(out()), 'a row');
  const { host, searchParams } = new URL(/http:\S+/.exec(out())![0]);
  const token = searchParams.get('token')!;
  const socket = new WebSocket(`ws://${host}/session?token=${token}`, { origin: `http://${host}` });
  t.onTestFinished(() => socket.terminate());
  const heard: { readonly id?: number; readonly method?: string; readonly params?: { readonly reason?: string } }[] =
    [];
  socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as (typeof heard)[number]));
  await new Promise((resolve) => socket.once('open', resolve));
  const hello = { protocol: protocolVersion, build: 'page', token, client: 'page' };
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params: hello }));
  await until(() => heard.some(({ id }) => id === 1), 'the welcome');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
  await closed;
  assert.deepEqual(
    heard.flatMap(({ method, params }) => (method === 'ending' ? [params?.reason] : [])),
    ['The session was shut down.'],
  );
});

test('serve joins the session that is there, shows what runs, and Ctrl-C only leaves it', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook('a.sluice.ts', endless);
  const connection = await kernels.connect(notebook);
  await connection.request('sync', { cells: code({ other: "'in the editor'" }) });
  await connection.request('run', { cells: ['other'] });
  const { child, ended, out } = start(['serve', notebook]);
  await until(() => out().includes('● defined other'), 'the state of the session');
  assert.match(out(), /joined the running session/);
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
  const { cells } = connection.welcome;
  assert.deepEqual(cells, []);
  assert.deepEqual(await connection.request('run', { cells: ['other'] }).then(([result]) => result?.ok), true);
});

test('serve ends with its kernel, and prints the reason', async (t) => {
  const kernels = new Kernels(t);
  const { ended, out } = start(['serve', kernels.notebook('a.sluice.ts', endless)]);
  await until(() => /^a {2}n=1$/m.test(out()), 'a row');
  const [entry] = entries(kernels.folder);
  process.kill(entry!.pid, 'SIGKILL');
  const { out: all } = await ended;
  assert.match(all, /The kernel has ended\.\n$/);
});

test('serve starts a kernel again that an allocation has ended: the cell is failed, the others and the page go on', async (t) => {
  process.env['SLUICE_MEMORY'] = '64';
  t.onTestFinished(() => void delete process.env['SLUICE_MEMORY']);
  const kernels = new Kernels(t);
  // Above 32 million elements, an array is a table. Its growth is one allocation.
  const huge =
    "// %% id=big\nimport { from } from 'sluice';\nfrom([1]).map(() => new Array(2 ** 26).fill(0).length).show();\n";
  const notebook = kernels.notebook('a.sluice.ts', `${endless}\n${huge}`);
  const { child, ended, out } = start(['serve', notebook]);
  await until(() => /The session goes on from the checkpoint of/.test(out()), `the next kernel in ${out()}`, 120_000);
  assert.match(out(), /✖ The kernel has ended in the middle of map of cell "big"\./);
  const rows = (): number =>
    out()
      .slice(out().indexOf('The session goes on'))
      .match(/^a {2}n=\d+$/gm)?.length ?? 0;
  await until(() => rows() > 5, 'rows of the other cell', 120_000);
  await until(() => out().includes('● failed big'), 'the cell to be failed');
  const { host, searchParams } = new URL(/http:\S+/.exec(out())![0]);
  const socket = new WebSocket(`ws://${host}/session?token=${searchParams.get('token')}`, { origin: `http://${host}` });
  t.onTestFinished(() => socket.terminate());
  const hello = { protocol: protocolVersion, build: 'page', token: '', client: 'page' };
  socket.once('open', () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params: hello })));
  const welcome = await new Promise<string>((resolve) =>
    socket.once('message', (data: Buffer) => resolve(data.toString())),
  );
  assert.match(welcome, /"id":"big"/, 'the page is relayed to the next kernel');
  assert.equal(entries(kernels.folder).filter(({ pid }) => isAlive(pid)).length, 1);
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
});

test('a port that is taken is an error', async (t) => {
  const kernels = new Kernels(t);
  const { ended, out, child } = start(['serve', kernels.notebook('a.sluice.ts', endless)]);
  await until(() => out().includes('127.0.0.1:'), 'the address');
  const port = /:(\d+)\//.exec(out())?.[1] ?? '';
  const second = start(['serve', kernels.notebook('b.sluice.ts', endless), '--port', port]);
  const { err, code: exit } = await second.ended;
  assert.equal(err, `Port ${port} is already in use on 127.0.0.1. Give another --port, or omit it.\n`);
  assert.equal(exit, 1);
  child.kill('SIGINT');
  await ended;
});

test('check exits with 0 without a problem, and with 1 and the problems otherwise', async (t) => {
  const folder = new Folder(t);
  const good = folder.write('good.sluice.ts', "// %% id=a\nimport { from } from 'sluice';\nconst x = from([1]);\nx\n");
  const bad = folder.write(
    'bad.sluice.ts',
    "// %% id=a\nimport { from } from 'sluice';\nconst x: string = from([1]);\n",
  );
  const ok = await sluice('check', good);
  assert.deepEqual([ok.code, ok.out], [0, `${good}  no problems\n`]);
  const wrong = await sluice('check', bad);
  assert.equal(wrong.code, 1);
  assert.match(wrong.out, /cell a, 2:7 {2}error \S+ {2}Type .* is not assignable to type 'string'/);
});

test('serve names the lines that are out of place, and shows the cells that run', async (t) => {
  const kernels = new Kernels(t);
  const prose = '// %% [markdown]\n// Text\nlet x = 1;\n';
  const notebook = kernels.notebook('a.sluice.ts', `${endless}//%% id=b\n${prose}`);
  const { child, ended, out } = start(['serve', notebook]);
  await until(() => /^a {2}n=1$/m.test(out()), 'a row');
  assert.match(out(), /cell a, 4:1 {2}warning looks-like-marker .* write: \/\/ %% id=b$/m);
  assert.match(out(), /cell prose-1, 2:1 {2}error code-in-prose /);
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
});
