// The sink's writer on a cluster that answers as the test says. Time is simulated.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { SluiceError } from '../../errors/error.ts';
import { BrokerUnreachable } from '../../connectors/kafka/broker-unreachable.ts';
import { ScriptedCluster, scriptedWriter, type Answer } from './scripted-cluster.ts';

const notLeader = 6;
const corruptMessage = 2;
const notEnoughReplicas = 19;
const unknownTopic = 3;

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

test('a broker that makes the client wait is named after a moment, as long as rows wait for it', async () => {
  const cluster = new ScriptedCluster([1]);
  const { writer } = scriptedWriter(cluster);
  await pass(0);
  const begun = Date.now();
  cluster.throttleMillis = 500;
  cluster.answers.set(1, () => after(1_000));
  const troubles = new Set<string | undefined>();
  for (let round = 0; round < 8; round++) {
    writer.append(undefined, '"x"', 1);
    await pass(900);
    troubles.add(writer.trouble?.reason);
  }
  assert.deepEqual([...troubles], [undefined, 'broker 1 makes this client wait because of its quota']);
  assert.ok(writer.trouble!.since - begun < 2_000, 'since its first answer');
  await pass(10_000);
  assert.equal(writer.trouble, undefined, 'nothing waits');
  cluster.throttleMillis = 0;
  writer.append(undefined, '"x"', 1);
  await pass(2_000);
  writer.append(undefined, '"x"', 1);
  await pass(500);
  assert.equal(writer.trouble, undefined);
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
  assert.deepEqual([writer.written, writer.inFlight, writer.trouble], [20, 20, undefined]);
  const now = Date.now();
  await pass(5000);
  assert.equal(writer.trouble!.reason, 'broker 1 does not answer for t[0]');
  assert.ok(Math.abs(now - 400 - writer.trouble!.since) < 100, 'since its oldest request');
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

test('rows that a broker refuses for now wait as long as it takes', async () => {
  const cluster = new ScriptedCluster([1]);
  const { writer, failures } = scriptedWriter(cluster);
  await pass(0);
  cluster.answers.set(1, () => ({ 0: notEnoughReplicas }));
  for (let i = 0; i < 1234; i++) writer.append('k', '"x"', 1);
  await pass(600_000);
  assert.deepEqual([writer.inFlight, failures], [1234, []]);
  assert.match(
    writer.trouble!.reason,
    /^broker 1 answers NOT_ENOUGH_REPLICAS for t\[0\]: fewer replicas .* Start the other brokers, or lower min\.insync\.replicas; its rows are sent again$/,
  );
  cluster.answers.delete(1);
  await pass(2000);
  assert.deepEqual([writer.written, writer.inFlight, writer.trouble], [1234, 0, undefined]);
});

test('a topic that is gone for two minutes is an error with the number of unwritten rows', async () => {
  const cluster = new ScriptedCluster([1]);
  const { writer, failures } = scriptedWriter(cluster);
  await pass(0);
  cluster.answers.set(1, () => ({ 0: unknownTopic }));
  cluster.refreshError = new SluiceError('kafka-unknown-topic', 'Topic "t" is not on b:1.');
  for (let i = 0; i < 1234; i++) writer.append('k', '"x"', 1);
  await pass(119_000);
  assert.deepEqual(failures, []);
  await pass(3000);
  assert.equal(
    failures.map(({ message }) => message)[0],
    '1,234 rows for topic "t" could not be written for 2 minutes: Topic "t" is not on b:1. When the topic is there again, run the cell or start the job again.',
  );
  assert.ok(cluster.isClosed);
});

test('a topic that comes back within two minutes gets its rows', async () => {
  const cluster = new ScriptedCluster([1]);
  const { writer, failures } = scriptedWriter(cluster);
  await pass(0);
  cluster.answers.set(1, () => ({ 0: unknownTopic }));
  cluster.refreshError = new SluiceError('kafka-unknown-topic', 'Topic "t" is not on b:1.');
  writer.append('k', '"x"', 1);
  await pass(100_000);
  cluster.refreshError = undefined;
  cluster.answers.delete(1);
  await pass(100_000);
  assert.deepEqual([writer.written, failures], [1, []]);
});

for (const reason of ['refused', 'silent'] as const)
  test(`a cluster that is ${reason} at the start is tried until it answers`, async () => {
    const cluster = new ScriptedCluster([1]);
    const address = '127.0.0.1:9092';
    cluster.refreshError = new BrokerUnreachable(address, reason, `${address} is ${reason}.`);
    const { writer, failures } = scriptedWriter(cluster);
    await pass(600_000);
    assert.deepEqual([writer.takesRows, failures], [false, []]);
    assert.equal(
      writer.trouble!.reason,
      `Kafka cannot be reached: 127.0.0.1:9092 is ${reason}; the address is from SLUICE_BROKERS`,
    );
    cluster.refreshError = undefined;
    await pass(2000);
    assert.ok(writer.takesRows);
    writer.append('k', '"x"', 1);
    await pass(10);
    assert.deepEqual([writer.written, writer.trouble], [1, undefined]);
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
  [
    'INVALID_RECORD',
    87,
    'kafka-refused',
    /Topic t\[0\] refuses rows: INVALID_RECORD. Change .+ log may say more. Row: key "k", "x"/,
  ],
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

test('a producer without number says which right is missing, and how to do without', async () => {
  const cluster = new ScriptedCluster([1]);
  cluster.producerError = 31;
  const { failures } = scriptedWriter(cluster);
  await pass(0);
  assert.match(
    failures[0]!.message,
    /^Idempotent writing to topic "t" on 127.0.0.1:9092 is not allowed \(CLUSTER_AUTHORIZATION_FAILED\). .*IDEMPOTENT_WRITE on the cluster. Or give to\(\) `idempotent: false`.$/,
  );
  const without = scriptedWriter(cluster, { isIdempotent: false });
  await pass(0);
  assert.ok(without.writer.takesRows);
});

test('a broker that has no number for a producer yet is asked again', async () => {
  const coordinatorLoadInProgress = 14;
  const cluster = new ScriptedCluster([1]);
  cluster.producerError = coordinatorLoadInProgress;
  const { writer, failures } = scriptedWriter(cluster);
  await pass(100);
  assert.match(writer.trouble!.reason, /COORDINATOR_LOAD_IN_PROGRESS/);
  cluster.producerError = 0;
  await pass(1000);
  assert.deepEqual([writer.takesRows, writer.trouble, failures], [true, undefined, []]);
});

test('rows without an acknowledgement are written by a writer that restores them, before its own', async () => {
  const cluster = new ScriptedCluster([1, undefined]);
  const { writer } = scriptedWriter(cluster);
  await pass(0);
  cluster.answers.set(1, () => never);
  for (let i = 0; i < 30; i++) {
    writer.append(`k${i}`, JSON.stringify({ i }), 1000 + i, undefined, i % 2);
    await pass(10);
  }
  const saved = structuredClone(writer.unacknowledged());
  writer.close();

  const next = new ScriptedCluster([1, 1]);
  const { writer: restored } = scriptedWriter(next);
  restored.restore(saved);
  assert.equal(restored.inFlight, 30);
  assert.deepEqual(restored.unacknowledged(), saved, 'a snapshot before the first contact has them too');
  await pass(0);
  restored.append('own', '"own"', 1, undefined, 0);
  await pass(10);
  assert.deepEqual([restored.written, restored.inFlight], [31, 0]);
  const rowsOf = (partition: number): string[] =>
    next.batches.filter((one) => one.partition === partition).flatMap(({ values }) => values);
  const numbers = (first: number): string[] =>
    Array.from({ length: 15 }, (_, i) => JSON.stringify({ i: first + 2 * i }));
  assert.deepEqual([rowsOf(0), rowsOf(1)], [[...numbers(0), '"own"'], numbers(1)]);
});

test('a writer that finishes writes the rows that it has, and closes then or when its time is over', async () => {
  const cluster = new ScriptedCluster([1]);
  const { writer } = scriptedWriter(cluster, { lingerMillis: 60_000 });
  await pass(0);
  writer.append('k', '"x"', 1);
  writer.finish(5000);
  assert.ok(!cluster.isClosed);
  await pass(1);
  assert.deepEqual([writer.written, cluster.isClosed], [1, true]);

  const silent = new ScriptedCluster([1]);
  silent.answers.set(1, () => never);
  const { writer: stuck, failures } = scriptedWriter(silent);
  await pass(0);
  stuck.append('k', '"x"', 1);
  stuck.finish(5000);
  await pass(4999);
  assert.ok(!silent.isClosed);
  await pass(1);
  assert.deepEqual([silent.isClosed, failures], [true, []]);
});

interface Round {
  /** How nodes 2 and 3 answer, and which partitions they lead. */
  readonly answers: readonly ('fine' | 'refuses' | 'breaks' | 'slow')[];
  readonly leaders: readonly (2 | 3 | undefined)[];
  readonly rows: number;
  readonly millis: number;
}
const round: fc.Arbitrary<Round> = fc.record({
  answers: fc.tuple(
    ...[2, 3].map(() => fc.constantFrom<Round['answers'][number]>('fine', 'refuses', 'breaks', 'slow')),
  ),
  leaders: fc.tuple(...[1, 2].map(() => fc.constantFrom(2, 3, undefined))),
  rows: fc.integer({ min: 1, max: 5 }),
  millis: fc.integer({ min: 20, max: 2000 }),
});
function answerOf(kind: Round['answers'][number], partitions: readonly number[]): Answer | Promise<Answer> {
  if (kind === 'fine') return {};
  if (kind === 'slow') return after(1500);
  if (kind === 'breaks') return new BrokerUnreachable('b:2', 'closed', 'b:2 closed the connection.');
  return Object.fromEntries(partitions.map((partition) => [partition, notLeader]));
}

test('for any outages of other brokers, a healthy partition is written at once, and all rows in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 15 }), async (rounds) => {
      const cluster = new ScriptedCluster([1, 2, 3]);
      const { writer, failures } = scriptedWriter(cluster);
      await pass(0);
      let healthy = 0;
      cluster.answers.set(1, (partitions) => {
        healthy += partitions.length;
        return {};
      });
      let total = 0;
      for (const { answers, leaders, rows, millis } of rounds) {
        cluster.leaders = [1, ...leaders];
        for (const [index, kind] of answers.entries())
          cluster.answers.set(index + 2, (partitions) => answerOf(kind, partitions));
        const before = healthy;
        for (let i = 0; i < 3 * rows; i++) writer.append(undefined, '"x"', 1, undefined, i % 3);
        total += 3 * rows;
        await pass(10);
        assert.equal(healthy, before + 1);
        await pass(millis);
      }
      cluster.leaders = [1, 2, 3];
      cluster.answers.clear();
      await pass(5000);
      assert.deepEqual([writer.written, writer.inFlight, writer.trouble, failures], [total, 0, undefined, []]);
      writer.close();
    }),
    { numRuns: 100 },
  );
});
