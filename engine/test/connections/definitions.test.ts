// Definitions of connections: what they may say, where they are looked for, and that no error shows
// a secret.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, test } from 'vitest';
import {
  connectionNamed,
  connectionNames,
  followConnection,
  handOverConnections,
} from '../../connections/connection-named.ts';
import type { Connection } from '../../connections/connection.ts';
import { secretText } from '../../connections/secret.ts';
import { SluiceError } from '../../errors/error.ts';
import { registryNamed } from '../../registry/registry-connection.ts';

const secret = 's3cr3t-pa55word';
afterEach(() => handOverConnections({}));

const inText = (definitions: unknown): Record<string, string> => ({ SLUICE_CONNECTIONS: JSON.stringify(definitions) });
const read = (definition: unknown): Connection => connectionNamed('a', inText({ a: definition }));
const setIn = 'connection "a" of SLUICE_CONNECTIONS';
const broker = { brokers: 'h:9092' };
const sasl = (more: object): object => ({ ...broker, sasl: more });
const plain = { mechanism: 'plain', username: 'ann' };

test('a full definition is read', () => {
  const password = { env: 'P' };
  const definition = {
    brokers: ['h:9092', '[::1]:9093'],
    tls: { ca: '/ca.pem', cert: '/c.pem', key: '~/k.pem', keyPassword: { file: '/k' }, serverName: 'n' },
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'ann', password },
    registry: { url: 'https://r:8081/', username: 'ben', password, ca: '/r.pem' },
  };
  assert.deepEqual(read(definition), {
    ...{ name: 'a', brokers: ['h:9092', '[::1]:9093'], setIn },
    tls: { ...definition.tls, key: join(homedir(), 'k.pem') },
    sasl: { ...definition.sasl, mechanism: 'scram-sha-512' },
    registry: { ...definition.registry, url: 'https://r:8081' },
  });
  assert.deepEqual(read({ ...broker, tls: true }), { name: 'a', brokers: ['h:9092'], setIn, tls: {} });
  assert.deepEqual(read({ brokers: ' h:1, i:2 ', tls: false }).brokers, ['h:1', 'i:2']);
});

test('the example of README.md is a good one', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
  const [, text] = /```json\n(\{[^`]*"brokers"[^`]*)```/.exec(readme)!;
  const { sasl: logIn, registry } = connectionNamed('prod', { SLUICE_CONNECTIONS: text });
  assert.deepEqual([logIn?.mechanism, registry?.url], ['scram-sha-512', 'https://schemas.example']);
});

test('tokens come from an endpoint or a command', () => {
  const endpoint = { tokenEndpoint: 'https://i/t', clientId: 'c', clientSecret: { env: 'S' }, scope: 's' };
  const { tokenEndpoint: url, ...rest } = endpoint;
  const extensions = { logicalCluster: 'lkc-1' };
  assert.deepEqual(read(sasl({ mechanism: 'oauthbearer', ...endpoint, extensions })).sasl, {
    ...{ mechanism: 'oauthbearer', token: { kind: 'endpoint', url, ...rest }, extensions },
  });
  assert.deepEqual(read(sasl({ mechanism: 'oauthbearer', tokenCommand: ['az', 'token'] })).sasl, {
    ...{ mechanism: 'oauthbearer', token: { kind: 'command', command: ['az', 'token'] } },
  });
});

const mistakes: readonly [string, unknown, RegExp][] = [
  ['a text', secret, /is not an object/],
  ['no brokers', {}, /has no brokers/],
  ['brokers with credentials', { brokers: `ann:${secret}@h:1` }, /has "\*\*\*", which is not host:port/],
  ['no broker in the list', { brokers: [] }, /brokers/],
  ['a misspelt field', { ...broker, tsl: true }, /a field "tsl" that is not known. Closest: tls/],
  ['a secret as a field', { ...broker, [secret]: 1 }, /a field "\*\*\*" that is not known/],
  ['a password as text', sasl({ ...plain, password: secret }), /has its sasl.password as a text.*{ "env": "NAME" }/],
  ['a password as value', sasl({ ...plain, password: { value: secret } }), /as a value.*{ "file": "path" }/],
  ['a stored password', sasl({ ...plain, password: { stored: true } }), /secret storage of VS Code.*or give { "env"/],
  ['two places', sasl({ ...plain, password: { env: 'A', file: 'b' } }), /has not one place/],
  ['no password', sasl(plain), /sasl.password/],
  ['no user', sasl({ mechanism: 'plain', password: { env: 'A' } }), /has no sasl.username/],
  ['an unknown mechanism', sasl({ mechanism: secret }), /no sasl.mechanism that is known. Give one of "plain"/],
  ['a token for PLAIN', sasl({ ...plain, tokenCommand: ['x'] }), /a field "tokenCommand" in sasl of mechanism "plain"/],
  ['no token', sasl({ mechanism: 'oauthbearer' }), /no token. Give sasl.tokenEndpoint/],
  ['a command as text', sasl({ mechanism: 'oauthbearer', tokenCommand: `x ${secret}` }), /not a list of texts/],
  [
    'a user in a URL',
    sasl({ mechanism: 'oauthbearer', tokenEndpoint: `https://a:${secret}@h` }),
    /user or a password in it/,
  ],
  ['a key without certificate', { ...broker, tls: { key: '/k' } }, /only one of tls.cert and tls.key/],
  ['a certificate itself', { ...broker, tls: { ca: '-----BEGIN CERTIFICATE-----' } }, /Give the path of the file/],
  ['a relative path', { ...broker, tls: { ca: 'ca.pem' } }, /not an absolute path/],
  [
    'an extension named auth',
    sasl({ mechanism: 'oauthbearer', tokenCommand: ['x'], extensions: { auth: secret } }),
    /not "auth"/,
  ],
  [
    'a registry without user',
    { ...broker, registry: { url: 'http://r', password: { env: 'A' } } },
    /without registry.username/,
  ],
  [
    'a registry with a query',
    { ...broker, registry: { url: `https://r/?token=${secret}` } },
    /a registry.url with a query or a fragment.* Leave out all from/,
  ],
  ['a registry with a fragment', { ...broker, registry: { url: `https://r#${secret}` } }, /with a query or a fragment/],
  ['a registry with an empty query', { ...broker, registry: { url: 'https://r?' } }, /with a query or a fragment/],
];
for (const [what, definition, message] of mistakes)
  test(`${what} is refused without showing a secret`, () => {
    let error: unknown;
    try {
      read(definition);
    } catch (thrown) {
      error = thrown;
    }
    assert.ok(error instanceof SluiceError);
    assert.equal(error.code, 'kafka-bad-connection');
    assert.match(error.message, message);
    assert.match(error.message, /^Connection "a" of SLUICE_CONNECTIONS /);
    assert.ok(!JSON.stringify([error.message, error.stack, error.details]).includes(secret), error.message);
  });

test('law: whatever stands in a definition, no error shows the secret in it', () => {
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(secret),
      fc.boolean(),
      fc.integer(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          'brokers',
          'tls',
          'sasl',
          'registry',
          'mechanism',
          'password',
          'url',
          'ca',
          'env',
          'value',
          secret,
        ),
        fc.oneof(tie('value'), fc.constantFrom('h:1', 'plain', 'oauthbearer')),
        { maxKeys: 5 },
      ),
    ),
  })).value;
  fc.assert(
    fc.property(anything, (definition) => {
      // An address that is no address is shown, because its user has to find it.
      fc.pre(!JSON.stringify((definition as { brokers?: unknown } | null)?.brokers ?? '').includes(secret));
      try {
        read(definition);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        assert.ok(!JSON.stringify([error.message, error.details]).includes(secret), error.message);
      }
    }),
    { numRuns: 500 },
  );
});

test('a file has the connections too, with paths relative to it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-connections-'));
  try {
    const path = join(folder, 'connections.json');
    writeFileSync(path, JSON.stringify({ a: { ...broker, tls: { ca: 'ca.pem' } } }));
    assert.deepEqual(connectionNamed('a', { SLUICE_CONNECTIONS: path }).tls, { ca: join(folder, 'ca.pem') });
    writeFileSync(path, `{"a": ${secret}}`);
    assert.throws(
      () => connectionNamed('a', { SLUICE_CONNECTIONS: path }),
      (error: Error) => /is not JSON/.test(error.message) && !error.message.includes(secret),
    );
    assert.throws(
      () => connectionNamed('a', { SLUICE_CONNECTIONS: join(folder, 'none.json') }),
      /no file that can be read/,
    );
    writeFileSync(path, '[]');
    assert.throws(() => connectionNamed('a', { SLUICE_CONNECTIONS: path }), /is not an object of connections by name/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a connection is found in the hand-over, in SLUICE_CONNECTIONS, then in its own variable', () => {
  const environment = {
    ...inText({ both: { brokers: 'json:1' }, json: { brokers: 'json:2' } }),
    SLUICE_CONNECTION_BOTH: 'short:1',
    SLUICE_CONNECTION_EU_WEST: 'short:2',
  };
  const brokersOf = (name?: string, more: object = {}): string =>
    connectionNamed(name, { ...environment, ...more }).brokers.join();
  assert.equal(brokersOf('both'), 'json:1');
  assert.equal(brokersOf('json'), 'json:2');
  assert.equal(brokersOf('eu-west'), 'short:2');
  handOverConnections({ both: { brokers: 'handed:1' } });
  assert.equal(brokersOf('both'), 'handed:1');
  assert.deepEqual([...connectionNames(environment)].sort(), ['both', 'eu_west', 'json']);
  assert.throws(() => brokersOf('jsno'), { code: 'kafka-no-connection', message: /Closest: "json"\. Define it in/ });
  // Without a name.
  assert.throws(() => brokersOf(), { code: 'kafka-no-connection' });
  handOverConnections({ default: { brokers: 'handed:2' } });
  assert.equal(brokersOf(), 'handed:2');
  assert.equal(brokersOf(undefined, { SLUICE_BROKERS: 'short:3' }), 'short:3');
});

test('in an editor, errors name its settings, and a variable only where the brokers are from it', () => {
  const editor = { SLUICE_EDITOR: '1' };
  const setIn = 'the setting sluice.brokers';
  handOverConnections({});
  assert.throws(() => connectionNamed(undefined, editor), /Set sluice\.brokers to host:port/);
  assert.throws(
    () => connectionNamed('prod', editor),
    /"prod"\. Define it in the setting sluice\.connections, and run/,
  );
  assert.throws(() => connectionNamed('prod', {}), /Define it in SLUICE_CONNECTIONS, or set SLUICE_CONNECTION_PROD/);
  handOverConnections({ default: { brokers: 'short:1', setIn } });
  assert.deepEqual(connectionNamed(undefined, { ...editor, SLUICE_BROKERS: 'env:1' }), {
    ...{ name: 'default', brokers: ['short:1'], setIn },
  });
  handOverConnections({ default: { brokers: 'short', setIn } });
  assert.throws(() => connectionNamed(undefined, editor), /^SluiceError: The setting sluice\.brokers has .*"short"/);
  handOverConnections({ default: { brokers: 'env:1', setIn: 'SLUICE_BROKERS' } });
  assert.equal(connectionNamed(undefined, editor).setIn, 'SLUICE_BROKERS');
  handOverConnections({});
});

test('only a hand-over may have the secret itself', () => {
  handOverConnections({ a: sasl({ ...plain, password: { value: secret } }) });
  const { sasl: found, setIn: place } = connectionNamed('a', {});
  assert.deepEqual(found, { ...plain, password: { value: secret } });
  assert.equal(place, 'connection "a" of the setting sluice.connections');
});

test('a hand-over that changes a connection is told to its users, and no other', () => {
  handOverConnections({ a: broker, b: broker });
  const seen: string[] = [];
  const end = followConnection(connectionNamed('a', {}), ({ brokers }) => seen.push(brokers.join()));
  handOverConnections({ a: broker, b: { brokers: 'h:2' } });
  handOverConnections({ a: { brokers: 'h:3' } });
  handOverConnections({ a: { brokers: secret } });
  handOverConnections({});
  end();
  handOverConnections({ a: { brokers: 'h:4' } });
  assert.deepEqual(seen, ['h:3']);
});

test('a secret is read where it stands, each time', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-secret-'));
  const file = join(folder, 'password');
  try {
    writeFileSync(file, ' first\n');
    assert.equal(secretText({ file }, 'the password'), 'first');
    writeFileSync(file, 'second');
    assert.equal(secretText({ file }, 'the password'), 'second');
    writeFileSync(file, '\n');
    assert.throws(() => secretText({ file }, 'the password'), {
      code: 'connection-secret',
      message: /^The password is missing: the file .* is empty/,
    });
    assert.throws(() => secretText({ env: 'SLUICE_NOT_SET' }, 'the password'), /variable SLUICE_NOT_SET is not set/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the registry of a connection comes before those of the environment', () => {
  const environment = { SLUICE_REGISTRY: 'http://default', SLUICE_REGISTRY_A: 'http://a', HOME: '/' };
  const registry = { url: 'https://own/', username: 'ann', password: { value: secret } };
  handOverConnections({ a: { ...broker, registry }, b: broker, default: { ...broker, registry } });
  const urlOf = (connection?: string, more: object = {}): string | undefined =>
    registryNamed({ connection }, { ...environment, ...more })?.url;
  assert.equal(urlOf('a'), 'https://own');
  assert.equal(urlOf('b'), 'http://default');
  assert.equal(urlOf(), 'https://own');
  assert.equal(urlOf(undefined, { SLUICE_BROKERS: 'h:1' }), 'http://default');
  assert.deepEqual(registryNamed({ connection: 'a' }, environment)!.auth, { user: 'ann', password: secret });
});
