// The served page: who may ask, what a viewer sees, and that it can only look.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { WebSocket } from 'ws';
import type { Connection } from '../../client/connect.ts';
import { protocolVersion } from '../../protocol/messages.ts';
import { type ServedPage, servePage } from '../../server/serve-page.ts';
import { code, Kernels, until } from './kernels.ts';

async function served(t: TestContext): Promise<{ page: ServedPage; url: URL; connection: Connection }> {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const folder = join(kernels.folder, 'page');
  mkdirSync(folder);
  for (const name of ['index.html', 'page.js', 'page.css']) writeFileSync(join(folder, name), name);
  writeFileSync(join(kernels.folder, 'secret.txt'), 'secret');
  const { socket, token } = connection.entry;
  const page = await servePage({ port: 0, folder, socket, token });
  t.onTestFinished(() => page.close());
  return { page, url: new URL(page.url), connection };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}
/** With any Host, and with a path that nobody has tidied up. */
function get(url: URL, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: url.port, path, headers, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    asked.on('error', reject).end();
  });
}

test('Host, Origin and token are checked on every request', async (t) => {
  const { url } = await served(t);
  const home = `/${url.search}`;
  assert.match(url.href, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{24}$/);
  const ok = await get(url, home);
  assert.deepEqual([ok.status, ok.body], [200, 'index.html']);
  assert.match(String(ok.headers['content-security-policy']), /default-src 'none'/);
  assert.equal((await get(url, '/page.js')).status, 200);
  for (const { path, headers, status } of [
    { path: '/', headers: {}, status: 403 },
    { path: `${home}x`, headers: {}, status: 403 },
    { path: home, headers: { host: `evil.example:${url.port}` }, status: 403 },
    { path: home, headers: { host: '127.0.0.1' }, status: 403 },
    { path: home, headers: { origin: 'http://evil.example' }, status: 403 },
    { path: home, headers: { origin: 'null' }, status: 403 },
    { path: home, headers: { host: `localhost:${url.port}`, origin: `http://localhost:${url.port}` }, status: 200 },
    { path: `/../secret.txt${url.search}`, headers: {}, status: 404 },
    { path: `/%2e%2e/secret.txt${url.search}`, headers: {}, status: 404 },
    { path: `//secret.txt${url.search}`, headers: {}, status: 404 },
  ])
    assert.equal((await get(url, path, headers)).status, status, `${path} ${JSON.stringify(headers)}`);
  assert.equal((await get(url, home, {}, 'POST')).status, 405);
});

test('a WebSocket without the token, or from another page, is refused', async (t) => {
  const { url } = await served(t);
  const outcome = (query: string, options = {}): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${url.port}/session${query}`, options);
      socket.on('open', () => (socket.close(), resolve('open')));
      socket.on('error', (error) => resolve(error.message));
    });
  assert.equal(await outcome(url.search), 'open');
  assert.match(await outcome(''), /403/);
  assert.match(await outcome('?token=x'), /403/);
  assert.match(await outcome(url.search, { origin: 'http://evil.example' }), /403/);
});

test('a viewer sees what runs, counts as a client, and cannot run anything', async (t) => {
  const { url, connection, page } = await served(t);
  await connection.request('sync', { cells: code({ a: '1 + 1' }) });
  await connection.request('run', { cells: ['a'] });
  const viewer = new WebSocket(`ws://127.0.0.1:${url.port}/session${url.search}`);
  const heard: {
    readonly id?: number;
    readonly method?: string;
    readonly params?: unknown;
    readonly result?: unknown;
    readonly error?: { readonly message: string };
  }[] = [];
  viewer.on('message', (data) => heard.push(JSON.parse((data as Buffer).toString()) as (typeof heard)[number]));
  await new Promise((resolve) => viewer.once('open', resolve));
  const say = (id: number, method: string, params: unknown): void =>
    viewer.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  say(1, 'hello', { protocol: protocolVersion, build: 'page', token: 'of the page', client: 'vscode' });
  say(2, 'show', { view: 'a' });
  say(3, 'run', { cells: ['a'] });
  say(4, 'shutdown', null);
  await until(() => heard.some(({ id }) => id === 4), 'four answers');
  const answer = (id: number) => heard.find((message) => message.id === id);
  assert.deepEqual((answer(1)?.result as { cells: unknown[] }).cells.length, 1);
  assert.match(answer(3)?.error?.message ?? '', /may only view the session. It may not send "run"/);
  assert.match(answer(4)?.error?.message ?? '', /may only view the session. It may not send "shutdown"/);
  const view = heard.find(({ method }) => method === 'view')?.params as { parts: { text: string }[] };
  assert.equal(view.parts[0]?.text, '2');
  await until(
    () => heard.some(({ method, params }) => method === 'state' && (params as { clients: number }).clients === 2),
    'two clients',
  );
  const gone = new Promise((resolve) => viewer.once('close', resolve));
  await page.close();
  await gone;
});

test('what is no JSON ends the viewer, not the session', async (t) => {
  const { url, connection } = await served(t);
  const viewer = new WebSocket(`ws://127.0.0.1:${url.port}/session${url.search}`);
  await new Promise((resolve) => viewer.once('open', resolve));
  const gone = new Promise((resolve) => viewer.once('close', resolve));
  viewer.send('{"jsonrpc"');
  await gone;
  await connection.request('sync', { cells: [] });
});
