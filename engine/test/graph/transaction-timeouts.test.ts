// Transactions must outlast the time between two checkpoints.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Environment } from '../../index.ts';
import { Builder } from '../../api/builder.ts';
import { makeSources } from '../../api/sources.ts';
import { checkTransactionTimeouts } from '../../graph/transaction-timeouts.ts';
import { planOf } from '../../runtime/environment.ts';

function nodesOf(options: object) {
  const builder = new Builder({ group: '' });
  makeSources(builder, {}).from([1]).to('totals', options);
  const fragment = builder.fragment();
  return planOf(
    fragment,
    fragment.sinks.map(({ node }) => node),
  ).nodes;
}
const exactlyOnce = { delivery: 'exactly-once' } as const;

test('a transaction that is shorter than the interval is refused, with both times and the way out', () => {
  const nodes = nodesOf({ ...exactlyOnce, transactionTimeout: '10s' });
  checkTransactionTimeouts(nodes, 9_999);
  assert.throws(
    () => checkTransactionTimeouts(nodes, 10_000),
    /transactionTimeout of to\("totals"\) is 10 s, and a checkpoint is taken every 10 s.*a longer transactionTimeout/,
  );
});

test('the default is 15 minutes, and only exactly-once sinks are looked at', () => {
  assert.throws(() => checkTransactionTimeouts(nodesOf(exactlyOnce), 900_000), { code: 'bad-option' });
  checkTransactionTimeouts(nodesOf(exactlyOnce), 899_999);
  checkTransactionTimeouts(nodesOf({}), Infinity);
});

test('a job of an Environment refuses it at its start', () => {
  const environment = new Environment();
  environment.from([1]).to('totals', { ...exactlyOnce, transactionTimeout: '1s' });
  assert.throws(() => void environment.execute(), { code: 'bad-option' });
});

test('its options need exactly-once, and exactly-once needs all acknowledgements', () => {
  for (const options of [{ transactionalIdPrefix: 'p' }, { transactionTimeout: '1min' }])
    assert.throws(() => nodesOf(options), /needs delivery: "exactly-once"; the delivery is "at-least-once"/);
  for (const options of [{ acks: 1 }, { idempotent: false }])
    assert.throws(() => nodesOf({ ...exactlyOnce, ...options }), /A transaction needs acks: "all"/);
});
