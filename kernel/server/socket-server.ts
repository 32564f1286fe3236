// The session's socket: every client that connects gets a connection of its own.
import { createServer, type Server, type Socket } from 'node:net';
import { chmodSync, rmSync } from 'node:fs';
import { createMessageConnection, SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node.js';
import { serveConnection, type ServedSession } from './serve-connection.ts';

/** More than this unsent: the client is slow and misses frames until it has caught up. */
const mostUnsentBytes = 1 << 20;

export interface SocketServer {
  close(): Promise<void>;
}

export async function serveSocket(path: string, served: ServedSession): Promise<SocketServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const rpc = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
    rpc.onError(() => socket.destroy());
    serveConnection(served, rpc, () => socket.writableLength < mostUnsentBytes);
  });
  if (process.platform !== 'win32') rmSync(path, { force: true });
  await listening(server, path);
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // What was said last (the session ends) still goes out.
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
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
