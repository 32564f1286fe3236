// The cell that "Open as Cell" writes.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { cellOfTopic, namesOf, variableFor } from '../../browse/cell-of-topic.ts';

const none: ReadonlySet<string> = new Set();

test('a cell names its stream after the topic, and the connection unless it is the default one', () => {
  assert.equal(
    cellOfTopic('orders', 'default', { taken: none, imports: false }),
    "const orders = kafka('orders');\norders;",
  );
  assert.equal(
    cellOfTopic('orders', 'prod', { taken: new Set(['orders']), imports: true }),
    "import { kafka } from 'sluice';\nconst orders2 = kafka('orders', { connection: 'prod' });\norders2;",
  );
  assert.match(cellOfTopic("it's", 'default', { taken: none, imports: false }), /kafka\('it\\'s'\)/);
});

test('any name of a topic becomes a name of TypeScript', () => {
  const names = ['orders-by-day.v1', 'GPS', 'OrderLines', '2024-orders', '...', 'class', 'kafka', 'a_b'];
  assert.deepEqual(
    names.map((topic) => variableFor(topic, none)),
    ['ordersByDayV1', 'gps', 'orderLines', 'topic2024Orders', 'topic', 'topicClass', 'topicKafka', 'aB'],
  );
});

test('names and imports of a notebook are found in its cells', () => {
  const { taken, imports } = namesOf([
    "import { avg, kafka } from 'sluice';\nconst orders = 1;",
    'interface Order { id: string }',
  ]);
  assert.deepEqual([[...taken].toSorted(), imports], [['Order', 'orders'], false]);
  assert.equal(namesOf(["import { generate } from 'sluice';"]).imports, true);
});
