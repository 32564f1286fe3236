// The positions of complete checkpoints as offsets of a consumer group, on a real broker, read by
// another client.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { Environment } from '../../index.ts';
import { startBroker, whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { SourceDriver } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));

async function offsetsOf(group: string, topic: string): Promise<string> {
  const [of] = await fetched(group, topic);
  const partitions = of!.partitions.toSorted((a, b) => a.partition - b.partition);
  return partitions.map(({ offset }) => offset).join(' ');
}
/** A broker that has just made its topic of offsets is no coordinator yet. */
async function fetched(group: string, topic: string): ReturnType<IndependentClient['admin']['fetchOffsets']> {
  for (;;) {
    try {
      return await client.admin.fetchOffsets({ groupId: group, topics: [topic] });
    } catch (error) {
      if (!/coordinator/i.test(String(error))) throw error;
      await sleep(100);
    }
  }
}
async function filled(topic: string, lengths: readonly number[]): Promise<void> {
  await client.createTopic(topic, lengths.length);
  for (const [partition, length] of lengths.entries())
    await client.send(
      topic,
      Array.from({ length }, (_, n) => ({ partition, value: { n } })),
    );
}
const answered = (driver: SourceDriver): Promise<void> =>
  driver.until('the answer to the commit', () => driver.source.status().inFlight === undefined);

test('the positions of the newest complete checkpoint are committed, and nothing before', { skip }, async (t) => {
  const topic = `commits-${process.pid}`;
  const group = `${topic}-group`;
  await filled(topic, [30, 12]);
  const driver = new SourceDriver({ topic, from: 'earliest', format: 'json', commitTo: group });
  t.onTestFinished(() => driver.close());
  await driver.until('all rows', () => driver.rows.length === 42);
  driver.source.preCommit!(1);
  assert.equal(await offsetsOf(group, topic), '-1 -1', 'the checkpoint is not complete');
  await client.send(topic, [{ partition: 1, value: { n: 12 } }]);
  await driver.until('one more row', () => driver.rows.length === 43);
  driver.source.preCommit!(2);
  driver.source.complete!(1);
  await answered(driver);
  assert.equal(await offsetsOf(group, topic), '30 12');
  driver.source.complete!(2);
  await answered(driver);
  assert.equal(await offsetsOf(group, topic), '30 13');
  // A checkpoint that was aborted is spoken for by a later one.
  await client.send(topic, [{ partition: 0, value: { n: 30 } }]);
  await driver.until('one more row', () => driver.rows.length === 44);
  for (const id of [3, 4]) driver.source.preCommit!(id);
  driver.source.complete!(4);
  await answered(driver);
  assert.equal(await offsetsOf(group, topic), '31 13');
  assert.equal(driver.source.status().note, undefined);
  const { groups } = await client.admin.describeGroups([group]);
  assert.deepEqual(groups[0]!.members, [], 'the source is no member');
});

test('a group with live members refuses the offsets: a note, and the source goes on', { skip }, async (t) => {
  const topic = `members-${process.pid}`;
  const group = `${topic}-group`;
  await filled(topic, [5]);
  const consumer = client.kafka.consumer({ groupId: group });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: false });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({ autoCommit: false, eachMessage: () => Promise.resolve() });
  await joined;
  const driver = new SourceDriver({ topic, from: 'earliest', format: 'json', commitTo: group });
  t.onTestFinished(() => driver.close());
  await driver.until('all rows', () => driver.rows.length === 5);
  driver.source.preCommit!(1);
  driver.source.complete!(1);
  await answered(driver);
  assert.match(
    driver.source.status().note ?? '',
    /^The offsets are not committed to group ".*": the group has live members, and only they may commit \(UNKNOWN_MEMBER_ID\)\. Give a group/,
  );
  assert.equal(await offsetsOf(group, topic), '-1');
  await client.send(topic, [{ partition: 0, value: { n: 5 } }]);
  await driver.until('the next row', () => driver.rows.length === 6);
  // Without members the next checkpoint commits, and the note is over.
  await consumer.disconnect();
  driver.source.preCommit!(2);
  driver.source.complete!(2);
  await answered(driver);
  assert.equal(await offsetsOf(group, topic), '6');
  assert.equal(driver.source.status().note, undefined);
});

test('a bounded job commits its last offsets, and ends only then', { skip }, async () => {
  const topic = `bounded-${process.pid}`;
  const group = `${topic}-group`;
  await filled(topic, [30, 0, 12]);
  const environment = new Environment();
  const seen: unknown[] = [];
  environment.kafka(topic, { from: 'earliest', until: 'latest', group }).sink((row) => void seen.push(row));
  const job = await environment.execute();
  await job.finished;
  assert.equal(seen.length, 42);
  assert.equal(await offsetsOf(group, topic), '30 0 12');
});

test('a bounded job ends although its group refuses the offsets', { skip }, async (t) => {
  const topic = `refused-${process.pid}`;
  const group = `${topic}-group`;
  await filled(topic, [5]);
  const consumer = client.kafka.consumer({ groupId: group });
  await consumer.connect();
  t.onTestFinished(() => consumer.disconnect());
  await consumer.subscribe({ topic, fromBeginning: false });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({ autoCommit: false, eachMessage: () => Promise.resolve() });
  await joined;
  const environment = new Environment();
  environment.kafka(topic, { from: 'earliest', until: 'latest', group }).sink(() => undefined);
  const job = await environment.execute();
  await job.finished;
  assert.equal(await offsetsOf(group, topic), '-1');
});

test('offsets that another program sets are overwritten: the checkpoint is the truth', { skip }, async (t) => {
  const topic = `elsewhere-${process.pid}`;
  const group = `${topic}-group`;
  await filled(topic, [10]);
  const parameters = { topic, from: 'earliest', format: 'json', commitTo: group } as const;
  const first = new SourceDriver(parameters);
  t.onTestFinished(() => first.close());
  await first.until('all rows', () => first.rows.length === 10);
  first.source.preCommit!(1);
  first.source.complete!(1);
  await answered(first);
  assert.equal(await offsetsOf(group, topic), '10');
  const setElsewhere = (offset: string): Promise<void> =>
    client.admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset }] }).then(() => undefined);
  // While it runs.
  await setElsewhere('3');
  await client.send(topic, [{ partition: 0, value: { n: 10 } }]);
  await first.until('the next row', () => first.rows.length === 11);
  first.source.preCommit!(2);
  first.source.complete!(2);
  await answered(first);
  assert.equal(await offsetsOf(group, topic), '11');
  const saved = first.snapshot();
  first.close();
  // While it stands still, behind its checkpoint and ahead of it.
  for (const [life, offset] of ['4', '99'].entries()) {
    await setElsewhere(offset);
    const restored = new SourceDriver(parameters, { snapshot: saved });
    t.onTestFinished(() => restored.close());
    await client.send(topic, [{ partition: 0, value: { n: 11 + life } }]);
    await restored.until('the new rows', () => restored.rows.length === life + 1);
    assert.equal(restored.rows[0]!.offset, 11);
    restored.source.preCommit!(3);
    restored.source.complete!(3);
    await answered(restored);
    assert.equal(await offsetsOf(group, topic), String(12 + life));
    restored.close();
  }
});

test('sources that share a group commit the offset of the one that is furthest behind', { skip }, async (t) => {
  const topic = `shared-${process.pid}`;
  const group = `${topic}-group`;
  await filled(topic, [10, 4]);
  const parameters = { topic, from: 'earliest', format: 'json', commitTo: group } as const;
  const [ahead, behind] = [new SourceDriver(parameters), new SourceDriver(parameters, { roomPerPoll: 1 })];
  for (const driver of [ahead, behind]) t.onTestFinished(() => driver.close());
  await ahead.until('all rows', () => ahead.rows.length === 14);
  await behind.until('all rows', () => behind.rows.length === 14);
  behind.isPaused = true;
  await client.send(
    topic,
    Array.from({ length: 6 }, () => ({ partition: 0, value: { n: 10 } })),
  );
  await ahead.until('more rows', () => ahead.rows.length === 20);
  const complete = async (id: number, order: readonly SourceDriver[]): Promise<string> => {
    for (const driver of order) driver.source.preCommit!(id);
    for (const driver of order) driver.source.complete!(id);
    for (const driver of order) await answered(driver);
    return await offsetsOf(group, topic);
  };
  assert.equal(await complete(1, [ahead, behind]), '10 4');
  assert.equal(await complete(2, [behind, ahead]), '10 4');
  behind.resume();
  await behind.until('more rows', () => behind.rows.length === 20);
  assert.equal(await complete(3, [ahead, behind]), '16 4');
  // One that has gone holds nothing back.
  await client.send(topic, [{ partition: 1, value: { n: 4 } }]);
  await ahead.until('one more row', () => ahead.rows.length === 21);
  behind.close();
  assert.equal(await complete(4, [ahead]), '16 5');
});
