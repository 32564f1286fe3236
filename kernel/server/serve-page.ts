// The served page: HTTP on 127.0.0.1 only, and one WebSocket per viewer. Its messages are relayed
// to the session's socket.
// No connection of a stranger ends this process: every socket has its error handler before it is
// refused, and slow and half-open connections are closed.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { PageAdmission } from './page-admission.ts';
import { relay, type SessionAddress } from './viewer-relay.ts';

export interface PageOptions extends SessionAddress {
  /** 0: any free port. */
  readonly port: number;
  /** Contains index.html, page.js and page.css. */
  readonly folder: string;
}
export interface ServedPage {
  /** Contains the page's own token. */
  readonly url: string;
  /** Viewers that come from now on are relayed to this session. */
  relayTo(session: SessionAddress): void;
  close(): Promise<void>;
}

const types = new Map([
  ['index.html', 'text/html; charset=utf-8'],
  ['page.js', 'text/javascript; charset=utf-8'],
  ['page.css', 'text/css; charset=utf-8'],
]);
/** Vega compiles its expressions and needs unsafe-eval. Everything else comes from this server. */
const policy =
  "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;
const plainText = 'text/plain; charset=utf-8';
const mostMessageBytes = 1 << 20;
/** A request has arrived completely after this time, or its connection is closed. */
const requestMillis = 10_000;
/** A refused connection may read the refusal for this long. */
const refusedMillis = 1_000;

export async function servePage(options: PageOptions): Promise<ServedPage> {
  const admission = new PageAdmission();
  let { socket: path, token }: SessionAddress = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostMessageBytes });
  const limits = {
    headersTimeout: requestMillis,
    requestTimeout: requestMillis,
    connectionsCheckingInterval: requestMillis / 10,
  };
  const server = createServer(limits, (request, response) => {
    answer(request, response, admission, options.folder).catch(() => response.destroy());
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Without a handler a reset connection would end this process. Node removes its own handler
    // before this event.
    socket.on('error', () => socket.destroy());
    if (mayConnect(request, admission))
      sockets.handleUpgrade(request, socket, head, (viewer) => relay(viewer, { socket: path, token }));
    else refuseUpgrade(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/?token=${admission.token}`,
    relayTo(session) {
      ({ socket: path, token } = session);
    },
    async close() {
      for (const viewer of sockets.clients) viewer.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A program that keeps no cookies may give the token in the address. */
function mayConnect(request: IncomingMessage, admission: PageAdmission): boolean {
  const url = addressOf(request);
  if (!admission.isFromHere(request) || url?.pathname !== '/session') return false;
  return admission.hasCookie(request) || admission.hasToken(url);
}

function refuseUpgrade(socket: Duplex): void {
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  // What the client still sends is read and dropped: unread bytes would reset the connection before
  // the client has read the refusal.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), refusedMillis).unref();
  socket.on('close', () => clearTimeout(timer));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  admission: PageAdmission,
  folder: string,
): Promise<void> {
  const url = addressOf(request);
  const name = url?.pathname === '/' ? 'index.html' : (url?.pathname.slice(1) ?? '');
  const type = types.get(name);
  if (!admission.isFromHere(request)) return refuse(response, 403, 'This page is served to this machine only.');
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'Only GET and HEAD are allowed.');
  if (url === undefined || type === undefined) return refuse(response, 404, 'This page does not exist.');
  // Script and style contain no secrets.
  if (name === 'index.html' && !admit(request, response, url, admission)) return;
  try {
    const body = await readFile(join(folder, name));
    response.writeHead(200, { ...headers, 'content-type': type, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
  } catch {
    refuse(response, 500, `The page is not built: ${name} is missing in ${folder}. Run npm run build.`);
  }
}

/** Returns false if it has answered: with the cookie, or with a refusal. */
function admit(request: IncomingMessage, response: ServerResponse, url: URL, admission: PageAdmission): boolean {
  if (admission.hasToken(url)) {
    const cookie = admission.cookie(request);
    response.writeHead(303, { ...headers, location: '/', 'set-cookie': cookie, 'content-length': 0 }).end();
    return false;
  }
  if (!url.searchParams.has('token')) {
    if (admission.hasCookie(request)) return true;
    if (request.headers['sec-fetch-site'] === 'cross-site') {
      againFromHere(response);
      return false;
    }
  }
  refuse(response, 403, 'The address has no valid token. Use the one that sluice serve printed last.');
  return false;
}

/**
 * A link on another site led here. Browsers send no strict cookie then, not even after the
 * redirect. This page asks once more, and that request is from here.
 */
function againFromHere(response: ServerResponse): void {
  response.writeHead(403, { ...headers, 'content-type': 'text/html; charset=utf-8' });
  response.end('<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Sluice</title>\n');
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { ...headers, 'content-type': plainText });
  response.end(`${sentence}\n`);
}

function addressOf({ url }: IncomingMessage): URL | undefined {
  return URL.parse(`http://127.0.0.1${url ?? '/'}`) ?? undefined;
}
