// Partitions and topics that appear while a source runs: all on one broker, under load. None of
// their records is missed, and none comes twice.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startBroker, whyNoKafka, type Broker } from './broker.ts';
import { independentClient, type IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import type { SourceDriver } from './source-driver.ts';
import { sourceDrivers } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
const run = `d${process.pid}-`;
let broker: Broker;
let client: IndependentClient;

onBroker(startBroker, (started) => ({ broker, client } = started));
const read = sourceDrivers();

const numbers = (source: SourceDriver): number[] =>
  source.rows.map(({ value }) => (value as { n: number }).n).sort((a, b) => a - b);
const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);
const rows = (from: number, count: number, partitions: number) =>
  upTo(count, from).map((n) => ({ partition: n % partitions, value: { n } }));

/**
 * Adds partitions, and waits until each has a leader. The producer of kafkajs drops rows for
 * partitions that its metadata do not have yet, so there is a new one.
 */
async function grow(topic: string, count: number): Promise<void> {
  await client.admin.createPartitions({ topicPartitions: [{ topic, count }] });
  for (let attempt = 0; attempt < 1_200; attempt++, await sleep(50)) {
    const offsets = await client.admin.fetchTopicOffsets(topic).catch(() => []);
    if (offsets.length !== count) continue;
    await client.close();
    client = await independentClient(broker.brokers);
    return;
  }
  throw new Error(`${topic} did not get ${count} partitions.`);
}

/** Sends rows to partition 0 of the topic until it is stopped, whatever else happens. */
async function load(topic: string): Promise<{ stop(): Promise<number[]> }> {
  const own = await independentClient(broker.brokers);
  const sent: number[] = [];
  let isOver = false;
  const ended = (async () => {
    for (let n = 1_000_000; !isOver; n += 10) {
      const numbers = upTo(10, n);
      await own.send(
        topic,
        numbers.map((one) => ({ partition: 0, value: { n: one } })),
      );
      sent.push(...numbers);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await ended;
      await own.close();
      return sent;
    },
  };
}

test('partitions that are added under load are read from their first record', { skip }, async () => {
  const topic = `${run}grows`;
  await client.createTopic(topic, 2);
  await client.send(topic, rows(0, 100, 2));
  const parameters = { topic, from: 'latest', format: 'json', discoveryMillis: 300 } as const;
  const source = read(parameters);
  await source.until('the start', () => source.source.status().phase === 'waiting');
  const loading = await load(topic);
  let sent = 100;
  for (const partitions of [2, 3, 5]) {
    if (partitions > 2) await grow(topic, partitions);
    for (let i = 0; i < 5; i++, sent += 100) await client.send(topic, rows(sent, 100, partitions));
  }
  const loaded = await loading.stop();
  const wanted = sent - 100 + loaded.length;
  await source.until('all rows', () => source.rows.length >= wanted);
  await sleep(1_000);
  assert.deepEqual(numbers(source), [...upTo(sent - 100, 100), ...loaded]);
  assert.equal(source.source.status().partitions!.length, 5);

  // A source that was away while partitions were added.
  source.isPaused = true;
  const snapshot = source.snapshot();
  source.close();
  await grow(topic, 6);
  await client.send(topic, rows(sent, 100, 6));
  const restored = read(parameters, { snapshot });
  await restored.until('the rows since then', () => restored.rows.length >= 100);
  await sleep(500);
  assert.deepEqual(numbers(restored), upTo(100, sent));
});

test('a bounded read takes the partitions that exist when it starts', { skip }, async () => {
  const topic = `${run}bounded`;
  await client.createTopic(topic, 1);
  await client.send(topic, rows(0, 50, 1));
  const source = read({ topic, from: 'earliest', until: 'latest', format: 'json' }, { roomPerPoll: 1 });
  await source.until('the start', () => source.rows.length > 0);
  source.isPaused = true;
  await grow(topic, 2);
  source.resume();
  await source.ended();
  assert.deepEqual(numbers(source), upTo(50));
});

test('topics of a pattern come, go and come again, and the others go on', { skip, timeout: 300_000 }, async () => {
  const name = (end: string): string => `${run}orders-${end}`;
  const pattern = { source: `^${run}orders-`, flags: '' };
  const parameters = { topic: `/^${run}orders-/`, pattern, format: 'json', discoveryMillis: 300 } as const;
  const none = await read({ ...parameters, from: 'earliest', until: 'latest' }).failed();
  assert.equal(
    none.message,
    `No topic on ${broker.brokers} matches /^${run}orders-/. Correct the pattern, or create a topic that it matches.`,
  );
  const source = read({ ...parameters, from: 'latest' });
  await source.until('the wait', () => /matches .+ yet/.test(source.source.status().waiting ?? ''));

  await client.createTopic(name('a'), 2);
  await client.createTopic(`${run}other`, 1);
  await client.send(name('a'), rows(0, 50, 2));
  await client.send(`${run}other`, rows(9_000, 5, 1));
  await source.until('the first topic', () => source.rows.length === 50);
  assert.equal(source.source.status().waiting, undefined);
  const loading = await load(name('a'));
  await client.createTopic(name('b'), 1);
  await client.send(name('b'), rows(50, 50, 1));
  const isSecond = (n: number): boolean => n >= 50 && n < 100;
  await source.until('the second topic', () => numbers(source).filter(isSecond).length === 50);
  const loaded = await loading.stop();
  await source.until('the load', () => source.rows.length === 100 + loaded.length);
  assert.deepEqual(numbers(source), [...upTo(100), ...loaded]);
  assert.deepEqual(
    source.source
      .status()
      .partitions!.map(({ partition }) => partition)
      .sort(),
    [`${name('a')}[0]`, `${name('a')}[1]`, `${name('b')}[0]`],
  );

  const snapshot = source.snapshot();
  await client.admin.deleteTopics({ topics: [name('b')] });
  await client.createTopic(name('b'), 1);
  await client.send(name('b'), rows(100, 80, 1));
  await client.send(name('a'), rows(180, 20, 2));
  const restored = read({ ...parameters, from: 'latest' }, { snapshot });
  for (const [one, from] of [
    [source, 0],
    [restored, 100],
  ] as const) {
    const before = one === source ? loaded : [];
    await one.until('the topic that was made again', () => one.rows.length >= 200 - from + before.length);
    await sleep(500);
    assert.deepEqual(numbers(one), [...upTo(200 - from, from), ...before]);
  }
  await client.admin.deleteTopics({ topics: [name('b')] });
  await source.until('the end of the topic', () => !source.source.position().includes(name('b')));
  await client.send(name('a'), rows(200, 20, 2));
  await source.until('the other topic', () => source.rows.length === 220 + loaded.length);
  assert.equal(source.state, 'running');
});
