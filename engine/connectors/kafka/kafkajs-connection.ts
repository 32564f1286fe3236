// Connections to one broker, made by kafkajs: sockets, the handshake, the log-in and the numbers of
// requests are its work. The requests and their answers are ours (`Exchange`). Only this file and
// kafkajs-inside.ts import kafkajs, and handle what is unusual about version 2.2.4, which is
// pinned:
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
// - It logs in again 10 s before a session ends, also when the session lasts less. A broker refuses
//   two log-ins within a second. `logsInInTime` sets a share of the session.
// - Its log goes to the console by default.
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { SluiceError } from '../../errors/error.ts';
import { AnswerSizes, isTlsAlert } from './answer-sizes.ts';
import type { BrokerAccess } from './broker-access.ts';
import { isPort, splitAddress } from './broker-address.ts';
import { loginRefusal, saslOf } from './broker-login.ts';
import { type Heard, whyClosed } from './broker-probe.ts';
import { isOwnFile, shownCertificate, tlsOptions, tlsRefusal, unusableFiles } from './broker-tls.ts';
import {
  BrokerRefused,
  BrokerUnreachable,
  type ContactStep,
  refusalOf,
  type UnreachableReason,
} from './broker-unreachable.ts';
import { calm, clusterOf, type ConnectionPool, type KafkajsBroker, logsInInTime } from './kafkajs-inside.ts';
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

const clientId = 'sluice';
const fetchApi = 1;

export class BrokerConnection {
  readonly address: string;
  readonly #timeoutMillis: number;
  readonly #access: BrokerAccess;
  readonly #onStep: ((step: ContactStep) => void) | undefined;
  readonly #sockets = new Set<Socket>();
  #pool!: ConnectionPool;
  #broker!: KafkajsBroker;
  #fetching: Promise<unknown> | undefined;
  #closed: BrokerUnreachable | undefined;
  /** The step of the contact that is under way; undefined: it is open. */
  #step: ContactStep | undefined = 'settings';
  #hasAnswered = false;
  #heard: Heard = 'nothing';
  #socketError: NodeJS.ErrnoException | undefined;
  #explaining: Promise<BrokerRefused | undefined> | undefined;
  #onEnd: (() => void) | undefined;

  /**
   * Resolves when the connection is open and logged in. `onStep` gets each step that is done.
   * Errors: BrokerUnreachable, BrokerRefused.
   */
  static async open(
    address: string,
    timeoutMillis: number,
    access: BrokerAccess,
    onStep?: (step: ContactStep) => void,
  ): Promise<BrokerConnection> {
    const connection = new BrokerConnection(address, timeoutMillis, access, onStep);
    await connection.#connect();
    return connection;
  }

  private constructor(
    address: string,
    timeoutMillis: number,
    access: BrokerAccess,
    onStep: ((step: ContactStep) => void) | undefined,
  ) {
    this.address = address;
    this.#timeoutMillis = timeoutMillis;
    this.#access = access;
    this.#onStep = onStep;
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
    const answer = await this.#named(timeoutMillis, async () => {
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
    this.#hasAnswered = true;
    return answer;
  }

  close(): void {
    this.#end('closed', `The connection to ${this.address} was closed here.`);
  }

  async #connect(): Promise<void> {
    const { host, port } = splitAddress(this.address);
    const { sasl } = this.#access.connection;
    if (sasl?.mechanism === 'oauthbearer') {
      this.#step = 'token';
      // Before the connection: a program of the user's may take longer than a broker waits.
      await this.#named(this.#timeoutMillis, () => this.#access.tokens.take());
      this.#done('token');
    }
    this.#step = isIP(host) === 0 ? 'name' : 'socket';
    if (host === '' || !isPort(port))
      throw new BrokerUnreachable(
        this.address,
        'bad-address',
        `${this.address} is no address: it needs a host, and a port between 1 and 65535.`,
      );
    const kafka = new Kafka({
      clientId,
      brokers: [this.address],
      connectionTimeout: this.#timeoutMillis,
      requestTimeout: this.#timeoutMillis,
      retry: { retries: 0 },
      logLevel: logLevel.NOTHING,
      sasl: saslOf(this.#access) as SASLOptions,
      socketFactory: ({ onConnect }) => this.#watched(this.#socket(onConnect)),
    });
    const cluster = clusterOf(kafka);
    this.#pool = await cluster.connectionPoolBuilder.build({ host, port });
    for (const one of this.#pool.pool) {
      calm(one.requestQueue);
      logsInInTime(one);
    }
    this.#broker = cluster.brokerPool.createBroker({ connectionPool: this.#pool, logger: cluster.rootLogger });
    await this.#named(this.#timeoutMillis, () => this.#broker.connect());
    this.#done('login');
    this.#step = undefined;
  }

  #done(step: ContactStep): void {
    if (this.#step !== undefined) this.#onStep?.(step);
  }

  #socket(onConnect: () => void): Socket {
    const { host, port } = splitAddress(this.address);
    const { tls, setIn } = this.#access.connection;
    // 250 ms, the default, is short for an address behind a VPN.
    const target = { host, port, autoSelectFamilyAttemptTimeout: 2_000 };
    if (!tls) return connect({ ...target, noDelay: true, keepAlive: true }, onConnect);
    try {
      const socket = connectTls({ ...target, ...tlsOptions(host, tls, setIn) }, onConnect);
      return socket.setNoDelay(true).setKeepAlive(true);
    } catch (error) {
      // A file of the user's that cannot be used. kafkajs would keep the message only.
      this.#socketError = error as NodeJS.ErrnoException;
      throw error;
    }
  }

  /** Sees the reason for a socket's end before kafkajs does. */
  #watched(socket: Socket): Socket {
    this.#sockets.add(socket);
    const sizes = new AnswerSizes();
    this.#follow(socket);
    socket.on('data', (bytes: Buffer) => {
      if (this.#heard === 'nothing') this.#heard = isTlsAlert(bytes) ? 'tls-alert' : 'kafka';
      if (!sizes.areSound(bytes)) this.#end('not-kafka', `${this.address} does not speak Kafka's protocol.`);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message;
      this.#socketError ??= error;
      if (code === 'ECONNREFUSED') this.#end('refused', `${this.address} refused the connection.`);
      else if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
        this.#end('unknown-host', `The host of ${this.address} is not known.`);
      else this.#end('closed', `The connection to ${this.address} broke (${code}).`);
    });
    socket.on('end', () => this.#end('closed', `${this.address} closed the connection.`));
    socket.on('close', () => this.#end('closed', `${this.address} closed the connection.`));
    return socket;
  }

  /** Notes the steps of the first socket. */
  #follow(socket: Socket): void {
    if (this.#step === undefined) return;
    const isTls = this.#access.connection.tls !== undefined;
    const next = (done: ContactStep, step: ContactStep) => (): void => {
      if (this.#step === undefined) return;
      this.#done(done);
      this.#step = step;
    };
    socket.once('lookup', (error: Error | null) => {
      if (!error && this.#step === 'name') next('name', 'socket')();
    });
    socket.once('connect', next('socket', isTls ? 'tls' : 'login'));
    if (isTls) socket.once('secureConnect', next('tls', 'login'));
  }

  /** A failure of kafkajs becomes the reason that the socket gave, or one of our own. */
  async #named<T>(timeoutMillis: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SluiceError) this.#refuse(refusalOf(this.address, this.#step ?? 'login', error));
      else if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) throw this.#closed ?? error;
      else {
        const refusal = await loginRefusal(this.address, this.#access.connection, error, () => this.#socket(() => {}));
        if (refusal) this.#refuse(refusal);
        else this.#endAfter(error, timeoutMillis);
      }
      await this.#explain();
      throw this.#closed ?? error;
    }
  }

  #endAfter(error: Error, timeoutMillis: number): void {
    const isConnected = [...this.#sockets].every((socket) => !socket.connecting);
    if (error.name === 'KafkaJSRequestTimeoutError')
      this.#end(
        'silent',
        `${this.address} accepted the connection but did not answer within ${seconds(timeoutMillis)}.`,
      );
    else if (!isConnected)
      this.#end('silent', `${this.address} did not accept a connection within ${seconds(this.#timeoutMillis)}.`);
    else if (this.#step === 'tls' && !this.#closed)
      this.#end('silent', `${this.address} did not answer TLS within ${seconds(this.#timeoutMillis)}.`);
    else this.#end('closed', `The connection to ${this.address} broke (${error.message.slice(0, 200)}).`);
  }

  /** Looks for the reason behind the end of a connection that has never answered. */
  async #explain(): Promise<void> {
    const { connection } = this.#access;
    const { host, port } = splitAddress(this.address);
    const error = this.#socketError;
    if (this.#closed instanceof BrokerRefused || this.#hasAnswered) return;
    if (error instanceof SluiceError) return this.#refuse(refusalOf(this.address, 'tls', error));
    if (connection.tls && error && isOwnFile(error.code ?? ''))
      return this.#refuse(unusableFiles(this.address, connection, error));
    const { reason } = this.#closed ?? {};
    if (reason !== 'closed' && this.#heard !== 'tls-alert') return;
    // An encrypted answer, or the step behind TLS, shows that both sides speak it.
    const heard = connection.tls && this.#step !== 'tls' ? 'kafka' : this.#heard;
    this.#explaining ??= (async () => {
      const certificate = connection.tls && (await shownCertificate(host, port, connection.tls.serverName));
      const shown = typeof certificate === 'object' ? certificate : undefined;
      return (
        (connection.tls && error && tlsRefusal(this.address, connection, error, shown)) ??
        (await whyClosed(this.address, { host, port }, connection, heard))
      );
    })();
    const refusal = await this.#explaining;
    if (refusal) this.#refuse(refusal);
  }
  #refuse(refusal: BrokerRefused): void {
    this.#end('not-accepted', refusal.message);
    this.#closed = refusal;
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

  #end(cause: UnreachableReason, message: string): void {
    if (this.#closed) return;
    this.#closed = new BrokerUnreachable(this.address, cause, message, this.#step);
    // With an error, because only an error makes kafkajs reject the requests that wait.
    for (const socket of this.#sockets) socket.destroy(this.#closed);
    this.#onEnd?.();
  }
}

function seconds(millis: number): string {
  return `${millis / 1000} s`;
}
