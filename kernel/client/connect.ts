// A client's connection to the session of a notebook. The session is found in the registry or
// started.
// A lock makes two simultaneous clients share one session.
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  createMessageConnection,
  ResponseError,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node.js';
import type { Hello, Notifications, Requests, Welcome } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { withLock } from './lock.ts';
import { findSession, forget, type SessionEntry } from './registry.ts';
import { sessionFolder } from './session-folder.ts';
import { startKernel, type StartOptions } from './start-kernel.ts';

export interface ConnectOptions extends Omit<StartOptions, 'folder'> {
  readonly client: Hello['client'];
  /** Version of the client, for messages. It is not compared. */
  readonly build: string;
}

export interface Connection {
  readonly welcome: Welcome;
  readonly entry: SessionEntry;
  /** The session did not exist, and this call started its kernel. */
  readonly started: boolean;
  request<M extends keyof Requests>(method: M, params: Requests[M]['params']): Promise<Requests[M]['result']>;
  on<N extends keyof Notifications>(name: N, listener: (params: Notifications[N]) => void): void;
  /** Resolves with the reason, a sentence, when the connection has ended. */
  readonly ended: Promise<string>;
  close(): void;
}

/** Joins the notebook's session, or starts one if there is none. */
export async function connectSession(options: ConnectOptions): Promise<Connection> {
  const folder = sessionFolder();
  return await withLock(join(folder, 'start.lock'), async () => {
    const joined = await joinIn(folder, options);
    if (joined) return joined;
    const entry = await startKernel({ ...options, folder });
    return await connect(entry, options, true);
  });
}

/** Joins the notebook's session if there is one. Starts nothing. */
export async function joinSession(
  options: Pick<ConnectOptions, 'notebook' | 'client' | 'build'>,
): Promise<Connection | undefined> {
  return await joinIn(sessionFolder(), options);
}

async function joinIn(
  folder: string,
  options: Pick<ConnectOptions, 'notebook' | 'client' | 'build'>,
): Promise<Connection | undefined> {
  const entry = findSession(folder, options.notebook);
  if (!entry) return undefined;
  try {
    return await connect(entry, options, false);
  } catch (error) {
    if (!isGone(error)) throw error;
    // Another process has this process id now.
    forget(folder, entry);
    return undefined;
  }
}

/** The other side closed the connection before it answered the hello. */
const gone = 'SLUICE_GONE';

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === gone;
}

async function connect(
  entry: SessionEntry,
  { client, build }: Pick<ConnectOptions, 'client' | 'build'>,
  started: boolean,
): Promise<Connection> {
  const socket = await open(entry.socket);
  const rpc = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
  let reason = 'The kernel has ended.';
  let isClosed = false;
  let isOver = false;
  const ended = new Promise<string>((resolve) =>
    rpc.onClose(() => {
      isOver = true;
      resolve((reason = isClosed ? 'Left the session.' : reason));
      // Rejects pending requests, which will get no answer.
      rpc.dispose();
    }),
  );
  const listeners = new Map<string, ((params: never) => void)[]>();
  rpc.onNotification((method: string, params: unknown) => {
    if (method === 'ending') reason = (params as Notifications['ending']).reason;
    for (const listener of listeners.get(method) ?? []) listener(params as never);
  });
  rpc.onError(() => socket.destroy());
  rpc.listen();
  const request: Connection['request'] = async (method, params) => {
    try {
      return await rpc.sendRequest<Requests[typeof method]['result']>(method, params);
    } catch (error) {
      throw isOver ? new Error(reason) : error;
    }
  };
  try {
    const hello: Hello = { protocol: protocolVersion, build, token: entry.token, client };
    const welcome = await request('hello', hello);
    return {
      ...{ welcome, entry, started, request, ended },
      on: (name, listener) => void listeners.set(name, [...(listeners.get(name) ?? []), listener]),
      close() {
        isClosed = true;
        rpc.end();
        socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    if (error instanceof ResponseError && !isOver) throw new Error(error.message);
    throw Object.assign(new Error(reason, { cause: error }), { code: gone });
  }
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
