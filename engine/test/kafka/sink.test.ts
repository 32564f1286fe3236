// Writes to a topic of a real broker: the records that others read, guarantees at a barrier, and
// forbidden actions.
import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';
import { afterAll, test } from 'vitest';
import { FunctionTable } from '../../graph/plan.ts';
import { rowText } from '../../formats/row-text.ts';
import { startOwnBroker, whyNoKafka, type OwnBroker } from './broker.ts';
import { independentClient, type IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { SinkDriver, type SinkRow } from './sink-driver.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Partitioners, ResourcePatternTypes } = kafkajs;
const skip = whyNoKafka() !== undefined;
let broker: OwnBroker;
let client: IndependentClient;
const drivers: SinkDriver[] = [];

onBroker(startOwnBroker, (started) => ({ broker, client } = started));
afterAll(() => {
  for (const driver of drivers) driver.sink.close?.();
});

function sinkTo(
  parameters: { topic: string } & Partial<ConstructorParameters<typeof SinkDriver>[0]>,
  functions?: FunctionTable,
): SinkDriver {
  const driver = new SinkDriver({ format: 'json', delivery: 'at-least-once', ...parameters }, functions);
  drivers.push(driver);
  return driver;
}
const rows = (count: number, from = 0): SinkRow[] =>
  Array.from({ length: count }, (_, i) => ({
    value: { n: from + i, customer: `c${i % 97}` },
    timestamp: 1_700_000_000_000 + i,
  }));

interface Seen {
  readonly partition: number;
  readonly offset: string;
  readonly key: string | undefined;
  readonly value: string;
  readonly timestamp: number;
}
/** Reads the topic with another client. */
async function seenByOthers(topic: string, count: number): Promise<Seen[]> {
  const consumer = client.kafka.consumer({ groupId: `${topic}-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const seen: Seen[] = [];
  await new Promise<void>((resolve, reject) => {
    void consumer
      .run({
        eachMessage: async ({ partition, message: { offset, key, value, timestamp } }) => {
          seen.push({ partition, offset, key: key?.toString(), value: String(value), timestamp: Number(timestamp) });
          if (seen.length === count) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return seen;
}
async function size(topic: string): Promise<number> {
  const offsets = await client.admin.fetchTopicOffsets(topic);
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}
const numbersOf = (seen: readonly Seen[]): number[] =>
  seen.map(({ value }) => (JSON.parse(value) as { n: number }).n).sort((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test(
  'others read the rows with key, event time and in the partition that their own producers would choose',
  { skip },
  async () => {
    await client.createTopic('totals', 5);
    const sink = sinkTo({ topic: 'totals', key: { field: 'customer' } });
    const given = rows(1000);
    await sink.write(given);
    await sink.flush();
    const seen = await seenByOthers('totals', 1000);
    assert.deepEqual(numbersOf(seen), upTo(1000));
    const partitionMetadata = upTo(5).map((partitionId) => ({ partitionId, leader: 1 }));
    const choose = Partitioners.DefaultPartitioner();
    for (const { partition, key, value, timestamp } of seen) {
      const row = JSON.parse(value) as { n: number; customer: string };
      assert.equal(key, row.customer);
      assert.equal(timestamp, 1_700_000_000_000 + row.n);
      const message = { key: key, value };
      assert.equal(partition, choose({ topic: 'totals', partitionMetadata: partitionMetadata as never, message }));
    }
    for (const partition of upTo(5)) {
      const ns = seen
        .filter((one) => one.partition === partition)
        .map(({ value }) => (JSON.parse(value) as { n: number }).n);
      assert.deepEqual(
        ns,
        ns.toSorted((a, b) => a - b),
      );
    }
  },
);

test('a flush is done when the broker has acknowledged all rows, and not before', { skip }, async () => {
  await client.createTopic('flushed', 3);
  const sink = sinkTo({ topic: 'flushed' });
  for (const round of upTo(10)) {
    await sink.write(rows(300, round * 300));
    assert.equal(sink.sink.flush!(), false);
    await sink.flush();
    assert.equal(await size('flushed'), (round + 1) * 300);
  }
  assert.deepEqual(numbersOf(await seenByOthers('flushed', 3000)), upTo(3000));
});

test('rows go out without a flush', { skip }, async () => {
  await client.createTopic('lingering', 1);
  const sink = sinkTo({ topic: 'lingering' });
  await sink.write(rows(3));
  assert.equal((await seenByOthers('lingering', 3)).length, 3);
});

test('a timestamp selector and the format string are what others read', { skip }, async () => {
  await client.createTopic('selected', 1);
  const functions = new FunctionTable();
  const fn = { uid: 's', slot: 'timestamp', textHash: '' };
  functions.set(fn, (row: string) => Number(row.slice(1)));
  const sink = sinkTo({ topic: 'selected', format: 'string', timestamp: { fn } }, functions);
  await sink.write([{ value: 't1234', timestamp: 99 }]);
  const [seen] = await seenByOthers('selected', 1);
  assert.deepEqual([seen!.value, seen!.timestamp, seen!.key], ['t1234', 1234, undefined]);
});

test('rows with dates, big integers, bytes, maps and sets are JSON that others understand', () => {
  const date = new Date(0);
  assert.equal(
    rowText({ date, n: 1, none: undefined, nan: NaN }),
    '{"date":"1970-01-01T00:00:00.000Z","n":1,"nan":"NaN"}',
  );
  assert.equal(
    rowText({ big: 12n, deep: { date, bytes: Uint8Array.of(1, 2) } }),
    '{"big":"12","deep":{"date":"1970-01-01T00:00:00.000Z","bytes":"AQI="}}',
  );
  assert.equal(
    rowText({ map: new Map([['a', 1n]]), set: new Set([date]) }),
    '{"map":[["a","1"]],"set":["1970-01-01T00:00:00.000Z"]}',
  );
  assert.equal(rowText([1n, 'x']), '["1","x"]');
  assert.equal(rowText('x'), '"x"');
  assert.equal(rowText(undefined), undefined);
});

test('an unknown topic is an error and is not created', { skip }, async () => {
  await client.createTopic('daily-totals', 1);
  const error = await sinkTo({ topic: 'dialy-totals' }).failed();
  assert.equal(error.code, 'kafka-unknown-topic');
  assert.equal(
    error.message,
    `Topic "dialy-totals" is not on ${broker.brokers}. Closest: "daily-totals". Create it first, or give to() \`create\`.`,
  );
  assert.ok(!(await client.admin.listTopics()).includes('dialy-totals'));
});

test('a sink that is not armed takes all rows, also when its connection is unknown', { skip }, async () => {
  await client.createTopic('preview', 1);
  const sink = sinkTo({ topic: 'preview', connection: 'nowhere', armed: false });
  assert.equal(sink.offer(rows(10)), 10);
  await sink.flush();
  assert.equal(await size('preview'), 0);
});

test('a topic that may not be written says which right is missing', { skip }, async () => {
  const admin = await independentClient(broker.brokers);
  await admin.createTopic('read-only', 1);
  const rule = {
    resourceType: AclResourceTypes.TOPIC,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    permissionType: AclPermissionTypes.ALLOW,
    host: '*',
    resourceName: 'read-only',
    principal: 'User:ANONYMOUS',
    operation: AclOperationTypes.READ,
  };
  await admin.admin.createAcls({ acl: [rule] });
  await admin.close();
  const sink = sinkTo({ topic: 'read-only' });
  const error = await sink.write(rows(1)).then(
    () => sink.failed(),
    () => sink.failed(),
  );
  assert.equal(error.code, 'kafka-not-allowed');
  assert.match(error.message, /^Writing to topic "read-only" .+ WRITE and DESCRIBE/);
});

test('rows that Kafka cannot hold are errors that say why', { skip }, async () => {
  await client.createTopic('bad-rows', 1);
  const sink = sinkTo({ topic: 'bad-rows', key: { field: 'key' } });
  await sink.write(rows(1));
  const offer = (value: unknown, timestamp: number) => () => sink.offer([{ value, timestamp }]);
  assert.throws(offer({}, -1), { code: 'kafka-bad-row', message: /Its time is -1 ms since 1970/ });
  assert.throws(offer({ key: { a: 1 } }, 0), {
    code: 'kafka-bad-row',
    message: /Its key is an object with a; keyFormat "string" writes texts/,
  });
  const plain = sinkTo({ topic: 'bad-rows' });
  await plain.write(rows(1));
  assert.throws(() => plain.offer([{ value: undefined, timestamp: 0 }]), {
    code: 'kafka-bad-row',
    message: /undefined/,
  });
});

test(
  'a topic that takes only small batches gets smaller ones, and a row beyond its limit is an error',
  { skip },
  async () => {
    await client.createTopic('small', 1, { 'max.message.bytes': '2000' });
    const sink = sinkTo({ topic: 'small', key: { field: 'customer' } });
    await sink.write(rows(500));
    await sink.flush();
    assert.deepEqual(numbersOf(await seenByOthers('small', 500)), upTo(500));
    await sink.write([{ value: { n: 0, customer: 'x'.repeat(5000) }, timestamp: 0 }]);
    const error = await sink.failed();
    assert.equal(error.code, 'kafka-row-too-large');
    assert.match(error.message, /A row of [\d,]+ bytes is more than topic "small" takes/);
  },
);

test('a broker that is killed while rows are written and comes back has each row once', { skip }, async () => {
  await client.createTopic('survivor', 3);
  const sink = sinkTo({ topic: 'survivor' });
  await sink.write(rows(5000));
  const killed = broker.kill();
  await sink.write(rows(5000, 5000));
  await killed;
  // It may have acknowledged all of them before its end.
  await sink.write(rows(10, 10_000));
  assert.equal(sink.sink.flush!(), false);
  // Without an answer the sink takes no more records than it can hold.
  const wide = Array.from({ length: 5000 }, (_, i) => ({
    value: { n: 10_010 + i, text: 'x'.repeat(10_000) },
    timestamp: 1,
  }));
  const taken = sink.offer(wide);
  assert.ok(taken > 2500 && taken < 3500, `${taken} rows of 10 kB were taken`);
  await broker.start();
  await sink.flush();
  assert.deepEqual(numbersOf(await seenByOthers('survivor', 10_010 + taken)), upTo(10_010 + taken));
  assert.equal(await size('survivor'), 10_010 + taken);
});
