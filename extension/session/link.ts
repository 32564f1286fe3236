// The connection to a notebook's session as the extension uses it: typed requests and notifications, and the moment it ends.
import type { Notifications, Requests, Welcome } from '../../kernel/protocol/messages.ts';

export interface Link {
  readonly welcome: Welcome;
  request<M extends keyof Requests>(method: M, params: Requests[M]['params']): Promise<Requests[M]['result']>;
  on<N extends keyof Notifications>(name: N, listener: (params: Notifications[N]) => void): void;
  /** Resolves when the connection is gone, with a sentence that says why. */
  readonly ended: Promise<string>;
  close(): void;
}
