// The served page: the allowed requests, the view of a viewer, and read-only access.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
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
/** Sends any Host header, and a path that is not normalized. */
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

async function cookieOf(url: URL): Promise<string> {
  const [cookie] = (await get(url, `/${url.search}`)).headers['set-cookie'] as string[];
  return cookie!.split(';')[0]!;
}

test('Host, Origin and token are checked on every request', async (t) => {
  const { url } = await served(t);
  const home = `/${url.search}`;
  assert.match(url.href, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{24}$/);
  const cookie = await cookieOf(url);
  const ok = await get(url, '/', { cookie });
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
    { path: '/', headers: { cookie, host: `evil.example:${url.port}` }, status: 403 },
    { path: '/', headers: { cookie, origin: 'http://evil.example' }, status: 403 },
    { path: '/', headers: { cookie: `${cookie}x` }, status: 403 },
    { path: '/', headers: { cookie: cookie.replace(/\d+=/, '1=') }, status: 403 },
    { path: '/?token=x', headers: { cookie }, status: 403 },
    {
      path: '/',
      headers: { cookie, host: `localhost:${url.port}`, origin: `http://localhost:${url.port}` },
      status: 200,
    },
    { path: '/constructor', headers: { cookie }, status: 404 },
    { path: '/toString', headers: { cookie }, status: 404 },
    { path: '/__proto__', headers: { cookie }, status: 404 },
    { path: `/../secret.txt${url.search}`, headers: {}, status: 404 },
    { path: `/%2e%2e/secret.txt${url.search}`, headers: {}, status: 404 },
    { path: `//secret.txt${url.search}`, headers: {}, status: 404 },
  ])
    assert.equal((await get(url, path, headers)).status, status, `${path} ${JSON.stringify(headers)}`);
  assert.equal((await get(url, home, {}, 'POST')).status, 405);
});

test('the token of the address becomes a cookie, and leaves the address', async (t) => {
  const { url } = await served(t);
  const token = url.searchParams.get('token')!;
  const answer = await get(url, `/${url.search}`);
  assert.deepEqual([answer.status, answer.headers.location, answer.body], [303, '/', '']);
  const [set] = answer.headers['set-cookie'] as string[];
  assert.match(set!, new RegExp(`^sluice-${url.port}=[\\w-]{24}; HttpOnly; SameSite=Strict; Path=/$`));
  assert.ok(!set!.includes(token), 'the cookie is a secret of its own');
  assert.equal(answer.headers['referrer-policy'], 'no-referrer');
  assert.equal(answer.headers['cache-control'], 'no-store');
  const cookie = set!.split(';')[0]!;
  for (const cookies of [cookie, `theme=dark; ${cookie}`, `sluice-1=x; ${cookie}; a=b`])
    assert.equal((await get(url, '/', { cookie: cookies })).status, 200, cookies);
});

test('a link on another site leads to the page, which then asks once more', async (t) => {
  const { url } = await served(t);
  const from = (site: string): Promise<Answer> => get(url, '/', { 'sec-fetch-site': site });
  const again = await from('cross-site');
  assert.equal(again.status, 403);
  assert.match(again.body, /http-equiv="refresh" content="0;url=\/"/);
  assert.doesNotMatch((await from('same-origin')).body, /refresh/, 'it asks once');
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
  const headers = { cookie: await cookieOf(url) };
  assert.equal(await outcome('', { headers }), 'open');
  assert.match(await outcome('', { headers, origin: 'http://evil.example' }), /403/);
  assert.match(await outcome('', { headers: { cookie: `sluice-${url.port}=x` } }), /403/);
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

test('no connection ends the server: refused, reset, malformed, slow or half-open ones', async (t) => {
  const { url, connection } = await served(t);
  const upgrade = (more = ''): string =>
    `GET /session HTTP/1.1\r\nHost: 127.0.0.1:${url.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;
  const pass = `Cookie: ${await cookieOf(url)}\r\n`;
  const sent = {
    'a refused upgrade': upgrade(),
    'a refused upgrade with data behind it': upgrade() + 'x'.repeat(200_000),
    'a refused upgrade with a body': `${upgrade('Content-Length: 200000\r\n')}${'x'.repeat(1_000)}`,
    'an upgrade to something else': upgrade().replace('websocket', 'h2c'),
    'an upgrade with a wrong key': upgrade(pass).replace(/Key: .*\r/, 'Key: x\r'),
    'an upgrade that is no WebSocket': `${upgrade(pass)}${'x'.repeat(200_000)}`,
    'malformed HTTP': 'no HTTP\r\n\r\n',
    'a huge header': `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
    'half a header': 'GET / HTTP/1.1\r\nHost:',
    'a request without its body': `POST / HTTP/1.1\r\nHost: 127.0.0.1:${url.port}\r\nContent-Length: 9\r\n\r\n`,
    'a tunnel': `CONNECT / HTTP/1.1\r\nHost: 127.0.0.1:${url.port}\r\n\r\n`,
    nothing: '',
  };
  const leave = {
    'reset at once': (socket: Socket) => socket.resetAndDestroy(),
    'reset later': (socket: Socket) => void setTimeout(() => socket.resetAndDestroy(), 20),
    'closed at once': (socket: Socket) => socket.destroy(),
    'ended in one direction': (socket: Socket) => void socket.end(),
  };
  for (const [what, text] of Object.entries(sent))
    for (const [how, end] of Object.entries(leave))
      for (let round = 0; round < 3; round++) {
        await new Promise<void>((resolve) => {
          const socket = createConnection({ port: Number(url.port), host: '127.0.0.1' });
          socket.on('error', () => undefined);
          socket.on('close', () => resolve());
          socket.resume();
          socket.on('connect', () => socket.write(text, () => end(socket)));
        });
        assert.equal((await get(url, '/page.js')).status, 200, `after ${what}, ${how}`);
      }
  await connection.request('sync', { cells: [] });
});

test('a connection that is refused, or sends nothing, is closed by the server', async (t) => {
  const { url } = await served(t);
  const closed = async (text: string): Promise<void> => {
    // It does not close its own direction.
    const socket = createConnection({ port: Number(url.port), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(text);
    // A write finds out that the other side is gone.
    const more = setInterval(() => socket.write(' '), 100);
    socket.resume();
    let isClosed = false;
    socket.once('close', () => (isClosed = true));
    // One that the server forgets stays open for ever.
    await until(() => isClosed, `the end after ${text}`);
    clearInterval(more);
  };
  await Promise.all([
    closed('GET /session HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    closed('GET / HTTP/1.1\r\nX: '),
  ]);
});

test('what is no message ends the viewer, not the page and not the session', async (t) => {
  const { url, connection } = await served(t);
  const deep = '['.repeat(50_000) + ']'.repeat(50_000);
  const hello = (protocol: string): string =>
    `{"jsonrpc":"2.0","id":1,"method":"hello","params":{"client":"page","protocol":${protocol}}}`;
  const request = '{"jsonrpc":"2.0","id":1,"method":"hide","params":{"view":"a"}}';
  for (const text of [
    '{"jsonrpc"',
    `{"jsonrpc":"2.0","id":${deep}}`,
    `{"jsonrpc":"2.0","id":1,"method":${deep}}`,
    `{"jsonrpc":"2.0","id":1,"method":"hide","params":${deep}}`,
    `{"jsonrpc":"2.0","id":null,"error":${deep}}`,
    `{"jsonrpc":"2.0","id":"${'x'.repeat(900_000)}","method":"hide"}`,
    `[${new Array<string>(5_000).fill(request).join()}]`,
    hello(deep),
  ]) {
    const viewer = await viewerOf(url);
    viewer.send(text);
    await until(() => viewer.readyState === WebSocket.CLOSED, `the end after ${text.slice(0, 60)}`);
    await connection.request('sync', { cells: [] });
  }
  // No number can be made of these.
  for (const protocol of ['{"toString":1,"valueOf":1}', '[[1]]', 'null', '"1"']) {
    const viewer = await viewerOf(url);
    let heard = '';
    viewer.on('message', (data) => (heard += (data as Buffer).toString()));
    viewer.send(hello(protocol));
    await until(() => heard !== '', `the answer to the protocol ${protocol}`);
    assert.match(heard, /"code":"other-protocol"/);
    viewer.terminate();
  }
});

async function viewerOf(url: URL): Promise<WebSocket> {
  const viewer = new WebSocket(`ws://127.0.0.1:${url.port}/session${url.search}`);
  await new Promise((resolve) => viewer.once('open', resolve));
  return viewer;
}
