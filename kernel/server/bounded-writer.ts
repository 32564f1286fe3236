// Writes messages to one client's socket. Each message is handed to the socket at once, so that
// `writableLength` counts everything that has not been sent.
import type { Socket } from 'node:net';
import { AbstractMessageWriter } from 'vscode-jsonrpc/node.js';
import type { Message } from 'vscode-jsonrpc/node.js';

/** With more unsent bytes than this a client is cut off. */
const mostQueuedBytes = 16 << 20;

export class BoundedWriter extends AbstractMessageWriter {
  readonly #socket: Socket;
  readonly #onFull: () => void;
  #isFull = false;

  /** `onFull` is called once. Messages after its call are dropped. */
  constructor(socket: Socket, onFull: () => void) {
    super();
    this.#socket = socket;
    this.#onFull = onFull;
  }

  write(message: Message): Promise<void> {
    if (this.#isFull) return Promise.resolve();
    if (this.#socket.writableLength > mostQueuedBytes) {
      // Its last message says why, so it is written before others are dropped.
      this.#onFull();
      this.#isFull = true;
      return Promise.resolve();
    }
    return this.last(message);
  }

  /** Writes a message without a look at the unsent bytes. */
  last(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      const body = Buffer.from(JSON.stringify(message));
      this.#socket.cork();
      this.#socket.write(`Content-Length: ${body.length}\r\n\r\n`);
      this.#socket.write(body, (error) => (error ? reject(error) : resolve()));
      this.#socket.uncork();
    });
  }

  end(): void {
    this.#socket.end();
  }
}
