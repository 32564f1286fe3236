// One TCP connection to one broker. Each request has a number. Answers arrive in any order and find
// their request by its number.
import { connect, type Socket } from 'node:net';
import { WireReader, WireWriter } from './wire.ts';

/**
 * One kind of request: its API and version, and the functions that write it and read its answer.
 */
export interface Exchange<Question, Answer> {
  readonly api: number;
  readonly version: number;
  write(writer: WireWriter, question: Question): void;
  read(reader: WireReader): Answer;
}

/** No answer from the broker. A retry, or another broker, may help. */
export class BrokerUnreachable extends Error {
  readonly address: string;
  readonly reason: 'refused' | 'unknown-host' | 'silent' | 'closed';
  constructor(address: string, cause: BrokerUnreachable['reason'], message: string) {
    super(message);
    this.address = address;
    this.reason = cause;
  }
}

interface Waiting {
  readonly resolve: (answer: WireReader) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

const clientId = 'sluice';
/** Far more than any answer to our requests. A larger answer is not from Kafka. */
const largestAnswer = 1 << 29;

export class BrokerConnection {
  readonly address: string;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #correlation = 0;
  #closed: BrokerUnreachable | undefined;
  // The answer that is coming in: first its 4 bytes of length, then its body.
  readonly #header = Buffer.alloc(4);
  #headerBytes = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;

  /** Resolves when the connection is open. */
  static open(address: string, timeoutMillis: number): Promise<BrokerConnection> {
    return new Promise((resolve, reject) => {
      const connection = new BrokerConnection(address, () => {
        clearTimeout(timer);
        resolve(connection);
      });
      const timer = setTimeout(
        () => connection.#end('silent', `${address} did not accept a connection within ${seconds(timeoutMillis)}.`),
        timeoutMillis,
      );
      connection.#onEnd = (error) => {
        clearTimeout(timer);
        reject(error);
      };
    });
  }

  #onEnd: ((error: BrokerUnreachable) => void) | undefined;

  private constructor(address: string, onConnect: () => void) {
    this.address = address;
    const { host, port } = splitAddress(address);
    // One buffer for all input. Its content is copied into the answer before the next read.
    const incoming = Buffer.allocUnsafe(256 << 10);
    this.#socket = connect(
      {
        host,
        port,
        noDelay: true,
        keepAlive: true,
        onread: {
          buffer: incoming,
          callback: (size) => {
            this.#receive(incoming, size);
            return true;
          },
        },
      },
      onConnect,
    );
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message;
      if (code === 'ECONNREFUSED') this.#end('refused', `${address} refused the connection.`);
      else if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
        this.#end('unknown-host', `The host of ${address} is not known.`);
      else this.#end('closed', `The connection to ${address} broke (${code}).`);
    });
    this.#socket.on('close', () => this.#end('closed', `${address} closed the connection.`));
  }

  /** Calls back once when the connection is closed, by either side. */
  onEnd(callback: () => void): void {
    if (this.#closed) callback();
    else this.#onEnd = callback;
  }
  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  async ask<Question, Answer>(
    exchange: Exchange<Question, Answer>,
    question: Question,
    timeoutMillis: number,
  ): Promise<Answer> {
    if (this.#closed) throw this.#closed;
    const correlation = this.#correlation++ & 0x7fffffff;
    const writer = new WireWriter().int16(exchange.api).int16(exchange.version).int32(correlation).string(clientId);
    exchange.write(writer, question);
    const reader = await new Promise<WireReader>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          this.#end(
            'silent',
            `${this.address} accepted the connection but did not answer within ${seconds(timeoutMillis)}.`,
          ),
        timeoutMillis,
      );
      this.#waiting.set(correlation, { resolve, reject, timer });
      this.#socket.write(writer.frame());
    });
    return exchange.read(reader);
  }

  close(): void {
    this.#end('closed', `The connection to ${this.address} was closed here.`);
  }

  #receive(bytes: Buffer, size: number): void {
    let at = 0;
    while (at < size && this.isOpen) {
      if (!this.#body) {
        const taken = Math.min(4 - this.#headerBytes, size - at);
        bytes.copy(this.#header, this.#headerBytes, at, at + taken);
        this.#headerBytes += taken;
        at += taken;
        if (this.#headerBytes < 4) return;
        const length = this.#header.readInt32BE(0);
        if (length < 4 || length > largestAnswer) {
          this.#end('closed', `${this.address} does not speak Kafka's protocol.`);
          return;
        }
        this.#body = Buffer.allocUnsafeSlow(length);
        this.#bodyBytes = 0;
      }
      const taken = Math.min(this.#body.length - this.#bodyBytes, size - at);
      bytes.copy(this.#body, this.#bodyBytes, at, at + taken);
      this.#bodyBytes += taken;
      at += taken;
      if (this.#bodyBytes < this.#body.length) return;
      const reader = new WireReader(this.#body);
      this.#body = undefined;
      this.#headerBytes = 0;
      const correlation = reader.int32();
      const waiting = this.#waiting.get(correlation);
      if (!waiting) continue;
      this.#waiting.delete(correlation);
      clearTimeout(waiting.timer);
      waiting.resolve(reader);
    }
  }

  #end(cause: BrokerUnreachable['reason'], message: string): void {
    if (this.#closed) return;
    this.#closed = new BrokerUnreachable(this.address, cause, message);
    this.#socket.destroy();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(this.#closed);
    }
    this.#waiting.clear();
    this.#onEnd?.(this.#closed);
  }
}

function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(at + 1)) };
}

function seconds(millis: number): string {
  return `${millis / 1000} s`;
}
