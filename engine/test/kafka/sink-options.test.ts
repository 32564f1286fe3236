// The options of a sink on a real broker: what another client reads, what a topic refuses, and the
// topics that a sink creates.
import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';
import { afterAll, test } from 'vitest';
import { FunctionTable } from '../../graph/plan.ts';
import { startOwnBroker, whyNoKafka, type OwnBroker } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { kcatRecords, whyNoKcat } from './kcat-records.ts';
import { onBroker } from './on-broker.ts';
import { javaRecords } from './java-records.ts';
import { SinkDriver, type SinkRow } from './sink-driver.ts';

const { ConfigResourceTypes } = kafkajs;
type Parameters = ConstructorParameters<typeof SinkDriver>[0];
const skip = whyNoKafka() !== undefined;
let broker: OwnBroker;
let client: IndependentClient;
const drivers: SinkDriver[] = [];

onBroker(startOwnBroker, (started) => ({ broker, client } = started));
afterAll(() => {
  for (const driver of drivers) driver.sink.close?.();
});

function sinkTo(parameters: Partial<Parameters> & { topic: string }, functions?: FunctionTable): SinkDriver {
  const driver = new SinkDriver({ format: 'json', delivery: 'at-least-once', ...parameters }, functions);
  drivers.push(driver);
  return driver;
}
const rows = (count: number): SinkRow[] =>
  Array.from({ length: count }, (_, n) => ({ value: { n, customer: `c${n % 97}` }, timestamp: 1_700_000_000_000 + n }));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const numbersOf = (records: readonly { readonly value: string }[]): number[] =>
  records.map(({ value }) => (JSON.parse(value) as { n: number }).n).sort((a, b) => a - b);
/** The error that ends the sink. */
async function failureOf(sink: SinkDriver, written: readonly SinkRow[] = []): Promise<Error & { code: string }> {
  await sink.write(written).catch(() => undefined);
  return await sink.failed();
}

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)
  test(`Java reads rows with compression ${compression}`, { skip }, async () => {
    const topic = `packed-${compression}`;
    await client.createTopic(topic, 3);
    const sink = sinkTo({ topic, compression, key: { field: 'customer' } });
    await sink.write(rows(20_000));
    await sink.flush();
    const records = await javaRecords(client, broker.brokers, topic);
    assert.deepEqual(numbersOf(records), upTo(20_000));
    for (const { key, value, timestamp } of records) {
      const { n, customer } = JSON.parse(value) as { n: number; customer: string };
      assert.deepEqual([key, timestamp], [customer, 1_700_000_000_000 + n]);
    }
  });

test('kcat reads the same rows with every compression', { skip: skip || whyNoKcat() !== undefined }, async () => {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const topic = `for-kcat-${compression}`;
    await client.createTopic(topic, 3);
    const sink = sinkTo({ topic, compression, key: { field: 'customer' } });
    await sink.write(rows(2_000));
    await sink.flush();
    const records = await kcatRecords(broker.brokers, topic);
    assert.deepEqual(numbersOf(records.map(({ payload }) => ({ value: payload }))), upTo(2_000));
    for (const { key, payload, ts } of records) {
      const { n, customer } = JSON.parse(payload) as { n: number; customer: string };
      assert.deepEqual([key, ts], [customer, 1_700_000_000_000 + n]);
    }
  }
});

test('Java reads the headers, and the partition that the function chose', { skip }, async () => {
  await client.createTopic('dressed', 4);
  const functions = new FunctionTable();
  const reference = (slot: string) => ({ uid: 's', slot, textHash: '' });
  functions.set(reference('headers'), ({ n }: { n: number }) => ({
    number: `n${n}`,
    raw: Uint8Array.of(1, 2),
    none: null,
  }));
  functions.set(reference('partitioner'), ({ n }: { n: number }, partitions: number) => (n * 3) % partitions);
  const sink = sinkTo(
    { topic: 'dressed', headers: { fn: reference('headers') }, partitioner: { fn: reference('partitioner') } },
    functions,
  );
  await sink.write(rows(100));
  await sink.flush();
  const records = await javaRecords(client, broker.brokers, 'dressed');
  assert.equal(records.length, 100);
  for (const { value, headers, partition } of records) {
    const { n } = JSON.parse(value) as { n: number };
    assert.equal(partition, (n * 3) % 4);
    assert.equal(headers, `number:n${n},raw:\u0001\u0002,none:null`);
  }
});

test('headers and partitions that Kafka cannot hold are errors', { skip }, async () => {
  await client.createTopic('undressed', 2);
  const functions = new FunctionTable();
  const fn = { uid: 's', slot: 'fn', textHash: '' };
  let given: unknown;
  functions.set(fn, () => given);
  const headers = sinkTo({ topic: 'undressed', headers: { fn } }, functions);
  const partitioner = sinkTo({ topic: 'undressed', partitioner: { fn } }, functions);
  given = {};
  await headers.write(rows(1));
  given = 1;
  await partitioner.write(rows(1));
  const refuses = (sink: SinkDriver, value: unknown, message: RegExp): void => {
    given = value;
    assert.throws(() => sink.offer(rows(1)), { code: 'kafka-bad-row', message });
  };
  refuses(headers, { a: 1 }, /Its headers have "a", which is 1/);
  refuses(headers, 'x', /Its headers are "x"/);
  for (const wrong of [2, -1, 0.5, '0', undefined]) refuses(partitioner, wrong, /Give a whole number from 0 to 1/);
});

for (const options of [{ acks: 1 }, { acks: 0 }, { idempotent: false }] as const)
  test(`with ${JSON.stringify(options)} all rows are written`, { skip }, async () => {
    const topic = `acks-${Object.keys(options)[0]}-${Object.values(options)[0]}`;
    await client.createTopic(topic, 2);
    const sink = sinkTo({ topic, ...options });
    await sink.write(rows(5000));
    await sink.end();
    assert.deepEqual(numbersOf(await javaRecords(client, broker.brokers, topic)), upTo(5000));
    assert.equal(sink.sink.status!().inFlight, 0);
  });

test(
  "with delivery: 'none' a barrier passes while rows are in flight, and the end waits for them",
  { skip },
  async () => {
    await client.createTopic('hasty', 1);
    const [none, once] = (['none', 'at-least-once'] as const).map((delivery) =>
      // Nothing is sent before somebody asks for it.
      sinkTo({ topic: 'hasty', delivery, lingerMillis: 3_600_000 }),
    );
    await none!.write(rows(10));
    await once!.write(rows(10));
    assert.equal(once!.sink.flush!(), false, 'other deliveries hold the barrier');
    assert.equal(none!.sink.flush!(), true);
    assert.equal(none!.sink.status!().inFlight, 10);
    await once!.flush();
    assert.equal(none!.sink.status!().inFlight, 10, 'the barrier has not sent them');
    await none!.end();
    assert.equal(none!.sink.status!().inFlight, 0);
    const found = numbersOf(await javaRecords(client, broker.brokers, 'hasty'));
    assert.deepEqual(
      found,
      upTo(10).flatMap((n) => [n, n]),
    );
  },
);

test('a row waits for others as long as linger says', { skip }, async () => {
  await client.createTopic('patient', 1);
  const sink = sinkTo({ topic: 'patient', lingerMillis: 3_600_000 });
  await sink.write(rows(10));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(sink.sink.status!().inFlight, 10);
  await sink.flush();
  assert.equal(sink.sink.status!().inFlight, 0);
  assert.equal((await javaRecords(client, broker.brokers, 'patient')).length, 10);
});

test('a missing topic is created when it is asked for, with its partitions and settings', { skip }, async () => {
  const create = { partitions: 3, replication: 1, config: { 'retention.ms': '7200000' } };
  const preview = sinkTo({ topic: 'made', create, armed: false });
  assert.equal(preview.offer(rows(1)), 1);
  assert.ok(!(await client.admin.listTopics()).includes('made'), 'a preview creates nothing');
  const [sink, second] = [sinkTo({ topic: 'made', create }), sinkTo({ topic: 'made', create })];
  await sink.write(rows(100));
  await second.write(rows(100));
  await Promise.all([sink.flush(), second.flush()]);
  assert.equal((await javaRecords(client, broker.brokers, 'made')).length, 200);
  const { topics } = await client.admin.fetchTopicMetadata({ topics: ['made'] });
  assert.equal(topics[0]!.partitions.length, 3);
  const resource = { type: ConfigResourceTypes.TOPIC, name: 'made', configNames: ['retention.ms'] };
  const { resources } = await client.admin.describeConfigs({ resources: [resource], includeSynonyms: false });
  assert.equal(resources[0]!.configEntries[0]!.configValue, '7200000');
});

test('a topic that exists stays as it is', { skip }, async () => {
  await client.createTopic('there', 2);
  const sink = sinkTo({ topic: 'there', create: { partitions: 9 } });
  await sink.write(rows(1));
  await sink.flush();
  const { topics } = await client.admin.fetchTopicMetadata({ topics: ['there'] });
  assert.equal(topics[0]!.partitions.length, 2);
});

test('a topic that the broker does not create is an error with its reason', { skip }, async () => {
  const replicas = await failureOf(sinkTo({ topic: 'thrice', create: { replication: 3 } }));
  assert.equal(replicas.code, 'kafka-not-created');
  assert.match(replicas.message, /^Topic "thrice" cannot be created on .*replication factor of 3/);
  const setting = await failureOf(sinkTo({ topic: 'odd', create: { config: { 'retention.hours': '1' } } }));
  assert.equal(setting.code, 'kafka-not-created');
  assert.match(setting.message, /retention\.hours/);
  assert.ok(!(await client.admin.listTopics()).some((name) => name === 'thrice' || name === 'odd'));
});

test('a compacted topic says that rows need a key', { skip }, async () => {
  await client.createTopic('compacted', 1, { 'cleanup.policy': 'compact' });
  const error = await failureOf(sinkTo({ topic: 'compacted' }), rows(2));
  assert.equal(error.code, 'kafka-refused');
  assert.match(
    error.message,
    /^Topic compacted\[0\] refuses rows: it is compacted, so each row needs a key. Give to\(\) a `key`. Row: \{"n":0,"customer":"c0"\}$/,
  );
});

test('a timestamp that the topic does not take names the row', { skip }, async () => {
  await client.createTopic('timely', 1, { 'message.timestamp.before.max.ms': '3600000' });
  const now = Date.now();
  const written = [1, 2, 3].map((n) => ({ value: { n }, timestamp: n === 2 ? 5 : now }));
  const error = await failureOf(sinkTo({ topic: 'timely' }), written);
  assert.equal(error.code, 'kafka-refused');
  assert.match(error.message, /timely\[0\].*Give to\(\) another `timestamp`. Row: \{"n":2\}$/);
});

test('a row beyond the limit of its topic is named with its partition', { skip }, async () => {
  await client.createTopic('narrow', 1, { 'max.message.bytes': '500' });
  const error = await failureOf(sinkTo({ topic: 'narrow', key: { field: 'k' } }), [
    { value: { k: 'small' }, timestamp: 1 },
    { value: { k: 'large', pad: 'x'.repeat(1000) }, timestamp: 1 },
  ]);
  assert.equal(error.code, 'kafka-row-too-large');
  assert.match(error.message, /more than topic "narrow" takes.*narrow\[0\]: key "large", \{"k":"large","pad":"x+…$/);
});

test('rows older than the retention are warned of, with their number and the oldest', { skip }, async () => {
  const day = 86_400_000;
  const at = (timestamp: number): SinkRow => ({ value: {}, timestamp });
  const old = Date.now() - 30 * day;
  const noteOf = async (topic: string, config: Record<string, string>): Promise<string | undefined> => {
    await client.createTopic(topic, 1, config);
    const sink = sinkTo({ topic, key: { field: 'none' } });
    await sink.write([at(old), at(old + 1), at(Date.now())]).catch(() => undefined);
    return sink.sink.status!().note;
  };
  const week = String(7 * day);
  assert.equal(
    await noteOf('week', { 'retention.ms': week }),
    `topic "week" keeps rows for 7 days, and 2 rows are older (the oldest ${new Date(old).toISOString()}): the broker deletes them within minutes. Raise its retention.ms, or give to() another \`timestamp\``,
  );
  assert.equal(await noteOf('forever', { 'retention.ms': '-1' }), undefined);
  assert.equal(await noteOf('arrival', { 'retention.ms': week, 'message.timestamp.type': 'LogAppendTime' }), undefined);
  assert.equal(await noteOf('compact-week', { 'retention.ms': week, 'cleanup.policy': 'compact' }), undefined);
});

test('no row older than the retention is written before the warning is read', { skip }, async () => {
  const day = 86_400_000;
  const old = Date.now() - 30 * day;
  await client.createTopic('warned', 1, { 'retention.ms': String(7 * day) });
  const sink = sinkTo({ topic: 'warned' });
  const given = [Date.now(), Date.now(), old, old + 1, Date.now()].map((timestamp, n) => ({ value: { n }, timestamp }));
  let taken = 0;
  await sink.until(() => (taken = sink.offer(given, taken)) > 0);
  assert.equal(taken, 2);
  assert.equal(sink.offer(given, taken), 2);
  assert.match(sink.sink.status!().note!, /keeps rows for 7 days, and 2 rows are older \(the oldest /);
  assert.equal(sink.offer(given, taken), 5);
  assert.match(sink.sink.status!().note!, /and 2 rows are older/);
  await sink.flush();
  assert.deepEqual(numbersOf(await javaRecords(client, broker.brokers, 'warned')), upTo(5));
});

test('a sink that is not armed warns of the retention, and writes nothing', { skip }, async () => {
  const day = 86_400_000;
  const old = Date.now() - 30 * day;
  const given = [{ value: { at: old }, timestamp: Date.now() }];
  const preview = (parameters: Partial<Parameters> & { topic: string }, rows: readonly SinkRow[]) => {
    const sink = sinkTo({ armed: false, ...parameters });
    assert.equal(sink.offer(rows), rows.length);
    return sink;
  };
  await client.createTopic('previewed', 1, { 'retention.ms': String(7 * day) });
  const byField = preview({ topic: 'previewed', timestamp: { field: 'at' } }, given);
  await byField.until(() => byField.sink.status!().note !== undefined);
  assert.equal(
    byField.sink.status!().note,
    `topic "previewed" keeps rows for 7 days, and rows of this sink are older (the oldest ${new Date(old).toISOString()}): when they are written, the broker deletes them within minutes. Raise its retention.ms, or give to() another \`timestamp\``,
  );
  const config = { 'retention.ms': String(2 * day) };
  const missing = preview({ topic: 'to-come', create: { config } }, [{ value: {}, timestamp: old }]);
  await missing.until(() => missing.sink.status!().note?.includes('keeps rows for 2 days') === true);
  const topics = await client.admin.listTopics();
  assert.ok(!topics.includes('to-come'));
  assert.deepEqual(await javaRecords(client, broker.brokers, 'previewed'), []);

  // Nothing listens at port 1, and a row of the present asks nobody.
  process.env['SLUICE_CONNECTION_NOWHERE'] = '127.0.0.1:1';
  const away = preview({ topic: 'previewed', connection: 'nowhere' }, [{ value: {}, timestamp: old }]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(away.sink.status!().note, undefined);
  assert.equal(away.failure, undefined);
});

test('new partitions get rows when the metadata is read again', { skip }, async () => {
  await client.createTopic('growing', 1);
  const { TopicWriter } = await import('../../connectors/kafka/topic-writer.ts');
  const { connectionNamed } = await import('../../connections/connection-named.ts');
  const ready = Promise.withResolvers<void>();
  const events = { onProgress: () => ready.resolve(), onFailure: (error: unknown) => ready.reject(error) };
  const writer = new TopicWriter(connectionNamed(undefined), 'growing', events, { metadataMillis: 100 });
  await ready.promise;
  await client.admin.createPartitions({ topicPartitions: [{ topic: 'growing', count: 4 }] });
  let n = 0;
  for (; writer.partitionCount < 4 || !writer.isEmpty || n < 400; n++) {
    if (n < 400) writer.append(`k${n}`, JSON.stringify({ n }), 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (n > 4000) assert.fail('the new partitions are not found');
  }
  writer.close();
  const records = await javaRecords(client, broker.brokers, 'growing');
  assert.deepEqual(numbersOf(records), upTo(400));
  assert.equal(new Set(records.map(({ partition }) => partition)).size, 4);
});

test('a sink that is not armed says that its topic is missing, until the topic is there', { skip }, async () => {
  const topic = 'not-there-yet';
  const sink = sinkTo({ topic, armed: false });
  await sink.until(() => sink.sink.status!().obstacle !== undefined);
  assert.match(sink.sink.status!().obstacle!, /^Topic "not-there-yet" is not on .*Create it first/);
  // It would make the topic itself.
  const making = sinkTo({ topic, armed: false, create: { partitions: 1 } });
  await client.createTopic(topic, 1);
  await sink.until(() => sink.sink.status!().obstacle === undefined);
  assert.equal(making.sink.status!().obstacle, undefined);
});
