// The shape of an operator's state. With the same shape, changed functions keep the state. With
// another shape, the state starts empty.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { avg, count, from, generate, kafka, sliding, sum, tumbling, valueState } from '../../index.ts';
import { evaluate } from './evaluate.ts';

const row = { k: 'a', n: 1, m: 2 };
/** Shape of the last node that a cell declares. */
const shapeOf = (declare: () => unknown): string => evaluate(() => void declare()).nodes.at(-1)!.shape;
const windowed = (window = tumbling('1m'), aggregates: Parameters<typeof aggregate>[1] = { n: count() }) =>
  shapeOf(() => aggregate(window, aggregates));
const aggregate = (window: ReturnType<typeof tumbling>, aggregates: Record<string, ReturnType<typeof count>>) =>
  from([row]).keyBy('k').window(window).aggregate(aggregates);
const process = (state: Record<string, ReturnType<typeof valueState>>) =>
  shapeOf(() =>
    from([row])
      .keyBy('k')
      .process({ state, onElement: () => [] }),
  );

test('operators without state have no shape', () => {
  for (const declare of [
    () => from([row]).map((r) => r.n),
    () => from([row]).filter((r) => r.n > 1),
    () => from([row]).flatMap((r) => [r.n]),
    () => from([row]).union(from([row])),
    () => from([row]).keyBy('k'),
    () => from([row]).to('t'),
  ])
    assert.equal(shapeOf(declare), '');
});

test('the window and the aggregates are the shape of a windowed aggregate; what they select is not', () => {
  const base = windowed();
  assert.equal(windowed(), base);
  assert.notEqual(windowed(tumbling('2m')), base);
  assert.notEqual(windowed(tumbling('1m', { offset: '1s' })), base);
  assert.notEqual(windowed(sliding('1m', '1m')), base);
  assert.notEqual(windowed(tumbling('1m'), { rows: count() }), base);
  assert.notEqual(windowed(tumbling('1m'), { n: count(), m: count() }), base);
  const of = (total: ReturnType<typeof sum<typeof row>>) =>
    shapeOf(() => from([row]).keyBy('k').window(tumbling('1m')).aggregate({ total }));
  assert.equal(of(sum('n')), of(sum('m')));
  assert.equal(of(sum('n')), of(sum((r) => r.n * 2)));
  assert.notEqual(of(sum('n')), of(avg('n')));
});

test('the aggregates are the shape of the groups of a table', () => {
  const grouped = (total: ReturnType<typeof sum<typeof row>>) =>
    shapeOf(() => from([row]).keyBy('k').toTable().groupBy('n').aggregate({ total }));
  assert.equal(grouped(sum('n')), grouped(sum('m')));
  assert.notEqual(grouped(sum('n')), grouped(avg('n')));
});

test('allowed lateness and functions leave the shape alone', () => {
  const late = shapeOf(() =>
    from([row]).keyBy('k').window(tumbling('1m')).allowedLateness('5s').aggregate({ n: count() }),
  );
  assert.equal(late, windowed());
  assert.equal(
    shapeOf(() =>
      from([1])
        .windowAll(tumbling('1m'))
        .reduce((a) => a),
    ),
    shapeOf(() =>
      from([1])
        .windowAll(tumbling('1m'))
        .reduce((_a, b) => b),
    ),
  );
});

test('state by other names, in another order or with a time to live is another shape', () => {
  const base = process({ a: valueState(), b: valueState() });
  assert.equal(process({ a: valueState(), b: valueState() }), base);
  assert.notEqual(process({ b: valueState(), a: valueState() }), base);
  assert.notEqual(process({ a: valueState() }), base);
  const ttl = process({ a: valueState({ ttl: '1d' }), b: valueState() });
  assert.notEqual(ttl, base);
  assert.equal(process({ a: valueState({ ttl: '2d', refresh: 'read-write' }), b: valueState() }), ttl);
});

test('a live source keeps its position under another selector, not on another topic or at another rate', () => {
  const topic = shapeOf(() => kafka('t'));
  assert.equal(
    shapeOf(() => kafka('t', { timestamp: 'at', watermark: { outOfOrderness: '5s' } })),
    topic,
  );
  assert.notEqual(
    shapeOf(() => kafka('u')),
    topic,
  );
  assert.notEqual(
    shapeOf(() => kafka('t', { connection: 'staging' })),
    topic,
  );
  const rate = shapeOf(() => generate({ rate: 1 }, ({ n }) => n));
  assert.equal(
    shapeOf(() => generate({ rate: 1 }, ({ n }) => -n)),
    rate,
  );
  assert.notEqual(
    shapeOf(() => generate({ rate: 2 }, ({ n }) => n)),
    rate,
  );
});
