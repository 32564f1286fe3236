// Starts real Apache Kafka brokers for a test: KRaft on free loopback ports, in a temporary folder.
// SLUICE_BROKERS names a broker to use instead. Auto-creation of topics is ON, so that a test sees
// it when Sluice creates a topic.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
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
}

/**
 * The reason why no broker can run here, or undefined. In CI a broker must run: a missing Java
 * fails there, and is not skipped.
 */
export function whyNoKafka(): string | undefined {
  if (process.env['SLUICE_BROKERS']) return undefined;
  const missing = ['java', ...(hasJars() ? [] : ['mvn'])].filter(
    (tool) => spawnSync(tool, ['-version'], { stdio: 'ignore' }).error !== undefined,
  );
  if (missing.length === 0) return undefined;
  const reason = `NO KAFKA TESTS: ${missing.join(' and ')} not found. Install Java 17 and Maven, or set SLUICE_BROKERS.`;
  reportSkipped(reason);
  return reason;
}

/** The broker of SLUICE_BROKERS, or one of our own. */
export async function startBroker(): Promise<Broker> {
  const given = process.env['SLUICE_BROKERS'];
  return given ? { brokers: given, stop: () => Promise.resolve() } : await startOwnBroker();
}

export async function startOwnBroker(): Promise<OwnBroker> {
  const cluster = await startOwnCluster(1);
  const node = cluster.nodes[0]!;
  return { brokers: cluster.brokers, stop: () => cluster.stop(), kill: () => node.kill(), start: () => node.start() };
}

export interface OwnCluster extends Broker {
  /** The first is the controller too, and must live. */
  readonly nodes: readonly { readonly id: number; kill(): Promise<void>; start(): Promise<void> }[];
}
export async function startOwnCluster(size: number): Promise<OwnCluster> {
  const lib = await fetchJars();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kafka-'));
  const [controller, ...ports] = await freePorts(1 + size);
  // An id that begins with a dash would be taken for an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^[-_]/, 'A');
  const nodes = ports.map((port, index) => {
    const id = index + 1;
    const file = join(folder, `${id}.properties`);
    writeFileSync(file, serverProperties(id, join(folder, String(id)), port, controller!));
    formatStorage(lib, file, clusterId, id === 1 ? '--standalone' : '--no-initial-controllers');
    return { id, ...brokerProcess(lib, file, port) };
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
  return { brokers: ports.map((port) => `127.0.0.1:${port}`).join(','), nodes, stop };
}

function formatStorage(lib: string, file: string, clusterId: string, controllers: string): void {
  const { status, stdout, stderr } = spawnSync(
    'java',
    // prettier-ignore
    ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', join(lib, '*'), 'kafka.tools.StorageTool', 'format', controllers, '-t', clusterId, '-c', file],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`Kafka's storage could not be formatted:\n${stdout}${stderr}`);
}

function brokerProcess(lib: string, file: string, port: number) {
  let running: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const child = running;
    running = undefined;
    if (!child || child.exitCode !== null) return;
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
    const deadline = Date.now() + 60_000;
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
 * and when the process of the test dies. The arguments are those of `java`.
 */
export const watched = `exec 3<&0
java "$@" </dev/null 3<&- & broker=$!
( read -r line <&3; kill -9 $broker 2>/dev/null ) & wait $broker`;

function serverProperties(id: number, folder: string, port: number, controller: number): string {
  const listener = `PLAINTEXT://127.0.0.1:${port}`;
  const isController = id === 1;
  const properties: Record<string, string> = {
    'process.roles': isController ? 'broker,controller' : 'broker',
    'node.id': String(id),
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners: isController ? `${listener},CONTROLLER://127.0.0.1:${controller}` : listener,
    'advertised.listeners': isController ? `${listener},CONTROLLER://127.0.0.1:${controller}` : listener,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
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
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The port opens when the broker is ready to serve: Kafka starts its listeners last. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
