// The page's connection to its session. It says hello, and reconnects automatically after a loss.
//
//   connecting ─welcome─► live ─lost─► (wait 0.5 s … 8 s) ─► connecting
//                          └─ ending ─► ended: the session has ended. The same address may serve
//                                       it again, so the page continues to try, slowly.
import type { Notifications, Welcome } from '../../../kernel/protocol/messages.ts';
import { protocolVersion } from '../../../kernel/protocol/messages.ts';
import { RpcSocket } from './json-rpc.ts';

export type LinkState = 'connecting' | 'live' | 'cut' | 'ended';

export interface SessionEvents {
  linked(state: LinkState, sentence: string): void;
  welcome(welcome: Welcome): void;
  state(state: Notifications['state']): void;
  view(message: Notifications['view']): void;
  cells(cells: Notifications['cells']['cells']): void;
}

const firstWaitMillis = 500;
const lastWaitMillis = 8_000;

export class SessionLink {
  readonly #events: SessionEvents;
  readonly #address: string;
  #rpc: RpcSocket | undefined;
  #wait = firstWaitMillis;
  #ending: string | undefined;

  constructor(events: SessionEvents) {
    this.#events = events;
    this.#address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/session`;
  }

  /** The connection to the kernel, if there is one. */
  get rpc(): RpcSocket | undefined {
    return this.#rpc;
  }

  connect(): void {
    this.#events.linked('connecting', '');
    const socket = new WebSocket(this.#address);
    const rpc = new RpcSocket(socket, {
      state: (state) => this.#events.state(state),
      view: (message) => this.#events.view(message),
      cells: ({ cells }) => this.#events.cells(cells),
      ending: ({ reason }) => (this.#ending = reason),
    });
    socket.addEventListener('open', () => {
      // The server of the page knows the token. The browser's cookie has admitted this connection.
      rpc
        .request('hello', { protocol: protocolVersion, build: 'page', token: '', client: 'page' })
        .then((welcome) => {
          this.#wait = firstWaitMillis;
          this.#ending = undefined;
          this.#rpc = rpc;
          this.#events.linked('live', '');
          this.#events.welcome(welcome);
        })
        .catch((error: unknown) => {
          // A refusal contains its own way out. It is shown while the page tries again.
          this.#ending = error instanceof Error ? error.message : String(error);
          socket.close();
        });
    });
    socket.addEventListener('close', () => {
      this.#rpc = undefined;
      const sentence = this.#ending;
      this.#events.linked(
        sentence === undefined ? 'cut' : 'ended',
        sentence ?? 'The connection was lost. Reconnecting.',
      );
      setTimeout(() => this.connect(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, lastWaitMillis);
    });
  }
}
