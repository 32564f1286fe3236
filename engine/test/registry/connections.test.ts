// Schema registries from the environment: names, credentials, certificates, and that no message
// shows a secret.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { registryNamed } from '../../registry/registry-connection.ts';

const named = (names: Parameters<typeof registryNamed>[0], environment: Record<string, string>): unknown =>
  registryNamed(names, environment);

test('a registry is found by its name, by that of the connection, or by default', () => {
  const environment = {
    SLUICE_REGISTRY: 'http://default:8081/',
    SLUICE_REGISTRY_EU_WEST: 'https://eu:8081/apis/ccompat/v7/',
  };
  const at = (url: string, setIn: string) => ({ url, setIn, authIn: `${setIn}_AUTH`, caIn: `${setIn}_CA` });
  const byDefault = at('http://default:8081', 'SLUICE_REGISTRY');
  const europe = at('https://eu:8081/apis/ccompat/v7', 'SLUICE_REGISTRY_EU_WEST');
  assert.deepEqual(named({}, environment), byDefault);
  assert.deepEqual(named({ registry: 'eu-west' }, environment), europe);
  assert.deepEqual(named({ connection: 'eu.west' }, environment), europe);
  assert.deepEqual(named({ connection: 'us' }, environment), byDefault);
  assert.equal(named({}, {}), undefined);
  assert.equal(named({ connection: 'us' }, { SLUICE_REGISTRY: '  ' }), undefined);
  assert.throws(() => named({ registry: 'us' }, environment), {
    code: 'registry-no-connection',
    message: /no schema registry "us". Set SLUICE_REGISTRY_US/,
  });
});

test('credentials come from a variable of their own or from the URL', () => {
  const url = { SLUICE_REGISTRY: 'https://r:1' };
  const auth = (environment: Record<string, string>): unknown => registryNamed({}, environment)?.auth;
  assert.deepEqual(auth({ ...url, SLUICE_REGISTRY_AUTH: 'ann:a:b c' }), { user: 'ann', password: 'a:b c' });
  assert.deepEqual(auth({ SLUICE_REGISTRY: 'https://ann:p%40ss@r:1' }), { user: 'ann', password: 'p@ss' });
  assert.equal(registryNamed({}, { SLUICE_REGISTRY: 'https://ann:secret@r:1' })?.url, 'https://r:1');
  assert.equal(auth(url), undefined);
});

test('a certificate authority is read from its file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-registry-'));
  try {
    writeFileSync(join(folder, 'ca.pem'), 'PEM');
    const environment = { SLUICE_REGISTRY: 'https://r:1', SLUICE_REGISTRY_CA: join(folder, 'ca.pem') };
    assert.equal(registryNamed({}, environment)?.ca, 'PEM');
    assert.throws(
      () => named({}, { ...environment, SLUICE_REGISTRY_CA: join(folder, 'none.pem') }),
      /SLUICE_REGISTRY_CA names a file that cannot be read/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a bad value is one error that shows no secret', () => {
  const secret = 'hunter2';
  const values: readonly Record<string, string>[] = [
    { SLUICE_REGISTRY: `ftp://ann:${secret}@r` },
    { SLUICE_REGISTRY: `ann:${secret}@r:8081` },
    { SLUICE_REGISTRY: secret },
    { SLUICE_REGISTRY: `https://ann:${secret}%zz@r` },
    { SLUICE_REGISTRY: `https://r?token=${secret}` },
    { SLUICE_REGISTRY: 'https://r', SLUICE_REGISTRY_AUTH: secret },
    { SLUICE_REGISTRY: 'https://r', SLUICE_REGISTRY_AUTH: `:${secret}` },
  ];
  for (const environment of values)
    assert.throws(
      () => named({}, environment),
      (error: Error & { code?: string }) =>
        error.code === 'registry-bad-connection' &&
        !error.message.includes(secret) &&
        error.message.startsWith('SLUICE_REGISTRY'),
    );
});

test('a name that would be a variable of credentials is refused', () => {
  for (const registry of ['auth', 'ca', 'eu-auth', 'Eu_CA'])
    assert.throws(() => named({ registry }, {}), { code: 'registry-bad-connection' });
});
