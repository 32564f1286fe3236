// Connections as settings: what the setting means, what the form writes into it, and where the
// secrets are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import fc from 'fast-check';
import { test } from 'vitest';
import { answersOf, definitionOf, noAnswers, words, type ConnectionAnswers } from '../../browse/connection-answers.ts';
import { questionsFor, type TextQuestion } from '../../browse/connection-questions.ts';
import { connectionsOf, securityOf, storedSecrets, type SecretField } from '../../browse/connection-settings.ts';
import { SecretStore, type Secrets } from '../../browse/secret-store.ts';
import type { ConnectionDefinition } from '../../../kernel/protocol/connections.ts';

const prod: ConnectionDefinition = {
  brokers: 'b1:9093,b2:9093',
  tls: { ca: '/ca.pem' },
  sasl: { mechanism: 'scram-sha-512', username: 'ann', password: { stored: true } },
  registry: { url: 'https://schemas.example.com', username: 'ann', password: { stored: true } },
};

/** VS Code's SecretStorage, in memory. */
function memory(): Secrets & { readonly all: Map<string, string> } {
  const all = new Map<string, string>();
  return {
    all,
    get: (key) => Promise.resolve(all.get(key)),
    store: (key, value) => Promise.resolve(void all.set(key, value)),
    delete: (key) => Promise.resolve(void all.delete(key)),
  };
}

test('the short form of the default connection wins over a connection named "default"', () => {
  const connections = { zeta: { brokers: 'z:1' }, default: { brokers: 'd:1' }, alpha: { brokers: 'a:1' }, broken: 7 };
  const given = { connections, brokers: '', environmentBrokers: undefined };
  assert.deepEqual(Object.keys(connectionsOf(given)), ['default', 'alpha', 'zeta']);
  assert.deepEqual(connectionsOf({ ...given, brokers: ' s:1 ' })['default'], { brokers: 's:1' });
  assert.deepEqual(connectionsOf({ ...given, environmentBrokers: 'e:1' })['default'], { brokers: 'e:1' });
  assert.deepEqual(connectionsOf({ connections: null, brokers: '', environmentBrokers: undefined }), {});
});

test('the security of a connection has the names of Kafka’s settings', () => {
  assert.equal(securityOf(prod), 'SASL_SSL · ann');
  assert.equal(securityOf({ brokers: 'b:1', tls: true }), 'SSL');
  assert.equal(securityOf({ brokers: 'b:1' }), '');
  assert.equal(
    securityOf({ brokers: 'b:1', sasl: { mechanism: 'oauthbearer', tokenCommand: ['x'] } }),
    'SASL_PLAINTEXT · token',
  );
});

test('a secret goes into the storage, and into the definition only for the hand-over', async () => {
  const secrets = memory();
  const store = new SecretStore(secrets);
  await store.keep(
    'prod',
    prod,
    new Map([
      ['sasl.password', 'pa55'],
      ['registry.password', 'reg'],
    ] as const),
  );
  assert.deepEqual(storedSecrets(prod), ['sasl.password', 'registry.password']);
  const whole = await store.complete('prod', prod);
  assert.deepEqual(whole.sasl, { ...prod.sasl, password: { value: 'pa55' } });
  assert.deepEqual(whole.registry?.password, { value: 'reg' });
  assert.equal(JSON.stringify(prod).includes('pa55'), false);

  // An edit without a new password keeps the stored one, also for other brokers.
  const moved = { ...prod, brokers: 'c:9093' };
  await store.keep('prod', moved, new Map());
  assert.deepEqual((await store.complete('prod', moved)).registry?.password, { value: 'reg' });
  assert.deepEqual((await store.complete('prod', moved)).sasl, { ...prod.sasl, password: { value: 'pa55' } });

  // What the definition does not mark any more is forgotten.
  await store.keep('prod', { brokers: 'c:9093' }, new Map());
  assert.equal(secrets.all.size, 0);
});

test('settings that name other brokers, another user or no TLS do not get the stored secret', async () => {
  const store = new SecretStore(memory());
  await store.keep(
    'prod',
    prod,
    new Map([
      ['sasl.password', 'pa55'],
      ['registry.password', 'reg'],
    ] as const),
  );
  const scram = prod.sasl as { username: string };
  const others: ConnectionDefinition[] = [
    { ...prod, brokers: 'evil:9093' },
    { ...prod, tls: false },
    { ...prod, sasl: { ...prod.sasl, mechanism: 'plain' } as ConnectionDefinition['sasl'] & object },
    { ...prod, sasl: { ...prod.sasl, username: `${scram.username}e` } as ConnectionDefinition['sasl'] & object },
  ];
  for (const other of others)
    assert.deepEqual((await store.complete('prod', other)).sasl, other.sasl, JSON.stringify(other));
  const elsewhere = { ...prod, registry: { ...prod.registry!, url: 'https://evil' } };
  assert.deepEqual((await store.complete('prod', elsewhere)).registry?.password, { stored: true });
});

test('the form makes the definition that it was filled with, and keeps what it does not ask for', () => {
  const secured: ConnectionDefinition[] = [
    { brokers: 'b:1' },
    { brokers: 'b:1', tls: true },
    { brokers: 'b:1', tls: { serverName: 'kafka' } },
    { brokers: 'b:1', tls: { cert: '/c', key: '/k', keyPassword: { env: 'KEY' } } },
    prod,
    { brokers: 'b:1', sasl: { mechanism: 'plain', username: 'ann', password: { env: 'PASSWORD' } } },
    {
      brokers: 'b:1',
      sasl: { mechanism: 'oauthbearer', tokenCommand: ['a b', 'c"d', '--x=1'], extensions: { e: '1' } },
    },
    {
      brokers: 'b:1',
      sasl: {
        mechanism: 'oauthbearer',
        tokenEndpoint: 'https://t',
        clientId: 'c',
        clientSecret: { stored: true },
        scope: 's',
      },
    },
  ];
  for (const definition of secured)
    assert.deepEqual(definitionOf(answersOf('x', definition), definition).definition, definition);
  const answers = { ...noAnswers, brokers: 'b:1', login: 'plain', username: 'ann', password: 'pa55' } as const;
  const { definition, secrets } = definitionOf({ ...answers });
  assert.equal(JSON.stringify(definition).includes('pa55'), false);
  assert.deepEqual([...secrets], [['sasl.password', 'pa55']]);
});

test('the password of a private key goes into the storage, for this key only', async () => {
  const files = { ...noAnswers, brokers: 'b:1', tls: 'mutual', cert: '/c', key: '/k' } as const;
  const { definition, secrets } = definitionOf({ ...files, keyPassword: 'pa55' });
  assert.deepEqual(definition.tls, { cert: '/c', key: '/k', keyPassword: { stored: true } });
  const storage = memory();
  const store = new SecretStore(storage);
  await store.keep('prod', definition, secrets);
  const keyPasswordOf = async (one: ConnectionDefinition): Promise<unknown> => {
    const { tls } = await store.complete('prod', one);
    return typeof tls === 'object' ? tls.keyPassword : undefined;
  };
  assert.deepEqual(await keyPasswordOf(definition), { value: 'pa55' });
  // Settings that name another file do not get it.
  const other = { ...definition, tls: { cert: '/c', key: '/x', keyPassword: { stored: true } } } as const;
  assert.deepEqual(await keyPasswordOf(other), { stored: true });

  // An edit without a new password keeps it, and an edit without a client certificate forgets it.
  const edited = definitionOf(answersOf('prod', definition), definition);
  assert.deepEqual([edited.definition, edited.secrets.size], [definition, 0]);
  const answers = { ...answersOf('prod', definition), tls: 'system' } as const;
  const without = definitionOf(answers, definition);
  assert.equal(without.definition.tls, true);
  await store.keep('prod', without.definition, without.secrets);
  assert.equal(storage.all.size, 0);

  // A key without a password has none.
  assert.deepEqual(definitionOf({ ...files }).definition.tls, { cert: '/c', key: '/k' });
});

test('a command line is what its words are', () => {
  assert.deepEqual(words('az account "get access" --x "a\\"b"'), ['az', 'account', 'get access', '--x', 'a"b']);
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (command) => {
      const definition: ConnectionDefinition = {
        brokers: 'b:1',
        sasl: { mechanism: 'oauthbearer', tokenCommand: command },
      };
      assert.deepEqual(definitionOf(answersOf('x', definition), definition).definition, definition);
    }),
  );
});

test('the schema of the setting accepts what the form writes, and no secret', () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
    contributes: { configuration: { properties: Record<string, object> } };
    capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  };
  const schema = manifest.contributes.configuration.properties['sluice.connections']!;
  const accepts = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
  assert.equal(accepts({ prod, plain: { brokers: ['a:1', 'b:1'], tls: true } }), true, JSON.stringify(accepts.errors));
  for (const wrong of [
    { prod: { ...prod, sasl: { mechanism: 'plain', username: 'ann', password: 'pa55' } } },
    { prod: { ...prod, sasl: { mechanism: 'plain', username: 'ann', password: { value: 'pa55' } } } },
    { prod: { tls: true } },
    { prod: { ...prod, broker: 'b:1' } },
    { 'no name!': prod },
  ])
    assert.equal(accepts(wrong), false, JSON.stringify(wrong));
  assert.ok(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.includes('sluice.connections'));
});

test('the form asks for what the answers make necessary, and checks each text', () => {
  const fields = (change: Partial<ConnectionAnswers>): string[] =>
    questionsFor({ ...noAnswers, ...change }, { taken: ['prod'], present: [] }).map(({ field }) => field);
  assert.deepEqual(fields({}), ['name', 'brokers', 'tls', 'login', 'registry']);
  assert.deepEqual(fields({ tls: 'own', login: 'plain' }), [
    'name',
    'brokers',
    'tls',
    'ca',
    'login',
    'username',
    'password',
    'registry',
  ]);
  assert.deepEqual(fields({ tls: 'mutual' }).slice(3, 7), ['ca', 'cert', 'key', 'keyPassword']);
  assert.deepEqual(fields({ login: 'client' }).slice(4, 7), ['tokenEndpoint', 'username', 'password']);
  assert.deepEqual(fields({ login: 'command', registry: 'https://r', registryUser: 'ann' }).slice(4), [
    'tokenCommand',
    'registry',
    'registryUser',
    'registryPassword',
  ]);

  const problem = (field: string, text: string): string | undefined => {
    const answers = { ...noAnswers, tls: 'own', registry: 'https://r' } as const;
    const question = questionsFor(answers, { taken: ['prod'], present: [] }).find((one) => one.field === field);
    return question?.kind === 'text' ? question.check?.(text) : undefined;
  };
  assert.match(problem('name', 'prod')!, /There is a connection "prod"/);
  assert.match(problem('name', 'my prod')!, /Letters, digits/);
  assert.equal(problem('brokers', 'a:9092, [::1]:9092'), undefined);
  assert.match(problem('brokers', 'ann:secret@a:9092')!, /host:port\. User and password come later/);
  assert.match(problem('registry', 'https://ann:secret@r')!, /Leave user and password out/);
  assert.match(problem('registry', 'https://r/?token=secret')!, /Leave out all from the "\?"/);
  assert.equal(problem('registry', 'https://r/api'), undefined);
  assert.match(problem('ca', 'ca.pem')!, /whole path/);
});

test('a secret may be left empty only if there is one, or none is needed', () => {
  const answers = { ...noAnswers, tls: 'mutual', login: 'plain' } as const;
  const question = (wanted: string, present: readonly SecretField[]): TextQuestion => {
    const found = questionsFor(answers, { taken: [], present }).find(({ field }) => field === wanted);
    assert.ok(found?.kind === 'text' && found.isSecret);
    return found;
  };
  assert.equal(question('password', []).isOptional, false);
  assert.equal(question('password', ['sasl.password']).isOptional, true);
  assert.match(question('password', ['sasl.password']).prompt, /Leave it empty to keep the present one\.$/);
  assert.equal(question('keyPassword', []).isOptional, true);
  assert.match(question('keyPassword', []).prompt, /Leave it empty if the key has none\.$/);
  assert.match(question('keyPassword', ['tls.keyPassword']).prompt, /Leave it empty to keep the present one\.$/);
});
