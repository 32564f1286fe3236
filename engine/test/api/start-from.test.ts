// Where an exported job starts in its topics, instead of where the notebook says.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder } from '../../api/builder.ts';
import { declareKafka } from '../../api/kafka.ts';
import { declareTable } from '../../api/table-source.ts';
import type { StartFrom } from '../../graph/parameters.ts';

function startsOf(startFrom: StartFrom | undefined): readonly (readonly [string, unknown])[] {
  const builder = new Builder({ group: 'cell', topics: { startFrom } });
  declareKafka(builder, 'live', {});
  declareKafka(builder, 'late', { from: { timestamp: 5 } });
  declareKafka(builder, 'bounded', { until: 'latest' });
  declareTable(builder, 'users', { key: 'id' });
  return builder
    .fragment()
    .nodes.flatMap((node) => (node.kind === 'kafka' ? [[node.parameters.topic, node.parameters.from] as const] : []));
}

test('a job starts where its notebook says, unless its start is given', () => {
  assert.deepEqual(startsOf(undefined), [
    ['live', 'latest'],
    ['late', { timestamp: 5 }],
    ['bounded', 'earliest'],
    ['users', 'earliest'],
  ]);
});

test('the given start is that of topics without an end, and of no table', () => {
  assert.deepEqual(startsOf({ committed: 'orders-2' }), [
    ['live', { committed: 'orders-2' }],
    ['late', { committed: 'orders-2' }],
    ['bounded', 'earliest'],
    ['users', 'earliest'],
  ]);
});

test('a job commits the offsets of all topics to its group, except those of tables', () => {
  const builder = new Builder({ group: 'cell', topics: { commitTo: 'orders-job' } });
  declareKafka(builder, 'live', {});
  declareKafka(builder, 'monitored', { group: 'others' });
  declareKafka(builder, 'bounded', { until: 'latest' });
  declareTable(builder, 'users', { key: 'id' });
  const groups = builder
    .fragment()
    .nodes.flatMap(({ kind, parameters }) => (kind === 'kafka' ? [[parameters.topic, parameters.commitTo]] : []));
  assert.deepEqual(groups, [
    ['live', 'orders-job'],
    ['monitored', 'orders-job'],
    ['bounded', 'orders-job'],
    ['users', undefined],
  ]);
});
