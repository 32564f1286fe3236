// The closest known name to a misspelled name, for error messages.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { closestName } from '../../errors/closest-name.ts';

const known = ['orders', 'payments', 'customers', 'rate', 'id'];
test('a slip of the hand finds its name', () => {
  for (const [typed, meant] of [
    ['ordres', 'orders'],
    ['order', 'orders'],
    ['Payments', 'payments'],
    ['costumers', 'customers'],
    ['raet', 'rate'],
    ['di', 'id'],
  ] as const)
    assert.equal(closestName(typed, known), meant);
});

test('what resembles nothing gets no offer', () => {
  for (const typed of ['clicks', 'x', '', 'orders-by-country-and-day'])
    assert.equal(closestName(typed, known), undefined);
});
