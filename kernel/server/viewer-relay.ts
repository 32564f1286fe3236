// Relays one viewer of the served page: messages of its WebSocket go to the session's socket, and
// back. A side that does not read stops the other side, so this process keeps at most the unsent
// bytes below.
import { createConnection } from 'node:net';
import { SocketMessageReader } from 'vscode-jsonrpc/node.js';
import type { WebSocket } from 'ws';
import { clientMessage, type ClientMessage } from '../protocol/client-message.ts';
import { mostUnsentBytes } from './bounded-reader.ts';

export interface SessionAddress {
  /** The session's socket and its token. No page gets this token. */
  readonly socket: string;
  readonly token: string;
}

/** Each viewer is a client of its own. */
export function relay(viewer: WebSocket, { socket: path, token }: SessionAddress): void {
  const socket = createConnection(path);
  const reader = new SocketMessageReader(socket);
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
    const body = forKernel(data as Buffer, token);
    if (body === undefined) return end();
    const hasRoom = socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    // The kernel does not read while answers to this viewer are unsent.
    if (!hasRoom) viewer.pause();
  });
  socket.on('drain', () => viewer.resume());
}

/**
 * The message for the kernel. A hello is written anew: every viewer is a page and may only view.
 * Undefined if the kernel would refuse the message.
 */
function forKernel(body: Buffer, token: string): string | undefined {
  let message: ClientMessage;
  try {
    message = clientMessage(body);
  } catch {
    return undefined;
  }
  const { method, id = 0, params } = message;
  if (method !== 'hello') return body.toString();
  const given = (params as { readonly protocol?: unknown } | null | undefined)?.protocol;
  // Other values may be impossible to convert.
  const protocol = typeof given === 'number' ? given : null;
  return JSON.stringify({ jsonrpc: '2.0', id, method, params: { protocol, build: 'page', client: 'page', token } });
}
