// A client of the page that `sluice serve` offers, without a browser: what the page hears.
import type { TestContext } from 'vitest';
import { WebSocket } from 'ws';
import type { ViewDelta, ViewSnapshot } from '../../protocol/displays.ts';
import { protocolVersion, type SessionView, type Welcome } from '../../protocol/messages.ts';
import { ViewCopy } from '../../terminal/view-copy.ts';
import { until } from '../server/kernels.ts';

export class PageClient {
  /** The last state. */
  state: SessionView | undefined;
  readonly #views = new Map<string, ViewCopy>();
  readonly #socket: WebSocket;
  #id = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** `out`: the output of the command, with the address of the page. */
  static async open(t: TestContext, out: string): Promise<PageClient> {
    const { host, searchParams } = new URL(/http:\S+/.exec(out)![0]);
    const token = searchParams.get('token')!;
    const socket = new WebSocket(`ws://${host}/session?token=${token}`, { origin: `http://${host}` });
    t.onTestFinished(() => socket.terminate());
    const client = new PageClient(socket);
    socket.on('message', (data: Buffer) => client.#hear(data.toString()));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    client.#ask('hello', { protocol: protocolVersion, build: 'page', token, client: 'page' });
    await until(() => client.state !== undefined, 'the welcome');
    return client;
  }

  cell(id: string) {
    return this.state?.cells.find((cell) => cell.id === id);
  }
  /** The parts of a cell, from now on. */
  show(view: string): ViewCopy {
    const copy = new ViewCopy();
    this.#views.set(view, copy);
    this.#ask('show', { view });
    return copy;
  }

  #ask(method: string, params: unknown): void {
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id: this.#id++, method, params }));
  }
  #hear(text: string): void {
    const { result, method, params } = JSON.parse(text) as {
      readonly result?: Partial<Welcome> | null;
      readonly method?: string;
      readonly params?: unknown;
    };
    if (result?.state) this.state = result.state;
    if (method === 'state') this.state = params as SessionView;
    if (method !== 'view') return;
    const message = params as ViewSnapshot | ViewDelta;
    this.#views.get(message.view)?.apply(message);
  }
}
