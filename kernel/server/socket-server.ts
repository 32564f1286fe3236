// The session's socket. Every client that connects gets a connection of its own.
import { createServer, type Server, type Socket } from 'node:net';
import { chmodSync, rmSync } from 'node:fs';
import { createMessageConnection, SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node.js';
import { serveConnection, type ServedSession } from './serve-connection.ts';

/** A client with more unsent bytes than this is slow and gets no frames until it has caught up. */
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
      // The last messages (the session ends) are still sent.
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
