// One client's connection: JSON-RPC with the types of `kernel/protocol`.
// The first request must be a hello with the session's token. A page may only view.
import { timingSafeEqual } from 'node:crypto';
import type { MessageConnection } from 'vscode-jsonrpc/node.js';
import { ResponseError } from 'vscode-jsonrpc/node.js';
import type { Watcher } from '../displays/view-store.ts';
import type { Hello, Notifications, Requests, Welcome } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
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

let connections = 0;

/** `isReady` is false while earlier messages have not left this process. */
export function serveConnection(served: ServedSession, rpc: MessageConnection, isReady: () => boolean): void {
  const { control } = served;
  const id = `client-${++connections}`;
  let client: Hello['client'] | undefined;
  const notify = <N extends keyof Notifications>(method: N, params: Notifications[N]): void => {
    rpc.sendNotification(method, params).catch(() => undefined);
  };
  const watcher: Watcher = {
    id,
    get isReady() {
      return isReady();
    },
    send: (message) => notify('view', message),
  };

  const handlers: Handlers = {
    hello(hello) {
      refuseUnknown(served, hello);
      const isNew = client === undefined;
      client = hello.client;
      if (isNew) control.join(id, notify);
      return welcome(served);
    },
    sync: ({ cells }) => control.dispatch({ kind: 'sync', client: id, cells }),
    run: ({ cells }) => control.run(cells, id),
    interrupt: ({ cell }) => control.dispatch({ kind: 'interrupt', cell }),
    delete: ({ cell }) => control.dispatch({ kind: 'delete', client: id, cell }),
    arm: ({ cell, armed }) => control.dispatch({ kind: 'arm', cell, armed }),
    show: (hello) => control.views.hello(watcher, hello),
    hide: ({ view }) => control.views.hide(id, view),
    rows: ({ view, part }) => ({ jsonl: control.views.jsonLines(view, part) }),
    rename: ({ notebook }) => served.renamed(notebook),
    shutdown: () => control.dispatch({ kind: 'shutdown' }),
  };
  for (const method of Object.keys(handlers) as (keyof Requests)[])
    rpc.onRequest(method, async (params: unknown) => {
      if (method !== 'hello' && client === undefined) throw refusal('no-hello', 'The first request must be a hello.');
      if (client === 'page' && !forViewers.has(method))
        throw refusal('only-viewing', `A page may only view the session. It may not send "${method}".`);
      const handler = handlers[method] as (params: unknown) => unknown;
      return (await handler(params)) ?? null;
    });
  rpc.onClose(() => {
    control.leave(id);
    rpc.dispose();
  });
  rpc.listen();
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
  return { protocol: protocolVersion, build, session, notebook, since, state: control.view(), cells };
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
