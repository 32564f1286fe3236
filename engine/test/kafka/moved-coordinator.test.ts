// An exactly-once sink on three brokers whose leader, or whose coordinator, moves while it writes:
// it waits, goes on, and a reader of committed records sees each row once.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, test } from 'vitest';
import { Brokers } from '../../connectors/kafka/brokers.ts';
import { findCoordinator } from '../../connectors/kafka/coordinator-request.ts';
import { shapeHash } from '../../graph/fingerprint.ts';
import { startOwnCluster, whyNoKafka, type OwnCluster } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { committedRecords } from './java-records.ts';
import { onBroker } from './on-broker.ts';
import { SinkDriver, type SinkRow } from './sink-driver.ts';

let cluster: OwnCluster;
let client: IndependentClient;
const drivers: SinkDriver[] = [];
const properties = {
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '1',
  'default.replication.factor': '3',
  'min.insync.replicas': '1',
};
onBroker(
  () => startOwnCluster(3, { listeners: [], formatArguments: [], properties }),
  (started) => ({ broker: cluster, client } = started),
);
afterAll(() => {
  for (const { sink } of drivers) sink.close?.();
});

const rows = (from: number, to: number): SinkRow[] =>
  Array.from({ length: to - from }, (_, i) => ({ value: { n: from + i }, timestamp: 1_700_000_000_000 }));
const leader = async (topic: string): Promise<number> => {
  const { topics } = await client.admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]!.partitions[0]!.leader;
};
/** The broker that coordinates the transactions of this id. */
async function coordinator(key: string): Promise<number> {
  const brokers = new Brokers({ brokers: cluster.brokers.split(','), setIn: 'here' }, 'write');
  try {
    for (const end = Date.now() + 60_000; ; await sleep(100)) {
      await brokers.metadata([]).catch(() => undefined);
      for (const node of brokers.nodes()) {
        const found = await brokers.ask(node, findCoordinator, { key, of: 'transaction' }).catch(() => undefined);
        if (found?.error === 0) return found.node;
      }
      assert.ok(Date.now() < end, `${key} has a coordinator`);
    }
  } finally {
    brokers.close();
  }
}
/**
 * The second transaction of a sink with this prefix is with a broker that is not the controller.
 */
async function movable(): Promise<{ readonly prefix: string; readonly id: string; readonly before: number }> {
  for (let n = 0; ; n++) {
    const prefix = `coordinated${n}`;
    const id = `${prefix}-${shapeHash('s')}-1`;
    const before = await coordinator(id);
    if (before !== 1) return { prefix, id, before };
  }
}
async function isElsewhere(before: number, now: () => Promise<number>): Promise<void> {
  for (const end = Date.now() + 120_000; ; await sleep(100)) {
    const id = await now().catch(() => before);
    if (id !== before && id > 0) return;
    assert.ok(Date.now() < end, `broker ${before} has a successor`);
  }
}

/** Three checkpoints. `moves` comes while the transaction of the second one is open. */
async function written(driver: SinkDriver, moves: () => Promise<void>): Promise<void> {
  const checkpoint = async (id: number): Promise<void> => {
    await driver.preCommit(id);
    driver.snapshot();
    driver.sink.complete!(id);
  };
  await driver.write(rows(0, 100));
  await checkpoint(1);
  await driver.write(rows(100, 150));
  await driver.flush();
  const moved = moves();
  await driver.write(rows(150, 200));
  await checkpoint(2);
  await moved;
  await driver.write(rows(200, 300));
  await checkpoint(3);
  for (const end = Date.now() + 240_000; driver.sink.hasUncommitted === true; await sleep(50)) {
    if (driver.failure !== undefined) throw driver.failure as Error;
    assert.ok(Date.now() < end, 'all is committed');
  }
}
async function assertWhole(topic: string): Promise<void> {
  const records = await committedRecords(client, cluster.brokers, topic, 300);
  assert.deepEqual(
    records.map(({ value }) => (JSON.parse(value) as { n: number }).n),
    Array.from({ length: 300 }, (_, n) => n),
  );
}

describe.skipIf(whyNoKafka() !== undefined)('exactly-once on three brokers', { timeout: 600_000 }, () => {
  const sinkTo = (topic: string, prefix: string): SinkDriver => {
    const driver = new SinkDriver({ topic, format: 'json', delivery: 'exactly-once', transactionalIdPrefix: prefix });
    drivers.push(driver);
    return driver;
  };

  test('a leader that moves while a transaction is open loses and doubles nothing', async () => {
    const topic = 'led';
    const replicas = [2, 3, 1];
    const replicaAssignment = [{ partition: 0, replicas }];
    await client.admin.createTopics({ topics: [{ topic, replicaAssignment }], waitForLeaders: true });
    const driver = sinkTo(topic, 'led');
    await written(driver, async () => {
      const before = await leader(topic);
      assert.equal(before, 2);
      await cluster.nodes[1]!.kill();
      await isElsewhere(before, () => leader(topic));
      await cluster.nodes[1]!.start();
    });
    await assertWhole(topic);
  });

  test('a coordinator that moves while a transaction is open, and before its commit, loses and doubles nothing', async () => {
    const topic = 'coordinated';
    // Its only replica is the controller's, so that the leader stays.
    const replicaAssignment = [{ partition: 0, replicas: [1] }];
    await client.admin.createTopics({ topics: [{ topic, replicaAssignment }], waitForLeaders: true });
    const { prefix, id, before } = await movable();
    await written(sinkTo(topic, prefix), async () => {
      await cluster.nodes[before - 1]!.kill();
      await isElsewhere(before, () => coordinator(id));
      await cluster.nodes[before - 1]!.start();
    });
    await assertWhole(topic);
  });
});
