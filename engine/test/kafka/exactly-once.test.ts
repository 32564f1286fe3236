// Exactly-once into a real topic: a reader of committed records sees each row once, whatever
// happens between a barrier and the commit.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { afterAll, describe, test } from 'vitest';
import type { SluiceError } from '../../errors/error.ts';
import { shapeHash } from '../../graph/fingerprint.ts';
import { connectionNamed } from '../../connections/connection-named.ts';
import { Cluster } from '../../connectors/kafka/cluster.ts';
import { TransactionCoordinator } from '../../connectors/kafka/transaction-coordinator.ts';
import { failpoints } from '../../contract/failpoints.ts';
import type { TaskSnapshot } from '../../runtime/snapshot.ts';
import { startOwnCluster, type OwnCluster, whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { committedRecords } from './java-records.ts';
import { checkpoints, rowsOfEach } from './killed-sink.ts';
import { onBroker } from './on-broker.ts';
import { SinkDriver, type SinkRow } from './sink-driver.ts';

const skip = whyNoKafka();
let broker: OwnCluster;
let client: IndependentClient;
const drivers: SinkDriver[] = [];
const folder = mkdtempSync(join(tmpdir(), 'sluice-exactly-once-'));
const properties = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200' };
onBroker(
  () => startOwnCluster(1, { listeners: [], formatArguments: [], properties }),
  (started) => ({ broker, client } = started),
);
afterAll(() => {
  for (const { sink } of drivers) sink.close?.();
  rmSync(folder, { recursive: true });
});

function sinkTo(topic: string, more: object = {}, saved?: TaskSnapshot): SinkDriver {
  const driver = new SinkDriver({ topic, format: 'json', delivery: 'exactly-once', ...more });
  drivers.push(driver);
  if (saved) driver.restore(saved);
  return driver;
}
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
const rows = (from: number, to: number): SinkRow[] =>
  upTo(from, to).map((n) => ({ value: { n }, timestamp: 1_700_000_000_000 }));
async function numbersIn(topic: string, expected: number): Promise<number[]> {
  const records = await committedRecords(client, broker.brokers, topic, expected);
  return records.map(({ value }) => (JSON.parse(value) as { n: number }).n).sort((a, b) => a - b);
}
/** Another process with a sink, until it ends or kills itself. */
function run(topic: string, name: string, first: number, failpoint = '', more: object = {}): NodeJS.Signals | null {
  const script = join(import.meta.dirname, 'killed-sink.ts');
  const { signal, status, stderr } = spawnSync(
    process.execPath,
    [script, topic, join(folder, name), String(first), JSON.stringify(more)],
    { encoding: 'utf8', env: { ...process.env, SLUICE_FAILPOINT: failpoint } },
  );
  if (signal === null && status !== 0) throw new Error(stderr);
  return signal;
}
function stored(name: string): { readonly checkpoint: number; readonly state: TaskSnapshot } {
  return deserialize(readFileSync(join(folder, name))) as ReturnType<typeof stored>;
}

/** How many transactional ids of this prefix the broker knows, from number 0 on. */
async function idsOf(prefix: string): Promise<number> {
  const cluster = new Cluster(connectionNamed(undefined), 'write');
  const coordinator = new TransactionCoordinator(cluster, { topic: prefix, prefix, timeoutMillis: 60_000 });
  try {
    await cluster.refresh(prefix);
    for (let number = 0; ; number++)
      if ((await coordinator.exists(`${prefix}-${shapeHash('s')}-${number}`)) !== true) return number;
  } finally {
    coordinator.close();
    cluster.close();
  }
}

describe.skipIf(skip !== undefined)('exactly-once', () => {
  test('killed at any failpoint, and started again from its last checkpoint, it writes each row once', async () => {
    await client.createTopic('killed', 2);
    const all = checkpoints * rowsOfEach;
    for (const [index, failpoint] of failpoints.entries()) {
      // In the middle: what was committed before stays, and ids were used before.
      assert.equal(run('killed', failpoint, index * all, `${failpoint}:2`), 'SIGKILL', failpoint);
      assert.ok(existsSync(join(folder, failpoint)));
      assert.equal(run('killed', failpoint, index * all), null, failpoint);
    }
    const expected = failpoints.length * all;
    assert.deepEqual(await numbersIn('killed', expected), upTo(0, expected));
  });

  test('rows are committed with their checkpoint, and a clean stop aborts what is open', async () => {
    await client.createTopic('restored', 2);
    const first = sinkTo('restored');
    await first.write(rows(0, 10));
    await first.preCommit(1);
    first.snapshot();
    assert.equal(first.sink.status!().rowsCommitted, 0);
    assert.ok(first.sink.status!().uncommittedSince! <= Date.now());
    first.sink.complete!(1);
    await first.until(() => first.sink.hasUncommitted === false);
    assert.equal(first.sink.status!().uncommittedSince, undefined);
    await first.write(rows(10, 20));
    await first.preCommit(2);
    const saved = first.snapshot();
    // Of no checkpoint: they are written again.
    await first.write(rows(20, 30));
    await first.flush();
    first.sink.close!();
    const second = sinkTo('restored', {}, saved);
    second.sink.complete!(2);
    await second.write(rows(20, 25));
    // Checkpoint 3 is given up, so 4 speaks for both.
    await second.preCommit(3);
    second.snapshot();
    second.sink.aborted?.(3);
    await second.preCommit(4);
    second.snapshot();
    second.sink.complete!(4);
    second.sink.complete!(4);
    await second.until(() => second.sink.hasUncommitted === false);
    assert.deepEqual(await numbersIn('restored', 25), upTo(0, 25));
    assert.equal(second.sink.status!().rowsCommitted, 15);
  });

  test('a barrier without rows begins no transaction', async () => {
    await client.createTopic('empty');
    const sink = sinkTo('empty', { transactionalIdPrefix: 'empty' });
    await sink.preCommit(1);
    assert.equal(sink.sink.hasUncommitted, false);
    const listed = await client.admin.fetchTopicOffsets('empty');
    // A transaction would have a marker in the topic.
    assert.deepEqual(
      listed.map(({ high }) => high),
      ['0'],
    );
  });

  test('an expired transaction is an error with the topic and the offsets', async () => {
    await client.createTopic('expired');
    // The process must come to its end before the transaction expires.
    const more = { transactionTimeoutMillis: 5_000 };
    assert.equal(run('expired', 'expired', 0, 'before-commit', more), 'SIGKILL');
    // Its rows are readable as aborted ones: what comes behind them can be read.
    assert.deepEqual(await numbersIn('expired', 0), []);
    const { state, checkpoint } = stored('expired');
    const sink = sinkTo('expired', more, state);
    sink.sink.complete!(checkpoint);
    const error = await sink.failed();
    assert.equal(error.code, 'transaction-expired');
    assert.match(
      error.message,
      /its time-out of 5 s was over\. .* expired\[0\] 0 to 4.* a longer `transactionTimeout`/,
    );
  });

  for (const isRestored of [false, true])
    test(`an id that another job takes before the commit is named, ${isRestored ? 'after' : 'without'} a restart`, async () => {
      const topic = isRestored ? 'taken-restored' : 'taken';
      await client.createTopic(topic);
      const options = { transactionalIdPrefix: topic };
      const first = sinkTo(topic, options);
      await first.write(rows(0, 5));
      await first.preCommit(7);
      const saved = first.snapshot();
      const id = `${topic}-${shapeHash('s')}-0`;
      if (isRestored) first.sink.close?.();
      await takeOver(id);
      const sink = isRestored ? sinkTo(topic, options, saved) : first;
      sink.sink.complete!(7);
      const { code, message, details } = (await sink.failed()) as SluiceError;
      // The checkpoint is complete, so a restart from it would not write the rows again.
      assert.deepEqual([code, details['checkpoint'], details['transactionalId']], ['transaction-expired', 7, id]);
      assert.match(message, new RegExp(`"${id}".* another job has begun .* the prefix "${topic}"`));
      assert.match(
        message,
        /Only an earlier checkpoint can write them again\. Stop the other job, or give one of the two/,
      );
      assert.deepEqual(await numbersIn(topic, 0), []);
    });

  test('a transaction that was committed, and whose id has gone on, is taken as committed', async () => {
    await client.createTopic('stale');
    assert.equal(run('stale', 'stale', 0, 'after-commit', { transactionalIdPrefix: 'stale' }), 'SIGKILL');
    const { state, checkpoint } = stored('stale');
    // Somebody else begins and aborts with the same id.
    await takeOver(`stale-${shapeHash('s')}-0`);
    const sink = sinkTo('stale', { transactionalIdPrefix: 'stale' }, state);
    sink.sink.complete!(checkpoint);
    await sink.until(() => sink.sink.hasUncommitted === false);
    assert.deepEqual(await numbersIn('stale', rowsOfEach), upTo(0, rowsOfEach));
  });

  test('restarts make no transactional ids: each looks for those that are there', async () => {
    await client.createTopic('quiet');
    const options = { transactionalIdPrefix: 'quiet' };
    const first = sinkTo('quiet', options);
    await first.write(rows(0, 5));
    await first.preCommit(1);
    const state = first.snapshot();
    first.sink.close?.();
    const known: number[] = [];
    for (let life = 0; life < 4; life++) {
      const restored = sinkTo('quiet', options, state);
      restored.sink.complete!(1);
      await restored.until(() => restored.sink.hasUncommitted === false);
      restored.sink.close?.();
      known.push(await idsOf('quiet'));
    }
    const [before] = known;
    assert.ok(before! >= 1);
    assert.deepEqual(known, [before, before, before, before]);
    assert.deepEqual(await numbersIn('quiet', 5), upTo(0, 5));
  });

  test('an id that another job takes over is named, and the transaction is gone', async () => {
    await client.createTopic('fenced');
    const sink = sinkTo('fenced', { transactionalIdPrefix: 'shared' });
    await sink.write(rows(0, 5));
    await sink.flush();
    const id = `shared-${shapeHash('s')}-0`;
    await takeOver(id);
    await sink.write(rows(5, 10)).catch(() => undefined);
    const error = await sink.failed();
    assert.equal(error.code, 'transaction-fenced');
    assert.ok(error.message.includes(id) && error.message.includes('"shared"'), error.message);
    assert.match(error.message, /A restart from the last checkpoint writes its rows again; without one they are lost/);
  });

  test('a transaction that was open for too long is named, with its time-out', async () => {
    await client.createTopic('slow');
    const sink = sinkTo('slow', { transactionTimeoutMillis: 1_000 });
    await sink.write(rows(0, 5));
    await sink.flush();
    // What comes behind can be read only when the broker has aborted it.
    assert.deepEqual(await numbersIn('slow', 0), []);
    await sink.write(rows(5, 10)).catch(() => undefined);
    const error = await sink.failed();
    assert.equal(error.code, 'transaction-timed-out', error.message);
    assert.match(
      error.message,
      /^The transaction "sluice-[0-9a-f]+-\d+" for topic "slow" was open for longer than 1 s/,
    );
    assert.match(error.message, /longer `transactionTimeout`/);
  });

  test('a time-out that the broker does not allow names the setting', async () => {
    await client.createTopic('long');
    const sink = sinkTo('long', { transactionTimeoutMillis: 7_200_000 });
    await sink.write(rows(0, 1)).catch(() => undefined);
    const error = await sink.failed();
    assert.equal(error.code, 'kafka-transaction-timeout');
    assert.match(error.message, /transaction\.max\.timeout\.ms/);
  });

  test('a target topic that is deleted is named as long as it is gone', async () => {
    await client.createTopic('deleted');
    const sink = sinkTo('deleted');
    await sink.write(rows(0, 5));
    await sink.flush();
    await client.admin.deleteTopics({ topics: ['deleted'] });
    await sink.write(rows(5, 10));
    void sink.flush();
    await sink.until(() => /deleted\[0\]|"deleted"/.test(sink.sink.status!().waiting ?? ''));
    assert.equal(sink.failure, undefined);
  });

  test('while the broker is away a barrier and a commit wait and say so, and go on when it is back', async () => {
    await client.createTopic('away');
    const sink = sinkTo('away');
    await sink.write(rows(0, 5));
    await sink.preCommit(1);
    sink.snapshot();
    const [node] = broker.nodes;
    await node!.kill();
    sink.sink.complete!(1);
    await sink.write(rows(5, 10));
    const passed = sink.preCommit(2);
    await sink.until(() => sink.sink.status!().waiting !== undefined);
    assert.equal(sink.sink.keepsUnsent, false);
    await node!.start();
    await passed;
    sink.snapshot();
    sink.sink.complete!(2);
    await sink.until(() => sink.sink.hasUncommitted === false);
    assert.deepEqual(await numbersIn('away', 10), upTo(0, 10));
  });
});

/** Another producer begins with this id, and aborts. */
async function takeOver(transactionalId: string): Promise<void> {
  const producer = client.kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.abort();
  await producer.disconnect();
}
