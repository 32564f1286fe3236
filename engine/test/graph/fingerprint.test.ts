// Hashes of values that a cell may define: nested deeply, shared many times, or a Proxy whose traps
// throw.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { hashValue } from '../../graph/fingerprint.ts';

const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
};

for (const [what, wrap] of [
  ['objects', (v: unknown) => ({ v })],
  ['arrays', (v: unknown) => [v]],
  ['maps', (v: unknown) => new Map([[1, v]])],
  ['instances', (v: unknown) => new (class Order { v = v; })()], // prettier-ignore
] as const)
  test(`100,000 levels of ${what} have a hash`, () => {
    assert.equal(hashValue(nested(100_000, wrap)).length, 16);
    assert.notEqual(hashValue(nested(500, wrap)), hashValue(nested(501, wrap)));
  });

test('a revoked Proxy, and a Proxy whose traps throw, have a hash', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const fails = (): never => {
    throw new Error('trap');
  };
  const traps = new Proxy(() => 1, { get: fails, has: fails, getPrototypeOf: fails, ownKeys: fails });
  assert.equal(hashValue({ proxy }).length, 16);
  assert.equal(hashValue([traps]).length, 16);
});
