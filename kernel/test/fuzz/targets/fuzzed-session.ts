// A session on a socket, with the real control thread and compiler. No cell runs: what is fuzzed
// may be a text of a cell, and nobody knows what it does.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessageConnection, SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node.js';
import { ViewStore } from '../../../displays/view-store.ts';
import type { ExecutorPort } from '../../../executor/executor-protocol.ts';
import { socketPath } from '../../../client/session-folder.ts';
import { protocolVersion, type Welcome } from '../../../protocol/messages.ts';
import { notebookCompiler } from '../../../server/compiler.ts';
import { Control } from '../../../server/control.ts';
import { serveSocket } from '../../../server/socket-server.ts';
import type { Plant } from '../target.ts';

export const token = 'token-of-the-fuzzed-session';
export const hello = { protocol: protocolVersion, build: 'fuzz', token, client: 'cli' } as const;

export interface FuzzedSession {
  readonly folder: string;
  readonly socket: string;
  /** How often somebody has ended the session or renamed its notebook. */
  readonly ended: number;
  readonly renamed: number;
  /** Another client gets its welcome, and its document is the session's. */
  assertHealthy(): Promise<void>;
  close(): Promise<void>;
}

export async function openSession(plant?: Plant): Promise<FuzzedSession> {
  const folder = mkdtempSync(join(tmpdir(), 'sl-'));
  const socket = socketPath(folder, 'fuzz');
  const notebook = join(folder, 'a.sluice.ts');
  let ended = 0;
  let renamed = 0;
  const control = new Control({
    settings: { idleMillis: Infinity },
    compiler: notebookCompiler(() => notebook),
    views: new ViewStore(),
    startExecutor: silentExecutor,
    ended: () => void ended++,
  });
  if (plant === 'forgets') {
    // Planted: a document with prose has no view, and a viewer that shows a cell ends the session.
    const view = control.view.bind(control);
    control.view = () => {
      assert.ok(!control.session.document.some(({ kind }) => kind === 'markdown'), 'A planted fault.');
      return view();
    };
    control.views.hello = () => void ended++;
  }
  const served = { control, session: 'fuzz', build: 'fuzz', token, since: 0, notebook, renamed: () => void renamed++ };
  const server = await serveSocket(socket, served);
  control.start();
  return {
    folder,
    socket,
    get ended() {
      return ended;
    },
    get renamed() {
      return renamed;
    },
    async assertHealthy() {
      const connection = await connected(socket);
      const rpc = createMessageConnection(new SocketMessageReader(connection), new SocketMessageWriter(connection));
      rpc.listen();
      try {
        const welcome = await rpc.sendRequest<Welcome>('hello', hello);
        assert.equal(welcome.session, 'fuzz');
        await rpc.sendRequest('sync', { cells: [{ id: 'healthy', kind: 'code', text: '1;' }] });
        const { cells } = await rpc.sendRequest<Welcome>('hello', hello);
        assert.deepEqual(
          cells.map(({ id }) => id),
          ['healthy'],
        );
      } finally {
        rpc.dispose();
        connection.destroy();
      }
    },
    async close() {
      await control.close();
      // A connection of a bad client may stay. The thread ends anyway.
      void server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

/** Evaluates nothing, and ends when it is asked to. */
function silentExecutor(): ExecutorPort {
  const ends: ((reason: string) => void)[] = [];
  return {
    post({ kind }) {
      if (kind === 'close') for (const end of ends) end('closed');
    },
    onEvent: () => undefined,
    onEnd: (listener) => void ends.push(listener),
    whereabouts: () => undefined,
    terminate: () => Promise.resolve(),
  };
}
