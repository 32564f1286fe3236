// The browse service's process. It starts with the first question, gets the connections in private,
// and ends with the window, or when nobody has asked for a while and no peek is open.
//
//   idle ─question─► running ─quiet, or crashed─► idle
import type { ChildProcess } from 'node:child_process';
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node.js';
import type { BrowseRequests, PeekNews } from '../../kernel/protocol/browse.ts';
import type { ConnectionDefinitions } from '../../kernel/protocol/connections.ts';
import { spawnNode } from '../session/own-node.ts';

const quietMillis = 5 * 60_000;
const checkMillis = 30_000;

interface Running {
  readonly process: ChildProcess;
  readonly connection: MessageConnection;
  /** The service knows the present connections. */
  ready: Promise<unknown>;
}
export interface PeekListener {
  news(news: PeekNews): void;
  /** The process has ended, and with it the peek. */
  ended(): void;
}

export class BrowseProcess {
  readonly #kernel: string;
  readonly #connections: () => Promise<ConnectionDefinitions>;
  readonly #peeks = new Map<string, PeekListener>();
  readonly #timer: NodeJS.Timeout;
  #running: Running | undefined;
  #lastAsked = 0;

  constructor(kernel: string, connections: () => Promise<ConnectionDefinitions>) {
    this.#kernel = kernel;
    this.#connections = connections;
    this.#timer = setInterval(() => this.#endIfQuiet(), checkMillis);
  }
  dispose(): void {
    clearInterval(this.#timer);
    this.#end();
  }

  /** Rejects with a sentence for the user. */
  async ask<M extends keyof BrowseRequests>(
    method: M,
    params: BrowseRequests[M]['params'],
  ): Promise<BrowseRequests[M]['result']> {
    this.#lastAsked = Date.now();
    const running = (this.#running ??= this.#start());
    try {
      await running.ready;
      return await running.connection.sendRequest<BrowseRequests[M]['result']>(method, params);
    } catch (error) {
      if (this.#running === running) throw error;
      throw new Error('The service that looks into Kafka has ended. Try again.', { cause: error });
    }
  }

  /** The connections have changed: each later question uses the new ones. Peeks go on. */
  connectionsChanged(): void {
    if (this.#running) this.#handOver(this.#running);
  }

  listen(peek: string, listener: PeekListener): void {
    this.#peeks.set(peek, listener);
  }
  async closePeek(peek: string): Promise<void> {
    this.#peeks.delete(peek);
    if (this.#running) await this.ask('closePeek', { peek }).catch(() => undefined);
  }

  #start(): Running {
    // A name that is looked up in vain occupies a thread of Node's pool for seconds.
    const child = spawnNode(this.#kernel, ['browse'], ['pipe', 'pipe', 'ignore'], {
      UV_THREADPOOL_SIZE: '16',
      SLUICE_EDITOR: '1',
    });
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout!),
      new StreamMessageWriter(child.stdin!),
    );
    const hasEnded = (): void => {
      if (this.#running?.process === child) this.#end();
    };
    child.on('exit', hasEnded);
    child.on('error', hasEnded);
    connection.onClose(hasEnded);
    connection.onError(() => undefined);
    connection.onNotification('peek', (news: PeekNews) => this.#peeks.get(news.peek)?.news(news));
    connection.listen();
    const running: Running = { process: child, connection, ready: Promise.resolve() };
    this.#handOver(running);
    return running;
  }
  #handOver(running: Running): void {
    running.ready = this.#connections().then((connections) =>
      running.connection.sendRequest('connections', { connections }),
    );
    running.ready.catch(() => undefined);
  }
  #end(): void {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    running.connection.dispose();
    running.process.kill();
    for (const listener of [...this.#peeks.values()]) listener.ended();
  }
  #endIfQuiet(): void {
    if (this.#peeks.size === 0 && Date.now() - this.#lastAsked > quietMillis) this.#end();
  }
}
