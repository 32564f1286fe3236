// Topics as other producers and brokers leave them: Java's producer, transactions with aborts,
// broker time, many partitions, compaction, large records. What is read is compared with what was
// written.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'vitest';
import { startOwnBroker, whyNoKafka, type Broker } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { javaRecords } from './java-records.ts';
import { fetchJars } from './kafka-jars.ts';
import { onBroker } from './on-broker.ts';
import { sourceDrivers, type SourceDriver } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let broker: Broker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));
const read = sourceDrivers();

const fromStart = (topic: string) => ({ topic, from: 'earliest', until: 'latest', format: 'json' }) as const;
async function allOf(topic: string): Promise<SourceDriver> {
  const source = read(fromStart(topic));
  await source.until('the end', () => source.state === 'ended');
  return source;
}
const numberOf = ({ value }: { readonly value: unknown }): number => (value as { n: number }).n;
const inOrder = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  test(`Java's producer with compression ${codec}`, { skip }, async () => {
    const topic = `java-${codec}`;
    await client.createTopic(topic, 3);
    await javaProduces(
      topic,
      codec,
      upTo(3000).map((n) => JSON.stringify({ n, text: 'x'.repeat(n % 200) })),
    );
    const source = await allOf(topic);
    assert.deepEqual(inOrder(source.rows.map(numberOf)), upTo(3000));
    assert.ok(source.rows.every(({ value }) => (value as { text: string }).text.length === numberOf({ value }) % 200));
  });

async function javaProduces(topic: string, codec: string, lines: readonly string[]): Promise<void> {
  const child = spawn(
    'java',
    [
      ...['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', join(await fetchJars(), '*')],
      ...['org.apache.kafka.tools.ConsoleProducer', '--bootstrap-server', broker.brokers, '--topic', topic],
      ...['--compression-codec', codec, '--command-property', 'batch.size=30000'],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0, said);
}

test('transactions of two producers in one partition: only what was committed', { skip }, async () => {
  await client.createTopic('mixed', 1);
  const producers = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const producer = client.kafka.producer({ transactionalId: `mixed-${name}`, idempotent: true });
      await producer.connect();
      return producer;
    }),
  );
  const committed: number[] = [];
  let n = 0;
  const message = () => ({ partition: 0, value: JSON.stringify({ n }) });
  for (let round = 0; round < 20; round++) {
    const open = await Promise.all(producers.map((producer) => producer.transaction()));
    const sent = open.map((): number[] => []);
    for (let turn = 0; turn < 4; turn++, n++) {
      await open[turn % 2]!.send({ topic: 'mixed', messages: [message()] });
      sent[turn % 2]!.push(n);
    }
    // Each pair of outcomes comes up; the transactions end in either order.
    const outcomes = [round % 2 === 0, round % 4 < 2];
    for (const which of round % 3 === 0 ? [1, 0] : [0, 1]) {
      if (outcomes[which]) committed.push(...sent[which]!);
      await (outcomes[which] ? open[which]!.commit() : open[which]!.abort());
    }
    await client.send('mixed', [{ partition: 0, value: { n } }]);
    committed.push(n++);
  }
  const source = await allOf('mixed');
  assert.deepEqual(source.rows.map(numberOf), inOrder(committed));
  for (const producer of producers) await producer.disconnect();
});

test('LogAppendTime: the time of a record is that of the broker', { skip }, async () => {
  await client.createTopic('appended', 2, { 'message.timestamp.type': 'LogAppendTime' });
  await client.send(
    'appended',
    upTo(20).map((n) => ({ partition: n % 2, value: { n }, timestamp: 1_000_000_000_000 + n })),
  );
  const source = await allOf('appended');
  const byPlace = (
    rows: readonly { readonly partition: number; readonly offset: number; readonly timestamp: number }[],
  ) => rows.map(({ partition, offset, timestamp }) => `${partition}@${offset} ${timestamp}`).toSorted();
  assert.equal(source.rows.length, 20);
  assert.deepEqual(byPlace(source.rows), byPlace(await javaRecords(client, broker.brokers, 'appended')));
  assert.ok(source.rows.every(({ timestamp }) => timestamp > 1_700_000_000_000));
});

test('a thousand partitions', { skip, timeout: 300_000 }, async () => {
  await client.createTopic('many', 1000);
  await client.send(
    'many',
    upTo(3000).map((n) => ({ partition: n % 1000, value: { n } })),
  );
  const source = await allOf('many');
  assert.deepEqual(inOrder(source.rows.map(numberOf)), upTo(3000));
  assert.ok(source.rows.every((row) => row.partition === numberOf(row) % 1000));
});

test('a compacted topic has gaps, and each key keeps its newest record', { skip, timeout: 300_000 }, async () => {
  await client.createTopic('compacted', 1, {
    'cleanup.policy': 'compact',
    'segment.ms': '500',
    'min.cleanable.dirty.ratio': '0.001',
    'max.compaction.lag.ms': '500',
  });
  const written: { readonly key: string; readonly n: number }[] = [];
  let source: SourceDriver;
  do {
    const messages = upTo(50).map((i) => {
      const record = { key: `k${i % 7}`, n: written.length };
      written.push(record);
      return { partition: 0, key: record.key, value: JSON.stringify(record) };
    });
    await client.producer.send({ topic: 'compacted', messages });
    source = await allOf('compacted');
  } while (source.rows.length === written.length);
  for (const { value, offset } of source.rows) assert.deepEqual(value, written[offset]);
  const newest = new Map(written.map(({ key, n }) => [key, n]));
  const kept = new Set(source.rows.map(numberOf));
  assert.ok([...newest.values()].every((n) => kept.has(n)));
});

test('records of 20 MB', { skip, timeout: 300_000 }, async () => {
  await client.createTopic('large', 1, { 'max.message.bytes': String(24 << 20) });
  const text = (n: number): string => String(n).repeat(20 << 20);
  for (const n of [1, 2, 3]) await client.send('large', [{ partition: 0, value: { n, text: text(n) } }]);
  const source = await allOf('large');
  assert.deepEqual(source.rows.map(numberOf), [1, 2, 3]);
  assert.ok(source.rows.every((row) => (row.value as { text: string }).text === text(numberOf(row))));
});

test(
  'the log start moves while a topic is read: behind the reader it is nothing, before it a loss',
  { skip },
  async () => {
    await client.createTopic('moved', 1);
    const send = async (from: number, count: number): Promise<void> => {
      // Batches of one record each, so that the reader cannot have them all.
      for (let n = from; n < from + count; n++) await client.send('moved', [{ partition: 0, value: { n, text } }]);
    };
    const text = 'x'.repeat(200_000);
    await send(0, 20);
    const source = read({ topic: 'moved', from: 'earliest', format: 'json' }, { roomPerPoll: 1 });
    await source.until('its records', () => source.rows.length === 20);
    await client.deleteBefore('moved', 0, 15);
    await send(20, 5);
    await source.until('more records', () => source.rows.length === 25);
    assert.equal(source.failures.length, 0);
    assert.deepEqual(source.rows.map(numberOf), upTo(25));

    source.isPaused = true;
    await send(25, 200);
    await client.deleteBefore('moved', 0, 220);
    source.resume();
    const isOver = () => source.state === 'failed' || source.failures.length > 0 || source.rows.length >= 225;
    await source.until('its end', isOver).catch(() => undefined);
    const error = (source.failures[0]?.error ?? source.failure) as Error & { code: string };
    assert.equal(error.code, 'kafka-offset-gone');
    assert.match(error.message, /moved\[0\]/);
    const seen = source.rows.map(numberOf);
    assert.deepEqual(seen, upTo(seen.length), 'what came before the loss is whole');
  },
);
