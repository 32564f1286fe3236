// Kernels as processes: found, started once, shared by several clients, killed and ended.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { test } from 'vitest';
import { createMessageConnection, SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node.js';
import { joinSession } from '../../client/connect.ts';
import { entries, isAlive } from '../../client/registry.ts';
import { protocolVersion, type RunResult } from '../../protocol/messages.ts';
import { code, Kernels, until, watch } from './kernels.ts';

test('two that connect at once get one kernel, and a third who comes later joins it', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  assert.equal(await joinSession({ notebook, client: 'cli', build: 'test' }), undefined, 'joining starts nothing');
  const [one, two] = await Promise.all([kernels.connect(notebook), kernels.connect(notebook)]);
  assert.equal(one.welcome.session, two.welcome.session);
  assert.deepEqual([one.started, two.started].sort(), [false, true]);
  assert.equal(entries(kernels.folder).length, 1);
  const three = await joinSession({ notebook, client: 'cli', build: 'test' });
  assert.equal(three?.welcome.session, one.welcome.session);
  await until(() => entries(kernels.folder).length === 1, 'one entry');
  three?.close();
  assert.equal(await three?.ended, 'Left the session.');
});

test('the socket and the entry are the user’s only', { skip: process.platform === 'win32' }, async (t) => {
  const kernels = new Kernels(t);
  const { entry } = await kernels.connect(kernels.notebook());
  assert.equal(statSync(entry.socket).mode & 0o777, 0o600);
  assert.equal(statSync(join(kernels.folder, `${entry.session}.json`)).mode & 0o777, 0o600);
});

test('who has no token, another protocol, or no manners is refused', async (t) => {
  const kernels = new Kernels(t);
  const { entry } = await kernels.connect(kernels.notebook());
  const socket = createConnection(entry.socket);
  const rpc = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
  rpc.listen();
  const hello = { protocol: protocolVersion, build: 'test', token: entry.token, client: 'page' };
  await assert.rejects(rpc.sendRequest('run', { cells: ['a'] }), /first request must be a hello/);
  await assert.rejects(rpc.sendRequest('hello', { ...hello, token: `${entry.token}x` }), /token is not the one/);
  await assert.rejects(rpc.sendRequest('hello', { ...hello, protocol: 99 }), /speaks protocol 99. Restart the session/);
  await rpc.sendRequest('hello', { ...hello, somethingNew: true });
  await assert.rejects(
    rpc.sendRequest('run', { cells: ['a'] }),
    /A page may only view the session. It may not send "run"/,
  );
  rpc.dispose();
  socket.destroy();
});

test('a cell runs, its rows come to every client, and every client sees the run', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const one = await kernels.connect(notebook);
  const two = await kernels.connect(notebook);
  const runs: string[] = [];
  two.on('run', ({ cell, event }) => runs.push(`${cell} ${event}`));
  const texts: number[] = [];
  two.on('cells', ({ cells }) => texts.push(cells.length));
  await one.request('sync', {
    cells: code({ a: "import { from } from 'sluice';\nconst x = from([{ v: 1 }, { v: 2 }]);\nx" }),
  });
  const [result] = await one.request('run', { cells: ['a'] });
  assert.equal(result?.error, undefined);
  const views = [watch(one, 'a'), watch(two, 'a')];
  for (const view of views)
    await until(() => {
      const [part] = view.parts;
      return part?.kind === 'table' && part.rows.length === 2;
    }, 'two rows');
  assert.deepEqual(runs, ['a start', 'a end']);
  assert.equal(texts.at(-1), 1);
  const { jsonl } = await one.request('rows', { view: 'a', part: '0' });
  assert.equal(jsonl, '{"v":1}\n{"v":2}\n');
});

test('nothing of the editor that started it reaches the kernel', async (t) => {
  const kernels = new Kernels(t);
  process.env['VSCODE_PID'] = '1';
  process.env['NODE_OPTIONS'] = '--max-http-header-size=20000';
  t.onTestFinished(() => {
    delete process.env['VSCODE_PID'];
    delete process.env['NODE_OPTIONS'];
  });
  const connection = await kernels.connect(kernels.notebook());
  await connection.request('sync', {
    cells: code({
      a: '[process.env.VSCODE_PID, process.env.NODE_OPTIONS, process.env.ELECTRON_RUN_AS_NODE, process.cwd()].join()',
    }),
  });
  await connection.request('run', { cells: ['a'] });
  const view = watch(connection, 'a');
  await until(() => view.parts.length > 0, 'the value');
  const [part] = view.parts;
  assert.equal(part?.kind === 'value' && part.text.replaceAll("'", ''), `,,1,${kernels.folder}`);
});

test('a killed kernel ends what waits for it, and the next connection starts another', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const connection = await kernels.connect(notebook);
  await connection.request('sync', { cells: code({ a: 'await new Promise(() => undefined);' }) });
  const run = connection.request('run', { cells: ['a'] });
  run.catch(() => undefined);
  await until(() => isAlive(connection.entry.pid), 'the kernel');
  process.kill(connection.entry.pid, 'SIGKILL');
  await assert.rejects(run, /The kernel has ended/);
  assert.equal(await connection.ended, 'The kernel has ended.');
  const again = await kernels.connect(notebook);
  assert.equal(again.started, true);
  assert.notEqual(again.welcome.session, connection.welcome.session);
  assert.deepEqual(again.welcome.state.cells, [], 'nothing runs by itself');
});

test('a notebook that is moved takes its session along', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook('a.sluice.ts');
  const moved = join(kernels.folder, 'b.sluice.ts');
  const connection = await kernels.connect(notebook);
  renameSync(notebook, moved);
  await connection.request('rename', { notebook: moved });
  const joined = await kernels.connect(moved);
  assert.equal(joined.welcome.session, connection.welcome.session);
  assert.equal(joined.welcome.notebook, moved);
  copyFileSync(moved, notebook);
  const other = await kernels.connect(notebook);
  assert.notEqual(other.welcome.session, connection.welcome.session, 'the copy is another notebook');
});

test('a session that is shut down gives the reason, and leaves nothing behind', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const { pid, session, socket } = connection.entry;
  await connection.request('shutdown', null).catch(() => undefined);
  assert.equal(await connection.ended, 'The session was shut down.');
  await until(() => !isAlive(pid), 'the process to end');
  assert.deepEqual([existsSync(socket), existsSync(join(kernels.folder, `${session}.json`))], [false, false]);
});

test('a session whose state folder has gone ends all the same', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  await connection.request('sync', {
    cells: code({ a: "import { generate } from 'sluice';\ngenerate({ rate: 10 }, ({ n }) => ({ n }))" }),
  });
  await connection.request('run', { cells: ['a'] });
  const state = join(kernels.folder, 'state');
  await until(() => existsSync(state) && readdirSync(state).length > 0, 'the state folder');
  rmSync(state, { recursive: true });
  await connection.request('shutdown', null).catch(() => undefined);
  await until(() => !isAlive(connection.entry.pid), 'the process to end');
});

test('a session ends some time after its last client', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook(), { idleMinutes: 0.05 });
  const { pid } = connection.entry;
  connection.close();
  await until(() => !isAlive(pid), 'the process to end');
});

test('a kernel that cannot start is an error at once', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const { connectSession } = await import('../../client/connect.ts');
  const wrong = join(kernels.folder, 'missing.ts');
  await assert.rejects(
    connectSession({ notebook, kernelPath: wrong, client: 'cli', build: 'test' }),
    /could not be started: it ended with code 1/,
  );
});

test('a cell that never returns is interrupted, and the other cell goes on from where it was', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  await connection.request('sync', {
    cells: code({
      a: "import { generate, count, max } from 'sluice';\nconst n = generate({ rate: 100 }, (g) => ({ n: g.n, k: 1 }));\nconst c = n.keyBy('k').aggregate({ c: count(), n: max('n') });\nc",
      b: 'while (true) {}',
    }),
  });
  await connection.request('run', { cells: ['a'] });
  const view = watch(connection, 'a');
  const last = (): number => {
    const [part] = view.parts;
    return part?.kind === 'table' ? Number((part.rows.at(-1)?.value as { c: number } | undefined)?.c ?? 0) : 0;
  };
  await until(() => last() > 150, 'a count');
  const run: Promise<readonly RunResult[]> = connection.request('run', { cells: ['b'] });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = last();
  await connection.request('interrupt', { cell: 'b' });
  const [result] = await run;
  assert.equal(result?.error?.code, 'interrupted');
  await until(() => last() > before + 200, 'the count to go on');
  const [part] = view.parts;
  // Nothing is lost and nothing is counted twice: record n is the (n + 1)th.
  for (const { value } of part?.kind === 'table' ? part.rows : []) {
    const { c, n } = value as { c: number; n: number };
    assert.equal(c, n + 1);
  }
});
