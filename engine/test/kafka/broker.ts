// A real Apache Kafka broker of the test's own: jars from Maven Central in a cache outside the checkout, one KRaft node on free loopback
// ports in a temporary folder. SLUICE_BROKERS names a broker to use instead. Auto-creation of topics is ON, so that a test sees it when Sluice creates one.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const version = '4.3.1';

export interface Broker {
  /** What SLUICE_BROKERS would hold. */
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

/** Why there can be no broker here, or undefined. In CI there must be one, so that a missing Java fails loudly instead of skipping. */
export function whyNoKafka(): string | undefined {
  if (process.env['SLUICE_BROKERS']) return undefined;
  const missing = ['java', ...(existsSync(cacheMarker()) ? [] : ['mvn'])].filter(
    (tool) => spawnSync(tool, ['-version'], { stdio: 'ignore' }).error !== undefined,
  );
  if (missing.length === 0) return undefined;
  const reason = `NO KAFKA TESTS: ${missing.join(' and ')} not found. Install Java 17 and Maven, or set SLUICE_BROKERS.`;
  if (process.env['CI']) throw new Error(reason);
  process.stderr.write(`\n*** ${reason} ***\n\n`);
  return reason;
}

/** The broker of SLUICE_BROKERS, or one of our own. */
export async function startBroker(): Promise<Broker> {
  const given = process.env['SLUICE_BROKERS'];
  return given ? { brokers: given, stop: () => Promise.resolve() } : await startOwnBroker();
}

export async function startOwnBroker(properties: Readonly<Record<string, string>> = {}): Promise<OwnBroker> {
  const lib = await fetchJars();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kafka-'));
  const [port, controller] = await freePorts(2);
  const brokers = `127.0.0.1:${port}`;
  const file = join(folder, 'server.properties');
  writeFileSync(file, serverProperties(folder, port!, controller!, properties));
  const classPath = join(lib, '*');
  // An id that begins with a dash would be taken for an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^[-_]/, 'A');
  const format = spawnSync(
    'java',
    // prettier-ignore
    ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'kafka.tools.StorageTool', 'format', '--standalone', '-t', clusterId, '-c', file],
    { encoding: 'utf8' },
  );
  if (format.status !== 0) throw new Error(`Kafka's storage could not be formatted:\n${format.stdout}${format.stderr}`);

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
    const arguments_ = ['-Xms256m', '-Xmx768m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classPath];
    // The shell ends the broker when its standard input closes: on stop, and also when this process dies without a word.
    const child = spawn('sh', ['-c', watched, 'kafka', ...arguments_, 'kafka.Kafka', file], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-20_000)));
    const deadline = Date.now() + 60_000;
    while (!(await answers(port!))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        await kill();
        throw new Error(`Kafka did not start on ${brokers}:\n${log}`);
      }
      await sleep(50);
    }
    for (const handle of [child, child.stdin, child.stdout, child.stderr]) (handle as { unref?(): void }).unref?.();
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { brokers, stop, kill, start };
}

const watched = 'java "$@" <&- & broker=$!; read -r line; kill -9 $broker; wait $broker 2>/dev/null; exit 0';

function serverProperties(folder: string, port: number, controller: number, more: Readonly<Record<string, string>>) {
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`;
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'logs'),
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
    // After a kill the controller waits for the former session to end before it takes the broker back.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // A topic without access rules is everybody's; one with rules is only theirs: so a test can take READ away without passwords.
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'true',
    ...more,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice', `kafka-${version}`);
}
function cacheMarker(): string {
  return join(cacheFolder(), 'lib', '.complete');
}

/** The folder with Kafka's jars; fetched once per machine, under a lock, and used as it is afterwards. */
export async function fetchJars(): Promise<string> {
  const cache = cacheFolder();
  const lib = join(cache, 'lib');
  if (existsSync(cacheMarker())) return lib;
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, 'lock');
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (holderIsGone(lock)) rmSync(lock, { recursive: true, force: true });
      await sleep(200);
    }
    if (existsSync(cacheMarker())) return lib;
  }
  try {
    if (existsSync(cacheMarker())) return lib;
    const pom = join(cache, 'pom.xml');
    writeFileSync(pom, pomText());
    const maven = spawnSync(
      'mvn',
      // prettier-ignore
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`, '-DincludeScope=runtime'],
      { encoding: 'utf8' },
    );
    if (maven.status !== 0) throw new Error(`Maven could not fetch Kafka ${version}:\n${maven.stdout}${maven.stderr}`);
    writeFileSync(cacheMarker(), '');
    return lib;
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function holderIsGone(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    // Without a pid file the holder is just about to write it.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function pomText(): string {
  const dependency = (group: string, artifact: string, of: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${of}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>sluice</groupId><artifactId>test-broker</artifactId><version>1</version><packaging>pom</packaging><dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', version)}
${dependency('org.apache.kafka', 'kafka-tools', version)}
${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
</dependencies></project>
`;
}

async function freePorts(count: number): Promise<number[]> {
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
