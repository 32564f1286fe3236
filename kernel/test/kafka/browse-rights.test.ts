// What the side bar may say to a user with few rights: a broker leaves out what the user may not
// see, without a word. So a list that may lack something says so.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { allow, startSecuredBroker, type SecuredBroker } from '../../../engine/test/kafka/secured-broker.ts';
import { startBrowse, type BrowseClient } from './browse-client.ts';

const skip = whyNoKafka() !== undefined;
let broker: SecuredBroker;
let client: IndependentClient;
let browse: BrowseClient;
onBroker(startSecuredBroker, (started) => ({ broker, client } = started));

const connection = 'prod';
const topic = { topic: 'orders', rights: ['READ', 'DESCRIBE'] } as const;
const rights = (...given: Parameters<typeof allow>[2]): Promise<void> => allow(client, 'ann', given);

beforeAll(async () => {
  if (skip) return;
  for (const name of ['orders', 'salaries']) {
    await client.createTopic(name, 1);
    await client.send(name, [{ value: { n: 0 } }, { value: { n: 1 } }]);
  }
  for (const [groupId, name] of [
    ['billing', 'orders'],
    ['payroll', 'salaries'],
  ] as const)
    await client.admin.setOffsets({ groupId, topic: name, partitions: [{ partition: 0, offset: '1' }] });
  browse = startBrowse();
  const password = { value: broker.passwords.ann };
  const sasl = { mechanism: 'plain', username: 'ann', password } as const;
  await browse.ask('connections', { connections: { [connection]: { brokers: broker.at.saslInPlain, sasl } } });
}, 300_000);
afterAll(() => browse?.close());

test('groups without the right DESCRIBE are left out, and the list says that it may lack some', { skip }, async () => {
  await rights(topic);
  assert.deepEqual(await browse.ask('groups', { connection }), { groups: [], mayBePartial: true });
  const billing = { group: 'billing', state: 'Empty', lag: 1 };
  await rights(topic, { group: 'billing', rights: ['DESCRIBE'] });
  assert.deepEqual(await browse.ask('groups', { connection }), { groups: [billing], mayBePartial: true });
  // The group is readable, and its topic is not visible.
  await rights({ group: 'payroll', rights: ['DESCRIBE'] });
  const payroll = { group: 'payroll', state: 'Empty' };
  assert.deepEqual(await browse.ask('groups', { connection }), { groups: [payroll], mayBePartial: true });
  assert.deepEqual(await browse.ask('group', { connection, group: 'payroll' }), []);
});

test('with DESCRIBE on the cluster the list has all groups, and says so', { skip }, async () => {
  await rights(topic, { rights: ['DESCRIBE'] });
  const { groups, mayBePartial } = await browse.ask('groups', { connection });
  assert.deepEqual([groups.map(({ group }) => group), mayBePartial], [['billing', 'payroll'], false]);
});

test('a topic that may not be seen, or not read, says which right is missing', { skip }, async () => {
  await rights({ topic: 'orders', rights: ['DESCRIBE'] });
  const { topics } = await browse.ask('topics', { connection, internal: false });
  assert.deepEqual(
    topics.map((line) => line.topic),
    ['orders'],
  );
  await assert.rejects(
    browse.ask('topic', { connection, topic: 'salaries' }),
    /topic "salaries" .* is not allowed: the right DESCRIBE on the topic is missing/,
  );
  const peek = await browse.peek(connection, 'orders', { kind: 'earliest' });
  await peek.until('the refusal', ({ last }) => last.state === 'failed');
  assert.match(peek.last.trouble!, /topic "orders" .* is not allowed: the right READ on the topic is missing/);
});
