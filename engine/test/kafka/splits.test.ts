// Splits on real brokers: found and lost one by one, assigned and revoked while the source runs,
// checked under a new leader, and idle only by what the broker answers.
import { savedSplits } from '../connectors/saved-state.ts';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { Brokers } from '../../connectors/kafka/brokers.ts';
import type { KafkaSource } from '../../connectors/kafka/kafka-source.ts';
import { startOwnCluster, whyNoKafka, type OwnCluster } from './broker.ts';
import { toMessage, type IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import type { SourceDriver } from './source-driver.ts';
import { sourceDrivers } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let cluster: OwnCluster;
let client: IndependentClient;

onBroker(
  () => startOwnCluster(3),
  (started) => ({ broker: cluster, client } = started),
);
const read = sourceDrivers();

const numbered = (from: number, count: number, partition: number) =>
  Array.from({ length: count }, (_, i) => ({ partition, value: { n: from + i }, timestamp: 1_000_000 + from + i }));
const numbers = (source: SourceDriver): number[] => source.rows.map(({ value }) => (value as { n: number }).n);
const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);

/** `replicas`: the nodes of each partition, its first leader first. */
async function create(topic: string, replicas: readonly (readonly number[])[], config: Record<string, string> = {}) {
  const replicaAssignment = replicas.map((nodes, partition) => ({ partition, replicas: [...nodes] }));
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await client.admin.createTopics({ topics: [{ topic, replicaAssignment, configEntries }], waitForLeaders: true });
}
/** kafkajs gives no metadata of a topic while one of its partitions has no leader. */
async function whenLeaders(topic: string, wanted: (leaders: readonly number[]) => boolean): Promise<void> {
  const brokers = new Brokers({ brokers: cluster.brokers.split(','), setIn: 'the test' }, 'read');
  let leaders: readonly number[] = [];
  for (let attempt = 0; attempt < 1_200; attempt++, await sleep(100)) {
    const found = await brokers.metadata([topic]);
    const partitions = found.topics[0]!.partitions.toSorted((a, b) => a.partition - b.partition);
    leaders = partitions.map(({ leader }) => leader);
    if (!wanted(leaders)) continue;
    brokers.close();
    return;
  }
  throw new Error(`The leaders of ${topic} are ${leaders.join(', ')}.`);
}

test('a partition without leader holds the others back neither at the start nor later', { skip }, async () => {
  await create('leaderless', [[1], [3]]);
  await client.send('leaderless', [...numbered(0, 50, 0), ...numbered(100, 50, 1)]);
  await cluster.nodes[2]!.kill();
  await whenLeaders('leaderless', ([, second]) => second === -1);
  const parameters = { topic: 'leaderless', from: 'earliest', format: 'json' } as const;
  const watermark = { outOfOrdernessMillis: 0, idlenessMillis: 300 };
  const source = read({ ...parameters, watermark });
  const bounded = read({ ...parameters, until: 'latest' });
  for (const one of [source, bounded]) {
    await one.until('the partition with a leader', () => one.rows.length === 50);
    assert.deepEqual(numbers(one), upTo(50));
  }
  assert.match(
    source.source.status().waiting!,
    /^leaderless\[1\] waits: the partition has no leader \(since \d\d:\d\d:\d\d\); trying again$/,
  );
  await sleep(1_500);
  assert.deepEqual(source.watermarks, [], 'a partition out of reach is not silent');
  assert.notEqual(bounded.state, 'ended');
  await cluster.nodes[2]!.start();
  for (const one of [source, bounded]) {
    await one.until('the rest', () => one.rows.length === 100);
    assert.deepEqual(numbers(one).slice(50), upTo(50, 100));
  }
  await bounded.ended();
  assert.equal(source.source.status().waiting, undefined);
  // It is lost again while it is read.
  await cluster.nodes[2]!.kill();
  await client.send('leaderless', numbered(50, 10, 0));
  await source.until('more of the first', () => source.rows.length === 110);
  await source.until('the trouble', () => source.source.status().waiting !== undefined);
  assert.match(source.source.status().waiting!, /^leaderless\[1\] waits: /);
  await cluster.nodes[2]!.start();
  await whenLeaders('leaderless', ([, second]) => second === 3);
  await source.until('the end of the trouble', () => source.source.status().waiting === undefined);
});

test('records that an election lost are noticed, while reading and after a restore', { skip }, async () => {
  await create('unclean', [[2, 3]], { 'unclean.leader.election.enable': 'true', 'min.insync.replicas': '1' });
  await client.send('unclean', numbered(0, 10, 0));
  const source = read({ topic: 'unclean', from: 'earliest', format: 'json' });
  await source.until('the first rows', () => source.rows.length === 10);
  await cluster.nodes[2]!.kill();
  await client.send('unclean', numbered(10, 10, 0));
  await source.until('the rows that only one broker has', () => source.rows.length === 20);
  const snapshot = source.snapshot();
  await cluster.nodes[1]!.kill();
  await cluster.nodes[2]!.start();
  await whenLeaders('unclean', ([leader]) => leader === 3);
  // Other records get the offsets of the lost ones, so no offset is out of range.
  await client.send('unclean', numbered(1_000, 30, 0));
  const restored = read({ topic: 'unclean', from: 'earliest', format: 'json' }, { snapshot });
  for (const one of [source, restored]) {
    const error = await one.failed();
    assert.equal(error.code, 'kafka-truncated');
    assert.match(
      error.message,
      /^unclean\[0\] lost records that were read: the source had read up to offset 20 .+ only those up to offset 10 /,
    );
  }
  assert.deepEqual(numbers(source), upTo(20));
  assert.deepEqual(restored.rows, []);
  await cluster.nodes[1]!.start();
});

test(
  'a split that is revoked is read no more, and one that is assigned goes on at its position',
  { skip },
  async () => {
    await create('moved', [[1], [1]]);
    await client.send('moved', [...numbered(0, 20, 0), ...numbered(100, 20, 1)]);
    const driver = read({ topic: 'moved', from: 'earliest', format: 'json' });
    const source = driver.source as KafkaSource;
    await driver.until('all rows', () => driver.rows.length === 40);
    const before = savedSplits(driver.snapshot());
    source.revoke(['moved[1]']);
    assert.equal(source.position(), 'moved 0:20');
    await client.send('moved', [...numbered(20, 5, 0), ...numbered(120, 5, 1)]);
    await driver.until('rows of the other split', () => driver.rows.length === 45);
    await sleep(700);
    assert.deepEqual(numbers(driver).slice(40), upTo(5, 20));
    source.assign(before.splits.filter(({ partition }) => partition === 1));
    await driver.until('its rows', () => driver.rows.length === 50);
    assert.deepEqual(numbers(driver).slice(45), upTo(5, 120));
    source.assign(before.splits);
    await sleep(700);
    assert.equal(driver.rows.length, 50, 'a split that is read already is not begun again');
  },
);

test('a partition behind an open transaction is not idle, and is named', { skip, timeout: 300_000 }, async () => {
  await create('open', [[1], [1]]);
  await client.send('open', numbered(0, 5, 0));
  const transactions = client.kafka.producer({
    transactionalId: 'open-transaction',
    maxInFlightRequests: 1,
    idempotent: true,
    retry: { initialRetryTime: 10, retries: 50 },
  });
  await transactions.connect();
  const open = await transactions.transaction();
  const timeOfDay = (millis: number): string => new Date(millis).toTimeString().slice(0, 8);
  const before = Date.now();
  await open.send({ topic: 'open', messages: numbered(0, 10, 1).map(toMessage) });
  const seconds = new Set<string>();
  for (let at = before; at <= Date.now() + 1_000; at += 1_000) seconds.add(timeOfDay(at));
  const watermark = { outOfOrdernessMillis: 0, idlenessMillis: 700 };
  const source = read({ topic: 'open', from: 'earliest', format: 'json', watermark });
  await source.until('the other partition', () => source.rows.length === 5);
  await source.until('the name', () => /open transaction of .*\(since/.test(source.source.status().waiting ?? ''));
  // The coordinator knows when it began. The records have times of their own.
  const [, since] =
    /^open\[1\] waits for an open transaction of "open-transaction" that begins at offset 0 \(since (\d\d:\d\d:\d\d)\)$/.exec(
      source.source.status().waiting!,
    ) ?? [];
  assert.ok(seconds.has(since!), source.source.status().waiting);
  const idle = (): boolean[] => source.source.status().partitions!.map((one) => one.idle);
  await source.until('the silence of the other partition', () => idle()[0] === true);
  assert.deepEqual(idle(), [true, false]);
  assert.deepEqual(source.watermarks, []);
  await open.commit();
  await source.until('the committed rows', () => source.rows.length === 15);
  // Its last offset is that of the commit marker, and now it is silent.
  await source.until('silence', () => source.source.status().partitions!.every(({ idle }) => idle));
  assert.equal(source.source.status().waiting, undefined);
  await transactions.disconnect();
});

test('a partition whose records wait for the rate is not idle', { skip }, async () => {
  await create('rated', [[1], [1]]);
  await client.send('rated', [...numbered(0, 200, 0), ...numbered(0, 200, 1)]);
  const watermark = { outOfOrdernessMillis: 0, idlenessMillis: 300 };
  const source = read({ topic: 'rated', from: 'earliest', until: 'latest', format: 'json', rate: 200, watermark });
  await source.ended();
  assert.equal(source.rows.length, 400);
  assert.equal(source.late, 0);
});

test('times before 1970 are the beginning, and an end in the future is waited for', { skip }, async () => {
  await create('times', [[1], [1]]);
  await client.send('times', [...numbered(0, 10, 0), ...numbered(100, 10, 1)]);
  for (const timestamp of [-1, -2, -3, -1_000_000]) {
    const source = read({ topic: 'times', from: { timestamp }, until: 'latest', format: 'json' });
    await source.ended();
    assert.equal(source.rows.length, 20, `from ${timestamp}`);
  }
  const nothing = read({ topic: 'times', from: 'earliest', until: { timestamp: -5 }, format: 'json' });
  await nothing.ended();
  assert.deepEqual(nothing.rows, []);

  // The rows below must be read before this time, on a busy machine too.
  const end = Date.now() + 15_000;
  const source = read({ topic: 'times', from: 'earliest', until: { timestamp: end }, format: 'json' });
  await source.until('what is there', () => source.rows.length === 20);
  await client.send('times', [
    { partition: 0, value: { n: 10 }, timestamp: end - 1 },
    // Its clock is ahead: the first record at the end ends its partition before the time has come.
    { partition: 1, value: { n: 110 }, timestamp: end },
    { partition: 1, value: { n: 111 }, timestamp: end - 1 },
  ]);
  await source.until('the record before the end', () => source.rows.length === 21);
  assert.equal(source.state, 'running');
  const snapshot = source.snapshot();
  await source.ended();
  assert.ok(Date.now() >= end, 'it has waited');
  assert.deepEqual(numbers(source).slice(20), [10]);
  const restored = read({ topic: 'times', from: 'earliest', until: { timestamp: end }, format: 'json' }, { snapshot });
  await restored.ended();
  assert.deepEqual(restored.rows, []);
});
