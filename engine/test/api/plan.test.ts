// A cell's chain as a plan: nodes, edges, uids and names, as literal JSON.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder, runWithBuilder } from '../../api/builder.ts';
import { makeSources } from '../../api/sources.ts';
import { functionHash, ownHash, shapeHash } from '../../graph/fingerprint.ts';
import { FunctionTable, type Plan } from '../../graph/plan.ts';
import type { FunctionRef } from '../../graph/spec.ts';
import { count, from, generate, kafka, sliding, sum, tumbling, valueState } from '../../index.ts';
import { evaluate, nodeOf, uids } from './evaluate.ts';

interface Order {
  id: string;
  customer: string;
  amount: number;
  createdAt: string;
}

test('a chain from a topic to a window and a sink is this plan', () => {
  const large = (order: Order): boolean => order.amount > 100;
  const fragment = evaluate((set) => {
    set('orders');
    const orders = kafka<Order>('orders', {
      timestamp: 'createdAt',
      watermark: { outOfOrderness: '5s', idleness: '30s' },
    });
    set('totals');
    const totals = orders
      .filter(large)
      .keyBy('customer')
      .window(sliding('10m', '1m', { offset: '-30s' }))
      .allowedLateness('1.5m')
      .aggregate({ total: sum('amount'), n: count() });
    set();
    totals.late.to('orders-late', { key: 'customer', connection: 'staging' });
  });
  const fn = { uid: 'cell/totals/filter#1', slot: 'fn', textHash: functionHash(large) };
  const window = { kind: 'sliding', sizeMillis: 600_000, slideMillis: 60_000, offsetMillis: -30_000, time: 'event' };
  assert.deepEqual(
    JSON.parse(JSON.stringify({ nodes: fragment.nodes, edges: fragment.edges, sinks: fragment.sinks })),
    {
      nodes: [
        {
          id: 'cell/orders/kafka#1',
          uid: 'cell/orders/kafka#1',
          kind: 'kafka',
          name: 'kafka orders',
          group: 'cell',
          parameters: {
            topic: 'orders',
            from: 'latest',
            format: 'auto',
            timestamp: { field: 'createdAt' },
            watermark: { outOfOrdernessMillis: 5_000, idlenessMillis: 30_000 },
          },
          own: ownHash('kafka', {
            topic: 'orders',
            from: 'latest',
            format: 'auto',
            timestamp: { field: 'createdAt' },
            watermark: { outOfOrdernessMillis: 5_000, idlenessMillis: 30_000 },
          }),
          shape: shapeHash('kafka', 'orders', null),
        },
        {
          id: 'cell/totals/filter#1',
          uid: 'cell/totals/filter#1',
          kind: 'filter',
          name: 'filter large',
          group: 'cell',
          parameters: { fn },
          own: ownHash('filter', { fn }),
          shape: '',
        },
        {
          id: 'cell/totals/keyBy#1',
          uid: 'cell/totals/keyBy#1',
          kind: 'keyBy',
          name: 'keyBy customer',
          group: 'cell',
          parameters: { key: { fields: ['customer'] } },
          own: ownHash('keyBy', { key: { fields: ['customer'] } }),
          shape: '',
        },
        {
          id: 'cell/totals/aggregate#1',
          uid: 'cell/totals/aggregate#1',
          kind: 'windowAggregate',
          name: 'aggregate total, n',
          group: 'cell',
          parameters: {
            window,
            allowedLatenessMillis: 90_000,
            aggregates: { total: { name: 'sum', value: { field: 'amount' } }, n: { name: 'count' } },
          },
          own: ownHash('windowAggregate', {
            window,
            allowedLatenessMillis: 90_000,
            aggregates: { total: { name: 'sum', value: { field: 'amount' } }, n: { name: 'count' } },
          }),
          shape: shapeHash('windowAggregate', window, [
            ['total', 'sum'],
            ['n', 'count'],
          ]),
        },
        {
          id: 'cell/_/to#1',
          uid: 'cell/_/to#1',
          kind: 'kafkaSink',
          name: 'to orders-late',
          group: 'cell',
          parameters: {
            topic: 'orders-late',
            connection: 'staging',
            key: { field: 'customer' },
            format: 'json',
            delivery: 'at-least-once',
          },
          own: ownHash('kafkaSink', {
            topic: 'orders-late',
            connection: 'staging',
            key: { field: 'customer' },
            format: 'json',
            delivery: 'at-least-once',
          }),
          shape: '',
        },
      ],
      edges: [
        {
          from: { node: 'cell/orders/kafka#1', port: 'out' },
          to: 'cell/totals/filter#1',
          input: 0,
          exchange: 'forward',
        },
        {
          from: { node: 'cell/totals/filter#1', port: 'out' },
          to: 'cell/totals/keyBy#1',
          input: 0,
          exchange: 'forward',
        },
        {
          from: { node: 'cell/totals/keyBy#1', port: 'out' },
          to: 'cell/totals/aggregate#1',
          input: 0,
          exchange: 'key',
        },
        { from: { node: 'cell/totals/aggregate#1', port: 'late' }, to: 'cell/_/to#1', input: 0, exchange: 'forward' },
      ],
      sinks: [{ node: 'cell/_/to#1', target: 'topic orders-late on staging' }],
    },
  );
  assert.equal(fragment.functions.get(fn), large);
});

test('a plan is JSON and comes back from JSON as the same plan', () => {
  const fragment = evaluate((set) => {
    set('numbers');
    const numbers = generate({ limit: 10, timestamp: (e: { at: Date }) => e.at }, ({ n, now }) => ({ n, at: now }));
    set();
    numbers.connect(from([1])).map(
      (element) => element.n,
      (n) => n,
    );
    numbers.windowAll(tumbling('1s')).reduce((a) => a);
    numbers.keyBy('n').process({ state: { last: valueState() }, onElement: () => [] });
  });
  const plan = { version: 1, nodes: fragment.nodes, edges: fragment.edges };
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
});

test('every function of a plan is found in the table, and only those', () => {
  const left = (n: number): number => n;
  const right = (n: number): number => -n;
  const fragment = evaluate(
    () =>
      void from([1])
        .connect(from([2]))
        .map(left, right),
  );
  const { parameters } = nodeOf(fragment, 'connectMap') as unknown as {
    parameters: Record<string, FunctionRef>;
  };
  assert.equal(fragment.functions.get(parameters['left']!), left);
  assert.equal(fragment.functions.get(parameters['right']!), right);
  const plan: Plan = { version: 1, nodes: fragment.nodes.filter((node) => node.kind !== 'connectMap'), edges: [] };
  fragment.functions.retain(plan);
  assert.throws(() => fragment.functions.get(parameters['left']!), /function left of .* was evaluated here/);
});

test('a plan of a former life gets the present function of the same slot, and a stand-in where there is none', () => {
  const double = (n: number): number => n * 2;
  const fragment = evaluate(() => void from([1]).map(double));
  const node = nodeOf(fragment, 'map');
  const { fn } = node.parameters as { fn: FunctionRef };
  const renamed = (ref: FunctionRef): Plan => ({
    ...{ version: 1, edges: [] },
    nodes: [{ ...node, parameters: { fn: ref } }],
  });
  const former = { ...fn, textHash: 'another' };
  const other = { ...fn, uid: 'gone' };
  for (const ref of [fn, former, other]) fragment.functions.fill(renamed(ref), ({ uid }) => `nothing of ${uid}`);
  assert.equal(fragment.functions.get(fn), double);
  assert.equal(fragment.functions.get(former), double);
  assert.equal(fragment.functions.get(other), 'nothing of gone');
});

test('an object literal of functions keeps its own this, and each method has the slot of its name', () => {
  const fragment = evaluate(
    () =>
      void from([1])
        .keyBy((n) => n)
        .process({
          state: { last: valueState<number>() },
          factor: 3,
          *onElement(this: { factor: number }, n: number) {
            yield n * this.factor;
          },
          *onTimer() {},
        } as never),
  );
  const process = nodeOf(fragment, 'process');
  assert.deepEqual(process.parameters['state'], { last: { kind: 'value' } });
  const fn = process.parameters['onElement'];
  assert.deepEqual([fn.uid, fn.slot], [process.uid, 'onElement']);
  assert.equal((process.parameters['onTimer'] as unknown as FunctionRef).slot, 'onTimer');
  assert.deepEqual([...fragment.functions.get<(n: number) => Iterable<number>>(fn)(2)], [6]);
});

test('a union has one edge per stream, its own first', () => {
  const fragment = evaluate((set) => {
    set('a');
    const a = from([1]);
    set('b');
    const b = from([2]);
    set('both');
    a.union(b, a);
  });
  assert.deepEqual(
    fragment.edges.map(({ from: start, input }) => ['node' in start && start.node, input]),
    [
      ['cell/a/from#1', 0],
      ['cell/b/from#1', 0],
      ['cell/a/from#1', 0],
    ],
  );
});

test('windowAll is one constant key; connect().keyBy() is one key on each side', () => {
  const fragment = evaluate((set) => {
    set('n');
    from([1]).windowAll(tumbling('1m')).aggregate({ n: count() });
    set('both');
    from([1])
      .connect(from([2]))
      .keyBy(
        (n) => n,
        (n) => n,
      )
      .process({ *onLeft() {}, *onRight() {} });
  });
  assert.deepEqual(fragment.nodes.find((node) => node.uid === 'cell/n/windowAll#1')?.parameters, {
    key: { constant: true },
  });
  assert.deepEqual(
    fragment.edges
      .filter(({ to }) => to === 'cell/both/connect#1')
      .map(({ from: start, input, exchange }) => ['node' in start && start.node, input, exchange]),
    [
      ['cell/both/keyBy#1', 0, 'key'],
      ['cell/both/keyBy#2', 1, 'key'],
    ],
  );
});

test('operators belong to the cell whose text runs, not to the cell whose stream they are called on', () => {
  const a = new Builder({ group: 'a' });
  const orders = runWithBuilder(a, () => from([1]));
  a.seal();
  const b = new Builder({ group: 'b' });
  runWithBuilder(b, () => orders.map(String));
  assert.deepEqual(uids(a.fragment()), ['a/_/from#1']);
  assert.deepEqual(uids(b.fragment()), ['b/_/map#1']);
  assert.throws(() => orders.map(String), { code: 'not-evaluating' });
});

test('an evaluation keeps its builder through its awaits', async () => {
  const builder = new Builder({ group: 'cell' });
  await runWithBuilder(builder, async () => {
    await Promise.resolve();
    from([1]);
  });
  assert.deepEqual(uids(builder.fragment()), ['cell/_/from#1']);
});

test('an Environment inside a cell keeps its streams to itself', () => {
  const environment = new Builder({ group: '' });
  const fragment = evaluate(() => {
    const numbers = makeSources(environment).from([1]);
    numbers.map(String);
    assert.throws(() => from([1]).union(numbers), { code: 'foreign-stream' });
  });
  assert.deepEqual(uids(environment.fragment()), ['from#1', 'map#1']);
  assert.deepEqual(uids(fragment), ['cell/_/from#1']);
});

test('a fragment taken in the middle of an evaluation is a part of the one at its end', () => {
  const builder = new Builder({ group: 'cell' });
  runWithBuilder(builder, () => {
    const numbers = from([1]).map((n) => n + 1);
    const early = builder.fragment();
    numbers.filter((n) => n > 1);
    assert.deepEqual(builder.fragment().nodes.slice(0, 2), early.nodes);
  });
  assert.ok(builder.fragment().functions instanceof FunctionTable);
});
