// Secured connections, all on one real broker: TLS, client certificates, every log-in, IPv6; and
// one clear error for each mistake, with the step that failed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { startLoad, type RenewedLoad } from './renewed-load.ts';
import { allow, startSecuredBroker, type ListenerName, type SecuredBroker } from './secured-broker.ts';
import { SinkDriver } from './sink-driver.ts';
import { sourceDrivers, type Row } from './source-driver.ts';
import type { Connection } from '../../connections/connection.ts';
import { handOverConnections } from '../../connections/connection-named.ts';
import { Brokers } from '../../connectors/kafka/brokers.ts';
import { testConnection } from '../../connectors/kafka/test-connection.ts';
import { startTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';
import { unsecuredToken } from './unsecured-token.ts';

const skip = whyNoKafka();
let broker: SecuredBroker;
let client: IndependentClient;
onBroker(startSecuredBroker, (started) => ({ broker, client } = started));
const drive = sourceDrivers();

const topic = 'orders';
const count = 40;
const passwordVariable = 'SLUICE_TEST_PASSWORD';
const wrongVariable = 'SLUICE_TEST_WRONG_PASSWORD';
const keyVariable = 'SLUICE_TEST_KEY_PASSWORD';
const wrongPassword = 'wr0ng-5ecret';
let load: RenewedLoad;
let tokens: TokenEndpoint;

beforeAll(async () => {
  if (skip !== undefined) return;
  await client.createTopic(topic, 2);
  const numbers = Array.from({ length: count }, (_, n) => n);
  await client.send(
    topic,
    numbers.map((n) => ({ partition: n % 2, value: { n } })),
  );
  await allow(client, 'CN=client', [{ topic, rights: ['READ', 'DESCRIBE', 'WRITE'] }]);
  await beginLoad();
  process.env[passwordVariable] = broker.passwords.ann;
  process.env[wrongVariable] = wrongPassword;
  process.env[keyVariable] = broker.keyPassword;
  tokens = await startTokenEndpoint();
}, 300_000);
afterAll(() => {
  load?.close();
  tokens?.close();
  for (const name of ['SLUICE_CONNECTIONS', passwordVariable, wrongVariable, keyVariable]) delete process.env[name];
});

type Definition = Record<string, unknown>;
const ca = (): Definition => ({ ca: broker.files.ca });
const at = (listener: ListenerName, more: Definition = {}): Definition => ({ brokers: broker.at[listener], ...more });
const ann = (mechanism: string, password: Definition = { env: passwordVariable }): Definition => ({
  mechanism,
  username: 'ann',
  password,
});
const client509 = (): Definition => ({ cert: broker.files.clientCert, key: broker.files.clientKey });
const locked = (variable: string): Definition => ({
  ...{ cert: broker.files.clientCert, key: broker.files.lockedKey },
  keyPassword: { env: variable },
});
const command = (script: string): Definition => ({
  mechanism: 'oauthbearer',
  tokenCommand: [process.execPath, '-e', script],
});
const endpoint = (more: Definition = {}): Definition => ({
  ...{
    mechanism: 'oauthbearer',
    tokenEndpoint: tokens.url,
    clientId: 'sluice',
    clientSecret: { env: passwordVariable },
    scope: 'kafka',
  },
  ...more,
});

function define(definition: Definition): void {
  process.env['SLUICE_CONNECTIONS'] = JSON.stringify({ secured: definition });
}
/** It runs beside all other tests, because log-ins are renewed after 12 s and after 24 s. */
async function beginLoad(): Promise<void> {
  await Promise.all(['load', 'written'].map((name) => client.createTopic(name, 1)));
  await allow(client, 'ann', [
    { topic, rights: ['READ', 'DESCRIBE'] },
    { topic: 'load', rights: ['READ', 'DESCRIBE'] },
  ]);
  await allow(client, 'ben', [{ topic: 'written', rights: ['WRITE', 'DESCRIBE'] }]);
  const file = join(broker.folder, 'password');
  writeFileSync(file, `${broker.passwords.ann}\n`, { mode: 0o600 });
  const scram = (mechanism: string): Definition => ann(mechanism, { file });
  const token = unsecuredToken('ben', 3_600);
  process.env['SLUICE_CONNECTIONS'] = JSON.stringify({
    source: { brokers: broker.at.renewed, sasl: scram('scram-sha-256') },
    encrypted: at('encrypted', { tls: ca(), sasl: scram('scram-sha-512') }),
    sink: { brokers: broker.at.renewed, sasl: command(`process.stdout.write(${JSON.stringify(token)})`) },
  });
  load = startLoad(client, { source: 'source', encrypted: 'encrypted', sink: 'sink' });
}
const numbersOf = (rows: readonly Row[]): number[] => rows.map(({ value }) => (value as { n: number }).n);
const upTo = (size: number): number[] => Array.from({ length: size }, (_, n) => n);
const secured = { topic, connection: 'secured', from: 'earliest', until: 'latest' } as const;

describe.skipIf(skip !== undefined)('a secured connection', () => {
  const good: readonly [string, () => Definition][] = [
    ['TLS with an authority of its own', () => at('tls', { tls: ca() })],
    [
      'TLS for a name that is not the address',
      () => at('wrongHost', { tls: { ...ca(), serverName: 'broker.example' } }),
    ],
    ['TLS by IPv6', () => at('six', { tls: ca() })],
    ['the second of two brokers', () => ({ ...at('tls', { tls: ca() }), brokers: ['127.0.0.1:1', broker.at.tls] })],
    ['a client certificate', () => at('mutual', { tls: { ...ca(), ...client509() } })],
    ['a client certificate with an encrypted key', () => at('mutual', { tls: { ...ca(), ...locked(keyVariable) } })],
    ['PLAIN', () => at('sasl', { tls: ca(), sasl: ann('plain') })],
    ['PLAIN without TLS', () => at('saslInPlain', { sasl: ann('plain') })],
    ['SCRAM-SHA-256', () => at('sasl', { tls: ca(), sasl: ann('scram-sha-256') })],
    ['SCRAM-SHA-512', () => at('sasl', { tls: ca(), sasl: ann('SCRAM-SHA-512') })],
    [
      'a token of a command',
      () => at('sasl', { tls: ca(), sasl: command(`process.stdout.write(${JSON.stringify(unsecuredToken('ann'))})`) }),
    ],
    ['a token of an endpoint', () => at('sasl', { tls: ca(), sasl: endpoint() })],
  ];
  for (const [what, definition] of good)
    test(`reads a topic with ${what}`, async () => {
      tokens.answer = { status: 200, body: { access_token: unsecuredToken('ann'), expires_in: 600 } };
      define(definition());
      const report = await testConnection({ name: 'secured' });
      assert.ok(report.ok || what.startsWith('the second'), JSON.stringify(report, null, 1));
      const source = drive(secured);
      await source.ended();
      assert.equal(source.rows.length, count);
    });

  /** Step and code, and what the error says: the problem, and the way out. */
  const bad: readonly [string, () => Definition, string, RegExp][] = [
    [
      'TLS that is spoken to in plain',
      () => at('tls'),
      'tls kafka-tls',
      /speaks TLS, and .* has no `tls`. Give it "tls": true\.$/,
    ],
    [
      'a plain port that is spoken to in TLS',
      () => ({ brokers: broker.brokers, tls: ca() }),
      'tls kafka-tls',
      /does not speak TLS. Leave `tls` out of/,
    ],
    [
      'an expired certificate',
      () => at('expired', { tls: ca() }),
      'tls kafka-tls',
      /expired on \d{4}-\d\d-\d\d. Renew it at the broker\.$/,
    ],
    [
      'a certificate for another host',
      () => at('wrongHost', { tls: ca() }),
      'tls kafka-tls',
      /is for broker.example, not for 127.0.0.1. Give the name in it as tls.serverName/,
    ],
    [
      'an unknown authority',
      () => at('tls', { tls: true }),
      'tls kafka-tls',
      /is from an authority that is not trusted .*Give the file of that authority as tls.ca/,
    ],
    [
      'another authority',
      () => at('tls', { tls: { ca: broker.files.otherCa } }),
      'tls kafka-tls',
      /not trusted .*Correct tls.ca/,
    ],
    [
      'no client certificate',
      () => at('mutual', { tls: ca() }),
      'tls kafka-tls',
      /wants a certificate of the client .*Give tls.cert and tls.key/,
    ],
    [
      'a client certificate of a stranger',
      () => at('mutual', { tls: { ...ca(), cert: broker.files.strangerCert, key: broker.files.strangerKey } }),
      'tls kafka-tls',
      /does not accept the client's certificate .*Give another tls.cert/,
    ],
    [
      'a key of another certificate',
      () => at('mutual', { tls: { ...ca(), cert: broker.files.strangerCert, key: broker.files.clientKey } }),
      'tls connection-file',
      /cannot be used .*Give a certificate and its own key/,
    ],
    [
      'a wrong password of the key',
      () => at('mutual', { tls: { ...ca(), ...locked(wrongVariable) } }),
      'tls connection-file',
      /cannot be used .*Give the right tls.keyPassword/,
    ],
    [
      'an encrypted key without its password',
      () => at('mutual', { tls: { ...ca(), cert: broker.files.clientCert, key: broker.files.lockedKey } }),
      'tls connection-file',
      /cannot be used .*Give the right tls.keyPassword/,
    ],
    [
      'no file of the authority',
      () => at('tls', { tls: { ca: '/no/such/ca.pem' } }),
      'settings connection-file',
      /tls.ca of .*cannot be read \(ENOENT\). Correct the path/,
    ],
    [
      'an authority that is not PEM',
      () => at('tls', { tls: { ca: join(import.meta.dirname, 'broker.ts') } }),
      'settings connection-file',
      /is not in PEM form/,
    ],
    [
      'a wrong password by PLAIN',
      () => at('sasl', { tls: ca(), sasl: ann('plain', { env: wrongVariable }) }),
      'login kafka-login',
      /refused the log-in of user "ann" \(PLAIN\). Correct sasl.username or sasl.password/,
    ],
    [
      'a wrong password by SCRAM',
      () => at('sasl', { tls: ca(), sasl: ann('scram-sha-512', { env: wrongVariable }) }),
      'login kafka-login',
      /refused the log-in of user "ann" \(SCRAM-SHA-512\)/,
    ],
    [
      'no password',
      () => at('sasl', { tls: ca(), sasl: ann('plain', { env: 'SLUICE_TEST_NONE' }) }),
      'settings connection-secret',
      /environment variable SLUICE_TEST_NONE is not set/,
    ],
    [
      'no file of the password',
      () => at('sasl', { tls: ca(), sasl: ann('plain', { file: '/no/such/file' }) }),
      'settings connection-secret',
      /cannot be read: ENOENT/,
    ],
    [
      'a log-in that is not offered',
      () => at('saslInPlain', { sasl: ann('scram-sha-256') }),
      'login kafka-login',
      /does not offer the log-in SCRAM-SHA-256; it offers PLAIN. Correct sasl.mechanism/,
    ],
    [
      'no log-in where one is wanted',
      () => at('saslInPlain'),
      'login kafka-login',
      /wants a log-in \(PLAIN\), and .* has no `sasl`. Give it `sasl`/,
    ],
    ['no log-in behind TLS', () => at('sasl', { tls: ca() }), 'login kafka-login', /wants a log-in \(.*SCRAM-SHA-256/],
    [
      'a log-in where none is wanted',
      () => at('tls', { tls: ca(), sasl: ann('plain') }),
      'login kafka-login',
      /wants no log-in. Leave `sasl` out/,
    ],
    [
      'a token command that is not there',
      () => at('sasl', { tls: ca(), sasl: { mechanism: 'oauthbearer', tokenCommand: ['no-such-program'] } }),
      'token kafka-token',
      /no-such-program gave no token: there is no such program. Correct sasl.tokenCommand/,
    ],
    [
      'a token command that fails',
      () =>
        at('sasl', {
          tls: ca(),
          sasl: command('console.error("Please log in, 0123456789abcdef0123456789."); process.exit(3)'),
        }),
      'token kafka-token',
      /it ended with code 3: Please log in, \*\*\*\. Correct/,
    ],
    [
      'a token command that says nothing',
      () => at('sasl', { tls: ca(), sasl: command('') }),
      'token kafka-token',
      /it wrote nothing/,
    ],
    [
      'a token endpoint that refuses',
      () => at('sasl', { tls: ca(), sasl: endpoint() }),
      'token kafka-token',
      /it answers 401 \(No such client\). Correct sasl.tokenEndpoint, clientId, clientSecret or scope/,
    ],
    [
      'a token endpoint that is down',
      () => at('sasl', { tls: ca(), sasl: endpoint({ tokenEndpoint: 'http://127.0.0.1:1/t' }) }),
      'token kafka-token',
      /ECONNREFUSED.*or see whether it runs/,
    ],
    [
      'a token that is not accepted',
      () => at('sasl', { tls: ca(), sasl: command('process.stdout.write("abc.def.ghi")') }),
      'login kafka-login',
      /the token is not accepted: invalid_token. Correct what sasl.tokenCommand/,
    ],
  ];
  for (const [what, definition, stepAndCode, text] of bad)
    test(`${what} is one clear error`, async () => {
      tokens.answer = { status: 401, body: { error: 'invalid_client', error_description: 'No such client' } };
      define(definition());
      const source = drive(secured);
      const [report, failure] = await Promise.all([testConnection({ name: 'secured' }), source.failed()]);
      const { step, code, message } = report.error!;
      assert.equal(`${step} ${code}`, stepAndCode, message);
      assert.match(message, text);
      // The source says the same.
      assert.deepEqual([failure.code, failure.message], [code, message]);
      const all = JSON.stringify([report, failure, failure.stack, source.source.status()]);
      for (const secret of [wrongPassword, broker.passwords.ann]) assert.ok(!all.includes(secret), all);
    });

  test('a sink says the same as a source', async () => {
    define(at('sasl', { tls: ca(), sasl: ann('plain', { env: wrongVariable }) }));
    const sink = new SinkDriver({ topic, connection: 'secured', delivery: 'at-least-once', format: 'json' });
    const error = await sink.failed();
    assert.equal(error.code, 'kafka-login');
    assert.match(error.message, /refused the log-in of user "ann" \(PLAIN\). Correct/);
    sink.sink.close?.();
  });

  test('a host that is not known and a port that nobody listens to have their step and way out', async () => {
    define({ brokers: 'no-such-host.invalid:9092' });
    const unknown = (await testConnection({ name: 'secured' })).error!;
    assert.deepEqual([unknown.step, unknown.code], ['name', 'kafka-unreachable']);
    assert.match(unknown.message, /The host of no-such-host.invalid:9092 is not known. Correct the host in/);
    define({ brokers: '127.0.0.1:1' });
    const refused = (await testConnection({ name: 'secured' })).error!;
    assert.deepEqual([refused.step, refused.code], ['socket', 'kafka-unreachable']);
    assert.match(refused.message, /refused the connection. Start the broker, or correct the port/);
  });

  test('a definition that is not saved is tried with the secret that was handed over', async () => {
    const definition = at('sasl', { tls: ca(), sasl: ann('scram-sha-256', { value: broker.passwords.ann }) });
    const report = await testConnection({ name: 'new', definition });
    assert.equal(report.ok, true, JSON.stringify(report));
    assert.deepEqual(
      report.steps.map(({ step }) => step),
      ['settings', 'socket', 'tls', 'login', 'authorisation'],
    );
  });

  test('the token endpoint gets client credentials, and one token serves all connections', async () => {
    tokens.requests.length = 0;
    tokens.answer = { status: 200, body: { access_token: unsecuredToken('ann'), expires_in: 600 } };
    define(at('sasl', { tls: ca(), sasl: endpoint() }));
    assert.equal((await testConnection({ name: 'secured' })).ok, true);
    const credentials = Buffer.from(`sluice:${broker.passwords.ann}`).toString('base64');
    assert.deepEqual(tokens.requests, [
      { authorization: `Basic ${credentials}`, body: 'grant_type=client_credentials&scope=kafka' },
    ]);
  });

  test('a changed password needs no restart', async () => {
    await allow(client, 'cem', [{ topic: 'kept', rights: ['READ', 'DESCRIBE'] }]);
    await client.createTopic('kept', 1);
    await client.send('kept', [{ value: { n: 0 } }]);
    const definition = (password: string): Definition => ({
      brokers: broker.at.renewed,
      sasl: { mechanism: 'scram-sha-256', username: 'cem', password: { value: password } },
    });
    const before = broker.proxy.connections.length;
    handOverConnections({ handed: definition(broker.passwords.cem) });
    const source = drive({ topic: 'kept', connection: 'handed', from: 'earliest' });
    await source.until('the first row', () => source.rows.length === 1);
    broker.setPassword('cem', 'changed');
    broker.proxy.cut(before);
    const trouble = (): string | undefined => source.source.status().trouble;
    await source.until('the refusal', () => /refused the log-in of user "cem"/.test(trouble() ?? ''));
    handOverConnections({ handed: definition('changed') });
    await client.send('kept', [{ value: { n: 1 } }]);
    await source.until('the second row', () => source.rows.length === 2);
    await source.until('the end of the trouble', () => trouble() === undefined);
    assert.equal(source.state, 'running');
    handOverConnections({});
  });

  test('a wrong password is not tried again and again', async () => {
    const connection = (password: string): Connection => ({
      ...{ brokers: [broker.at.renewed], setIn: 'the test' },
      sasl: { mechanism: 'scram-sha-256', username: 'ben', password: { value: password } },
    });
    const before = broker.proxy.connections.length;
    const brokers = new Brokers(connection(wrongPassword), 'read');
    for (let attempt = 1; attempt <= 5; attempt++)
      await assert.rejects(brokers.metadata(null), /refused the log-in of user "ben"/);
    assert.equal(broker.proxy.connections.length - before, 1);
    brokers.use(connection(broker.passwords.ben));
    await brokers.metadata(null);
    brokers.close();
  });

  test('log-ins are renewed under load, on connections that stay', async () => {
    await load.until(() => broker.proxy.renewals('fetch') >= 2 && broker.proxy.renewals('produce') >= 2);
    const { source, encrypted, sink } = load;
    await load.end();
    for (const one of [source, encrypted]) {
      await one.until('all rows', () => one.rows.length >= load.sent);
      assert.deepEqual(numbersOf(one.rows), upTo(load.sent));
      assert.deepEqual([one.state, one.source.status().trouble], ['running', undefined]);
    }
    // A log-in that is not renewed ends its connection after 15 s, and another one begins.
    const { connections, ended } = broker.encryptedProxy;
    assert.deepEqual([connections.length > 0, ended], [true, 0], `${connections.length} connections by TLS`);
    await sink.flush();
    const written = drive({ topic: 'written', from: 'earliest', until: 'latest' });
    await written.ended();
    assert.deepEqual(numbersOf(written.rows), upTo(load.sent));
  });
});
