// The topic of an exactly-once sink is deleted, and perhaps made again, while a transaction is open
// or waits for its commit. The transaction's coordinator notices nothing of that. The sink fails
// with one error that names the topic and counts the rows, and a restart from the checkpoint writes
// them; or it says how many are lost.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, test } from 'vitest';
import { startBroker, whyNoKafka, type Broker } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { committedRecords } from './java-records.ts';
import { onBroker } from './on-broker.ts';
import { SinkDriver, type SinkRow } from './sink-driver.ts';
import type { TaskSnapshot } from '../../runtime/snapshot.ts';

let broker: Broker;
let client: IndependentClient;
const drivers: SinkDriver[] = [];
onBroker(startBroker, (started) => ({ broker, client } = started));
afterAll(() => {
  for (const { sink } of drivers) sink.close?.();
});

const name = (topic: string): string => `made-again-${topic}-${process.pid}`;
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
const rows = (from: number, to: number): SinkRow[] =>
  upTo(from, to).map((n) => ({ value: { n }, timestamp: 1_700_000_000_000 }));
function sinkTo(topic: string, saved?: TaskSnapshot): SinkDriver {
  const driver = new SinkDriver({ topic: name(topic), format: 'json', delivery: 'exactly-once' });
  drivers.push(driver);
  if (saved) driver.restore(saved);
  return driver;
}
async function deleteTopic(topic: string): Promise<void> {
  await client.admin.deleteTopics({ topics: [name(topic)] });
  while ((await client.admin.listTopics()).includes(name(topic))) await sleep(20);
}
async function makeAgain(topic: string): Promise<void> {
  await deleteTopic(topic);
  await client.createTopic(name(topic));
}
async function numbersIn(topic: string, expected: number): Promise<number[]> {
  const records = await committedRecords(client, broker.brokers, name(topic), expected);
  return records.map(({ value }) => (JSON.parse(value) as { n: number }).n).sort((a, b) => a - b);
}
/** The error that a barrier, or a row before it, meets. */
async function failureOf(
  driver: SinkDriver,
  passed: Promise<void> = driver.preCommit(2),
): Promise<Error & { code: string }> {
  await assert.rejects(passed);
  return driver.failure as Error & { code: string };
}
/** Five rows are committed. Five more are in a transaction that no checkpoint has. */
async function withOpenRows(topic: string): Promise<{ readonly sink: SinkDriver; readonly saved: TaskSnapshot }> {
  await client.createTopic(name(topic));
  const sink = sinkTo(topic);
  await sink.write(rows(0, 5));
  await sink.preCommit(1);
  const saved = sink.snapshot();
  sink.sink.complete!(1);
  await sink.until(() => sink.sink.hasUncommitted === false);
  await sink.write(rows(5, 10));
  await sink.flush();
  return { sink, saved };
}
/** As a job does: from its last checkpoint, with the rows that came after it. */
async function goesOn(topic: string, saved: TaskSnapshot, to: number): Promise<void> {
  const next = sinkTo(topic, saved);
  next.sink.complete!(1);
  await next.write(rows(5, to));
  await next.preCommit(2);
  next.snapshot();
  next.sink.complete!(2);
  await next.until(() => next.sink.hasUncommitted === false);
  assert.equal(next.failure, undefined);
  assert.deepEqual(await numbersIn(topic, to - 5), upTo(5, to));
}
function isNamed({ code, message }: Error & { code: string }, topic: string, count: number): void {
  assert.equal(code, 'transaction-topic-gone', message);
  assert.ok(message.startsWith(`Topic "${name(topic)}" was deleted and made again while the transaction "`), message);
  assert.ok(message.includes(`The ${count} rows of it are not in the new topic.`), message);
}

describe.skipIf(whyNoKafka() !== undefined)('a topic that is made again', () => {
  test('with rows in an open transaction, before the barrier', async () => {
    const { sink, saved } = await withOpenRows('barrier');
    await makeAgain('barrier');
    isNamed(await failureOf(sink), 'barrier', 5);
    sink.sink.close!();
    await goesOn('barrier', saved, 10);
  });

  test('with rows in an open transaction, and more rows before the barrier', async () => {
    const { sink, saved } = await withOpenRows('rows');
    await makeAgain('rows');
    await sink.write(rows(10, 13)).catch(() => undefined);
    isNamed(await failureOf(sink), 'rows', 8);
    sink.sink.close!();
    await goesOn('rows', saved, 13);
  });

  test('after the sink has waited for it, with rows that it could not write', async () => {
    const { sink, saved } = await withOpenRows('waiting');
    await deleteTopic('waiting');
    await sink.write(rows(10, 13));
    const flushed = sink.flush();
    flushed.catch(() => undefined);
    await sink.until(() => (sink.sink.status!().waiting ?? '').includes(name('waiting')));
    await client.createTopic(name('waiting'));
    isNamed(await failureOf(sink, flushed), 'waiting', 8);
    sink.sink.close!();
    await goesOn('waiting', saved, 13);
  });

  test('a barrier without further rows waits for a topic that is gone, names it, and fails when it is back', async () => {
    const { sink, saved } = await withOpenRows('gone');
    await deleteTopic('gone');
    const passed = sink.preCommit(2);
    passed.catch(() => undefined);
    await sink.until(() => (sink.sink.status!().waiting ?? '').includes(name('gone')));
    assert.equal(sink.sink.status!().inFlight, 5, 'a sink that is cut counts them as not written');
    await client.createTopic(name('gone'));
    isNamed(await failureOf(sink, passed), 'gone', 5);
    sink.sink.close!();
    await goesOn('gone', saved, 10);
  });

  test('between the barrier and the commit the rows are lost, and counted', async () => {
    const { sink } = await withOpenRows('pending');
    await sink.preCommit(2);
    sink.snapshot();
    await makeAgain('pending');
    sink.sink.complete!(2);
    await sink.until(() => sink.sink.hasUncommitted === false);
    const { rowsLost, note } = sink.sink.status!();
    assert.equal(rowsLost, 5);
    const why = `5 rows were lost, because topic "${name('pending')}" was deleted before they were committed; a start from an earlier checkpoint or savepoint writes them again`;
    assert.equal(note, why);
    // It goes on with the new topic.
    await sink.write(rows(10, 15));
    await sink.preCommit(3);
    sink.snapshot();
    sink.sink.complete!(3);
    await sink.until(() => sink.sink.hasUncommitted === false);
    assert.deepEqual(await numbersIn('pending', 5), upTo(10, 15));
    assert.equal(sink.sink.status!().rowsLost, 5);
  });

  test('a topic that is deleted between the barrier and the commit, and not made again, is no silent end', async () => {
    const { sink, saved } = await withOpenRows('deleted');
    await sink.preCommit(2);
    sink.snapshot();
    await deleteTopic('deleted');
    sink.sink.complete!(2);
    await sink.until(() => sink.sink.status!().rowsLost === 5);
    assert.equal(
      sink.sink.status!().note,
      `5 rows were lost, because topic "${name('deleted')}" was deleted before they were committed; a start from an earlier checkpoint or savepoint writes them again`,
    );
    sink.sink.close!();
    // A process that comes later has no topic to write into.
    const next = sinkTo('deleted', saved);
    next.sink.complete!(1);
    await assert.rejects(
      next.until(() => next.sink.hasUncommitted === false),
      { code: 'kafka-unknown-topic' },
    );
  });

  test('after a restored checkpoint the cell says which rows were for the former one', async () => {
    const { saved } = await withOpenRows('restored');
    drivers.pop()!.sink.close!();
    await makeAgain('restored');
    const next = sinkTo('restored', saved);
    next.sink.complete!(1);
    await next.until(() => next.sink.hasUncommitted === false);
    const { rowsLost, note } = next.sink.status!();
    assert.equal(rowsLost, undefined, 'they were committed once');
    assert.equal(
      note,
      `topic "${name('restored')}" was deleted: 5 rows of the last checkpoint were for it; a start from an earlier checkpoint or savepoint writes them again`,
    );
  });

  test('between two transactions it is no error', async () => {
    await client.createTopic(name('between'));
    const sink = sinkTo('between');
    for (const [checkpoint, from] of [0, 5].entries()) {
      await sink.write(rows(from, from + 5));
      await sink.preCommit(checkpoint);
      sink.snapshot();
      sink.sink.complete!(checkpoint);
      await sink.until(() => sink.sink.hasUncommitted === false);
      if (from === 0) await makeAgain('between');
    }
    assert.deepEqual(await numbersIn('between', 5), upTo(5, 10));
    assert.equal(sink.sink.status!().rowsLost, undefined);
  });
});
