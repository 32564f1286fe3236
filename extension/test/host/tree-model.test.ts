// The side bar's items: each is one line that says what it is and what is wrong. They are asked for
// when they open, and again while they are open.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { BrowseRequests, GroupList, TopicDetails, TopicList } from '../../../kernel/protocol/browse.ts';
import type { ConnectionDefinitions } from '../../../kernel/protocol/connections.ts';
import { TreeModel, type Ask } from '../../browse/tree-model.ts';
import {
  connectionLine,
  groupsLine,
  partitionLine,
  shortReason,
  topicLine,
  type TreeNode,
} from '../../browse/tree-nodes.ts';

type Answers = { [M in keyof BrowseRequests]?: (params: BrowseRequests[M]['params']) => BrowseRequests[M]['result'] };

function modelWith(answers: Answers, definitions: ConnectionDefinitions = { prod: { brokers: 'b:9092' } }) {
  const asked: string[] = [];
  const drawn: (string | undefined)[] = [];
  const ask = ((method: keyof BrowseRequests, params: never) => {
    asked.push(method);
    return Promise.resolve().then(() => (answers[method] as (params: never) => unknown)(params));
  }) as Ask;
  let now = 0;
  const model: TreeModel = new TreeModel({
    ask,
    definitions: () => definitions,
    onChange: (node) => drawn.push(node?.kind),
    now: () => now,
  });
  const texts = async (node?: TreeNode): Promise<string[]> =>
    (await model.children(node)).map((child) => {
      const { label, description } = model.line(child);
      return `${label} | ${description}`;
    });
  return { model, asked, drawn, texts, tick: (millis: number) => (now += millis) };
}
const list = (...topics: readonly string[]): TopicList => ({
  topics: topics.map((topic) => ({ topic, partitions: 1, internal: false, records: 5 })),
  brokers: ['b:9092'],
});
const prod: TreeNode = { kind: 'connection', connection: 'prod' };

test('a connection says how it is secured, or why it cannot be reached', () => {
  const definition = { brokers: 'b:9092', tls: true } as const;
  assert.equal(connectionLine('prod', definition, { kind: 'unknown' }).description, 'SSL');
  assert.equal(connectionLine('prod', { brokers: 'b:9092' }, { kind: 'there', list: list() }).description, 'b:9092');
  const failed = connectionLine('prod', definition, {
    kind: 'failed',
    reason: 'b:9092 refused the connection. Start it.',
  });
  assert.deepEqual(
    [failed.description, failed.tooltip],
    ['refused the connection · b:9092', 'b:9092 refused the connection. Start it.'],
  );
  assert.equal(shortReason('x'.repeat(200), 'b:9092').length, 80);
});

test('topics are asked for when their connection opens, and groups and schemas stand behind them', async () => {
  const { model, asked, texts } = modelWith({ topics: () => list('orders', 'payments') });
  assert.deepEqual(await texts(), ['prod | b:9092']);
  assert.deepEqual(asked, []);
  assert.deepEqual(await texts(prod), [
    'orders | 1 partition · 5 records',
    'payments | 1 partition · 5 records',
    'Groups | ',
    'Schemas | ',
  ]);
  await texts(prod);
  assert.deepEqual(asked, ['topics']);
  assert.equal(model.line(prod).icon, 'circle-filled');
});

test('of a thousand topics a hundred are shown, or those that match the filter', async () => {
  const many = Array.from({ length: 1000 }, (_, n) => `topic-${String(n).padStart(3, '0')}`);
  const { model, texts } = modelWith({ topics: () => list(...many) });
  assert.equal((await texts(prod)).length, 103);
  assert.equal((await texts(prod))[100], '900 more | show all, or filter');
  model.setFilter('prod', '99');
  assert.deepEqual(
    (await texts(prod)).slice(0, -2).map((text) => text.split(' ')[0]),
    many.filter((name) => name.includes('99')),
  );
  assert.match((await texts())[0]!, /topics with "99"$/);
  model.setFilter('prod', 'nothing');
  assert.equal((await texts(prod))[0], ' | none of 1,000 topics contains "nothing"');
  model.setFilter('prod', '');
  model.showAll('prod');
  assert.equal((await texts(prod)).length, 1002);
});

test('one that fails is a line with the reason, and harms no other', async () => {
  const fail = (): never => {
    throw new Error('b:9092 refused the connection.');
  };
  const { model, texts } = modelWith(
    { topics: ({ connection }) => (connection === 'prod' ? fail() : list('orders')), groups: fail },
    { prod: { brokers: 'b:9092' }, other: { brokers: 'o:1' } },
  );
  assert.deepEqual(await texts(prod), [' | b:9092 refused the connection.']);
  assert.deepEqual(await texts(), ['prod | refused the connection · b:9092', 'other | o:1']);
  assert.equal((await texts({ kind: 'connection', connection: 'other' })).length, 3);
  assert.deepEqual(await texts({ kind: 'groups', connection: 'other' }), [' | b:9092 refused the connection.']);
  assert.equal(model.line(prod).colour, 'charts.red');
});

test('what is open is asked again, and drawn again only if it has changed', async () => {
  let records = 5;
  const { model, asked, drawn, texts } = modelWith({
    topics: () => ({ brokers: [], topics: [{ topic: 'orders', partitions: 1, internal: false, records }] }),
  });
  await texts(prod);
  model.opened(prod);
  drawn.length = 0;
  await model.refresh();
  assert.deepEqual([asked, drawn], [['topics', 'topics'], []]);
  records = 6;
  await model.refresh();
  assert.deepEqual(drawn, ['connection']);
  assert.match((await texts(prod))[0]!, /6 records/);
  model.closed(prod);
  await model.refresh();
  assert.equal(asked.length, 3);
});

test('a partition without leader says since when, and a topic its rate and its format', async () => {
  let leader: number | undefined = 1;
  let end = 100;
  const details = (): TopicDetails => ({
    at: end * 10,
    format: 'JSON',
    partitions: [{ partition: 0, begin: 0, end, ...(leader === undefined ? { problem: 'no leader' } : { leader }) }],
  });
  const { model, texts, tick } = modelWith({ topics: () => list('orders'), topic: details });
  const [topic] = await model.children(prod);
  assert.deepEqual(await texts(topic), ['0 | 0 … 100 · leader 1']);
  assert.equal(model.line(topic!).description, '1 partition · JSON · 100 records');
  model.opened(topic!);
  end = 300;
  leader = undefined;
  await model.refresh();
  tick(41_000);
  assert.deepEqual(await texts(topic), ['0 | 0 … 300 · leader — · no leader for 41 s']);
  assert.equal(model.line(topic!).description, '1 partition · 100/s · JSON · 300 records');
  leader = 2;
  await model.refresh();
  assert.deepEqual(await texts(topic), ['0 | 0 … 300 · leader 2']);
});

test('lines of topics, partitions and groups', () => {
  const topic = { topic: 'orders', partitions: 4, internal: false } as const;
  assert.equal(topicLine(topic).description, '4 partitions');
  assert.equal(topicLine({ ...topic, records: 0 }).description, '4 partitions · empty');
  assert.equal(
    topicLine({ ...topic, problem: '1 of 4 partitions without leader' }).description,
    '1 of 4 partitions without leader · 4 partitions',
  );
  assert.equal(
    partitionLine({ partition: 3, begin: 7, end: 7, leader: 2 }, undefined, 0).description,
    'empty at 7 · leader 2',
  );
  const lagging = [
    { group: 'a', lag: 3 },
    { group: 'billing', lag: 1204 },
  ];
  assert.equal(groupsLine({ groups: lagging, mayBePartial: true }).description, 'billing: 1,204 behind');
  assert.equal(groupsLine({ groups: [{ group: 'a', lag: 0 }], mayBePartial: false }).description, '1 group');
});

test('groups that Kafka hides are spoken of where it hides them, and only there', async () => {
  let groups: GroupList = { groups: [{ group: 'a', lag: 0 }], mayBePartial: true };
  const { model, texts } = modelWith({ topics: () => list('orders'), groups: () => groups, group: () => [] });
  const node: TreeNode = { kind: 'groups', connection: 'prod' };
  model.opened(node);
  assert.deepEqual(await texts(node), ['a | up to date', ' | others may be hidden (no DESCRIBE)']);
  assert.equal(model.line(node).description, '1 visible group');
  assert.match(model.line(node).tooltip, /only the groups for which this user has the right DESCRIBE/);
  const [first] = await model.children(node);
  assert.deepEqual(await texts(first), [' | no offsets of visible topics']);
  for (const [mayBePartial, text] of [
    [true, 'none visible (no DESCRIBE)'],
    [false, 'no groups'],
  ] as const) {
    groups = { groups: [], mayBePartial };
    await model.refresh();
    assert.deepEqual(await texts(node), [` | ${text}`]);
  }
  groups = { groups: [{ group: 'a', lag: 0 }], mayBePartial: false };
  await model.refresh();
  assert.deepEqual(await texts(node), ['a | up to date']);
});

test('new connections make it forget, and a late answer of the former ones is not kept', async () => {
  const answer = Promise.withResolvers<TopicList>();
  const definitions: Record<string, { brokers: string }> = { prod: { brokers: 'b:9092' } };
  const model: TreeModel = new TreeModel({
    ask: () => answer.promise,
    definitions: () => definitions,
    onChange: () => undefined,
    now: () => 0,
  });
  const late = model.children(prod);
  model.forgetAll();
  answer.resolve(list('orders'));
  await late;
  assert.equal(model.topicsOf('prod'), undefined);
});
