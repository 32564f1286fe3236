// Clients that send nonsense to the session's socket, stop in the middle of a message, or never
// read.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import type { NotificationMessage } from 'vscode-jsonrpc/node.js';
import type { Connection } from '../../client/connect.ts';
import { logPath } from '../../client/session-folder.ts';
import { protocolVersion } from '../../protocol/messages.ts';
import { BoundedWriter } from '../../server/bounded-writer.ts';
import { code, Kernels, until } from './kernels.ts';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly reason?: string; readonly cells?: readonly { readonly text: string }[] };
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly data?: { readonly code: string } };
}

/** A client that writes bytes as it likes. */
class Stranger {
  readonly socket: Socket;
  readonly heard: Message[] = [];
  isClosed = false;
  readonly #token: string;
  #bytes = Buffer.alloc(0);

  constructor(t: TestContext, { entry }: Connection) {
    this.#token = entry.token;
    this.socket = createConnection(entry.socket);
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isClosed = true));
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk));
    t.onTestFinished(() => void this.socket.destroy());
  }

  say(id: number, method: string, params: unknown): void {
    this.socket.write(framed(JSON.stringify({ jsonrpc: '2.0', id, method, params })));
  }
  async hello(client: 'page' | 'cli' = 'page'): Promise<void> {
    this.say(0, 'hello', { protocol: protocolVersion, build: 'test', token: this.#token, client });
    await this.answer(0);
  }
  async answer(id: number): Promise<Message> {
    await until(() => this.heard.some((message) => message.id === id), `answer ${id}`);
    return this.heard.find((message) => message.id === id)!;
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const head = /^Content-Length: (\d+)\r\n\r\n/.exec(this.#bytes.subarray(0, 100).toString('latin1'));
      const end = head ? head[0].length + Number(head[1]) : Infinity;
      if (!head || this.#bytes.length < end) return;
      this.heard.push(JSON.parse(this.#bytes.subarray(head[0].length, end).toString()) as Message);
      this.#bytes = this.#bytes.subarray(end);
    }
  }
}

function framed(body: string): string {
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
function notification(method: string): NotificationMessage {
  return { jsonrpc: '2.0', method };
}
function megabytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
function cpuMillisOf(pid: number): number {
  // User and system time, in hundredths of a second.
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

const nonsense = {
  'a body that is no JSON': 'Content-Length: 5\r\n\r\n{"a":',
  'a body that is shorter than its length': `Content-Length: 3\r\n\r\n${framed('{}')}`,
  'a message without a length': 'Content-Type: x\r\n\r\n{}',
  'a negative length': 'Content-Length: -5\r\n\r\n{}',
  'a length that is no number': 'Content-Length: 1e3\r\n\r\n{}',
  'a gigantic length': 'Content-Length: 9999999999\r\n\r\n{}',
  'a length with too many digits': `Content-Length: ${'9'.repeat(400)}\r\n\r\n{}`,
  'a header without end': 'x'.repeat(2_000),
  'a message before the hello that is too long': framed(JSON.stringify('x'.repeat(100_000))),
};

test('a client that sends nonsense loses its connection, and no other client does', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const log = logPath(kernels.folder, connection.entry.session);
  const closings = (): number => readFileSync(log, 'utf8').split('A connection was closed: ').length;
  for (const [what, bytes] of Object.entries(nonsense)) {
    const stranger = new Stranger(t, connection);
    const before = closings();
    stranger.socket.write(bytes);
    await until(() => stranger.isClosed, `the end after ${what}`);
    // The end of one that gives no hello in time is not logged.
    await until(() => closings() > before, `the reason after ${what}`, 30_000);
    await connection.request('sync', { cells: [] });
  }
});

const lists = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const objects = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const request = '{"jsonrpc":"2.0","id":1,"method":"hide","params":{"view":"a"}}';
const noMessages = {
  'a deep id of lists': `{"jsonrpc":"2.0","id":${lists(50_000)}}`,
  'a deep id of objects': `{"jsonrpc":"2.0","id":${objects(50_000)}}`,
  'an id with a few thousand levels': `{"jsonrpc":"2.0","id":${lists(4_000)}}`,
  'an id that is null': '{"jsonrpc":"2.0","id":null,"method":"hide","params":{"view":"a"}}',
  'a long id': `{"jsonrpc":"2.0","id":"${'x'.repeat(10 << 20)}","method":"hide","params":{"view":"a"}}`,
  'a deep method': `{"jsonrpc":"2.0","id":1,"method":${objects(8_000)}}`,
  'a long method': `{"jsonrpc":"2.0","id":1,"method":"${'x'.repeat(10 << 20)}"}`,
  'deep parameters': `{"jsonrpc":"2.0","id":1,"method":"hide","params":${lists(50_000)}}`,
  'millions of parameters': `{"jsonrpc":"2.0","id":1,"method":"hide","params":[${'1,'.repeat(5 << 20)}1]}`,
  'an answer with a deep result': `{"jsonrpc":"2.0","id":1,"result":${lists(8_000)}}`,
  'an answer with a deep error': `{"jsonrpc":"2.0","id":null,"error":${objects(8_000)}}`,
  'an answer with a wide error': `{"jsonrpc":"2.0","id":null,"error":{"a":[${'1,'.repeat(5 << 20)}1]}}`,
  'a batch': `[${new Array<string>(5_000).fill(request).join()}]`,
  'a cell with a deep field': `{"jsonrpc":"2.0","id":1,"method":"sync","params":{"cells":[{"id":"a","kind":"code","text":"1","more":${lists(50_000)}}]}}`,
};

test('what is no message of a client ends its connection, and costs the session little', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const { pid, session } = connection.entry;
  // The start of the executor is no work for a message.
  await connection.request('sync', { cells: code({ a: '1' }) });
  await connection.request('run', { cells: ['a'] });
  for (const [what, body] of Object.entries(noMessages)) {
    const stranger = new Stranger(t, connection);
    await stranger.hello('cli');
    const before = cpuMillisOf(pid);
    stranger.socket.write(framed(body));
    await until(() => stranger.isClosed, `the end after ${what}`);
    await connection.request('sync', { cells: [] });
    const cpu = cpuMillisOf(pid) - before;
    // 0 to 170 ms were measured. A depth that is not refused before the parser costs 20 s.
    assert.ok(cpu < 3_000, `${cpu} ms of CPU after ${what}`);
    assert.ok(!stranger.heard.some(({ id }) => id === 1), `no answer to ${what}`);
  }
  // A client that comes later gets all texts.
  const later = new Stranger(t, connection);
  await later.hello('cli');
  assert.equal(later.heard.find(({ id }) => id === 0)?.error, undefined);
  const log = readFileSync(logPath(kernels.folder, session), 'utf8');
  assert.doesNotMatch(log, /uncaught|unhandled/);
  assert.match(log, /A connection was closed: A message is nested more than 32 levels deep\./);
  assert.ok(log.length < 10_000, `${log.length} characters of log`);
});

test('a message that is refused before the hello costs the session little', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const { pid } = connection.entry;
  await connection.request('sync', { cells: code({ a: '1' }) });
  await connection.request('run', { cells: ['a'] });
  const before = cpuMillisOf(pid);
  for (let round = 0; round < 80; round++) {
    const stranger = new Stranger(t, connection);
    stranger.socket.write(framed(`{"jsonrpc":"2.0","id":${lists(4_000)}}`));
    await until(() => stranger.isClosed, 'the end');
  }
  await connection.request('sync', { cells: [] });
  const cpu = cpuMillisOf(pid) - before;
  // About 5 ms each. One that is written as text for a logger costs 150 ms.
  assert.ok(cpu < 4_000, `${cpu} ms of CPU`);
});

test('a client that leaves in the middle of a message disturbs no other client', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  for (const bytes of ['', 'Content-', 'Content-Length: 90\r\n\r\n{"jsonrpc"', `${framed('null')}Content-Length: 9`])
    for (const leave of ['end', 'destroy'] as const) {
      const stranger = new Stranger(t, connection);
      stranger.socket.write(bytes);
      await new Promise((resolve) => setTimeout(resolve, 20));
      stranger.socket[leave]();
      await until(() => stranger.isClosed, 'the end');
    }
  await connection.request('sync', { cells: [] });
});

test('messages arrive whole however their bytes are cut', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const stranger = new Stranger(t, connection);
  await stranger.hello('cli');
  const sync = (id: number): string =>
    framed(JSON.stringify({ jsonrpc: '2.0', id, method: 'sync', params: { cells: code({ a: "'Straße'" }) } }));
  for (const byte of Buffer.from(sync(1))) {
    stranger.socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stranger.answer(1);
  stranger.socket.write(sync(2) + sync(3) + sync(4).slice(0, 30));
  await stranger.answer(3);
  stranger.socket.write(sync(4).slice(30));
  assert.equal((await stranger.answer(4)).error, undefined);
});

test('a client without a hello is disconnected after a while', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const silent = new Stranger(t, connection);
  const known = new Stranger(t, connection);
  await known.hello();
  await until(() => silent.isClosed, 'the end');
  assert.equal(known.isClosed, false);
});

test('a page stays a page, whatever kind its next hello gives', async (t) => {
  const kernels = new Kernels(t);
  const stranger = new Stranger(t, await kernels.connect(kernels.notebook()));
  await stranger.hello('page');
  await stranger.hello('cli');
  stranger.say(1, 'shutdown', null);
  assert.match((await stranger.answer(1)).error?.message ?? '', /may only view/);
});

test('a client that asks and never reads keeps its requests to itself', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const { pid } = connection.entry;
  await connection.request('sync', { cells: code({ a: `'${'x'.repeat(100_000)}'` }) });
  const stranger = new Stranger(t, connection);
  await stranger.hello();
  const before = megabytesOf(pid);
  stranger.socket.pause();
  // Two gigabytes of answers.
  for (let id = 1; id <= 20_000; id++)
    stranger.say(id, 'hello', { protocol: protocolVersion, token: connection.entry.token });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  assert.ok(stranger.socket.writableLength > 1 << 20, 'the kernel has stopped to read');
  // The process also grows by what is not collected yet. Without a bound it grows by two gigabytes.
  const grown = megabytesOf(pid) - before;
  assert.ok(grown < 400, `${grown} MB more`);
  const heard = stranger.heard.length;
  stranger.socket.resume();
  await until(() => stranger.heard.length > heard + 200, 'the answers when it reads');
});

test('a client that reads late gets the latest texts and no older ones', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const stranger = new Stranger(t, connection);
  await stranger.hello();
  stranger.socket.pause();
  let edits = 0;
  const textOf = (edit: number): string => `'${edit}${'x'.repeat(500_000)}'`;
  for (; edits < 80; edits++) {
    await connection.request('sync', { cells: code({ a: textOf(edits) }) });
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  stranger.socket.resume();
  const texts = (): string[] =>
    stranger.heard.flatMap(({ method, params }) => (method === 'cells' ? [params?.cells?.[0]?.text ?? ''] : []));
  await until(() => texts().at(-1) === textOf(edits - 1), 'the latest text');
  assert.ok(texts().length < 25, `${texts().length} texts`);
});

test('more than 16 MB unsent end a connection, and its last message gives the reason', async (t) => {
  const path = join(new Kernels(t).folder, 'w.sock');
  let full = 0;
  const writers: BoundedWriter[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const writer = new BoundedWriter(socket, () => {
      full++;
      writer.last(notification('ending')).catch(() => undefined);
    });
    writers.push(writer);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.onTestFinished(() => void server.close());
  const client = createConnection(path).pause();
  t.onTestFinished(() => void client.destroy());
  await until(() => writers.length === 1, 'the client');
  for (let n = 0; n < 40; n++) writers[0]!.write(notification('x'.repeat(1 << 20))).catch(() => undefined);
  assert.equal(full, 1);
  let text = '';
  client
    .setEncoding('utf8')
    .on('data', (chunk: string) => (text += chunk))
    .resume();
  await until(() => text.endsWith('"method":"ending"}'), 'the last message');
  assert.ok(text.length < 20 << 20, `${text.length} bytes`);
});

test('a client cannot make the session remember views that it makes up', async (t) => {
  const kernels = new Kernels(t);
  const connection = await kernels.connect(kernels.notebook());
  const stranger = new Stranger(t, connection);
  await stranger.hello();
  const shown = async (id: number, view: unknown): Promise<string | undefined> => {
    stranger.say(id, 'show', { view });
    return (await stranger.answer(id)).error?.data?.code;
  };
  assert.equal(await shown(1, 'v'.repeat(900_000)), 'bad-view');
  assert.equal(await shown(2, { length: 1 }), 'bad-request');
  assert.equal(await shown(3, 'a'), undefined, 'the session may know this cell later');
  for (let n = 0; n < 99; n++) assert.equal(await shown(10 + n, `made-up-${n}`), undefined);
  assert.equal(await shown(200, 'one-more'), 'unknown-view');
  assert.equal(await shown(201, 'a'), undefined, 'the same one again');
  await connection.request('sync', { cells: code({ a: '1 + 1', b: '2 + 2' }) });
  assert.equal(await shown(202, 'b'), undefined, 'a cell of the document is not among the made-up ones');
  assert.equal(await shown(203, 'one-more'), undefined, 'and "a" no longer is');
  await connection.request('run', { cells: ['a'] });
  await until(
    () =>
      stranger.heard.some(({ method, params }) => method === 'view' && JSON.stringify(params).includes('"text":"2"')),
    'the value of a cell that was shown before it ran',
  );
});
