// Reads the messages of one client from its socket, with a bound for everything the client decides.
// Each message is JSON behind a Content-Length header, as vscode-jsonrpc writes it.
//
// Bounds: the header has at most 1 kB, the body at most `mostBytes`. The reader delivers one
// message for each turn of the event loop. It stops to read while the answers of its client are
// unsent, so a client that asks and never reads keeps its requests in its own memory.
import type { Socket } from 'node:net';
import { AbstractMessageReader } from 'vscode-jsonrpc/node.js';
import type { DataCallback, Disposable, Message } from 'vscode-jsonrpc/node.js';
import { clientMessage } from '../protocol/client-message.ts';

const mostHeaderBytes = 1 << 10;
const headerEnd = '\r\n\r\n';

/** With more unsent bytes than this a client is slow: it gets no frames, and its requests wait. */
export const mostUnsentBytes = 1 << 20;

export class BoundedReader extends AbstractMessageReader {
  /** The largest body that is accepted. */
  mostBytes: number;
  readonly #socket: Socket;
  #deliver: DataCallback = () => undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Length of the body whose header has been read. */
  #length: number | undefined;
  #isDelivering = false;
  #isOver = false;

  constructor(socket: Socket, mostBytes: number) {
    super();
    this.#socket = socket;
    this.mostBytes = mostBytes;
  }

  listen(deliver: DataCallback): Disposable {
    this.#deliver = deliver;
    this.#socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      this.#next();
    });
    this.#socket.on('drain', () => this.#next());
    this.#socket.on('error', (error) => this.fireError(error));
    this.#socket.on('close', () => {
      this.#end();
      this.fireClose();
    });
    return { dispose: () => this.#end() };
  }

  #end(): void {
    this.#isOver = true;
    this.#chunks = [];
  }

  #next(): void {
    if (this.#isDelivering || this.#isOver) return;
    if (this.#socket.writableLength >= mostUnsentBytes) {
      // Continues with 'drain'.
      this.#socket.pause();
      return;
    }
    try {
      const message = this.#take();
      if (message === undefined) {
        this.#socket.resume();
        return;
      }
      this.#isDelivering = true;
      this.#socket.pause();
      this.#deliver(message);
      // vscode-jsonrpc handles a message in an immediate of its own, which comes before this one.
      // So the answer is already among the unsent bytes.
      setImmediate(() => {
        this.#isDelivering = false;
        this.#next();
      });
    } catch (error) {
      this.#end();
      this.fireError(error);
    }
  }

  #take(): Message | undefined {
    this.#length ??= this.#takeHeader();
    if (this.#length === undefined || this.#bytes < this.#length) return undefined;
    const body = this.#takeBytes(this.#length);
    this.#length = undefined;
    return clientMessage(body);
  }

  #takeHeader(): number | undefined {
    if (this.#bytes === 0) return undefined;
    const end = this.#joined().subarray(0, mostHeaderBytes).indexOf(headerEnd);
    if (end < 0) {
      if (this.#bytes < mostHeaderBytes) return undefined;
      throw new Error(`A message has a header of more than ${mostHeaderBytes} bytes.`);
    }
    const header = this.#takeBytes(end + headerEnd.length).toString('latin1');
    const length = /^content-length: *(\d{1,10})\r$/im.exec(header)?.[1];
    if (length === undefined) throw new Error('A message has no valid Content-Length.');
    if (Number(length) > this.mostBytes)
      throw new Error(`A message has ${length} bytes. At most ${this.mostBytes} are accepted.`);
    return Number(length);
  }

  #takeBytes(count: number): Buffer {
    const all = this.#joined();
    this.#chunks = count < all.length ? [all.subarray(count)] : [];
    this.#bytes -= count;
    return all.subarray(0, count);
  }

  #joined(): Buffer {
    const [first = Buffer.alloc(0), ...others] = this.#chunks;
    const all = others.length === 0 ? first : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}
