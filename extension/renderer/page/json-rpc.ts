// JSON-RPC 2.0 over one WebSocket, with the types of the kernel's protocol. Requests get answers;
// notifications have listeners.
import type { Notifications, Requests } from '../../../kernel/protocol/messages.ts';

type Listener<M extends keyof Notifications> = (params: Notifications[M]) => void;

interface Incoming {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export class RpcSocket {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (reason: Error) => void }>();
  readonly #listeners: { [M in keyof Notifications]?: Listener<M> };
  #nextId = 1;

  constructor(socket: WebSocket, listeners: { [M in keyof Notifications]?: Listener<M> }) {
    this.#socket = socket;
    this.#listeners = listeners;
    socket.addEventListener('message', ({ data }) => this.#receive(String(data)));
    socket.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The connection to the session was lost.'));
      this.#waiting.clear();
    });
  }

  request<M extends keyof Requests>(method: M, params: Requests[M]['params']): Promise<Requests[M]['result']> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as Incoming;
    if (message.method !== undefined) {
      const { method } = message;
      if (!Object.hasOwn(this.#listeners, method)) return;
      const listener = this.#listeners[method as keyof Notifications] as ((params: unknown) => void) | undefined;
      listener?.(message.params);
      return;
    }
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id);
    if (waiting === undefined || message.id === undefined) return;
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting.resolve(message.result);
    else waiting.reject(new Error(message.error.message));
  }
}
