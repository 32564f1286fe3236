// Messages of a viewer of the served page: whatever it sends, the page goes on and it only views.
import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { servePage } from '../../../server/serve-page.ts';
import { planted, type Plant, type Target } from '../target.ts';
import { hello, openSession, token } from './fuzzed-session.ts';

/** A session answers a good viewer, and may let a bad one wait. */
const longestSilence = { good: 20_000, bad: 40 } as const;
const message = (method: string, params: unknown, id: number): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });
const viewerHello = message('hello', { ...hello, token: 'any', client: 'page' }, 1);

export async function pageTarget(plant?: Plant): Promise<Target> {
  const session = await openSession(plant);
  const page = await servePage({ port: 0, folder: session.folder, socket: session.socket, token });
  const seeds = [
    [viewerHello, message('show', { view: 'a' }, 2), message('rows', { view: 'a', part: '0' }, 3)],
    [message('hello', { ...hello, client: 'cli' }, 1), message('shutdown', null, 2)],
    [viewerHello, message('hide', { view: 'a' }, 2), message('rename', { notebook: 'b' }, 3)],
    ['[]', 'null', '{"jsonrpc":"2.0","id":1,"result":{}}'],
  ];
  const { host, searchParams } = new URL(page.url);
  const address = `ws://${host}/session?token=${searchParams.get('token')}`;
  const cookie = await cookieOf(page.url);
  const open = (): WebSocket => new WebSocket(address, { origin: `http://${host}`, headers: cookie ? { cookie } : {} });
  return {
    seeds: seeds.map((lines) => Buffer.from(lines.join('\n'))),
    words: [
      '"hello"',
      '"client":"cli"',
      '"client":"vscode"',
      '"shutdown"',
      '"sync"',
      '"run"',
      '"id":',
      '"method":',
      ',{',
    ],
    async attempt(input) {
      planted(plant, input);
      const answers = await said(
        open(),
        [...Buffer.from(input).toString().split('\n'), viewerHello],
        longestSilence.bad,
      );
      const healthy = await said(open(), [viewerHello], longestSilence.good);
      // Only now: on a busy machine the messages take effect after the short wait.
      assert.equal(session.ended, 0, 'A viewer has ended the session.');
      assert.equal(session.renamed, 0, 'A viewer has renamed the notebook.');
      assert.match(healthy, /"id":1,"result"/, 'The next viewer gets no welcome.');
      return answers.includes('"error"') || !answers.includes('"result"') ? 'rejected' : 'accepted';
    },
    async close() {
      await page.close();
      await session.close();
    },
  };
}

/** The address gives a cookie, if the page wants one. */
async function cookieOf(url: string): Promise<string | undefined> {
  const response = await fetch(url, { redirect: 'manual' });
  await response.text();
  return response.headers.get('set-cookie')?.split(';')[0];
}

/**
 * Sends the messages, and gives what comes back until the hello is answered or the socket closes.
 * The session need not answer what is wrong, so the wait has an end.
 */
async function said(socket: WebSocket, lines: readonly string[], silence: number): Promise<string> {
  const answers: string[] = [];
  const over = Promise.withResolvers<void>();
  // The silence begins when the messages are sent: a busy machine connects late.
  let wait = setTimeout(() => over.resolve(), longestSilence.good);
  socket.on('error', () => over.resolve());
  socket.on('close', () => over.resolve());
  socket.on('message', (data: Buffer) => {
    answers.push(data.toString());
    wait.refresh();
    if (answers.at(-1)!.includes('"id":1,')) setImmediate(() => over.resolve());
  });
  socket.on('open', () => {
    for (const line of lines) socket.send(line);
    clearTimeout(wait);
    wait = setTimeout(() => over.resolve(), silence);
  });
  await over.promise;
  clearTimeout(wait);
  // What was sent is still read.
  socket.close();
  return answers.join('\n');
}
