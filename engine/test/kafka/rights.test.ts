// Least rights, with rules on and a user that has nothing else: READ and DESCRIBE on the topic are
// enough to explore. An error names the right that is missing. Looking leaves no trace.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import { whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { allow, startSecuredBroker, type SecuredBroker } from './secured-broker.ts';
import { SinkDriver } from './sink-driver.ts';
import { sourceDrivers, type Row } from './source-driver.ts';
import { testConnection } from '../../connectors/kafka/test-connection.ts';

const skip = whyNoKafka();
let broker: SecuredBroker;
let client: IndependentClient;
onBroker(startSecuredBroker, (started) => ({ broker, client } = started));
const drive = sourceDrivers();

const topic = 'orders';
const group = 'billing';
const connection = 'ann';
const numbersOf = (rows: readonly Row[]): number[] =>
  rows.map(({ value }) => (value as { n: number }).n).sort((a, b) => a - b);
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
const rights = (...given: Parameters<typeof allow>[2]): Promise<void> => allow(client, 'ann', given);
const readable = { topic, rights: ['READ', 'DESCRIBE'] } as const;

beforeAll(async () => {
  if (skip !== undefined) return;
  process.env['SLUICE_TEST_PASSWORD'] = broker.passwords.ann;
  process.env['SLUICE_CONNECTIONS'] = JSON.stringify({
    ann: {
      brokers: broker.at.saslInPlain,
      sasl: { mechanism: 'plain', username: 'ann', password: { env: 'SLUICE_TEST_PASSWORD' } },
    },
  });
  await client.createTopic(topic, 2);
  await client.createTopic('other', 1);
  await client.send(
    topic,
    upTo(0, 40).map((n) => ({ partition: n % 2, value: { n } })),
  );
  await client.admin.setOffsets({
    groupId: group,
    topic,
    // Partition 1 has none.
    partitions: [{ partition: 0, offset: '15' }],
  });
}, 300_000);
afterAll(() => {
  delete process.env['SLUICE_CONNECTIONS'];
  delete process.env['SLUICE_TEST_PASSWORD'];
});

describe.skipIf(skip !== undefined)('least rights', () => {
  beforeEach(() => rights(readable));

  test('READ and DESCRIBE on the topic are enough to read, follow, and look by time and pattern', async () => {
    const bounded = drive({ topic, connection, from: 'earliest', until: 'latest' });
    const byTime = drive({ topic, connection, from: { timestamp: 1 }, until: { timestamp: Date.now() } });
    const byPattern = drive({
      ...{ topic: '/^o/', pattern: { source: '^o', flags: '' }, connection },
      ...{ from: 'earliest', until: 'latest' },
    });
    for (const source of [bounded, byTime, byPattern]) {
      await source.ended();
      assert.deepEqual(numbersOf(source.rows), upTo(0, 40));
    }
    const live = drive({ topic, connection, from: 'latest', discoveryMillis: 200 });
    await live.until('its start', () => live.source.status().phase === 'waiting');
    await client.send(topic, [{ partition: 1, value: { n: 40 } }]);
    await live.until('the row', () => live.rows.length === 1);
    live.close();
  });

  test('looking leaves no group and no topic behind', async () => {
    const { groups } = await client.admin.listGroups();
    assert.deepEqual(
      groups.map(({ groupId }) => groupId),
      [group],
    );
    const topics = (await client.admin.listTopics()).filter((name) => !name.startsWith('__'));
    assert.deepEqual(topics.sort(), ['orders', 'other']);
    const missing = drive({ topic: 'not-there', connection, from: 'earliest' });
    const error = await missing.failed();
    assert.equal(error.code, 'kafka-not-allowed');
    assert.ok(!(await client.admin.listTopics()).includes('not-there'));
  });

  test('a test of the connection sees the topic, and only it', async () => {
    const report = await testConnection({ name: 'ann' });
    assert.equal(report.ok, true, JSON.stringify(report));
    assert.equal(report.steps.at(-1)!.text, 'One topic is visible: "orders".');
    await rights();
    const { error } = await testConnection({ name: 'ann' });
    assert.deepEqual([error!.step, error!.code], ['authorisation', 'kafka-not-allowed']);
    assert.match(error!.message, /^No topic is visible to this user. Ask for the rights READ and DESCRIBE on a topic/);
  });

  test('without READ, or without DESCRIBE, the error names the right', async () => {
    const failure = async () => await drive({ topic, connection, from: 'earliest', until: 'latest' }).failed();
    await rights({ topic, rights: ['DESCRIBE'] });
    const read = await failure();
    assert.equal(read.code, 'kafka-not-allowed');
    assert.equal(
      read.message,
      `Reading topic "orders" on ${broker.at.saslInPlain} is not allowed: the right READ on the topic is missing. Ask for the rights READ and DESCRIBE on the topic; a consumer group is not needed.`,
    );
    await rights();
    assert.match((await failure()).message, /is not allowed: the right DESCRIBE on the topic is missing\. Ask for/);
  });

  test('a right that is taken away while reading is the same error', async () => {
    const live = drive({ topic, connection, from: 'earliest' });
    await live.until('rows', () => live.rows.length >= 40);
    await rights({ topic, rights: ['DESCRIBE'] });
    await client.send(topic, [{ partition: 0, value: { n: 99 } }]);
    assert.match((await live.failed()).message, /the right READ on the topic is missing/);
  });

  test('committed offsets are read with DESCRIBE on the group, and nothing is committed', async () => {
    const committed = { topic, connection, from: { committed: group } } as const;
    const refused = await drive(committed).failed();
    assert.equal(refused.code, 'kafka-not-allowed');
    assert.match(
      refused.message,
      /^Reading the offsets of group "billing" on .* is not allowed: the right DESCRIBE on the group is missing\. /,
    );
    await rights(readable, { group, rights: ['DESCRIBE'] });
    const source = drive(committed);
    const end = async (): Promise<number[]> =>
      (await client.admin.fetchTopicOffsets(topic))
        .sort((a, b) => a.partition - b.partition)
        .map(({ offset }) => Number(offset));
    const [first, second] = (await end()) as [number, number];
    await source.until('all rows', () => source.rows.length === first - 15 + second);
    const offsets = (partition: number): number[] =>
      source.rows.filter((row) => row.partition === partition).map((row) => row.offset);
    assert.deepEqual(offsets(0), upTo(15, first));
    assert.deepEqual(offsets(1), upTo(0, second));
    source.close();
    const after = await client.admin.fetchOffsets({ groupId: group, topics: [topic] });
    assert.deepEqual(after[0]!.partitions.map(({ partition, offset }) => [partition, offset]).sort(), [
      [0, '15'],
      [1, '-1'],
    ]);
    const { groups } = await client.admin.describeGroups([group]);
    assert.deepEqual(groups[0]!.members, []);
  });

  test('committed offsets beyond the end of the topic are an error', async () => {
    await rights({ topic: 'other', rights: ['READ', 'DESCRIBE'] }, { group: 'ahead', rights: ['DESCRIBE'] });
    await client.admin.setOffsets({ groupId: 'ahead', topic: 'other', partitions: [{ partition: 0, offset: '7' }] });
    const error = await drive({ topic: 'other', connection, from: { committed: 'ahead' } }).failed();
    assert.equal(error.code, 'kafka-bad-offsets');
    assert.match(
      error.message,
      /^other\[0\] ends at offset 0, and the group has committed 7: the topic was made again/,
    );
  });

  test('an open transaction whose begin may not be asked for has the time of its first record, and says why', async () => {
    await client.createTopic('held', 1);
    await rights({ topic: 'held', rights: ['READ', 'DESCRIBE'] });
    const producer = client.kafka.producer({ transactionalId: 'of-others', maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const open = await producer.transaction();
    await open.send({ topic: 'held', messages: [{ value: '{}', timestamp: '1700000000000' }] });
    const source = drive({ topic: 'held', connection, from: 'earliest' });
    const waiting = (): string => source.source.status().waiting ?? '';
    await source.until('the sentence', () => waiting().includes('its begin is not known'));
    assert.match(
      waiting(),
      /^held\[0\] waits for an open transaction that begins at offset 0, with a record of 2023-11-1\d [\d:]+; its begin is not known: the brokers show this client no transaction for it \(the right DESCRIBE on its transactional id may be missing\) \(since [\d:]+ or earlier\)$/,
    );
    await open.abort();
    await source.until('the end of the transaction', () => !waiting().includes('open transaction'));
    source.close();
    await producer.disconnect();
  });

  test('a sink needs WRITE on its topic, and names it', async () => {
    const sinkTo = (): SinkDriver =>
      new SinkDriver({ topic: 'other', connection, delivery: 'at-least-once', format: 'json' });
    const row = { value: { n: 1 }, timestamp: 1 };
    await rights({ topic: 'other', rights: ['DESCRIBE'] });
    const described = sinkTo();
    described.write([row]).catch(() => undefined);
    const error = await described.failed();
    assert.equal(error.code, 'kafka-not-allowed');
    assert.match(error.message, /WRITE on the topic/);
    await rights();
    const hidden = await sinkTo().failed();
    assert.match(
      hidden.message,
      /^Writing to topic "other" .* the right DESCRIBE on the topic is missing\. Ask for the rights WRITE and DESCRIBE/,
    );
    await rights({ topic: 'other', rights: ['WRITE'] });
    const sink = sinkTo();
    await sink.write([row]);
    await sink.flush();
    const [first] = await client.admin.fetchTopicOffsets('other');
    assert.equal(first!.offset, '1');
    sink.sink.close?.();
  });

  test('an exactly-once sink needs WRITE on its transactional ids, and names the right and the prefix', async () => {
    const row = { value: { n: 1 }, timestamp: 1 };
    const sinkTo = (): SinkDriver =>
      new SinkDriver({
        ...{ topic: 'other', connection, delivery: 'exactly-once', format: 'json' },
        transactionalIdPrefix: 'billing',
      });
    const topicOnly = { topic: 'other', rights: ['WRITE'] } as const;
    for (const given of [[topicOnly], [topicOnly, { transactions: 'billing', rights: ['DESCRIBE'] } as const]]) {
      await rights(...given);
      const sink = sinkTo();
      sink.write([row]).catch(() => undefined);
      const error = await sink.failed();
      assert.equal(error.code, 'kafka-not-allowed');
      assert.match(
        error.message,
        /"billing-.*the right WRITE on the transactional id is missing.*begin with "billing"/,
      );
      sink.sink.close?.();
    }
    await rights(topicOnly, { transactions: 'billing', rights: ['WRITE', 'DESCRIBE'] });
    const sink = sinkTo();
    await sink.write([row]);
    await sink.preCommit(1);
    sink.sink.complete!(1);
    await sink.until(() => sink.sink.hasUncommitted === false);
    sink.sink.close?.();
  });
});
