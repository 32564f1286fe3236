// A compacted topic of a real broker as a table: rows by key, deletes by tombstone, and a stream
// that joins it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Environment } from '../../index.ts';
import { startBroker, whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { SourceDriver } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
const run = `table${process.pid}-`;

onBroker(startBroker, (started) => ({ client } = started));

interface Customer {
  readonly id: string;
  readonly tier: string;
}
/** [key, value] of each message, in one partition; a value of null is a tombstone. */
async function filled(name: string, messages: readonly (readonly [string | null, unknown])[]): Promise<string> {
  const topic = run + name;
  await client.createTopic(topic, 1, { 'cleanup.policy': 'compact' });
  await client.producer.send({
    topic,
    messages: messages.map(([key, value], n) => ({
      key,
      value: value === null ? null : JSON.stringify(value),
      timestamp: String(1000 + n),
    })),
  });
  return topic;
}
const customers = (env: Environment, topic: string) => env.table<Customer, 'id'>(topic, { key: 'id', until: 'latest' });

test('rows by key: updates replace, tombstones delete', { skip }, async () => {
  const topic = await filled('rows', [
    ['a', { id: 'a', tier: 'basic' }],
    ['b', { id: 'b', tier: 'basic' }],
    ['a', { id: 'a', tier: 'gold' }],
    ['b', null],
    ['c', null],
  ]);
  const env = new Environment();
  assert.deepEqual(await customers(env, topic).toStream().toArray(), [
    { kind: 'insert', row: { id: 'a', tier: 'basic' } },
    { kind: 'insert', row: { id: 'b', tier: 'basic' } },
    { kind: 'update', row: { id: 'a', tier: 'gold' }, former: { id: 'a', tier: 'basic' } },
    { kind: 'delete', row: { id: 'b', tier: 'basic' }, former: { id: 'b', tier: 'basic' } },
  ]);
  const table = customers(env, topic);
  assert.deepEqual(await table.get({ id: 'a' }), { id: 'a', tier: 'gold' });
  assert.equal(await table.get({ id: 'b' }), undefined);
});

test('an element gets the version of its time', { skip }, async () => {
  const topic = await filled('versions', [
    ['"a"', { id: 'a', tier: 'basic' }],
    ['"a"', { id: 'a', tier: 'gold' }],
    ['"a"', null],
  ]);
  const env = new Environment();
  const orders = env.from(
    [999, 1000, 1001, 1002].map((at) => ({ customer: 'a', at })),
    { timestamp: 'at' },
  );
  const rows = await orders
    .keyBy('customer')
    .temporalJoin(customers(env, topic))
    .select((order, customer) => [order.at, customer?.tier ?? 'none'])
    .toArray();
  assert.deepEqual(rows, [
    [999, 'none'],
    [1000, 'basic'],
    [1001, 'gold'],
    [1002, 'none'],
  ]);
});

test(
  'what a table is read by is known after a restore, too; a record that is no row is counted',
  { skip },
  async () => {
    const topic = await filled('restored', [
      ['{"id":"a"}', { id: 'a', tier: 'basic' }],
      ['{"id":"b"}', { tier: 'basic' }],
      ['{"id":"a"}', null],
    ]);
    const parameters = { topic, from: 'earliest', until: 'latest', format: 'json', tableKey: 'id' } as const;
    const first = new SourceDriver(parameters, { roomPerPoll: 1 });
    await first.until('a row', () => first.rows.length > 0);
    first.isPaused = true;
    const snapshot = first.snapshot();
    first.close();
    const second = new SourceDriver(parameters, { snapshot });
    await second.ended();
    second.close();
    const rows = [...first.rows.slice(0, 1), ...second.rows].map(({ value }) => value);
    assert.deepEqual(rows, [
      { key: 'a', row: { id: 'a', tier: 'basic' } },
      { key: 'a', row: null },
    ]);
    assert.match(second.errors[0]!.error, /@1 has no "id", so it is no row of the table/);
  },
);
