// Kafka connections from the environment: valid brokers, and errors that show no credential.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { connectionNamed, describeBrokers } from '../../connections/connection-named.ts';
import { shownBrokers } from '../../connections/shown-brokers.ts';
import { SluiceError } from '../../errors/error.ts';

const refusal = (value: string, name?: string): SluiceError => {
  const variable = name === undefined ? 'SLUICE_BROKERS' : `SLUICE_CONNECTION_${name.toUpperCase()}`;
  try {
    connectionNamed(name, { [variable]: value });
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error(`${value} is accepted`);
};

test('brokers are host:port, several behind commas', () => {
  for (const [value, brokers] of [
    ['127.0.0.1:9092', ['127.0.0.1:9092']],
    [' a.example:9092 , b-2.example:9093,', ['a.example:9092', 'b-2.example:9093']],
    ['[::1]:9092', ['[::1]:9092']],
    ['bröker_1:9092', ['bröker_1:9092']],
  ] as const)
    assert.deepEqual(connectionNamed(undefined, { SLUICE_BROKERS: value }).brokers, brokers);
});

test('a plain mistake is shown', () => {
  assert.match(
    refusal('localhost').message,
    /^SLUICE_BROKERS has "localhost", which is not host:port\. [^.]*commas\.$/,
  );
  assert.match(refusal('a:9092,b').message, /has "a:9092,b"/);
});

const secret = 's3cr3t';
const credentials = [
  `ann:${secret}@broker:9092`,
  `ann:${secret}@broker:9092,broker2:9092`,
  `broker2:9092,ann:${secret}@broker:9092`,
  `ann:pass,${secret}@broker:9092`,
  `ann:p@ss,${secret}@broker:9092`,
  `${secret}@broker:9092`,
  `kafka://ann:${secret}@broker:9092`,
  `SASL_SSL://broker:9092?password=${secret}`,
  `broker:9092?password=${secret}`,
  `broker:9092?user=ann&password=a@b,${secret}`,
  `broker:9092;password=${secret}`,
  `broker:9092/${secret}`,
  `broker:9092#${secret}`,
  `broker:9092 password=${secret}`,
  `password=${secret}:9092`,
  `ann:${secret}`,
  `broker:9092,ann:${secret}`,
  `broker:9092:${secret}`,
];

test('no error shows a credential, whatever form it has', () => {
  for (const value of credentials)
    for (const name of [undefined, 'west']) {
      const { message, code, details, stack } = refusal(value, name);
      assert.equal(code, 'kafka-bad-connection');
      assert.ok(!JSON.stringify([message, details, stack]).includes(secret), `${value}: ${message}`);
      assert.match(message, /leave out user names, passwords and parameters/);
      assert.ok(!describeBrokers(value.split(',')).includes(secret));
    }
});

test('law: nothing behind or before an @ or a = is ever shown', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.constantFrom('@', '=', '?', '&', ';', '#', '/'), (before, after, sign) => {
      assert.equal(shownBrokers(`${before}${secret}${sign}${after}`), '***');
      assert.equal(shownBrokers(`${before}${sign}${secret}${after}`), '***');
    }),
  );
});
