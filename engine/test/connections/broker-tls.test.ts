// The contexts of TLS for brokers: one for the same content, and another when a file was renewed.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, test } from 'vitest';
import type { TlsSettings } from '../../connections/connection.ts';
import { isOwnFile, tlsOptions } from '../../connectors/kafka/broker-tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ca = join(folder, 'ca.pem');
const contextFor = (host: string, settings: TlsSettings = { ca }) =>
  tlsOptions(host, settings, 'connection "prod"').secureContext;

test('all brokers of the same settings share one context', () => {
  writeFileSync(ca, rootCertificates[0]!);
  const copy = join(folder, 'copy.pem');
  writeFileSync(copy, rootCertificates[0]!);
  assert.ok(contextFor('b1') !== undefined);
  assert.equal(contextFor('b1'), contextFor('b2'));
  assert.equal(contextFor('b1', { ca: copy }), contextFor('b1'));
  assert.equal(tlsOptions('b1', {}, 'SLUICE_BROKERS').secureContext, tlsOptions('b2', {}, 'prod').secureContext);
});

test('a renewed file counts at the next connection', () => {
  writeFileSync(ca, rootCertificates[0]!);
  const before = contextFor('b1');
  writeFileSync(ca, rootCertificates[1]!);
  const after = contextFor('b1');
  assert.notEqual(after, before);
  assert.equal(contextFor('b1'), after);
  // A file that cannot be used is an error each time.
  const cert = join(folder, 'cert.pem');
  writeFileSync(cert, '-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n');
  for (let time = 0; time < 2; time++)
    assert.throws(
      () => contextFor('b1', { ca, cert }),
      ({ code }: NodeJS.ErrnoException) => isOwnFile(code ?? ''),
    );
});
