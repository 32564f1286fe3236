// The browse service on a real broker: what it says of topics, groups and records, and that looking
// leaves no trace.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import avro from 'avsc';
import { freePorts, startOwnCluster, whyNoKafka, type OwnCluster } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { startRegistry, type TestRegistry } from '../../../engine/test/kafka/registry.ts';
import { startBrowse, type BrowseClient } from './browse-client.ts';

const skip = whyNoKafka() !== undefined;
const begin = Date.parse('2026-01-01T12:00:00Z');
let cluster: OwnCluster;
let registry: TestRegistry;
let client: IndependentClient;
let browse: BrowseClient;
onBroker(
  () => startOwnCluster(2),
  (started) => ({ broker: cluster, client } = started),
);
beforeAll(async () => {
  if (skip) return;
  await client.createTopic('orders', 3);
  const orders = Array.from({ length: 300 }, (_, n) => ({
    partition: n % 3,
    value: { id: `o-${n}`, amount: n },
    timestamp: begin + n * 1000,
  }));
  await client.send('orders', orders);
  await client.createTopic('empty', 2);
  registry = await startRegistry();
  browse = startBrowse();
  const [nobody] = await freePorts(1);
  await browse.ask('connections', {
    connections: {
      here: { brokers: cluster.brokers, registry: { url: registry.url } },
      nobody: { brokers: `127.0.0.1:${nobody}` },
    },
  });
});
afterAll(async () => {
  browse?.close();
  await registry?.stop();
});

test('topics come with their partitions and their number of records, internal ones on request', { skip }, async () => {
  const { topics, brokers } = await browse.ask('topics', { connection: 'here', internal: false });
  assert.deepEqual(topics, [
    { topic: 'empty', partitions: 2, internal: false, records: 0 },
    { topic: 'orders', partitions: 3, internal: false, records: 300 },
  ]);
  assert.deepEqual(brokers.toSorted(), cluster.brokers.split(',').toSorted());
});

test('a topic has the offsets and the leader of each partition, and the format of its records', { skip }, async () => {
  const { partitions, format } = await browse.ask('topic', { connection: 'here', topic: 'orders' });
  assert.deepEqual(
    partitions.map(({ leader: _leader, ...rest }) => rest),
    [0, 1, 2].map((partition) => ({ partition, begin: 0, end: 100 })),
  );
  assert.deepEqual([...new Set(partitions.map(({ leader }) => leader))].toSorted(), [1, 2]);
  assert.equal(format, 'JSON');
  const empty = await browse.ask('topic', { connection: 'here', topic: 'empty' });
  assert.equal(empty.format, undefined);
  await assert.rejects(
    browse.ask('topic', { connection: 'here', topic: 'ordres' }),
    /Topic "ordres" is not on .* Closest: "orders"\./,
  );
});

test('a cluster that cannot be reached fails by itself, while the others answer', { skip }, async () => {
  const unreachable = browse.ask('topics', { connection: 'nobody', internal: false });
  const reached = browse.ask('topics', { connection: 'here', internal: false });
  await assert.rejects(unreachable, /127\.0\.0\.1:\d+ refused the connection/);
  assert.equal((await reached).topics.length, 2);
});

test('a peek shows the newest records, and then those that come', { skip }, async () => {
  const peek = await browse.peek('here', 'orders', { kind: 'newest' });
  await peek.until('the newest records', ({ last }) => last.isAtEnd);
  assert.equal(peek.rows.length, 3 * Math.ceil(100 / 3));
  assert.equal(peek.last.format, 'JSON');
  assert.deepEqual(peek.rows.at(-1)!.value, { id: 'o-299', amount: 299 });
  const times = peek.rows.map(({ t }) => t);
  assert.deepEqual(times, times.toSorted());
  await client.send('orders', [{ partition: 1, value: { id: 'fresh' }, timestamp: begin + 400_000 }]);
  await peek.until('a record that comes', ({ rows }) => rows.length === 103);
  const { partition, offset, value } = peek.rows.at(-1)!;
  assert.deepEqual({ partition, offset, value }, { partition: 1, offset: 100, value: { id: 'fresh' } });

  await browse.ask('runPeek', { peek: peek.id, run: false });
  await peek.until('the pause', ({ last }) => last.state === 'paused');
  await client.send('orders', [{ partition: 0, value: { id: 'while paused' }, timestamp: begin + 401_000 }]);
  await client.send('empty', [{ partition: 0, value: 'text' }]);
  const other = await browse.peek('here', 'empty', { kind: 'newest' });
  await other.until('a record of another peek', ({ rows }) => rows.length === 1);
  assert.equal(peek.rows.length, 103);
  await browse.ask('runPeek', { peek: peek.id, run: true });
  await peek.until('what came meanwhile', ({ rows }) => rows.length === 104);
  await browse.ask('closePeek', { peek: peek.id });
  await browse.ask('closePeek', { peek: other.id });
});

test('a peek begins at an offset of one partition, or at a time', { skip }, async () => {
  const atOffset = await browse.peek('here', 'orders', { kind: 'offset', partition: 2, offset: 97 });
  await atOffset.until('three records', ({ last, rows }) => last.isAtEnd && rows.length === 3);
  assert.deepEqual(
    atOffset.rows.map(({ partition, offset }) => [partition, offset]),
    [97, 98, 99].map((offset) => [2, offset]),
  );
  const atTime = await browse.peek('here', 'orders', { kind: 'time', time: begin + 290_000 });
  await atTime.until('the last ten and two later ones', ({ last }) => last.isAtEnd && last.read === 12);
  assert.deepEqual(
    atTime.rows
      .map(({ t }) => (t - begin) / 1000)
      .toSorted((a, b) => a - b)
      .slice(0, 2),
    [290, 291],
  );
  await assert.rejects(
    browse.peek('here', 'orders', { kind: 'offset', partition: 2, offset: 1000 }),
    /orders\[2\] holds the offsets 0 to 100\. Choose one of them instead of 1000\./,
  );
  await assert.rejects(browse.peek('here', 'orders', { kind: 'offset', partition: 9, offset: 0 }), /partitions 0 to 2/);
});

test('a page is 500 rows, and the next one continues behind it without a gap', { skip }, async () => {
  await client.createTopic('many', 2);
  await client.send(
    'many',
    Array.from({ length: 1200 }, (_, n) => ({ partition: n % 2, value: { n } })),
  );
  const peek = await browse.peek('here', 'many', { kind: 'earliest' });
  for (const rows of [500, 1000, 1200]) {
    await peek.until(`${rows} rows`, (one) => one.rows.length === rows);
    if (rows === 1200) break;
    await peek.until('the end of the page', ({ last }) => last.state === 'full');
    await browse.ask('runPeek', { peek: peek.id, run: true });
  }
  const seen = peek.rows.map(({ partition, offset }) => `${partition}:${offset}`);
  assert.equal(new Set(seen).size, 1200);
  assert.equal(peek.rows.at(-1)!.n, 1199);
});

test('a filter is a TypeScript expression on record, key and meta', { skip }, async () => {
  const peek = await browse.peek(
    'here',
    'orders',
    { kind: 'earliest' },
    '(record as { amount: number }).amount % 100 === 7 && meta.partition === 1',
  );
  await peek.until('the end', ({ last }) => last.isAtEnd && last.read >= 302);
  assert.deepEqual(
    peek.rows.map(({ value }) => (value as { id: string }).id),
    ['o-7', 'o-107', 'o-207'].filter((id) => Number(id.slice(2)) % 3 === 1),
  );
  const failing = await browse.peek('here', 'orders', { kind: 'earliest' }, 'record.customer.name === "ann"');
  await failing.until('the end', ({ last }) => last.isAtEnd);
  assert.match(failing.last.filterTrouble!, /^The filter fails, first at orders\[\d\]@0: .*'name'/);
  await assert.rejects(
    browse.peek('here', 'orders', { kind: 'earliest' }, 'record.amount >'),
    /The filter is no TypeScript expression: Expression expected/,
  );
  await assert.rejects(browse.peek('here', 'orders', { kind: 'earliest' }, '1); (2'), /no TypeScript expression/);
  const endless = await browse.peek('here', 'orders', { kind: 'earliest' }, '(() => { for (;;) {} })()');
  await endless.until('the end of its patience', ({ last }) => last.state === 'failed');
  assert.match(endless.last.trouble!, /took more than 1 s .* Make it simpler/);
  assert.equal((await browse.ask('topics', { connection: 'here', internal: false })).topics.length, 3);
});

test('a row gives its key, its headers and its bytes', { skip }, async () => {
  await client.createTopic('raw');
  await client.producer.send({
    topic: 'raw',
    messages: [
      { key: 'k-1', value: '{"a":1}', headers: { trace: 'abc', blob: Buffer.from([0, 255]) } },
      { key: null, value: null },
      { key: Buffer.from([1, 2, 200]), value: '{"broken' },
    ],
  });
  const peek = await browse.peek('here', 'raw', { kind: 'earliest' });
  await peek.until('three rows', ({ rows }) => rows.length === 3);
  const [plain, tombstone, broken] = peek.rows;
  assert.deepEqual([plain!.key, plain!.value], ['k-1', { a: 1 }]);
  assert.deepEqual([tombstone!.key, tombstone!.value], [undefined, null]);
  assert.equal(broken!.value, '{"broken');
  assert.match(broken!.problem!, /not JSON/);
  assert.deepEqual(await browse.ask('peekedRecord', { peek: peek.id, n: 0 }), {
    key: { bytes: 3, hex: '6b2d31', text: 'k-1' },
    value: { bytes: 7, hex: Buffer.from('{"a":1}').toString('hex'), text: '{"a":1}' },
    headers: [
      { name: 'trace', value: { bytes: 3, hex: '616263', text: 'abc' } },
      { name: 'blob', value: { bytes: 2, hex: '00ff' } },
    ],
  });
  assert.deepEqual(await browse.ask('peekedRecord', { peek: peek.id, n: 1 }), { headers: [] });
  assert.deepEqual((await browse.ask('peekedRecord', { peek: peek.id, n: 2 }))?.key, { bytes: 3, hex: '0102c8' });
});

test('a record that is being written faster than a table shows is counted, not queued', { skip }, async () => {
  await client.createTopic('fast');
  const peek = await browse.peek('here', 'fast', { kind: 'newest' });
  await peek.until('the contact', ({ last }) => last.isAtEnd);
  for (let sent = 0; sent < 5; sent++)
    await client.send(
      'fast',
      Array.from({ length: 4000 }, (_, n) => ({ value: { n } })),
    );
  await peek.until('all', ({ last }) => last.read === 20_000);
  const { skipped } = peek.last;
  assert.equal(peek.rows.length + skipped, 20_000);
  assert.ok(peek.rows.length < 10_000, `${peek.rows.length} rows`);
  assert.deepEqual(peek.rows.at(-1)!.value, { n: 3999 });
});

test('a group has the lag of what it has committed, and looking makes no group and no topic', { skip }, async () => {
  const before = await browse.ask('topics', { connection: 'here', internal: true });
  assert.deepEqual(await browse.ask('groups', { connection: 'here' }), { groups: [], mayBePartial: false });
  const after = await browse.ask('topics', { connection: 'here', internal: true });
  assert.deepEqual(
    after.topics.map(({ topic }) => topic),
    before.topics.map(({ topic }) => topic),
  );
  await client.admin.setOffsets({
    groupId: 'billing',
    topic: 'orders',
    partitions: [
      { partition: 0, offset: '91' },
      { partition: 1, offset: '101' },
    ],
  });
  const groups = [{ group: 'billing', state: 'Empty', lag: 10 }];
  assert.deepEqual(await browse.ask('groups', { connection: 'here' }), { groups, mayBePartial: false });
  assert.deepEqual(await browse.ask('group', { connection: 'here', group: 'billing' }), [
    { topic: 'orders', partition: 0, committed: 91, end: 101 },
    { topic: 'orders', partition: 1, committed: 101, end: 101 },
  ]);
  const listed = await client.admin.listGroups();
  assert.deepEqual(
    listed.groups.map(({ groupId }) => groupId),
    ['billing'],
  );
});

test('internal topics are shown on request only', { skip }, async () => {
  const names = async (internal: boolean): Promise<string[]> =>
    (await browse.ask('topics', { connection: 'here', internal })).topics.map(({ topic }) => topic);
  assert.equal((await names(false)).includes('__consumer_offsets'), false);
  assert.equal((await names(true)).at(-1), '__consumer_offsets');
});

test('the subjects of a registry come with their latest schema, which reads the records', { skip }, async () => {
  const type = avro.Type.forSchema({ type: 'record', name: 'Order', fields: [{ name: 'id', type: 'string' }] });
  const id = await registry.register('avro-orders-value', { schema: JSON.stringify(type.schema()) });
  assert.deepEqual(await browse.ask('subjects', { connection: 'here' }), ['avro-orders-value']);
  const { text, ...about } = await browse.ask('schema', { connection: 'here', subject: 'avro-orders-value' });
  assert.deepEqual(about, { subject: 'avro-orders-value', version: 1, id, type: 'Avro' });
  assert.equal((JSON.parse(text) as { name: string }).name, 'Order');
  assert.equal(await browse.ask('subjects', { connection: 'nobody' }), null);

  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  await client.createTopic('avro-orders');
  const value = Buffer.concat([head, type.toBuffer({ id: 'o-1' })]);
  await client.producer.send({ topic: 'avro-orders', messages: [{ value }] });
  const peek = await browse.peek('here', 'avro-orders', { kind: 'newest' });
  await peek.until('the record', ({ rows }) => rows.length === 1);
  assert.deepEqual([peek.rows[0]!.value, peek.last.format], [{ id: 'o-1' }, 'Avro (schema registry)']);
  const { format } = await browse.ask('topic', { connection: 'here', topic: 'avro-orders' });
  assert.equal(format, 'Avro (schema registry)');
});

test('a partition without leader is named, holds up no other one, and goes on when it is back', { skip }, async () => {
  const peek = await browse.peek('here', 'orders', { kind: 'newest' });
  await peek.until('the newest records', ({ last }) => last.isAtEnd);
  const before = await browse.ask('topic', { connection: 'here', topic: 'orders' });
  const [lost] = before.partitions.filter(({ leader }) => leader === 2);
  const [kept] = before.partitions.filter(({ leader }) => leader === 1);
  await cluster.nodes[1]!.kill();
  await peek.until('the trouble', ({ last }) => last.trouble?.includes(`orders[${lost!.partition}]`) === true);
  for (;;) {
    const { partitions } = await browse.ask('topic', { connection: 'here', topic: 'orders' });
    const { problem, leader, end } = partitions[lost!.partition]!;
    if (problem !== 'no leader') continue;
    assert.deepEqual([leader, end], [undefined, undefined]);
    assert.deepEqual(partitions[kept!.partition], kept);
    break;
  }
  const { topics } = await browse.ask('topics', { connection: 'here', internal: false });
  assert.match(topics.find(({ topic }) => topic === 'orders')!.problem!, /^[12] of 3 partitions without leader$/);
  const other = await browse.peek('here', 'orders', { kind: 'offset', partition: kept!.partition, offset: 90 });
  await other.until('records of another partition', ({ rows }) => rows.length >= 10);
  await cluster.nodes[1]!.start();
  await peek.until('the end of the trouble', ({ last }) => last.trouble === undefined);
  assert.equal(peek.last.state, 'reading');
});

test('the service ends with its client', { skip }, async () => {
  const other = startBrowse();
  await other.ask('connections', { connections: {} });
  other.close();
  await other.ended;
});
