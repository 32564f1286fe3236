// Whatever user code throws can be read: the reading never throws in turn.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'vitest';
import { SluiceError } from '../../errors/error.ts';
import { isError, isSluiceError, messageOf, readThrown } from '../../errors/thrown.ts';

const fails = (): never => {
  throw new Error('not for you');
};
const failing = (field: string): Error => Object.defineProperty(new Error('given'), field, { get: fails });
const traps = new Proxy({}, { get: fails, getPrototypeOf: fails, has: fails, ownKeys: fails });
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const cases: readonly { readonly what: string; readonly value: unknown; readonly message: RegExp }[] = [
  { what: 'an error', value: new RangeError('too far'), message: /^too far$/ },
  { what: 'an error whose message throws', value: failing('message'), message: /its message cannot be read/ },
  { what: 'an error whose stack throws', value: failing('stack'), message: /^given$/ },
  { what: 'an error whose cause throws', value: failing('cause'), message: /^given$/ },
  { what: 'an error whose name throws', value: failing('name'), message: /^given$/ },
  { what: 'a message that is no text', value: Object.assign(new Error(), { message: { a: 1 } }), message: /a: 1/ },
  { what: 'a Proxy with traps that throw', value: traps, message: /^\{\}$/ },
  { what: 'an object below such a Proxy', value: Object.create(traps), message: /./ },
  { what: 'a revoked Proxy', value: revoked(), message: /Revoked Proxy/ },
  { what: 'an inspection that throws', value: { a: 1, [inspect.custom]: fails }, message: /a: 1/ },
  { what: 'a symbol', value: Symbol('s'), message: /^Symbol\(s\)$/ },
  { what: 'nothing', value: undefined, message: /^undefined$/ },
  { what: 'a text', value: 'as it is', message: /^as it is$/ },
];

for (const { what, value, message } of cases)
  test(`thrown: ${what}`, () => {
    assert.match(readThrown(value).message, message);
    assert.match(messageOf(value), message);
    assert.equal(isSluiceError(value), false);
  });

test('a name that is a symbol is Error', () => {
  const named = Object.assign(new Error('m'), { name: Symbol('n') as unknown as string });
  assert.deepEqual(
    [readThrown(named).name, readThrown(new TypeError()).name, readThrown(1).name],
    ['Error', 'TypeError', ''],
  );
});

test('an error is one of Sluice, one of JavaScript, or none', () => {
  const own = new SluiceError('code', 'm');
  assert.deepEqual([isSluiceError(own), isError(own), isError(new Error()), isError(traps)], [true, true, true, false]);
});
