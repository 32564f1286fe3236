// The served page: HTTP on 127.0.0.1 only, and one WebSocket per viewer. Its messages are forwarded
// to the session's socket.
// Every request is checked for three things: the Host (against foreign names that resolve to this
// machine), the Origin (against other pages), and the token.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node.js';
import type { Message, RequestMessage } from 'vscode-jsonrpc/node.js';
import { type WebSocket, WebSocketServer } from 'ws';
import { isSame } from './serve-connection.ts';

export interface PageOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Contains index.html, page.js and page.css. */
  readonly folder: string;
  /** The session's socket and its token. No page gets this token. */
  readonly socket: string;
  readonly token: string;
}
export interface ServedPage {
  /** Contains the page's own token. */
  readonly url: string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
};
/** Vega compiles its expressions and needs unsafe-eval. Everything else comes from this server. */
const policy =
  "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const mostUnsentBytes = 1 << 20;

export async function servePage(options: PageOptions): Promise<ServedPage> {
  const token = randomBytes(18).toString('base64url');
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1 << 20 });
  const server = createServer((request, response) => void answer(request, response, token, options.folder));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = addressOf(request);
    const isAllowed =
      isFromHere(request) && url?.pathname === '/session' && isSame(url.searchParams.get('token'), token);
    if (!isAllowed) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (viewer) => relay(viewer, options));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    async close() {
      for (const viewer of sockets.clients) viewer.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  folder: string,
): Promise<void> {
  const url = addressOf(request);
  const name = url?.pathname === '/' ? 'index.html' : (url?.pathname.slice(1) ?? '');
  const type = types[name];
  if (!isFromHere(request)) return refuse(response, 403, 'This page is served to this machine only.');
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'Only GET and HEAD are allowed.');
  if (type === undefined) return refuse(response, 404, 'This page does not exist.');
  // Script and style contain no secrets. The page itself needs the token of its address.
  if (name === 'index.html' && !isSame(url?.searchParams.get('token'), token))
    return refuse(response, 403, 'The address has no valid token. Use the one that sluice serve printed last.');
  try {
    const body = await readFile(join(folder, name));
    response.writeHead(200, {
      'content-type': type,
      'content-length': body.length,
      'cache-control': 'no-store',
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  } catch {
    refuse(response, 500, `The page is not built: ${name} is missing in ${folder}. Run npm run build.`);
  }
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' });
  response.end(`${sentence}\n`);
}

function addressOf({ url }: IncomingMessage): URL | undefined {
  return URL.parse(`http://127.0.0.1${url ?? '/'}`) ?? undefined;
}

/** The Host is a name of this server. The Origin, if there is one, is this server too. */
function isFromHere({ headers, socket }: IncomingMessage): boolean {
  const { host, origin } = headers;
  const ours = ['127.0.0.1', 'localhost'].map((name) => `${name}:${socket.localPort ?? ''}`);
  if (host === undefined || !ours.includes(host)) return false;
  return origin === undefined || ours.some((address) => origin === `http://${address}`);
}

/**
 * Each viewer is a client of its own. Its hello is rewritten: every viewer is a page and may only
 * view.
 */
function relay(viewer: WebSocket, { socket: path, token }: PageOptions): void {
  const socket = createConnection(path);
  const reader = new SocketMessageReader(socket);
  const writer = new SocketMessageWriter(socket);
  const end = (): void => {
    socket.destroy();
    viewer.close();
  };
  socket.on('error', end);
  socket.on('close', end);
  viewer.on('error', end);
  viewer.on('close', end);
  reader.listen((message) => {
    viewer.send(JSON.stringify(message), () => {
      if (viewer.bufferedAmount < mostUnsentBytes) socket.resume();
    });
    // A viewer that does not read must not fill the memory of this process. The kernel sees a full
    // socket and skips frames.
    if (viewer.bufferedAmount >= mostUnsentBytes) socket.pause();
  });
  viewer.on('message', (data) => {
    const message = parsed((data as Buffer).toString());
    if (message) writer.write(asPage(message, token)).catch(end);
    else end();
  });
}

function parsed(text: string): Message | undefined {
  try {
    const message = JSON.parse(text) as Message;
    return typeof message === 'object' && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}

function asPage(message: Message, token: string): Message {
  const { method, params } = message as RequestMessage;
  if (method !== 'hello') return message;
  const hello = { ...(params as object), client: 'page', token };
  return { ...message, params: hello } as Message;
}
