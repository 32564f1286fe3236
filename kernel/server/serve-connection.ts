// One client's connection: JSON-RPC with the types of `kernel/protocol`.
// The first request must be a hello with the session's token. A page may only view.
import { timingSafeEqual } from 'node:crypto';
import type { MessageConnection } from 'vscode-jsonrpc/node.js';
import { ResponseError } from 'vscode-jsonrpc/node.js';
import { isSluiceError, messageOf } from '../../engine/errors/thrown.ts';
import type { Watcher } from '../displays/view-store.ts';
import type { ConnectionReport } from '../protocol/connections.ts';
import type { Hello, Requests, Welcome } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { wrongParams } from '../protocol/request-params.ts';
import type { Notify } from './broadcast.ts';
import type { Control } from './control.ts';

export interface ServedSession {
  readonly control: Control;
  readonly session: string;
  readonly build: string;
  readonly token: string;
  readonly since: number;
  /** Changes when the notebook is renamed. */
  notebook: string;
  /** Sets the new path of the notebook. */
  renamed(notebook: string): void;
}

type Handlers = { [M in keyof Requests]: (params: Requests[M]['params']) => unknown };

/** The requests that a page may send. Anybody with its address can open it. */
const forViewers: ReadonlySet<keyof Requests> = new Set<keyof Requests>(['hello', 'show', 'hide', 'rows']);

/** Only runs are answered late, and a client has no reason for so many at once. */
const mostUnanswered = 1_000;
/** Views of cells that the session does not know yet. */
const mostUnknownViews = 100;
/** No cell has a longer id. */
const longestViewId = 200;

/** The connection under the messages. */
export interface ClientLine {
  /** False while earlier messages have not left this process. */
  readonly isReady: boolean;
  /** Calls the listener each time the last unsent byte has left. */
  onReady(listener: () => void): void;
  /** The client has given the token. */
  onHello(): void;
}

let connections = 0;

export function serveConnection(served: ServedSession, rpc: MessageConnection, line: ClientLine): void {
  const client: Client = { id: `client-${++connections}`, kind: undefined, unanswered: 0 };
  const handlers = handlersOf(served, client, notifier(rpc, line), line);
  for (const method of Object.keys(handlers) as (keyof Requests)[])
    rpc.onRequest(method, async (params: unknown) => {
      refuseUnwanted(client, method, params);
      const handler = handlers[method] as (params: unknown) => unknown;
      client.unanswered++;
      try {
        return (await handler(params)) ?? null;
      } finally {
        client.unanswered--;
      }
    });
  rpc.onClose(() => {
    served.control.leave(client.id);
    rpc.dispose();
  });
  rpc.listen();
}

interface Client {
  readonly id: string;
  /** undefined until its hello. */
  kind: Hello['client'] | undefined;
  /** Its requests without an answer. */
  unanswered: number;
}

function handlersOf(served: ServedSession, client: Client, notify: Notify, line: ClientLine): Handlers {
  const { control } = served;
  const { id } = client;
  const unknownViews = new Set<string>();
  const watcher: Watcher = {
    id,
    get isReady() {
      return line.isReady;
    },
    send: (message) => notify('view', message),
  };
  return {
    hello(hello) {
      refuseUnknown(served, hello);
      // A second hello changes nothing: a page stays a page.
      if (client.kind === undefined) {
        client.kind = hello.client;
        line.onHello();
        if (hello.looks !== true) control.join(id, notify);
      }
      return welcome(served);
    },
    sync: ({ cells }) => control.dispatch({ kind: 'sync', client: id, cells }),
    run: ({ cells }) => control.run(cells, id),
    interrupt: ({ cell }) => control.dispatch({ kind: 'interrupt', cell }),
    delete: ({ cell }) => control.dispatch({ kind: 'delete', client: id, cell }),
    arm: ({ cell, armed }) => control.dispatch({ kind: 'arm', cell, armed }),
    show(hello) {
      remember(unknownViews, hello.view, control);
      control.views.hello(watcher, hello);
    },
    hide({ view }) {
      unknownViews.delete(view);
      control.views.hide(id, view);
    },
    rows: ({ view, part }) => ({ jsonl: control.views.jsonLines(view, part) }),
    rename: ({ notebook }) => served.renamed(notebook),
    connections: ({ connections }) => control.takeConnections(connections),
    testConnection: (tested) => tryConnection(tested),
    choose: ({ choice, lastCall }) => control.dispatch({ kind: 'choose', choice, lastCall }),
    fromSavepoint: ({ savepoint }) => orRefusal('no-savepoint', () => control.fromSavepoint(savepoint)),
    savepoint: ({ directory }) => orRefusal('checkpoint-failed', () => control.savepoint(directory, id)),
    giveUpSavepoint: () => control.giveUpSavepoints(id),
    shutdown(given) {
      if (given?.discard === true) control.keepsCheckpoint = false;
      control.dispatch({ kind: 'shutdown' });
    },
  };
}

/** The message of an error of ours is for the user. */
async function orRefusal<T>(code: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw refusal(isSluiceError(error) ? error.code : code, messageOf(error));
  }
}

/** kafkajs is loaded with the first test. */
async function tryConnection(tested: Requests['testConnection']['params']): Promise<ConnectionReport> {
  const { testConnection } = await import('../../engine/connectors/kafka/test-connection.ts');
  return await testConnection(tested);
}

function refuseUnwanted({ kind, unanswered }: Client, method: keyof Requests, params: unknown): void {
  if (method !== 'hello' && kind === undefined) throw refusal('no-hello', 'The first request must be a hello.');
  if (kind === 'page' && !forViewers.has(method))
    throw refusal('only-viewing', `A page may only view the session. It may not send "${method}".`);
  if (unanswered >= mostUnanswered)
    throw refusal('too-many-requests', `${mostUnanswered} requests of this client have no answer yet.`);
  const wrong = wrongParams(method, params);
  if (wrong !== undefined) throw refusal('bad-request', wrong);
}

/**
 * `state` and `cells` contain everything each time. While the client is slow, only the latest of
 * each is kept.
 */
function notifier(rpc: MessageConnection, line: ClientLine): Notify {
  const latest = new Map<string, unknown>();
  const send = (method: string, params: unknown): void =>
    void rpc.sendNotification(method, params).catch(() => undefined);
  line.onReady(() => {
    for (const [method, params] of latest) send(method, params);
    latest.clear();
  });
  return (method, params) => {
    if ((method === 'state' || method === 'cells') && !line.isReady) latest.set(method, params);
    else send(method, params);
  };
}

/**
 * A client may show a cell before the session knows it. It may not make the session remember
 * whatever it makes up.
 */
function remember(unknown: Set<string>, view: string, { session }: Control): void {
  if (view.length > longestViewId)
    throw refusal('bad-view', `A view is the id of a cell, of at most ${longestViewId} characters.`);
  const isKnown = (id: string): boolean => session.cells.has(id) || session.document.some((cell) => cell.id === id);
  if (isKnown(view) || unknown.has(view)) return;
  for (const id of unknown) if (isKnown(id)) unknown.delete(id);
  if (unknown.size >= mostUnknownViews)
    throw refusal('unknown-view', `There is no cell "${view}", and this client waits for ${mostUnknownViews} others.`);
  unknown.add(view);
}

function refuseUnknown({ token, build }: ServedSession, hello: Hello): void {
  if (!isSame(hello.token, token)) throw refusal('wrong-token', 'The token is not the one of this session.');
  if (hello.protocol !== protocolVersion)
    throw refusal(
      'other-protocol',
      `This session runs Sluice ${build} (protocol ${protocolVersion}); the client speaks protocol ${hello.protocol}. Restart the session.`,
    );
}

function welcome({ control, session, build, notebook, since }: ServedSession): Welcome {
  const cells = control.session.document;
  const memoryBytes = process.memoryUsage.rss();
  return { protocol: protocolVersion, build, session, notebook, since, state: control.view(), memoryBytes, cells };
}

/**
 * Compares in constant time, so that the duration does not show how much of the token was right.
 */
export function isSame(given: unknown, token: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Programs switch on `data.code`. */
function refusal(code: string, message: string): ResponseError<{ readonly code: string }> {
  return new ResponseError(-32000, message, { code });
}
