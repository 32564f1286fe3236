// Secured connections in a session and on the command line: one error in the cell while the rest
// goes on, a password that is changed without a restart, and no secret in anything that others can
// see.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { makeAuthority, type Authority } from '../../../engine/test/kafka/certificates.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { allow, startSecuredBroker, type SecuredBroker } from '../../../engine/test/kafka/secured-broker.ts';
import { startTokenEndpoint } from '../../../engine/test/kafka/token-endpoint.ts';
import { unsecuredToken } from '../../../engine/test/kafka/unsecured-token.ts';
import { connectSession, type Connection } from '../../client/connect.ts';
import type { ConnectionDefinitions, ConnectionReport } from '../../protocol/connections.ts';
import { sluice } from '../cli/sluice.ts';
import { code, kernelPath, Kernels, until, watch } from '../server/kernels.ts';

const skip = whyNoKafka();
let broker: SecuredBroker;
let client: IndependentClient;
onBroker(startSecuredBroker, (started) => ({ broker, client } = started));

const wrongPassword = 'wr0ng-5ecret';
const timeout = { timeout: 300_000 };
const refusal =
  /refused the log-in of user "ann" \(SCRAM-SHA-256\). Correct sasl.username or sasl.password in connection/;

beforeAll(async () => {
  if (skip !== undefined) return;
  await client.createTopic('orders', 1);
  await client.send(
    'orders',
    Array.from({ length: 5 }, (_, n) => ({ value: { n } })),
  );
  await allow(client, 'ann', [{ topic: 'orders', rights: ['READ', 'DESCRIBE'] }]);
}, 300_000);
afterAll(() => {
  delete process.env['SLUICE_CONNECTIONS'];
  delete process.env['SLUICE_TEST_PASSWORD'];
});

function handed(password: string): ConnectionDefinitions {
  const sasl = { mechanism: 'scram-sha-256', username: 'ann', password: { value: password } } as const;
  return { prod: { brokers: broker.at.sasl, tls: { ca: broker.files.ca }, sasl } };
}
const orders = "import { kafka } from 'sluice';\nkafka('orders', { connection: 'prod', from: 'earliest' }).show();";
const ticks = "import { generate } from 'sluice';\ngenerate({ rate: 100 }, ({ n }) => ({ n })).show();";

describe.skipIf(skip !== undefined)('a secured connection', () => {
  test(
    'that an editor hands over is in no list, file or message, and changes without a restart',
    timeout,
    async (t) => {
      const kernels = new Kernels(t);
      const notebook = kernels.notebook();
      const own = { notebook, kernelPath, build: 'test' } as const;
      const connection = await connectSession({ ...own, client: 'vscode', connections: handed(wrongPassword) });
      t.onTestFinished(() => connection.close());
      const seen: unknown[] = [connection.welcome];
      for (const name of ['state', 'view', 'cells', 'run', 'ending'] as const)
        connection.on(name, (params: unknown) => seen.push(params));
      const environment = 'JSON.stringify([process.env, process.argv, process.execArgv]);';
      await connection.request('sync', { cells: code({ ticks, orders, environment, crash: 'process.exit(1);' }) });
      const views = { ticks: watch(connection, 'ticks'), orders: watch(connection, 'orders') };
      watch(connection, 'environment');
      seen.push(await connection.request('run', { cells: ['ticks', 'environment'] }));

      // The wrong password is one error of its cell.
      seen.push(await connection.request('run', { cells: ['orders'] }));
      const problems = (): string => JSON.stringify(views.orders.parts.filter(({ kind }) => kind === 'error'));
      await until(() => refusal.test(problems().replaceAll('\\"', '"')), 'the refusal in the cell');
      const rowsOf = (view: typeof views.ticks): number => {
        const [part] = view.parts;
        return part?.kind === 'table' ? part.total : 0;
      };
      const before = rowsOf(views.ticks);
      await until(() => rowsOf(views.ticks) > before, 'rows of the other cell');

      // The session tests what it has, and what it has not.
      const report = await connection.request('testConnection', { name: 'prod' });
      assert.deepEqual([report.ok, report.error?.step, report.error?.code], [false, 'login', 'kafka-login']);
      const definition = handed(broker.passwords.ann)['prod']!;
      const other = await connection.request('testConnection', { name: 'new', definition });
      assert.deepEqual([other.ok, other.steps.at(-1)?.step], [true, 'authorisation']);
      seen.push(report, other);

      // A changed password.
      await connection.request('connections', { connections: handed(broker.passwords.ann) });
      seen.push(await connection.request('run', { cells: ['orders'] }));
      await until(() => rowsOf(views.orders) === 5, 'the orders');
      // The executor that takes the place of another one has the connection too.
      await connection.request('run', { cells: ['crash'] }).catch(() => undefined);
      await client.send('orders', [{ value: { n: 5 } }]);
      await until(() => rowsOf(views.orders) === 6, 'the order after the crash');

      const { pid } = connection.entry;
      const files = filesIn(kernels.folder);
      assert.ok(files.some((path) => path.endsWith('.log')));
      const processes = execFileSync('ps', ['-ww', '-A', '-o', 'args='], { encoding: 'utf8' });
      assert.match(processes, new RegExp(connection.entry.session), 'the kernel is in the list');
      const everything = [
        JSON.stringify(seen),
        ...files.map((path) => readFileSync(path, 'utf8')),
        processes,
        ...(process.platform === 'linux'
          ? ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'))
          : []),
      ];
      for (const text of everything)
        for (const secret of [wrongPassword, broker.passwords.ann]) assert.ok(!text.includes(secret), text);
      // Programs that a cell starts are told of no hand-over.
      const environmentView = JSON.stringify(seen);
      assert.match(environmentView, /SLUICE_SESSIONS/, 'the cell showed its environment');
      assert.ok(!environmentView.includes('SLUICE_HANDOVER'));
    },
  );

  test('is no business of a page', timeout, async (t) => {
    const kernels = new Kernels(t);
    const notebook = kernels.notebook();
    const session = await kernels.connect(notebook);
    const page: Connection = await connectSession({ notebook, kernelPath, client: 'page', build: 'test' });
    t.onTestFinished(() => page.close());
    const refused = async (asked: Promise<unknown>): Promise<unknown> =>
      await asked.then(
        () => assert.fail('It must be refused.'),
        (error: { data?: { code?: unknown } }) => error.data?.code,
      );
    assert.equal(await refused(page.request('connections', { connections: {} })), 'only-viewing');
    assert.equal(await refused(page.request('testConnection', {})), 'only-viewing');
    // Nor does a client that waits for it hold up the session.
    const { ok } = await session.request('testConnection', { definition: { brokers: '127.0.0.1:1' } });
    assert.equal(ok, false);
  });

  test('of a file is found by a kernel that runs in another folder', timeout, async (t) => {
    const kernels = new Kernels(t);
    const { prod } = handed('');
    const path = join(kernels.folder, 'connections.json');
    const password = { file: 'password' };
    writeFileSync(path, JSON.stringify({ prod: { ...prod, sasl: { ...prod!.sasl, password } } }));
    writeFileSync(join(kernels.folder, 'password'), `${broker.passwords.ann}\n`);
    process.env['SLUICE_CONNECTIONS'] = relative(process.cwd(), path);
    const session = await kernels.connect(kernels.notebook());
    const report = await session.request('testConnection', { name: 'prod' });
    assert.equal(report.ok, true, JSON.stringify(report));
  });

  test('is one error of `sluice run`, and a report of `sluice test-connection`', timeout, async (t) => {
    const kernels = new Kernels(t);
    const bounded = orders.replace("'earliest'", "'earliest', until: 'latest'");
    const notebook = kernels.notebook('a.sluice.ts', `// %% id=orders\n${bounded}\n`);
    const password = { env: 'SLUICE_TEST_PASSWORD' };
    const { prod } = handed('');
    process.env['SLUICE_CONNECTIONS'] = JSON.stringify({ prod: { ...prod, sasl: { ...prod!.sasl, password } } });
    process.env['SLUICE_TEST_PASSWORD'] = wrongPassword;
    const failed = await sluice('run', notebook, '--json');
    assert.equal(failed.code, 1);
    const errors = failed.lines.flatMap(({ cell, error }) =>
      error ? [[cell, error.code, error.message] as const] : [],
    );
    assert.deepEqual(
      errors.map(([cell, name]) => [cell, name]),
      [['orders', 'kafka-login']],
    );
    assert.match(errors[0]![2], refusal);
    const tried = await sluice('test-connection', 'prod');
    assert.equal(tried.code, 1);
    assert.match(
      tried.out,
      /^✔ .* is well formed\.\n✔ .* accepts connections\.\n✔ .* trusted\.\n✖ .* refused the log-in/,
    );
    const listed = await sluice('connections');
    assert.match(
      listed.out,
      /^prod +127\.0\.0\.1:\d+ +TLS, SCRAM-SHA-256 as ann +connection "prod" of SLUICE_CONNECTIONS$/m,
    );
    for (const { out, err } of [failed, tried, listed]) assert.ok(!(out + err).includes(wrongPassword));

    process.env['SLUICE_TEST_PASSWORD'] = broker.passwords.ann;
    const { code: exit, lines } = await sluice('run', notebook, '--json');
    assert.equal(exit, 0);
    assert.deepEqual(
      lines.flatMap((line) => ('row' in line ? [line.row] : [])).slice(0, 5),
      Array.from({ length: 5 }, (_, n) => ({ n })),
    );
    const report = await sluice('test-connection', 'prod', '--json');
    assert.equal(report.code, 0);
    assert.equal((JSON.parse(report.out) as { ok: boolean }).ok, true);
  });

  test('trusts the authorities of the system, and so does its token endpoint', timeout, async (t) => {
    const endpointOf = async (authority: Authority) => {
      const tokens = await startTokenEndpoint(authority.sign({ name: 'tokens', hosts: ['127.0.0.1'] }));
      t.onTestFinished(() => tokens.close());
      tokens.answer = { status: 200, body: { access_token: unsecuredToken('ann'), expires_in: 600 } };
      return tokens.url;
    };
    t.onTestFinished(() => void delete process.env['SSL_CERT_FILE']);
    process.env['SLUICE_TEST_PASSWORD'] = broker.passwords.ann;
    const tried = async (tls: true | { ca: string }, tokenEndpoint: string) => {
      const clientSecret = { env: 'SLUICE_TEST_PASSWORD' };
      const sasl = { mechanism: 'oauthbearer', tokenEndpoint, clientId: 'sluice', clientSecret };
      process.env['SLUICE_CONNECTIONS'] = JSON.stringify({ prod: { brokers: broker.at.sasl, tls, sasl } });
      const { out } = await sluice('test-connection', 'prod', '--json');
      const { ok, error } = JSON.parse(out) as ConnectionReport;
      return [ok, error?.step, error?.message ?? ''] as const;
    };
    const tokens = await endpointOf(broker.authority);
    // OpenSSL takes the file for that of the system.
    process.env['SSL_CERT_FILE'] = broker.files.ca;
    assert.deepEqual(await tried(true, tokens), [true, undefined, '']);
    // An authority of its own counts for both.
    delete process.env['SSL_CERT_FILE'];
    const own = { ca: broker.files.ca };
    assert.deepEqual(await tried(own, tokens), [true, undefined, '']);
    const [ok, step, message] = await tried(own, await endpointOf(makeAuthority('Another authority')));
    assert.deepEqual([ok, step], [false, 'token'], message);
    assert.match(message, /an authority that is not trusted .*Add its certificate authority to the file tls.ca of/);
  });
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
