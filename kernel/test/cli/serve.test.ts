// `sluice serve` and `sluice check` as processes.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { WebSocket } from 'ws';
import { entries, isAlive } from '../../client/registry.ts';
import { protocolVersion } from '../../protocol/messages.ts';
import { code, Kernels, until } from '../server/kernels.ts';
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
