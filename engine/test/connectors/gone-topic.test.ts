// A barrier waits for the topic of its transaction: for two minutes, and then the rows are counted.
import assert from 'node:assert/strict';
import { afterEach, test, vi } from 'vitest';
import { OpenTransaction } from '../../connectors/kafka/open-transaction.ts';
import { TransactionCoordinator } from '../../connectors/kafka/transaction-coordinator.ts';
import { TransactionTopic } from '../../connectors/kafka/transaction-topic.ts';
import { SluiceError } from '../../errors/error.ts';
import { ScriptedCluster } from './scripted-cluster.ts';

afterEach(() => vi.useRealTimers());

const topic = 't';
function begun() {
  const cluster = new ScriptedCluster([1]);
  const coordinator = new TransactionCoordinator(cluster, { topic, prefix: 'p', timeoutMillis: 900_000 });
  const open = new OpenTransaction({ transactionalId: 'p-0', producer: { id: 7n, epoch: 0 } }, undefined);
  open.wrote(0, 0, 5);
  const looked = new TransactionTopic({ topic, cluster, coordinator, unsent: () => 0 });
  const ended = Promise.withResolvers<unknown>();
  const isLookedAt = (): boolean =>
    looked.isLookedAt(open, { wake: () => ended.resolve(undefined), fail: (error) => ended.resolve(error) });
  return { cluster, coordinator, looked, ended: ended.promise, isLookedAt };
}

test('a topic that does not come back within two minutes is an error with the rows of the transaction', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { cluster, coordinator, ended, isLookedAt, looked } = begun();
  cluster.refreshError = new SluiceError('kafka-unknown-topic', 'Topic "t" is not on 127.0.0.1:9092.', { topic });
  assert.equal(isLookedAt(), false);
  await vi.waitFor(() => assert.equal(looked.isAwaited, true));
  vi.setSystemTime(Date.now() + 5_000);
  assert.equal(coordinator.trouble?.reason, 'Topic "t" is not on 127.0.0.1:9092');
  vi.setSystemTime(Date.now() + 116_000);
  const error = await ended;
  assert.ok(error instanceof SluiceError);
  assert.equal(error.code, 'kafka-unwritten');
  assert.match(error.message, /^5 rows for topic "t" could not be written for 2 minutes: Topic "t" is not on /);
  coordinator.close();
});

test('a cluster that cannot be asked lets the barrier pass', async () => {
  const { cluster, coordinator, ended, isLookedAt } = begun();
  cluster.refreshError = new Error('no answer');
  assert.equal(isLookedAt(), false);
  assert.equal(await ended, undefined);
  assert.equal(isLookedAt(), true);
  coordinator.close();
});
