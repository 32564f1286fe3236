// Brokers that are down, come back, never answer or refuse. Each gives one clear error, or the
// client waits.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import kafkajs from 'kafkajs';
import { test } from 'vitest';
import { connectionNamed } from '../../connections/connection-named.ts';
import { startOwnBroker, startOwnCluster, whyNoKafka, type OwnBroker } from './broker.ts';
import { independentClient, type IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { SinkDriver } from './sink-driver.ts';
import type { SourceDriver } from './source-driver.ts';
import { sourceDrivers } from './source-driver.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const skip = whyNoKafka() !== undefined;
let broker: OwnBroker;
let client: IndependentClient;

onBroker(startOwnBroker, (started) => ({ broker, client } = started));
const read = sourceDrivers();

const numbered = (from: number, count: number, partitions: number) =>
  Array.from({ length: count }, (_, i) => ({ partition: (from + i) % partitions, value: { n: from + i } }));
const numbers = (source: SourceDriver): number[] =>
  source.rows.map(({ value }) => (value as { n: number }).n).sort((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

async function listening(
  onConnection: (server: Server) => void = () => undefined,
): Promise<{ server: Server; address: string }> {
  const server = createServer();
  server.on('connection', () => onConnection(server));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, address: `127.0.0.1:${(server.address() as { port: number }).port}` };
}
/** Runs with another address in the environment. */
function readFrom(brokers: string): SourceDriver {
  process.env['SLUICE_CONNECTION_OTHER_PLACE'] = brokers;
  return read({ topic: 'orders', connection: 'other-place', from: 'earliest', format: 'json' });
}

test('a broker that is killed in the middle and comes back loses nothing and repeats nothing', { skip }, async () => {
  await client.createTopic('killed', 3);
  await client.send('killed', numbered(0, 3000, 3));
  const source = read({ topic: 'killed', from: 'earliest', format: 'json' }, { roomPerPoll: 50 });
  await source.until('some rows', () => source.rows.length > 100);
  source.isPaused = true;
  await broker.kill();
  source.resume();
  await source.until('the trouble', () => source.source.status().waiting !== undefined);
  assert.match(source.source.status().waiting!, /127\.0\.0\.1:\d+ .+; trying again$/);
  await broker.start();
  await client.send('killed', numbered(3000, 300, 3));
  await source.until('all rows', () => source.rows.length >= 3300);
  assert.deepEqual(numbers(source), upTo(3300));
  assert.equal(source.source.status().waiting, undefined);
  assert.equal(source.source.status().opened, 1);
});

test('a restored source waits for a broker that is away', { skip }, async () => {
  await client.createTopic('away', 1);
  await client.send('away', numbered(0, 10, 1));
  const first = read({ topic: 'away', from: 'earliest', format: 'json' }, { roomPerPoll: 4 });
  await first.until('some rows', () => first.rows.length > 0);
  first.isPaused = true;
  const snapshot = first.snapshot();
  first.close();
  await broker.kill();
  const second = read({ topic: 'away', from: 'earliest', format: 'json' }, { snapshot });
  await second.until('the trouble', () => second.source.status().waiting !== undefined);
  await broker.start();
  await second.until('the rest', () => first.rows.length + second.rows.length === 10);
  assert.deepEqual([...numbers(first), ...numbers(second)], upTo(10));
  assert.equal(second.source.status().opened, 2);
});

test('a source and a sink follow a partition to its next leader', { skip, timeout: 300_000 }, async () => {
  const cluster = await startOwnCluster(2);
  const other = await independentClient(cluster.brokers);
  try {
    await other.createTopic('led', 4, {}, 2);
    const leaders = async (): Promise<Set<number>> => {
      const { topics } = await other.admin.fetchTopicMetadata({ topics: ['led'] });
      return new Set(topics[0]!.partitions.map(({ leader }) => leader));
    };
    assert.deepEqual([...(await leaders())].sort(), [1, 2]);
    process.env['SLUICE_CONNECTION_TWO'] = cluster.brokers;
    const parameters = { topic: 'led', connection: 'two', format: 'json' } as const;
    const sink = new SinkDriver({ ...parameters, delivery: 'at-least-once' });
    const source = read({ ...parameters, from: 'earliest' });
    const write = async (from: number): Promise<void> => {
      await sink.write(Array.from({ length: 500 }, (_, i) => ({ value: { n: from + i }, timestamp: 1 })));
      await sink.flush();
    };
    await write(0);
    await source.until('the first rows', () => source.rows.length === 500);
    await cluster.nodes[1]!.kill();
    await write(500);
    await source.until('rows of the new leaders', () => source.rows.length === 1000);
    assert.deepEqual([...(await leaders())], [1]);
    assert.deepEqual(numbers(source), upTo(1000));
    sink.sink.close?.();
    source.close();
  } finally {
    await other.close();
    await cluster.stop();
  }
});

test('an unknown topic is an error that offers the closest name', { skip }, async () => {
  await client.createTopic('orders', 1);
  const error = await read({ topic: 'ordres', from: 'earliest', format: 'json' }).failed();
  assert.equal(error.code, 'kafka-unknown-topic');
  assert.equal(error.message, `Topic "ordres" is not on ${broker.brokers}. Closest: "orders".`);
  const other = await read({ topic: 'nothing-like-it', from: 'earliest', format: 'json' }).failed();
  assert.equal(
    other.message,
    `Topic "nothing-like-it" is not on ${broker.brokers}. Correct its name, or create it first.`,
  );
  const impossible = await read({ topic: 'or/ders', from: 'earliest', format: 'json' }).failed();
  assert.equal(impossible.code, 'kafka-unknown-topic');
});

test('a topic that may be described but not read says which rights are missing', { skip }, async () => {
  // A separate client, because kafkajs asks for every topic that it knows. It would be refused from
  // now on.
  const admin = await independentClient(broker.brokers);
  for (const topic of ['secret', 'hidden']) await admin.createTopic(topic, 1);
  const rule = (resourceName: string, principal: string, operation: number) => ({
    resourceType: AclResourceTypes.TOPIC,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    permissionType: AclPermissionTypes.ALLOW,
    host: '*',
    resourceName,
    principal,
    operation,
  });
  await admin.admin.createAcls({
    acl: [
      rule('secret', 'User:ANONYMOUS', AclOperationTypes.DESCRIBE),
      rule('hidden', 'User:somebody', AclOperationTypes.READ),
    ],
  });
  for (const topic of ['secret', 'hidden']) {
    const error = await read({ topic, from: 'earliest', format: 'json' }).failed();
    assert.equal(error.code, 'kafka-not-allowed');
    assert.match(error.message, new RegExp(`^Reading topic "${topic}" on .+ is not allowed: .*READ and DESCRIBE`));
    assert.match(error.message, topic === 'secret' ? /the right READ .*missing/ : /the right DESCRIBE .*missing/);
  }
  await admin.close();
});

test('offsets that are not there are refused with those that are', { skip }, async () => {
  await client.createTopic('short', 2);
  await client.send('short', numbered(0, 20, 2));
  await client.deleteBefore('short', 0, 5);
  const refused = async (offsets: Record<string, string>): Promise<string> =>
    (await read({ topic: 'short', from: { offsets }, format: 'json' }).failed()).message;
  assert.equal(
    await refused({ 0: '2' }),
    'short[0] holds the offsets 5 to 10; `from.offsets` asks for 2. Give one of them, or leave the partition out: it is then read from offset 5.',
  );
  assert.equal(
    await refused({ 1: '11' }),
    'short[1] holds the offsets 0 to 10; `from.offsets` asks for 11. Give one of them, or leave the partition out: it is then read from offset 0.',
  );
  assert.equal(
    await refused({ 7: '0' }),
    'short has the partitions 0 to 1; `from.offsets` names 7. Leave that one out.',
  );
});

test('records that retention took away before they were read are an error, not a gap', { skip }, async () => {
  await client.createTopic('retained', 1);
  await client.send('retained', numbered(0, 20, 1));
  const first = read({ topic: 'retained', from: 'earliest', format: 'json' }, { roomPerPoll: 3 });
  await first.until('some rows', () => first.rows.length > 0);
  first.isPaused = true;
  const snapshot = first.snapshot();
  first.close();
  await client.deleteBefore('retained', 0, 15);
  const error = await read({ topic: 'retained', from: 'earliest', format: 'json' }, { snapshot }).failed();
  assert.equal(error.code, 'kafka-offset-gone');
  assert.match(error.message, /^retained\[0\] begins at offset 15 now: what was before it, \d+ on, has been deleted/);
});

test('a topic that is deleted and made again is another topic, and says so', { skip }, async () => {
  await client.createTopic('again', 1);
  await client.send('again', numbered(0, 100, 1));
  const running = read({ topic: 'again', from: 'earliest', format: 'json' });
  await running.until('its rows', () => running.rows.length === 100);
  const snapshot = running.snapshot();
  await client.admin.deleteTopics({ topics: ['again'] });
  await client.createTopic('again', 1);
  // More than before: the former position is an offset of the new topic, too.
  await client.send('again', numbered(1000, 160, 1));
  const restored = read({ topic: 'again', from: 'earliest', format: 'json' }, { snapshot });
  for (const source of [running, restored]) {
    const error = await source.failed();
    assert.equal(error.code, 'kafka-topic-made-again');
    assert.match(error.message, /^Topic "again" was deleted and made again\. It is another topic now/);
  }
  assert.deepEqual(numbers(running), upTo(100), 'no record of the new topic is taken for one of the former');
  assert.deepEqual(restored.rows, []);
  const anew = read({ topic: 'again', from: 'earliest', until: 'latest', format: 'json' });
  await anew.ended();
  assert.equal(anew.rows.length, 160);
});

test('a topic that is deleted while it is read is an error', { skip }, async () => {
  await client.createTopic('deleted', 1);
  const source = read({ topic: 'deleted', from: 'earliest', format: 'json' });
  await source.until('the start', () => source.source.status().phase === 'waiting');
  await client.admin.deleteTopics({ topics: ['deleted'] });
  const error = await source.failed();
  assert.equal(error.code, 'kafka-unknown-topic');
  assert.ok(!(await client.admin.listTopics()).includes('deleted'));
});

test('a refused connection is named with the address and where it was set, and tried again', async () => {
  const { server, address } = await listening();
  await new Promise((resolve) => server.close(resolve));
  const source = readFrom(address);
  await source.until('the trouble', () => source.source.status().waiting !== undefined);
  assert.equal(source.source.status().phase, 'connecting');
  assert.match(
    source.source.status().waiting!,
    new RegExp(
      `^Kafka cannot be reached: ${address} refused the connection; the address is from SLUICE_CONNECTION_OTHER_PLACE \\(since \\d\\d:\\d\\d:\\d\\d\\); trying again$`,
    ),
  );
});

test('a host that nobody knows is named, and tried again', async () => {
  const source = readFrom('nobody-knows-it.invalid:9092');
  await source.until('the trouble', () => source.source.status().waiting !== undefined);
  assert.match(
    source.source.status().waiting!,
    /The host of nobody-knows-it\.invalid:9092 is not known; .+; trying again$/,
  );
});

test('a broker that accepts and never answers is named', async () => {
  const { server, address } = await listening();
  const source = readFrom(address);
  await source.until('the trouble', () => source.source.status().waiting !== undefined);
  server.close();
  assert.match(source.source.status().waiting!, /accepted the connection but did not answer within 8 s/);
});

test('silent brokers before one that answers hold up neither a source nor a sink', { skip }, async () => {
  await client.createTopic('past-silence', 1);
  await client.send('past-silence', numbered(0, 10, 1));
  const silent = await Promise.all([listening(), listening(), listening()]);
  process.env['SLUICE_CONNECTION_OTHER_PLACE'] = [...silent.map(({ address }) => address), broker.brokers].join(',');
  const topic = { topic: 'past-silence', connection: 'other-place' };
  const source = read({ ...topic, from: 'earliest', format: 'json' });
  await source.until('all rows', () => source.rows.length === 10);
  const sink = new SinkDriver({ ...topic, format: 'json', delivery: 'at-least-once' });
  await sink.write([{ value: { n: 10 }, timestamp: 1 }]);
  await source.until('the row of the sink', () => source.rows.length === 11);
  sink.sink.close?.();
  for (const { server } of silent) server.close();
});

test('something that is not Kafka is said to be none', async () => {
  const server = createServer((socket) =>
    socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')).on('error', () => undefined),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const error = await readFrom(`127.0.0.1:${(server.address() as { port: number }).port}`).failed();
  server.close();
  assert.equal(error.code, 'kafka-unreachable');
  assert.match(error.message, /does not speak Kafka's protocol\. The address is from SLUICE_CONNECTION_OTHER_PLACE\.$/);
});

test('a source that starts while the broker is down is live when the broker is back', { skip }, async () => {
  await client.createTopic('later', 2);
  await client.send('later', numbered(0, 10, 2));
  await broker.kill();
  const source = read({ topic: 'later', from: 'earliest', format: 'json' });
  await source.until('the trouble', () => source.source.status().waiting !== undefined);
  assert.equal(source.source.status().phase, 'connecting');
  await broker.start();
  await source.until('all rows', () => source.rows.length === 10);
  assert.deepEqual(numbers(source), upTo(10));
  assert.equal(source.source.status().waiting, undefined);
});

test('a sink that starts while the broker is down writes when the broker is back', { skip }, async () => {
  await client.createTopic('written-later', 2);
  await broker.kill();
  const sink = new SinkDriver({ topic: 'written-later', format: 'json', delivery: 'at-least-once' });
  await sink.until(() => sink.sink.status!().waiting !== undefined);
  assert.match(
    sink.sink.status!().waiting!,
    /^Kafka cannot be reached: 127\.0\.0\.1:\d+ refused the connection; the address is from SLUICE_BROKERS$/,
  );
  await broker.start();
  await sink.write([1, 2, 3].map((n) => ({ value: { n }, timestamp: 1 })));
  await sink.end();
  assert.deepEqual([sink.failure, sink.sink.status!().waiting], [undefined, undefined]);
  sink.sink.close?.();
  const offsets = await client.admin.fetchTopicOffsets('written-later');
  assert.equal(
    offsets.reduce((sum, { high }) => sum + Number(high), 0),
    3,
  );
});

test('a connection that nobody has set says how to get on', () => {
  assert.throws(() => connectionNamed(undefined, {}), {
    code: 'kafka-no-connection',
    message: /Set SLUICE_BROKERS to host:port/,
  });
  assert.throws(() => connectionNamed('prod-eu', {}), {
    code: 'kafka-no-connection',
    message: /SLUICE_CONNECTION_PROD_EU/,
  });
  assert.throws(() => connectionNamed(undefined, { SLUICE_BROKERS: 'kafka://x' }), { code: 'kafka-bad-connection' });
  assert.deepEqual(connectionNamed('prod', { SLUICE_CONNECTION_PROD: 'a:1, b:2' }), {
    name: 'prod',
    brokers: ['a:1', 'b:2'],
    setIn: 'SLUICE_CONNECTION_PROD',
  });
});
