// Sources that do not start where a job is told to start.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder } from '../../../engine/api/builder.ts';
import { declareKafka } from '../../../engine/api/kafka.ts';
import { declareTable } from '../../../engine/api/table-source.ts';
import type { StartFrom } from '../../../engine/graph/parameters.ts';
import { fixedStarts } from '../../job/fixed-starts.ts';

function saidOf(startFrom: StartFrom, more?: (builder: Builder) => void): string | undefined {
  const builder = new Builder({ group: 'cell', topics: { startFrom } });
  declareKafka(builder, 'live', {});
  declareKafka(builder, 'late', { from: { timestamp: 5 } });
  more?.(builder);
  return fixedStarts(builder.fragment().nodes, startFrom);
}
const more = (builder: Builder): void => {
  declareTable(builder, 'users', { key: 'id' });
  declareKafka(builder, 'rates', { until: 'latest' });
  declareKafka(builder, 'days', { from: { timestamp: 5 }, until: 'latest' });
};

test('a source that does not start where the job does is named, with the reason', () => {
  assert.equal(
    saidOf('latest', more),
    'The job starts at latest, but not in all of its sources: a table needs its whole topic (kafka users); with until, the notebook says what is read (kafka rates, kafka days).',
  );
  assert.match(
    saidOf({ committed: 'orders' }, more)!,
    /^The job starts at the committed offsets of "orders", but not in all of its sources: /,
  );
  assert.match(saidOf({ timestamp: 0 }, more)!, /^The job starts at 1970-01-01T00:00:00\.000Z, /);
  // What starts at its beginning anyway is no surprise.
  assert.equal(
    saidOf('earliest', more),
    'The job starts at earliest, but not in all of its sources: with until, the notebook says what is read (kafka days).',
  );
  assert.equal(saidOf('latest'), undefined);
});

test('the start of a job is that of topics without an end, and of no table and no part of a topic', () => {
  const startsOf = (startFrom: StartFrom): readonly unknown[] => {
    const builder = new Builder({ group: 'cell', topics: { startFrom } });
    declareKafka(builder, 'live', {});
    declareKafka(builder, 'late', { from: { timestamp: 5 } });
    more(builder);
    return builder.fragment().nodes.flatMap((node) => (node.kind === 'kafka' ? [node.parameters.from] : []));
  };
  const others = ['earliest', 'earliest', { timestamp: 5 }];
  // 'earliest' is the start under a new application id too.
  assert.deepEqual(startsOf('earliest'), ['earliest', 'earliest', ...others]);
  assert.deepEqual(startsOf('latest'), ['latest', 'latest', ...others]);
  const group = { committed: 'orders' };
  assert.deepEqual(startsOf(group), [group, group, ...others]);
});
