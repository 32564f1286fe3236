// Connections to one broker, made by kafkajs: sockets, the handshake, the log-in and the numbers of
// requests are its work. The requests and their answers are ours (`Exchange`). This is the only
// file that imports kafkajs, and it handles what is unusual about version 2.2.4, which is pinned:
//
// - Its Cluster is not exported. A consumer hands it to the factories of its partition assigners at
//   once, before any connection, and it joins no group until it runs. It never runs here.
// - Its Cluster reads metadata for all target topics together, and one bad topic fails all of them.
//   So it gets no target topics, and creates none (`allowAutoTopicCreation` is true by default).
// - It splits addresses at the first colon, which breaks IPv6. Host and port are given apart.
// - Its default time limit for a connection is 1 s. Its limit for requests is 30 s, for the
//   handshake too.
// - A request without an answer leaves its connection open. Here it ends the connection.
// - It waits for any number of bytes that an answer announces. `AnswerSizes` checks the number.
// - Its request queue sets a timer every millisecond, also into the past (TimeoutNegativeWarning of
//   Node 24). `calm` replaces that function.
// - Its log goes to the console by default.
import { connect, type Socket } from 'node:net';
import { Kafka, logLevel, PartitionAssigners, type Cluster } from 'kafkajs';
import { invariant } from '../../errors/invariant.ts';
import { WireReader, WireWriter } from './wire.ts';

/**
 * One kind of request: its API and version, and the functions that write it and read its answer.
 */
export interface Exchange<Question, Answer> {
  readonly api: number;
  readonly version: number;
  /** The version is a flexible one: both headers end with tagged fields. */
  readonly isFlexible?: boolean;
  write(writer: WireWriter, question: Question): void;
  read(reader: WireReader): Answer;
  /** How long the broker asks this client to be silent. Absent: not read. */
  throttleMillis?(answer: Answer): number;
}

/** No answer from the broker. A retry, or another broker, may help. */
export class BrokerUnreachable extends Error {
  readonly address: string;
  readonly reason: 'refused' | 'unknown-host' | 'silent' | 'closed' | 'not-kafka';
  constructor(address: string, cause: BrokerUnreachable['reason'], message: string) {
    super(message);
    this.address = address;
    this.reason = cause;
  }
}

// ------------------------------------------------------------------- the inside of kafkajs 2.2.4

interface RequestQueue {
  readonly pending: readonly unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}
interface Protocol<Answer> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<{ readonly answer: Answer; readonly clientSideThrottleTime: number }>;
    parse(decoded: { readonly answer: Answer }): Promise<Answer>;
  };
  readonly requestTimeout: number;
}
interface ConnectionPool {
  /** The second connection is for Fetch only, so a fetch that waits holds up no other request. */
  readonly pool: readonly { readonly requestQueue: RequestQueue }[];
  getConnection(index: number): Promise<unknown>;
  send<Answer>(protocol: Protocol<Answer>): Promise<Answer>;
}
interface KafkajsBroker {
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>> | null;
  connect(): Promise<void>;
}
interface ClusterInside {
  readonly rootLogger: unknown;
  readonly connectionPoolBuilder: { build(at: { host: string; port: number }): Promise<ConnectionPool> };
  readonly brokerPool: { createBroker(options: { connectionPool: ConnectionPool; logger: unknown }): KafkajsBroker };
}
function showsInside(cluster: object): cluster is ClusterInside {
  return 'rootLogger' in cluster && 'connectionPoolBuilder' in cluster && 'brokerPool' in cluster;
}

function clusterOf(kafka: Kafka): ClusterInside {
  let found: Cluster | undefined;
  kafka.consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (given) => {
        found = given.cluster;
        return PartitionAssigners.roundRobin(given);
      },
    ],
  });
  invariant(found !== undefined && showsInside(found), 'kafkajs gives its cluster to partition assigners');
  return found;
}

/** Looks at the waiting requests when the broker's throttling is over, and sets no other timer. */
function calm(queue: RequestQueue): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.throttleCheckTimeoutId || queue.pending.length === 0) return;
    queue.throttleCheckTimeoutId = setTimeout(
      () => {
        queue.throttleCheckTimeoutId = null;
        queue.checkPendingRequests();
      },
      Math.max(1, queue.throttledUntil - Date.now()),
    );
  };
}

// ----------------------------------------------------------------------------------- connections

const clientId = 'sluice';
const fetchApi = 1;

export class BrokerConnection {
  readonly address: string;
  readonly #timeoutMillis: number;
  readonly #sockets = new Set<Socket>();
  #pool!: ConnectionPool;
  #broker!: KafkajsBroker;
  #fetching: Promise<unknown> | undefined;
  #closed: BrokerUnreachable | undefined;
  #onEnd: (() => void) | undefined;

  /** Resolves when the connection is open and logged in. */
  static async open(address: string, timeoutMillis: number): Promise<BrokerConnection> {
    const connection = new BrokerConnection(address, timeoutMillis);
    await connection.#connect();
    return connection;
  }

  private constructor(address: string, timeoutMillis: number) {
    this.address = address;
    this.#timeoutMillis = timeoutMillis;
  }

  /** Calls back once when the connection is closed, by either side. */
  onEnd(callback: () => void): void {
    if (this.#closed) callback();
    else this.#onEnd = callback;
  }
  get isOpen(): boolean {
    return this.#closed === undefined;
  }
  /** The broker speaks this version of the request. */
  supports({ api, version }: Pick<Exchange<never, unknown>, 'api' | 'version'>): boolean {
    const range = this.#broker.versions?.[api];
    return range !== undefined && range.minVersion <= version && version <= range.maxVersion;
  }

  async ask<Question, Answer>(
    exchange: Exchange<Question, Answer>,
    question: Question,
    timeoutMillis: number,
  ): Promise<Answer> {
    if (this.#closed) throw this.#closed;
    const { api, version, isFlexible } = exchange;
    const writer = new WireWriter();
    if (isFlexible) writer.noTags();
    exchange.write(writer, question);
    const buffer = writer.content();
    return await this.#named(timeoutMillis, async () => {
      // Two requests at the same time would open the connection twice.
      if (api === fetchApi) await (this.#fetching ??= this.#pool.getConnection(1));
      return await this.#pool.send<Answer>({
        request: {
          apiKey: api,
          apiVersion: version,
          apiName: `request ${api}`,
          encode: () => Promise.resolve({ buf: buffer, buffer }),
        },
        response: {
          decode: (payload) => {
            const answer = this.#read(exchange, new WireReader(payload));
            return Promise.resolve({ answer, clientSideThrottleTime: exchange.throttleMillis?.(answer) ?? 0 });
          },
          parse: ({ answer }) => Promise.resolve(answer),
        },
        requestTimeout: timeoutMillis,
      });
    });
  }

  close(): void {
    this.#end('closed', `The connection to ${this.address} was closed here.`);
  }

  async #connect(): Promise<void> {
    const { host, port } = splitAddress(this.address);
    const kafka = new Kafka({
      clientId,
      brokers: [this.address],
      connectionTimeout: this.#timeoutMillis,
      requestTimeout: this.#timeoutMillis,
      retry: { retries: 0 },
      logLevel: logLevel.NOTHING,
      socketFactory: ({ onConnect }) =>
        this.#watched(connect({ host, port, noDelay: true, keepAlive: true }, onConnect)),
    });
    const cluster = clusterOf(kafka);
    this.#pool = await cluster.connectionPoolBuilder.build({ host, port });
    for (const { requestQueue } of this.#pool.pool) calm(requestQueue);
    this.#broker = cluster.brokerPool.createBroker({ connectionPool: this.#pool, logger: cluster.rootLogger });
    await this.#named(this.#timeoutMillis, () => this.#broker.connect());
  }

  /** Sees the reason for a socket's end before kafkajs does. */
  #watched(socket: Socket): Socket {
    this.#sockets.add(socket);
    const sizes = new AnswerSizes();
    socket.on('data', (bytes: Buffer) => {
      if (!sizes.areSound(bytes)) this.#end('not-kafka', `${this.address} does not speak Kafka's protocol.`);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message;
      if (code === 'ECONNREFUSED') this.#end('refused', `${this.address} refused the connection.`);
      else if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
        this.#end('unknown-host', `The host of ${this.address} is not known.`);
      else this.#end('closed', `The connection to ${this.address} broke (${code}).`);
    });
    socket.on('end', () => this.#end('closed', `${this.address} closed the connection.`));
    socket.on('close', () => this.#end('closed', `${this.address} closed the connection.`));
    return socket;
  }

  /** A failure of kafkajs becomes the reason that the socket gave, or one of our own. */
  async #named<T>(timeoutMillis: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) throw this.#closed ?? error;
      const isConnected = [...this.#sockets].every((socket) => !socket.connecting);
      if (error.name === 'KafkaJSRequestTimeoutError')
        this.#end(
          'silent',
          `${this.address} accepted the connection but did not answer within ${seconds(timeoutMillis)}.`,
        );
      else if (!isConnected)
        this.#end('silent', `${this.address} did not accept a connection within ${seconds(this.#timeoutMillis)}.`);
      else this.#end('closed', `The connection to ${this.address} broke (${error.message}).`);
      throw this.#closed ?? error;
    }
  }

  #read<Question, Answer>(exchange: Exchange<Question, Answer>, reader: WireReader): Answer {
    try {
      if (exchange.isFlexible) reader.skipTags();
      return exchange.read(reader);
    } catch (error) {
      this.#end('not-kafka', `${this.address} gave an answer that is not Kafka's (${String(error)}).`);
      throw this.#closed ?? error;
    }
  }

  #end(cause: BrokerUnreachable['reason'], message: string): void {
    if (this.#closed) return;
    this.#closed = new BrokerUnreachable(this.address, cause, message);
    // With an error, because only an error makes kafkajs reject the requests that wait.
    for (const socket of this.#sockets) socket.destroy(this.#closed);
    this.#onEnd?.();
  }
}

/** Checks the length before each answer of a connection. A wrong one is not from Kafka. */
class AnswerSizes {
  readonly #length = Buffer.alloc(4);
  #lengthBytes = 0;
  /** Bytes of the present answer that are still to come. */
  #missing = 0;

  areSound(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length;) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, bytes.length - at);
        this.#missing -= taken;
        at += taken;
        continue;
      }
      this.#length[this.#lengthBytes++] = bytes[at++]!;
      if (this.#lengthBytes < 4) continue;
      this.#lengthBytes = 0;
      this.#missing = this.#length.readInt32BE(0);
      if (this.#missing < 4 || this.#missing > largestAnswer) return false;
    }
    return true;
  }
}
/** Far more than any answer to our requests. */
const largestAnswer = 1 << 29;

function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(at + 1)) };
}

function seconds(millis: number): string {
  return `${millis / 1000} s`;
}
