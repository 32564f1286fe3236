// The decision table of a live graph change, row by row: the decision for each operator.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { emptyPlan, type Plan, type PlanNode } from '../../../engine/graph/plan.ts';
import { changeGraph } from '../../live/live-graph.ts';
import { type Row, runningAfter, testRows } from './decision-rows.ts';
import { planOf } from './plans.ts';

const overFile = 'orders: file -> totals: aggregate(sum) by customer -> show';
const overLive = 'orders: generate -> totals: aggregate(sum) by customer -> show';

const table: readonly Row[] = [
  {
    name: 'everything is new when nothing ran',
    before: [],
    after: overLive,
    decisions: 'orders new, totals/keyBy new, totals new, totals/show new',
    plan: ['orders', 'totals/keyBy < orders', 'totals < totals/keyBy', 'totals/show < totals'],
  },
  {
    name: 'the same lineage: keep',
    before: [overLive],
    after: overLive,
    decisions: 'orders keep, totals/keyBy keep, totals keep, totals/show keep',
    plan: ['orders', 'totals/keyBy < orders', 'totals < totals/keyBy', 'totals/show < totals'],
  },
  {
    name: 'the same lineage under another name: the reader keeps the operator that it reads',
    before: ['orders: generate -> show\norders -> totals: aggregate(sum) by customer -> sink'],
    after: 'purchases: generate -> show\npurchases -> totals: aggregate(sum) by customer -> sink',
    decisions: 'purchases new, totals/keyBy keep, totals keep, totals/sink keep, purchases/show new',
    plan: [
      'purchases',
      'totals/keyBy < orders',
      'totals < totals/keyBy',
      'totals/sink < totals',
      'purchases/show < purchases',
      'orders',
    ],
  },
  {
    name: 'another text over a source that can be read again: rebuild, with a copy of the source',
    before: [overFile],
    after: 'orders: file -> totals: aggregate(average) by customer -> show',
    decisions: 'orders keep, totals/keyBy keep, totals rebuild, totals/show rebuild',
    plan: ['orders~1*', 'totals/keyBy~1* < orders~1', 'totals~1 < totals/keyBy~1', 'totals/show~1 < totals~1'],
  },
  {
    name: 'another upstream over a source that can be read again: rebuild, although the own text is the same',
    before: [overFile],
    after: 'orders: file -> large: filter -> totals: aggregate(sum) by customer -> show',
    decisions: 'orders keep, large new, totals/keyBy rebuild, totals rebuild, totals/show rebuild',
    plan: [
      'orders~1*',
      'large < orders~1',
      'totals/keyBy~1 < large',
      'totals~1 < totals/keyBy~1',
      'totals/show~1 < totals~1',
    ],
  },
  {
    name: 'another key over a source that can be read again: rebuild',
    before: [overFile],
    after: 'orders: file -> totals: aggregate(sum) by product -> show',
    decisions: 'orders keep, totals/keyBy rebuild, totals rebuild, totals/show rebuild',
    plan: ['orders~1*', 'totals/keyBy~1 < orders~1', 'totals~1 < totals/keyBy~1', 'totals/show~1 < totals~1'],
  },
  {
    name: 'a source that can be read again now, and could not before: rebuild',
    before: [overLive],
    after: 'orders: generate(limit) -> totals: aggregate(sum) by customer -> show',
    decisions: 'orders rebuild, totals/keyBy rebuild, totals rebuild, totals/show rebuild',
    plan: ['orders~1', 'totals/keyBy~1 < orders~1', 'totals~1 < totals/keyBy~1', 'totals/show~1 < totals~1'],
  },
  {
    name: 'another upstream, the same own text: rewire',
    before: [overLive],
    after: 'orders: generate -> large: filter -> totals: aggregate(sum) by customer -> show',
    decisions: 'orders keep, large new, totals/keyBy rewire, totals rewire, totals/show rewire',
    plan: ['orders', 'large < orders', 'totals/keyBy < large', 'totals < totals/keyBy', 'totals/show < totals'],
  },
  {
    name: 'another own text, the same shape of state: handover, and the reader is rewired',
    before: [overLive],
    after: 'orders: generate -> totals: aggregate(sum, rounded) by customer -> show',
    decisions: 'orders keep, totals/keyBy keep, totals handover, totals/show rewire',
    plan: ['orders', 'totals/keyBy < orders', 'totals~1 < totals/keyBy', 'totals/show < totals~1'],
    handover: { 'totals~1': 'totals' },
  },
  {
    name: 'another shape of state: reset',
    before: [overLive],
    after: 'orders: generate -> totals: aggregate(average) by customer -> show',
    decisions: 'orders keep, totals/keyBy keep, totals reset, totals/show rewire',
    plan: ['orders', 'totals/keyBy < orders', 'totals~1 < totals/keyBy', 'totals/show < totals~1'],
  },
  {
    name: 'another kind under the same uid: reset',
    before: ['orders: generate -> totals: take(3) -> show'],
    after: 'orders: generate -> totals: aggregate(3) -> show',
    decisions: 'orders keep, totals reset, totals/show rewire',
    plan: ['orders', 'totals~1 < orders', 'totals/show < totals~1'],
  },
  {
    name: 'another text without state: reset, there is nothing to take over',
    before: ['orders: generate -> large: filter(10) -> show'],
    after: 'orders: generate -> large: filter(20) -> show',
    decisions: 'orders keep, large reset, large/show rewire',
    plan: ['orders', 'large~1 < orders', 'large/show < large~1'],
  },
  {
    name: 'another key: reset, although own text and shape are the same',
    before: [overLive],
    after: 'orders: generate -> totals: aggregate(sum) by product -> show',
    decisions: 'orders keep, totals/keyBy reset, totals reset, totals/show rewire',
    plan: ['orders', 'totals/keyBy~1 < orders', 'totals~1 < totals/keyBy~1', 'totals/show < totals~1'],
  },
  {
    name: 'the key is removed: reset',
    before: [overLive],
    after: 'orders: generate -> totals: aggregate(sum) -> show',
    decisions: 'orders keep, totals reset, totals/show rewire',
    plan: ['orders', 'totals~1 < orders', 'totals/show < totals~1'],
  },
  {
    name: 'a source that could be read again, and cannot now: reset of everything below it',
    before: [overFile],
    after: overLive,
    decisions: 'orders reset, totals/keyBy reset, totals reset, totals/show reset',
    plan: ['orders~1', 'totals/keyBy~1 < orders~1', 'totals~1 < totals/keyBy~1', 'totals/show~1 < totals~1'],
  },
  {
    name: 'a live source beside one that can be read again counts as live',
    before: ['a: file\nb: generate\na + b -> both: union -> kept: take(3) -> show'],
    after: 'a: file\nb: generate\na + b -> both: union -> kept: take(3, more) -> show',
    decisions: 'a keep, b keep, both keep, kept handover, kept/show rewire',
    plan: ['a', 'b', 'both < a, b', 'kept~1 < both', 'kept/show < kept~1'],
    handover: { 'kept~1': 'kept' },
  },
  {
    name: 'kafka from the earliest offset can be read again',
    before: ['orders: kafka(earliest) -> kept: take(3) -> show'],
    after: 'orders: kafka(earliest) -> kept: take(3, more) -> show',
    decisions: 'orders keep, kept rebuild, kept/show rebuild',
    plan: ['orders~1*', 'kept~1 < orders~1', 'kept/show~1 < kept~1'],
  },
  {
    name: 'kafka from the latest offset cannot be read again',
    before: ['orders: kafka(latest) -> kept: take(3) -> show'],
    after: 'orders: kafka(latest) -> kept: take(3, more) -> show',
    decisions: 'orders keep, kept handover, kept/show rewire',
    plan: ['orders', 'kept~1 < orders', 'kept/show < kept~1'],
    handover: { 'kept~1': 'kept' },
  },
];

testRows('what becomes of an operator', table);

test('main names the instance that readers attach to', () => {
  const running = runningAfter(['orders: file -> kept: take(3) -> show\norders -> sink']);
  const { main } = changeGraph(running, planOf('orders: file -> kept: take(4) -> show\norders -> sink'));
  assert.deepEqual([...main].sort(), [
    ['kept', 'kept~1'],
    ['kept/show', 'kept/show~1'],
    ['orders', 'orders'],
    ['orders/sink', 'orders/sink'],
  ]);
});

test('a new instance runs the new text, a rewired and a kept one the functions that they have', () => {
  const withNames = (plan: Plan, name: string): Plan => ({
    ...plan,
    nodes: plan.nodes.map((node): PlanNode => Object.assign({}, node, { parameters: { ...node.parameters, name } })),
  });
  const { plan } = changeGraph(
    changeGraph(emptyPlan, withNames(planOf('a: generate -> b: filter -> c: take(3) -> show'), 'former')).plan,
    withNames(planOf('a: generate -> b: filter(more) -> c: take(3) -> show'), 'next'),
  );
  assert.deepEqual(
    plan.nodes.map((node) => [node.id, (node.parameters as { readonly name?: string }).name]),
    [
      ['a', 'former'],
      ['b~1', 'next'],
      ['c', 'former'],
      ['c/show', 'former'],
    ],
  );
});

test('an operator that others may read now is exposed, be it kept or rewired', () => {
  const exposed = (plan: Plan): Plan => ({ ...plan, nodes: plan.nodes.map((node) => ({ ...node, exposed: true })) });
  const running = runningAfter(['a: generate -> b: filter -> show']);
  const kept = changeGraph(running, exposed(planOf('a: generate -> b: filter -> show'))).plan;
  assert.deepEqual(
    kept.nodes.map((node) => node.exposed),
    [true, true, true],
  );
  const { plan } = changeGraph(kept, planOf('a: generate(other) -> b: filter -> show'));
  assert.deepEqual(
    plan.nodes.map((node) => node.exposed),
    [undefined, undefined, undefined],
  );
});

test('the mode is that of the next plan', () => {
  const plan = planOf('a: generate -> show');
  const mode = { microBatchMillis: 500 };
  const { plan: batched } = changeGraph(emptyPlan, { ...plan, mode });
  assert.deepEqual(batched.mode, mode);
  assert.ok(!('mode' in changeGraph(batched, plan).plan));
});

test('a cycle is an error that names its operators', () => {
  assert.throws(
    () => changeGraph(emptyPlan, planOf('b -> a: map\na -> b: map -> show')),
    /cycle such as (b → a → b|a → b → a)/,
  );
});
