// Parameters of requests that are not as the protocol says are refused, and good ones pass.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Requests } from '../../protocol/messages.ts';
import { wrongParams } from '../../protocol/request-params.ts';

const cell = { id: 'a', kind: 'code', text: '1;' };
const good: { readonly [M in keyof Requests]: readonly unknown[] } = {
  hello: [{ protocol: 1, build: 'x', token: 't', client: 'page', more: 1 }],
  sync: [{ cells: [] }, { cells: [cell, { ...cell, kind: 'markdown', more: null }] }],
  run: [{ cells: ['a'] }],
  interrupt: [{}, { cell: 'a' }],
  delete: [{ cell: 'a' }],
  arm: [{ cell: 'a', armed: false }],
  show: [{ view: 'a' }, { view: 'a', epoch: 'e', lastSeq: 3 }],
  hide: [{ view: 'a' }],
  rows: [{ view: 'a', part: '0' }],
  rename: [{ notebook: 'b' }],
  connections: [{ connections: {} }, { connections: { prod: { brokers: 'a:1' } } }],
  testConnection: [{}, { name: 'prod' }, { definition: { brokers: 'a:1' } }],
  choose: [{ choice: 'resume' }, { choice: 'fresh' }, { choice: 'resume', lastCall: { cell: 'a', operator: 'map' } }],
  fromSavepoint: [{ savepoint: '/tmp/a' }],
  savepoint: [{ directory: '/tmp/a' }],
  giveUpSavepoint: [null, undefined],
  shutdown: [null, undefined, {}, { discard: true }],
};
test('good parameters pass, with unknown fields', () => {
  for (const [method, all] of Object.entries(good))
    for (const params of all) assert.equal(wrongParams(method as keyof Requests, params), undefined, method);
});

test('a wrong parameter is named', () => {
  for (const [method, params, name] of [
    ['sync', { cells: [{ kind: 'code', text: '1;' }] }, 'cells'],
    ['sync', { cells: [null] }, 'cells'],
    ['sync', { cells: null }, 'cells'],
    ['sync', { cells: [{ ...cell, kind: 'python' }] }, 'cells'],
    ['sync', { cells: [{ ...cell, text: 5 }] }, 'cells'],
    ['run', { cells: [['a']] }, 'cells'],
    ['delete', { cell: null }, 'cell'],
    ['interrupt', { cell: {} }, 'cell'],
    ['arm', { cell: 'a', armed: 'yes' }, 'armed'],
    ['show', { view: 'a', lastSeq: '3' }, 'lastSeq'],
    ['rows', { view: 'a' }, 'part'],
    ['choose', { choice: 'later' }, 'choice'],
    ['choose', { choice: 'resume', lastCall: { cell: 5 } }, 'lastCall'],
    ['savepoint', {}, 'directory'],
    ['hello', { token: 't' }, 'client'],
    ['connections', { connections: [] }, 'connections'],
    ['testConnection', { name: 5 }, 'name'],
  ] as const)
    assert.equal(wrongParams(method, params), `The parameter "${name}" of "${method}" has a wrong value.`);
  for (const params of [null, undefined, 'a', ['a']])
    assert.equal(wrongParams('hide', params), '"hide" has no parameters.');
});
