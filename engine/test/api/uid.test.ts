// Uids: the identity of an operator depends only on its position in the text.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { Builder, runWithBuilder } from '../../api/builder.ts';
import { makeSources } from '../../api/sources.ts';
import { count, from, tumbling, type Stream } from '../../index.ts';
import { evaluate, nodeOf, uids } from './evaluate.ts';

interface Order {
  id: string;
  customer: string;
  amount: number;
  createdAt: string;
}

test('an inserted map renames no other operator', () => {
  const cell = (insert: boolean) =>
    evaluate((set) => {
      set('totals');
      const source: Stream<{ k: string }> = from([{ k: 'a' }]);
      const mapped = insert ? source.map((e) => e) : source;
      mapped
        .keyBy('k')
        .window(tumbling('1m'))
        .aggregate({ n: count() })
        .filter((row) => row.n > 1);
    });
  const [without, with_] = [cell(false), cell(true)];
  assert.deepEqual(
    uids(with_).filter((uid) => uid !== 'cell/totals/map#1'),
    uids(without),
  );
});

test('ordinals count per variable and verb, and a given id does not stop the count', () => {
  const fragment = evaluate((set) => {
    set('a');
    from([1], { id: 'numbers' }).map(String).map(String).id('texts').map(String);
    set('b');
    from([1]).map(String);
    set();
    from([1]).map(String);
    from([1]);
  });
  assert.deepEqual(uids(fragment), [
    'numbers',
    'cell/a/map#1',
    'texts',
    'cell/a/map#3',
    'cell/b/from#1',
    'cell/b/map#1',
    'cell/_/from#1',
    'cell/_/map#1',
    'cell/_/from#2',
  ]);
});

test('an id reaches functions, edges, sinks and displays that were declared before it', () => {
  const builder = new Builder({ group: 'cell' });
  runWithBuilder(builder, () => {
    const doubled = from([1]).map((n) => n * 2);
    const display = doubled.show();
    doubled.sink(function print() {});
    doubled.id('doubled');
    assert.deepEqual((display as unknown as { spec: unknown }).spec, {
      kind: 'table',
      from: { node: 'doubled', port: 'out' },
      rows: 100,
    });
  });
  const fragment = builder.fragment();
  const map = nodeOf(fragment, 'map');
  assert.equal(map.id, 'doubled');
  assert.equal(map.parameters['fn'].uid, 'doubled');
  assert.deepEqual(
    fragment.edges.map(({ from: start, to }) => ['node' in start && start.node, to]),
    [
      ['cell/_/from#1', 'doubled'],
      ['doubled', 'cell/_/sink#1'],
    ],
  );
  assert.deepEqual(fragment.sinks, [{ node: 'cell/_/sink#1', target: 'function print' }]);
});

test('an Environment has uids without a group', () => {
  const builder = new Builder({ group: '' });
  const { from: start } = makeSources(builder);
  start([1]).map(String);
  builder.variable = 'texts';
  start([1]).map(String);
  assert.deepEqual(uids(builder.fragment()), ['from#1', 'map#1', 'texts/from#1', 'texts/map#1']);
});

/** Verbs that keep the element's type, so that any sequence of them is a chain. */
const verbs: Readonly<Record<string, (stream: Stream<Order>) => Stream<Order>>> = {
  map: (s) => s.map((o) => o),
  filter: (s) => s.filter((o) => o.amount > 1),
  flatMap: (s) => s.flatMap((o) => [o]),
  union: (s) => s.union(s),
  take: (s) => s.take(3),
  assignTimestamps: (s) => s.assignTimestamps('createdAt'),
  reduce: (s) => s.keyBy('customer').reduce((a) => a),
  window: (s) =>
    s
      .keyBy('id')
      .window(tumbling('1m'))
      .reduce((a) => a),
};
const anyChain = fc.array(fc.tuple(fc.constantFrom('', 'a', 'b'), fc.constantFrom(...Object.keys(verbs))), {
  maxLength: 12,
});
const declareChain = (steps: readonly (readonly [variable: string, verb: string])[]) =>
  evaluate((set) => {
    let stream: Stream<Order> = from<Order>([]);
    for (const [variable, verb] of steps) {
      set(variable);
      stream = verbs[verb]!(stream);
    }
  });

test('the same text is the same plan, its uids are unique, and its edges join its nodes', () => {
  fc.assert(
    fc.property(anyChain, (steps) => {
      const { nodes, edges } = declareChain(steps);
      const again = declareChain(steps);
      assert.deepEqual([nodes, edges], [again.nodes, again.edges]);
      assert.deepEqual(JSON.parse(JSON.stringify([nodes, edges])), [nodes, edges]);
      const ids = new Set(nodes.map((node) => node.id));
      assert.equal(ids.size, nodes.length);
      for (const edge of edges) assert.ok('node' in edge.from && ids.has(edge.from.node) && ids.has(edge.to));
    }),
  );
});

test('an operator inserted anywhere leaves every other verb its uids', () => {
  fc.assert(
    fc.property(anyChain, fc.nat(12), fc.constantFrom('', 'a', 'b'), (steps, at, variable) => {
      const others = steps.filter(([, verb]) => verb !== 'map');
      const inserted = others.toSpliced(Math.min(at, others.length), 0, [variable, 'map']);
      const kept = uids(declareChain(inserted)).filter((uid) => !uid.includes('map#'));
      assert.deepEqual(kept, uids(declareChain(others)));
    }),
  );
});
