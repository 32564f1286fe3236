// Starts real Apache Kafka brokers for a test: KRaft on free loopback ports, in a temporary folder.
// SLUICE_BROKERS names a broker to use instead. Auto-creation of topics is ON, so that a test sees
// it when Sluice creates a topic.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reportSkipped } from '../../../.ci/in-ci.ts';
import { fetchJars, hasJars } from './kafka-jars.ts';

export interface Broker {
  /** The value for SLUICE_BROKERS. */
  readonly brokers: string;
  /** Ends the broker and removes its folder. */
  stop(): Promise<void>;
}
/** A broker that belongs to the test, which may therefore kill it and bring it back. */
export interface OwnBroker extends Broker {
  /** As a power cut does: no time for goodbyes. The data stays. */
  kill(): Promise<void>;
  /** Starts it again on the same ports with the same data. */
  start(): Promise<void>;
  /** From the next start on it has these properties, too. */
  configure(properties: Readonly<Record<string, string>>): void;
}

/**
 * The reason why no broker can run here, or undefined. In CI a broker must run: a missing Java
 * fails there, and is not skipped.
 */
export function whyNoKafka(): string | undefined {
  if (process.env['SLUICE_BROKERS']) return undefined;
  const missing = whyNoJava();
  if (missing === undefined) return undefined;
  const reason = `NO KAFKA TESTS: ${missing} not found. Install Java 17 and Maven, or set SLUICE_BROKERS.`;
  reportSkipped(reason);
  return reason;
}

/** The programs that a broker needs and this machine lacks: "java and mvn". */
export function whyNoJava(): string | undefined {
  const missing = ['java', ...(hasJars() ? [] : ['mvn'])].filter(
    (tool) => spawnSync(tool, ['-version'], { stdio: 'ignore' }).error !== undefined,
  );
  return missing.length === 0 ? undefined : missing.join(' and ');
}

/** The broker of SLUICE_BROKERS, or one of our own. */
export async function startBroker(): Promise<Broker> {
  const given = process.env['SLUICE_BROKERS'];
  return given ? { brokers: given, stop: () => Promise.resolve() } : await startOwnBroker();
}

export async function startOwnBroker(): Promise<OwnBroker> {
  const cluster = await startOwnCluster(1);
  const node = cluster.nodes[0]!;
  const { kill, start, configure } = node;
  return { brokers: cluster.brokers, stop: () => cluster.stop(), kill, start, configure };
}

export interface OwnCluster extends Broker {
  /** Runs one of Kafka's command-line tools to its end. */
  tool(main: string, given: readonly string[]): void;
  /** The first is the controller too, and must live. */
  readonly nodes: readonly ({ readonly id: number } & Pick<OwnBroker, 'kill' | 'start' | 'configure'>)[];
}
/** What a cluster has besides the ordinary: it listens there too. */
export interface ClusterExtras {
  readonly listeners: readonly {
    readonly name: string;
    readonly protocol: string;
    readonly address: string;
    /** The address that clients are told. Absent: the same. */
    readonly advertised?: string;
  }[];
  readonly properties: Readonly<Record<string, string>>;
  /** Of kafka.tools.StorageTool. */
  readonly formatArguments: readonly string[];
}
/** `wanted`: the ports of its brokers. Default: free ones. */
export async function startOwnCluster(
  size: number,
  extras?: ClusterExtras,
  wanted?: readonly number[],
): Promise<OwnCluster> {
  const lib = await fetchJars();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kafka-'));
  const [controller, ...free] = await freePorts(1 + size);
  const ports = wanted ?? free;
  // An id that begins with a dash would be taken for an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^[-_]/, 'A');
  const nodes = ports.map((port, index) => {
    const id = index + 1;
    const file = join(folder, `${id}.properties`);
    const properties = serverProperties(id, join(folder, String(id)), port, controller!, extras);
    const configure = (more: Readonly<Record<string, string>>): void =>
      writeFileSync(file, propertiesText({ ...properties, ...more }));
    configure({});
    const controllers = id === 1 ? '--standalone' : '--no-initial-controllers';
    formatStorage(lib, file, clusterId, [controllers, ...(extras?.formatArguments ?? [])]);
    return { id, configure, ...brokerProcess(lib, file, port) };
  });
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const brokers = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return { brokers, nodes, stop, tool: (main, given) => kafkaTool(lib, main, given) };
}

function formatStorage(lib: string, file: string, clusterId: string, given: readonly string[]): void {
  kafkaTool(lib, 'kafka.tools.StorageTool', ['format', ...given, '-t', clusterId, '-c', file]);
}
function kafkaTool(lib: string, main: string, given: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(
    'java',
    ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', join(lib, '*'), main, ...given],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${main} failed:\n${stdout}${stderr}`);
}

function brokerProcess(lib: string, file: string, port: number) {
  let running: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const child = running;
    running = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.end();
    await gone;
  };
  const start = async (): Promise<void> => {
    let log = '';
    // prettier-ignore
    const child = spawn(
      'sh',
      ['-c', watched, 'kafka', '-Xms256m', '-Xmx768m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', join(lib, '*'), 'kafka.Kafka', file],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    running = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-20_000)));
    const deadline = Date.now() + 240_000;
    while (!(await answers(port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        await kill();
        throw new Error(`Kafka did not start on port ${port}:\n${log}`);
      }
      await sleep(50);
    }
    for (const handle of [child, child.stdin, child.stdout, child.stderr]) (handle as { unref?(): void }).unref?.();
  };
  return { kill, start };
}

/**
 * Ends with the broker. Ends the broker when its own standard input closes. This happens on `kill`,
 * and when the process of the test dies. Ctrl-C reaches the whole group, but it is for the process
 * that started this one. The arguments are those of `java`.
 */
export const watched = `trap '' INT
exec 3<&0
java "$@" </dev/null 3<&- & broker=$!
( read -r line <&3; kill -9 $broker 2>/dev/null ) & wait $broker`;

function serverProperties(
  id: number,
  folder: string,
  port: number,
  controller: number,
  extras: ClusterExtras | undefined,
): Record<string, string> {
  const more = extras?.listeners ?? [];
  const all = [`PLAINTEXT://127.0.0.1:${port}`, ...more.map(({ name, address }) => `${name}://${address}`)];
  const listener = all.join(',');
  const advertised = [all[0]!, ...more.map(({ name, address, advertised: told = address }) => `${name}://${told}`)];
  const protocols = [
    'PLAINTEXT:PLAINTEXT',
    'CONTROLLER:PLAINTEXT',
    ...more.map((one) => `${one.name}:${one.protocol}`),
  ];
  const isController = id === 1;
  return {
    'process.roles': isController ? 'broker,controller' : 'broker',
    'node.id': String(id),
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners: isController ? `${listener},CONTROLLER://127.0.0.1:${controller}` : listener,
    'advertised.listeners': [...advertised, ...(isController ? [`CONTROLLER://127.0.0.1:${controller}`] : [])].join(
      ',',
    ),
    'listener.security.protocol.map': protocols.join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': folder,
    'num.partitions': '1',
    'auto.create.topics.enable': 'true',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'transaction.max.timeout.ms': '3600000',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.retention.hours': '-1',
    // After a kill the controller accepts the broker again only when the former session has ended.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // Every user may access a topic without rules. A topic with rules is only for the users in
    // them. So a test can deny READ without passwords.
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'true',
    ...extras?.properties,
  };
}
function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/**
 * Below the ports that a system gives to outgoing connections. A broker takes a while until it
 * listens, and meanwhile a connection of any process may get one of those.
 */
const choice = { first: 15_000, count: 17_000 };

export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  while (held.length < count) {
    const server = await listening(choice.first + randomInt(choice.count));
    if (server) held.push(server);
  }
  const ports = held.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
export async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (server) await new Promise((resolve) => server.close(resolve));
  return server !== undefined;
}
/** undefined: the port is taken. */
function listening(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** The port opens when the broker is ready to serve: Kafka starts its listeners last. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
