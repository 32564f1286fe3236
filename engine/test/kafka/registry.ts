// Starts a real schema registry for a test: Apicurio with Confluent's API, in memory, on a free
// loopback port, behind a proxy of the test. The proxy has TLS and basic auth, and can go away and
// come back.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlainServer, request, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, watched } from './broker.ts';
import { cacheFolder, filledOnce } from './maven-cache.ts';

const version = '2.6.13.Final';
const apiPath = '/apis/ccompat/v7';

export interface TestRegistry {
  /** Confluent's API, without the proxy. */
  readonly url: string;
  /** Registers a schema; its id. `body` as in the API. */
  register(subject: string, body: object): Promise<number>;
  stop(): Promise<void>;
}

async function fetchRegistry(): Promise<string> {
  const cache = cacheFolder(`apicurio-${version}`);
  await filledOnce(cache, join(cache, '.complete'), () => {
    const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
    run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${cache}`]);
    const archive = join(cache, `apicurio-registry-app-${version}-all.tar.gz`);
    run('tar', ['-xzf', archive, '-C', cache]);
    rmSync(archive);
  });
  return join(cache, `apicurio-registry-app-${version}-runner.jar`);
}

export async function startRegistry(): Promise<TestRegistry> {
  const jar = await fetchRegistry();
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}${apiPath}`;
  let log = '';
  const child = spawn('sh', ['-c', watched, 'registry', '-Xmx512m', '-jar', jar], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, QUARKUS_HTTP_HOST: '127.0.0.1', QUARKUS_HTTP_PORT: String(port) },
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-20_000)));
  const deadline = Date.now() + 240_000;
  while (!(await answers(`${url}/subjects`))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await ended(child);
      throw new Error(`The registry did not start on port ${port}:\n${log}`);
    }
    await sleep(200);
  }
  return {
    url,
    async register(subject, body) {
      const path = `${url}/subjects/${encodeURIComponent(subject)}/versions`;
      const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
      const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
      const text = await response.text();
      if (!response.ok) throw new Error(`The registry answers ${response.status}: ${text}`);
      return (JSON.parse(text) as { id: number }).id;
    },
    stop: () => ended(child),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await gone;
}

// ------------------------------------------------------------------------------------------- proxy

export interface RegistryProxy {
  /** As SLUICE_REGISTRY has it. */
  readonly url: string;
  /** The port is closed. */
  goAway(): Promise<void>;
  /** On the same port. */
  comeBack(): Promise<void>;
}
export interface Certificate {
  readonly pfx: Buffer;
  readonly passphrase: string;
  readonly pem: string;
}

/** A certificate that is its own authority, for these names ("dns:localhost,ip:127.0.0.1"). */
export function makeCertificate(names: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-certificate-'));
  const [file, passphrase] = [join(folder, 'key.p12'), 'changeit'];
  const store = ['-keystore', file, '-storetype', 'PKCS12', '-storepass', passphrase, '-alias', 'registry'];
  try {
    run('keytool', [
      ...['-genkeypair', '-keyalg', 'EC', '-dname', 'CN=registry', '-ext', `SAN=${names}`, '-validity', '2'],
      ...store,
    ]);
    const pem = run('keytool', ['-exportcert', '-rfc', ...store]);
    return { pfx: readFileSync(file), passphrase, pem };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `auth`: user:password that it wants. With a certificate it speaks TLS. */
export async function startProxy(target: string, auth?: string, certificate?: Certificate): Promise<RegistryProxy> {
  const wanted = auth && `Basic ${Buffer.from(auth).toString('base64')}`;
  const { origin, pathname } = new URL(target);
  const pass: RequestListener = (incoming, response) => {
    if (wanted !== undefined && incoming.headers.authorization !== wanted) {
      response
        .writeHead(401, { 'content-type': 'application/json' })
        .end('{"error_code":401,"message":"Unauthorized"}');
      return;
    }
    const { method = 'GET', url = '/', headers } = incoming;
    const outgoing = request(new URL(url, origin), { method, headers: { ...headers, host: new URL(origin).host } });
    outgoing.on('error', () => response.destroy());
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(outgoing);
  };
  const create = (): Server => (certificate ? createTlsServer(certificate, pass) : createPlainServer(pass));
  let server = create();
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}${pathname}`,
    async goAway() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async comeBack() {
      server = create();
      await listen(port);
    },
  };
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed:\n${stdout}${stderr}`);
  return stdout;
}
