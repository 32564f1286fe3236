// Lineage of a node, and the properties that its sources determine.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Fragment } from '../../api/fragment.ts';
import { canReadAgain, isBounded, lineage } from '../../graph/lineage.ts';
import type { Plan } from '../../graph/plan.ts';
import { count, file, from, generate, kafka, tumbling } from '../../index.ts';
import { evaluate } from './evaluate.ts';

function planOf(fragment: Fragment): Plan {
  const edges = fragment.edges.map(({ from: start, ...edge }) => {
    assert.ok('node' in start);
    return { ...edge, from: start.node, port: start.port };
  });
  return { version: 1, nodes: fragment.nodes, edges };
}
const chain = (limit: number, threshold: number, extra = false): Plan =>
  planOf(
    evaluate((set) => {
      set('numbers');
      const numbers = generate({ limit }, ({ n }) => ({ n }));
      if (extra) numbers.map((e) => e.n);
      set('totals');
      numbers
        .filter(threshold === 1 ? (e) => e.n > 1 : (e) => e.n > 2)
        .keyBy('n')
        .window(tumbling('1m'))
        .aggregate({ rows: count() });
    }),
  );

test('lineage covers a node and everything above it, and nothing beside it', () => {
  const base = lineage(chain(10, 1));
  const at = 'cell/totals/aggregate#1';
  assert.equal(lineage(chain(10, 1)).get(at), base.get(at));
  assert.equal(lineage(chain(10, 1, true)).get(at), base.get(at));
  const otherFilter = lineage(chain(10, 2));
  assert.equal(otherFilter.get('cell/numbers/generate#1'), base.get('cell/numbers/generate#1'));
  assert.notEqual(otherFilter.get(at), base.get(at));
  assert.notEqual(lineage(chain(11, 1)).get(at), base.get(at));
});

test('port, input, exchange and order of the inputs are part of the lineage', () => {
  const plan = planOf(
    evaluate((set) => {
      set('both');
      from([1])
        .connect(from([2]))
        .map(String, String);
    }),
  );
  const of = (edges: Plan['edges']) => lineage({ ...plan, edges }).get('cell/both/connect#1');
  const [left, right] = plan.edges as [Plan['edges'][0], Plan['edges'][0]];
  const base = of([left, right]);
  assert.equal(of([{ ...left }, { ...right }]), base);
  for (const other of [
    [right, left],
    [left],
    [{ ...left, port: 'late' }, right],
    [{ ...left, input: 1 as const }, right],
    [{ ...left, exchange: 'key' as const }, right],
  ])
    assert.notEqual(of(other), base);
});

test('a cycle and an edge from nowhere are broken invariants with names', () => {
  const plan = chain(10, 1);
  const edge = plan.edges[0]!;
  const back = { ...edge, from: 'cell/totals/aggregate#1', to: 'cell/totals/filter#1' };
  assert.throws(() => lineage({ ...plan, edges: [...plan.edges, back] }), /no cycle such as .*filter#1 → .*filter#1/);
  assert.throws(() => lineage({ ...plan, edges: [{ ...edge, from: 'nowhere' }] }), /not at nowhere/);
});

const sources: readonly (readonly [what: string, again: boolean, bounded: boolean, declare: () => unknown])[] = [
  ['a file', true, true, () => file('a.csv')],
  ['an array', true, true, () => from([1])],
  ['an iterator', false, true, () => from([1].values())],
  ['an async iterable', false, true, () => from((async function* () {})())],
  ['generate with limit', true, true, () => generate({ limit: 1 }, () => 1)],
  ['generate without limit', false, false, () => generate({}, () => 1)],
  ['a topic from its end', false, false, () => kafka('t')],
  ['a topic from its end to its end', false, true, () => kafka('t', { from: 'latest', until: 'latest' })],
  ['a topic from its start', true, false, () => kafka('t', { from: 'earliest' })],
  ['a topic from offsets', true, false, () => kafka('t', { from: { offsets: { 0: '1' } } })],
  ['a topic from committed offsets', false, false, () => kafka('t', { from: 'committed', group: 'g' })],
  ['a topic from a time', true, false, () => kafka('t', { from: { timestamp: 1 } })],
  ['a topic up to its end', true, true, () => kafka('t', { until: 'latest' })],
];
for (const [what, again, bounded, declare] of sources)
  test(`${what} ${again ? 'can' : 'cannot'} be read again and ${bounded ? 'ends' : 'does not end'} by itself`, () => {
    const plan = planOf(
      evaluate(() => {
        const source = declare() as ReturnType<typeof kafka>;
        source.union(from<unknown>([1])).map(() => 1);
      }),
    );
    assert.equal(canReadAgain(plan, 'cell/_/map#1'), again);
    assert.equal(isBounded(plan, 'cell/_/map#1'), bounded);
  });

test('a take ends what is above it, but cannot be read again for that', () => {
  const plan = planOf(
    evaluate(
      () =>
        void kafka('t')
          .take(3)
          .map(() => 1),
    ),
  );
  assert.equal(isBounded(plan, 'cell/_/map#1'), true);
  assert.equal(canReadAgain(plan, 'cell/_/map#1'), false);
});

test('a node that has lost its input promises nothing', () => {
  const plan = { ...chain(10, 1), edges: [] };
  assert.equal(canReadAgain(plan, 'cell/totals/filter#1'), false);
  assert.equal(isBounded(plan, 'cell/totals/filter#1'), false);
});
