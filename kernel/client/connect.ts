// A client's connection to the session of a notebook. The session is found in the registry or
// started.
// A lock makes two simultaneous clients of a notebook share one session.
import type { Socket } from 'node:net';
import { join } from 'node:path';
import {
  createMessageConnection,
  ResponseError,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node.js';
import type { Message } from 'vscode-jsonrpc/node.js';
import type { Hello, Notifications, Requests, Welcome } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { endSession, SilentKernel } from './end-session.ts';
import { endOfProcess, type LastCall } from '../protocol/last-call.ts';
import { LastCallFile } from './last-call.ts';
import { withLock } from './lock.ts';
import { answerMillis, isNobodyThere, NoAnswer, openSocket, within } from './open-socket.ts';
import { findSession, forget, type SessionEntry } from './registry.ts';
import { realNotebook, sessionFolder, shortHash } from './session-folder.ts';
import { startKernel, startMillis, type StartOptions } from './start-kernel.ts';

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
  /**
   * Ends the session for everybody. A kernel that hangs is killed. Its last checkpoint stays,
   * unless it is to be discarded.
   */
  end(options?: { readonly discard?: boolean }): Promise<void>;
  /** Resolves with the reason, a sentence, when the connection has ended. */
  readonly ended: Promise<string>;
  /**
   * After the end of the connection: the call of user code in which the kernel ended without a
   * word. undefined: it said why, or no call lasted.
   */
  lastCall(): LastCall | undefined;
  close(): void;
}

/** Joins the notebook's session, or starts one if there is none. */
export async function connectSession(options: ConnectOptions): Promise<Connection> {
  const folder = sessionFolder();
  // Most calls find a session. A session that hangs is found here, outside of the lock.
  const joined = await joinIn(folder, options);
  if (joined) return joined;
  // One lock for each notebook: a slow start holds up nobody else's notebook.
  const lock = join(folder, `start-${shortHash(realNotebook(options.notebook))}.lock`);
  return await withLock(lock, async () => {
    const other = await joinIn(folder, options);
    if (other) return other;
    const entry = await startKernel({ ...options, folder });
    return await connect(entry, options, { started: true });
  });
}

/** Joins the notebook's session if there is one. Starts nothing. */
export async function joinSession(
  options: Pick<ConnectOptions, 'notebook' | 'client' | 'build'>,
): Promise<Connection | undefined> {
  return await joinIn(sessionFolder(), options);
}

/** Connects without joining: the session ends as if nobody were here. */
export async function lookAt(entry: SessionEntry, build: string): Promise<Connection> {
  return await connect(entry, { client: 'vscode', build }, { started: false, looks: true });
}

async function joinIn(
  folder: string,
  options: Pick<ConnectOptions, 'notebook' | 'client' | 'build'>,
): Promise<Connection | undefined> {
  let closed: SessionEntry | undefined;
  for (;;) {
    const entry = findSession(folder, options.notebook);
    if (!entry) return undefined;
    try {
      return await connect(entry, options, { started: false });
    } catch (error) {
      if (isNobodyThere(error)) forget(folder, entry);
      // A kernel that ends has removed its entry before it closes its connections.
      else if (isGone(error) && closed?.session !== entry.session) closed = entry;
      else throw error;
    }
  }
}

/** The other side closed the connection before it answered the hello. */
const gone = 'SLUICE_GONE';

function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === gone;
}

async function connect(
  entry: SessionEntry,
  { client, build }: Pick<ConnectOptions, 'client' | 'build'>,
  { started, looks = false }: { readonly started: boolean; readonly looks?: boolean },
): Promise<Connection> {
  const millis = started ? startMillis : answerMillis;
  const silent = new SilentKernel(entry, millis);
  const socket = await openSocket(entry.socket, millis).catch((error: unknown) => {
    throw error instanceof NoAnswer ? silent : error;
  });
  const rpc = createMessageConnection(new SocketMessageReader(socket), new ClosingWriter(socket));
  let reason: string | undefined;
  let call: LastCall | undefined;
  let isClosed = false;
  let isOver = false;
  const ended = new Promise<string>((resolve) =>
    rpc.onClose(() => {
      isOver = true;
      if (!isClosed && reason === undefined) call = new LastCallFile(sessionFolder(), entry.session).read();
      resolve((reason = isClosed ? 'Left the session.' : (reason ?? endOf(call))));
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
      throw isOver ? new Error(reason ?? endOf(call)) : error;
    }
  };
  try {
    const hello: Hello = { protocol: protocolVersion, build, token: entry.token, client, ...(looks && { looks }) };
    const welcome = await within(millis, request('hello', hello), silent);
    return {
      ...{ welcome, entry, started, request, ended },
      lastCall: () => call,
      end: ({ discard = false } = {}) => endSession(entry, request, ended, discard),
      on: (name, listener) => void listeners.set(name, [...(listeners.get(name) ?? []), listener]),
      close() {
        isClosed = true;
        rpc.end();
        socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    if (error === silent) throw silent;
    if (error instanceof ResponseError && !isOver) throw new Error(error.message);
    throw Object.assign(new Error(reason ?? endOf(call), { cause: error }), { code: gone });
  }
}

/** Of a kernel that has not said why. */
function endOf(call: LastCall | undefined): string {
  return call ? endOfProcess('The kernel', call) : 'The kernel has ended.';
}

/**
 * A write that fails closes the connection, and the close rejects the requests. vscode-jsonrpc
 * would also leave a rejection that no caller can handle, and that ends the process.
 */
class ClosingWriter extends SocketMessageWriter {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super(socket);
    this.#socket = socket;
  }

  override async write(message: Message): Promise<void> {
    await super.write(message).catch(() => this.#socket.destroy());
  }
}
