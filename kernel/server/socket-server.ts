// The session's socket. Every client that connects gets a connection of its own.
import { createServer, type Server, type Socket } from 'node:net';
import { chmodSync, rmSync } from 'node:fs';
import { createMessageConnection } from 'vscode-jsonrpc/node.js';
import { BoundedReader, mostUnsentBytes } from './bounded-reader.ts';
import { BoundedWriter } from './bounded-writer.ts';
import { serveConnection, type ServedSession } from './serve-connection.ts';

/**
 * A hello contains little more than a token. The texts of a large notebook have a few megabytes.
 */
const mostBytes = { ofHello: 64 << 10, ofMessage: 64 << 20 } as const;
/** Without a hello the connection ends after this time. */
const helloMillis = 10_000;
/** A client that was cut off may read its last messages for this long. */
const lastReadMillis = 10_000;
const notRead = 'This client did not read its messages, so the session closed its connection.';

export interface SocketServer {
  close(): Promise<void>;
}

export async function serveSocket(path: string, served: ServedSession): Promise<SocketServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serveClient(served, socket);
  });
  if (process.platform !== 'win32') rmSync(path, { force: true });
  await listening(server, path);
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // The last messages (the session ends) are still sent.
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

function serveClient(served: ServedSession, socket: Socket): void {
  const destroyAfter = (millis: number): NodeJS.Timeout => setTimeout(() => socket.destroy(), millis).unref();
  const reader = new BoundedReader(socket, mostBytes.ofHello);
  const writer = new BoundedWriter(socket, () => {
    console.error(notRead);
    const ending = { jsonrpc: '2.0', method: 'ending', params: { reason: notRead } };
    writer.last(ending).catch(() => undefined);
    socket.end();
    destroyAfter(lastReadMillis);
  });
  const rpc = createMessageConnection(reader, writer);
  rpc.onError(([error]) => {
    if (!socket.destroyed) console.error(`A connection was closed: ${error.message}`);
    socket.destroy();
  });
  const silence = destroyAfter(helloMillis);
  serveConnection(served, rpc, {
    get isReady() {
      return socket.writableLength < mostUnsentBytes;
    },
    onReady: (listener) => void socket.on('drain', listener),
    onHello() {
      clearTimeout(silence);
      reader.mostBytes = mostBytes.ofMessage;
    },
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
