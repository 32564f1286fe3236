// Streams that one cell reads from another, and the display of a cell's value.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder, runWithBuilder } from '../../api/builder.ts';
import { endpointOf, follow, isStreamLike, reference } from '../../api/reference.ts';
import { shownBy } from '../../api/view.ts';
import { hashValue } from '../../graph/fingerprint.ts';
import { backpressure, count, from, kafka, tumbling, view } from '../../index.ts';
import { evaluate } from './evaluate.ts';

/** How a cell shows the value of its last expression. */
const displaySpecOf = (last: unknown) => shownBy(new Builder({ group: 'b' }), last).parts[0];

/** The variables of cell `a`. */
function cellA() {
  const builder = new Builder({ group: 'a' });
  return runWithBuilder(builder, () => {
    const orders = kafka<{ k: string }>('orders');
    const keyed = orders.keyBy('k');
    const windowed = keyed.window(tumbling('1m')).allowedLateness('5s');
    const totals = windowed.aggregate({ n: count() });
    return { orders, keyed, windowed, totals, late: totals.late };
  });
}

test('a reference is the same kind of stream, read by the name of its variable', () => {
  const a = cellA();
  const fragment = evaluate((set) => {
    set('b');
    const orders = reference(a.orders, 'a', 'orders');
    orders.map((o) => o.k);
    orders.errors.map((e) => e.raw);
    reference(a.keyed, 'a', 'keyed').reduce((x) => x);
    reference(a.windowed, 'a', 'windowed').aggregate({ m: count() });
    reference(a.totals, 'a', 'totals').late.map((o) => o.k);
  });
  assert.deepEqual(
    fragment.edges.map(({ from: start, to, exchange }) => [start, to, exchange]),
    [
      [{ group: 'a', variable: 'orders', port: 'out' }, 'cell/b/map#1', 'forward'],
      [{ group: 'a', variable: 'orders', port: 'errors' }, 'cell/b/map#2', 'forward'],
      [{ group: 'a', variable: 'keyed', port: 'out' }, 'cell/b/reduce#1', 'key'],
      [{ group: 'a', variable: 'windowed', port: 'out' }, 'cell/b/aggregate#1', 'key'],
      [{ group: 'a', variable: 'totals', port: 'late' }, 'cell/b/map#3', 'forward'],
    ],
  );
  assert.deepEqual(fragment.nodes.find((node) => node.kind === 'windowAggregate')?.parameters, {
    window: { kind: 'tumbling', sizeMillis: 60_000, offsetMillis: 0, time: 'event' },
    allowedLatenessMillis: 5_000,
    aggregates: { m: { name: 'count' } },
  });
});

test('a referenced key still refuses aggregates of its name', () => {
  const { keyed } = cellA();
  const cell = () => void reference(keyed, 'a', 'keyed').aggregate({ k: count() } as never);
  assert.throws(() => evaluate(cell), { code: 'name-taken' });
});

test('a variable resolves to what it holds: the stream itself, or the port beside it', () => {
  const { totals, late, keyed } = cellA();
  const held = { node: 'a/_/aggregate#1', port: 'out' };
  assert.deepEqual(endpointOf(totals), held);
  assert.deepEqual(endpointOf(keyed), { node: 'a/_/keyBy#1', port: 'out' });
  assert.deepEqual(follow({ group: 'a', variable: 'totals', port: 'out' }, endpointOf(totals)!), held);
  assert.deepEqual(follow({ group: 'a', variable: 'totals', port: 'late' }, endpointOf(totals)!), {
    node: 'a/_/aggregate#1',
    port: 'late',
  });
  assert.deepEqual(follow({ group: 'a', variable: 'late', port: 'out' }, endpointOf(late)!), {
    node: 'a/_/aggregate#1',
    port: 'late',
  });
});

test('only streams are stream-like; other values pass a reference unchanged', () => {
  const { orders, keyed, windowed, totals } = cellA();
  for (const stream of [orders, keyed, windowed, totals]) assert.ok(isStreamLike(stream));
  const value = { total: 5 };
  assert.equal(reference(value, 'a', 'value'), value);
  for (const other of [value, null, undefined, 'orders', evaluate, tumbling('1m')]) {
    assert.equal(isStreamLike(other), false);
    assert.equal(endpointOf(other), undefined);
  }
});

test('a captured stream is hashed as where it is read, not as what it holds', () => {
  const { orders } = cellA();
  const again = cellA().orders;
  assert.equal(hashValue(orders), hashValue(again));
  assert.notEqual(hashValue(orders), hashValue(orders.errors));
  assert.equal(hashValue(reference(orders, 'a', 'orders')), hashValue(reference(again, 'a', 'orders')));
});

test('a stream shows as a table whose rows replace each other by key and window', () => {
  const { orders, totals } = cellA();
  const key = ['k', 'windowStart', 'windowEnd'];
  const at = (node: string, port = 'out') => ({ node, port });
  assert.deepEqual(displaySpecOf(orders), { kind: 'table', from: at('a/_/kafka#1'), rows: 100 });
  assert.deepEqual(displaySpecOf(totals), { kind: 'table', from: at('a/_/aggregate#1'), rows: 100, key });
  assert.deepEqual(displaySpecOf(totals.late), { kind: 'table', from: at('a/_/aggregate#1', 'late'), rows: 100 });
  const shown = reference(totals, 'a', 'totals').show({ rows: 5 });
  assert.deepEqual(displaySpecOf(shown), {
    kind: 'table',
    from: { group: 'a', variable: 'totals', port: 'out' },
    rows: 5,
    key,
  });
});

test('rows keep their key through filter and take, and lose it in map', () => {
  const keys: unknown[] = [];
  evaluate(() => {
    const totals = from([{ k: 1 }])
      .windowAll(tumbling('1m'))
      .aggregate({ n: count() });
    for (const stream of [totals.filter((row) => row.n > 1).take(3), totals.map((row) => row.n)])
      keys.push((displaySpecOf(stream) as { key?: unknown }).key);
  });
  assert.deepEqual(keys, [['windowStart', 'windowEnd'], undefined]);
});

test('a chart keeps its mark or its spec, and a view its parts in order', () => {
  const { orders } = cellA();
  const spec = { encoding: { x: { field: 'k' } }, mark: 'bar' };
  const shown = view(orders.chart({ x: 'k', y: 'k', last: '15m' }), orders.chart(spec), backpressure(), orders);
  const at = { node: 'a/_/kafka#1', port: 'out' };
  assert.deepEqual(displaySpecOf(shown), {
    kind: 'view',
    parts: [
      { kind: 'chart', from: at, mark: { x: 'k', y: 'k', last: '15m' } },
      { kind: 'chart', from: at, vega: spec },
      { kind: 'backpressure' },
      { kind: 'table', from: at, rows: 100 },
    ],
  });
});

test('values that are no display show nothing of their own', () => {
  for (const value of [undefined, null, 3, { kind: 'display' }, cellA().keyed, [cellA().orders]])
    assert.equal(displaySpecOf(value), undefined);
});
