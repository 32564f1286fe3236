// The sink's writer on a cluster that answers as the test says. Time is simulated.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { BrokerUnreachable } from '../../connectors/kafka/broker-connection.ts';
import { ScriptedCluster, scriptedWriter, type Answer } from './scripted-cluster.ts';

const notLeader = 6;
const corruptMessage = 2;
const notEnoughReplicas = 19;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const pass = (millis: number): Promise<unknown> => vi.advanceTimersByTimeAsync(millis);
const never = new Promise<Answer>(() => undefined);
const after = (millis: number): Promise<Answer> =>
  new Promise((resolve) => {
    setTimeout(() => resolve({}), millis);
  });

test('a batch is sent to its new leader when it waited for a broker that has lost the partition', async () => {
  const cluster = new ScriptedCluster([1, 2]);
  const { writer } = scriptedWriter(cluster);
  await pass(0);
  cluster.answers.set(1, () => after(1500));
  cluster.answers.set(2, () => {
    cluster.answers.delete(2);
    cluster.leaders = [2, 2];
    return { 1: notLeader };
  });
  writer.append(undefined, '"a"', 1, undefined, 0);
  await pass(50);
  writer.append(undefined, '"b"', 1, undefined, 0);
  writer.append(undefined, '"c"', 1, undefined, 1);
  await pass(1000);
  assert.equal(writer.written, 1, 'the partition of "c" waits for no other');
  await pass(1000);
  assert.ok(writer.isEmpty);
  assert.deepEqual([writer.written, cluster.asked], [3, ['1: 0', '2: 1', '2: 1', '2: 0']]);
});

test('a partition without leader holds no other one up, and is written when it has one', async () => {
  const cluster = new ScriptedCluster([1, undefined, 2]);
  const { writer, failures } = scriptedWriter(cluster);
  await pass(0);
  for (let round = 0; round < 100; round++) {
    for (const partition of [0, 1, 2]) writer.append(undefined, '"x"', 1, undefined, partition);
    await pass(50);
  }
  assert.deepEqual([writer.written, writer.inFlight], [200, 100]);
  assert.equal(writer.trouble?.reason, 't[1] has no leader; its rows are sent again');
  const since = writer.trouble.since;
  await pass(60_000);
  assert.deepEqual([writer.trouble.since, failures], [since, []]);
  cluster.leaders = [1, 2, 2];
  await pass(1000);
  assert.deepEqual([writer.written, writer.inFlight, writer.trouble], [300, 0, undefined]);
});

test('a sink that starts with a partition without leader writes the others', async () => {
  const cluster = new ScriptedCluster([undefined, 1]);
  const { writer } = scriptedWriter(cluster);
  await pass(0);
  assert.ok(writer.takesRows);
  writer.append(undefined, '"x"', 1, undefined, 1);
  // Rows without key avoid the partition.
  for (let i = 0; i < 10; i++) writer.append(undefined, '"x"', 1);
  await pass(10);
  assert.equal(writer.written, 11);
});

test('a broker that never answers holds only its own partitions', async () => {
  const cluster = new ScriptedCluster([1, 2]);
  const { writer } = scriptedWriter(cluster);
  await pass(0);
  cluster.answers.set(1, () => never);
  for (let round = 0; round < 20; round++) {
    for (const partition of [0, 1]) writer.append(undefined, '"x"', 1, undefined, partition);
    await pass(20);
  }
  assert.deepEqual([writer.written, writer.inFlight], [20, 20]);
});

for (const [name, answer] of [
  ['CORRUPT_MESSAGE', { 0: corruptMessage }],
  ['NOT_ENOUGH_REPLICAS', { 0: notEnoughReplicas }],
  ['a broken connection', new BrokerUnreachable('b:1', 'closed', 'b:1 closed the connection.')],
] as const)
  test(`a batch is sent again after ${name}, and pauses double up to a second`, async () => {
    const cluster = new ScriptedCluster([1]);
    const { writer, failures } = scriptedWriter(cluster);
    await pass(0);
    cluster.answers.set(1, () => answer);
    writer.append('k', '"x"', 1);
    await pass(5);
    assert.equal(cluster.asked.length, 1);
    assert.match(writer.trouble!.reason, /t\[0\].*its rows are sent again$/);
    for (const pause of [100, 200, 400, 800, 1000, 1000]) {
      const before: number = cluster.asked.length;
      await pass(pause - 1);
      assert.equal(cluster.asked.length, before);
      await pass(1);
      assert.equal(cluster.asked.length, before + 1);
    }
    cluster.answers.delete(1);
    await pass(1000);
    assert.deepEqual([writer.written, writer.trouble, failures], [1, undefined, []]);
  });

test('rows that cannot be written for two minutes are an error with their number and the reason', async () => {
  const cluster = new ScriptedCluster([1]);
  const { writer, failures } = scriptedWriter(cluster);
  await pass(0);
  cluster.answers.set(1, () => ({ 0: notEnoughReplicas }));
  for (let i = 0; i < 1234; i++) writer.append('k', '"x"', 1);
  await pass(119_000);
  assert.deepEqual(failures, []);
  await pass(3000);
  assert.equal(
    failures.map(({ message }) => message)[0],
    '1,234 rows for topic "t" could not be written for 2 minutes: broker 1 answers NOT_ENOUGH_REPLICAS for t[0]: fewer replicas are in sync than the topic\'s min.insync.replicas. Start the other brokers, or lower min.insync.replicas.',
  );
  assert.ok(cluster.isClosed);
});

test('new partitions are used when the metadata is five minutes old', async () => {
  const cluster = new ScriptedCluster([1]);
  const { writer } = scriptedWriter(cluster);
  await pass(0);
  cluster.leaders = [1, 1, 2];
  await pass(299_000);
  assert.equal(writer.partitionCount, 1);
  await pass(1000);
  assert.equal(writer.partitionCount, 3);
  writer.append(undefined, '"x"', 1, undefined, 2);
  await pass(10);
  assert.deepEqual([writer.written, cluster.asked], [1, ['2: 2']]);
});

test('with acks 0, rows that the leader refuses are lost and counted, and nothing is sent again', async () => {
  const cluster = new ScriptedCluster([1]);
  const { writer, failures } = scriptedWriter(cluster, { acks: 0, isIdempotent: false });
  await pass(0);
  cluster.answers.set(1, () => ({ 0: notLeader }));
  for (let i = 0; i < 3; i++) writer.append('k', '"x"', 1);
  await pass(10);
  assert.deepEqual([writer.lost, writer.written, writer.inFlight, failures], [3, 0, 0, []]);
  cluster.answers.delete(1);
  writer.append('k', '"x"', 1);
  await pass(200);
  assert.deepEqual([writer.lost, writer.written], [3, 1]);
});

const refusals: readonly (readonly [name: string, error: number, code: string, message: RegExp])[] = [
  ['MESSAGE_TOO_LARGE', 10, 'kafka-row-too-large', /A row of [\d,]+ bytes .* t\[0\]: key "k", "x"/],
  ['RECORD_LIST_TOO_LARGE', 18, 'kafka-row-too-large', /raise the topic's max.message.bytes/],
  ['INVALID_RECORD', 87, 'kafka-refused', /Topic t\[0\] refuses rows: INVALID_RECORD. Row: key "k", "x"/],
  ['INVALID_REQUIRED_ACKS', 21, 'kafka-refused', /t\[0\].*Leave out the `acks` of to\(\)/],
  ['INVALID_TIMESTAMP', 32, 'kafka-refused', /t\[0\].*Give to\(\) another `timestamp`/],
  ['UNSUPPORTED_COMPRESSION_TYPE', 76, 'kafka-refused', /t\[0\].*another `compression`/],
  ['TOPIC_AUTHORIZATION_FAILED', 29, 'kafka-not-allowed', /"t"/],
  ['CLUSTER_AUTHORIZATION_FAILED', 31, 'kafka-not-allowed', /IDEMPOTENT_WRITE on the cluster.*idempotent: false/],
  ['an error of no name', 4711, 'kafka-refused', /error 4711/],
];
for (const [name, error, code, message] of refusals)
  test(`${name} ends the sink with one error`, async () => {
    const cluster = new ScriptedCluster([1]);
    const { writer, failures } = scriptedWriter(cluster);
    await pass(0);
    cluster.answers.set(1, () => ({ 0: error }));
    writer.append('k', '"x"', 1);
    await pass(10);
    assert.equal(failures.length, 1);
    assert.equal((failures[0] as Error & { code: string }).code, code);
    assert.match(failures[0]!.message, message);
    assert.ok(!writer.isEmpty);
  });
