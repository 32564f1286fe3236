// One plan from several cells: the meaning of each name, the running operators, and the effect of a
// deleted name.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Plan } from '../../../engine/graph/plan.ts';
import { type Declared, mergePlan, nowhere, resolve, type SessionMode } from '../../live/merge.ts';
import { cellOf, drawn } from './plans.ts';

type Cells = Readonly<Record<string, string>>;

interface Row {
  readonly name: string;
  /** In the order of the document. */
  readonly cells: Cells;
  readonly plan: readonly string[];
}

const table: readonly Row[] = [
  {
    name: 'a name of another cell is the node that it stands for',
    cells: { a: 'orders: generate', b: 'a/orders -> large: filter -> show' },
    plan: ['a/orders', 'b/large < a/orders', 'b/large/show < b/large'],
  },
  {
    name: 'a name may be defined below its reader, and the order is that of the document',
    cells: { b: 'a/orders -> large: filter -> show', a: 'orders: generate' },
    plan: ['b/large < a/orders', 'a/orders', 'b/large/show < b/large'],
  },
  {
    name: 'a name that a cell passes on is the node of the first cell',
    cells: { a: 'orders: generate', b: 'again = a/orders', c: 'more = b/again', d: 'c/more -> show' },
    plan: ['a/orders', 'd/c/more/show < a/orders'],
  },
  {
    name: 'a side output is read through a name',
    cells: { a: 'orders: generate -> dated: map', b: 'a/dated.late -> show' },
    plan: ['a/orders', 'a/dated < a/orders', 'b/a/dated.late/show < a/dated.late'],
  },
  {
    name: 'a name that stands for a side output is that side output',
    cells: { a: 'orders: generate -> dated: map', b: 'tardy = a/dated.late', c: 'b/tardy -> show' },
    plan: ['a/orders', 'a/dated < a/orders', 'c/b/tardy/show < a/dated.late'],
  },
  {
    name: 'a side output is read through a name that another cell passes on',
    cells: { a: 'orders: generate -> dated: map', b: 'again = a/dated', c: 'b/again.late -> show' },
    plan: ['a/orders', 'a/dated < a/orders', 'c/b/again.late/show < a/dated.late'],
  },
  {
    name: 'the slots of a reader keep their order, whichever cells they come from',
    cells: { b: 'c/r + a/l -> both: union -> show', a: 'l: generate(l)', c: 'r: generate(r)' },
    plan: ['b/both < c/r, a/l', 'a/l', 'c/r', 'b/both/show < b/both'],
  },
  {
    name: 'a deleted name leaves a detached slot, and the other slots keep their places',
    cells: { a: 'l: generate', b: 'a/gone + a/l -> both: union -> show' },
    plan: ['a/l', 'b/both < nothing, a/l', 'b/both/show < b/both'],
  },
  {
    name: 'a deleted cell leaves detached slots',
    cells: { b: 'a/orders -> large: filter -> show\na/orders -> show' },
    plan: ['b/large < nothing', 'b/large/show < b/large', 'b/a/orders/show < nothing'],
  },
  {
    name: 'a name that is passed on and deleted at its origin leaves a detached slot',
    cells: { b: 'again = a/orders', c: 'b/again -> show' },
    plan: ['c/b/again/show < nothing'],
  },
  {
    name: 'a node that its own cell no longer has leaves a detached slot',
    cells: { a: 'orders -> large: filter -> show' },
    plan: ['a/large < nothing', 'a/large/show < a/large'],
  },
  {
    name: 'names that lead to each other lead nowhere',
    cells: { a: 'x = b/y', b: 'y = a/x', c: 'b/y -> show' },
    plan: ['c/b/y/show < nothing'],
  },
  {
    name: 'a name that leads to itself leads nowhere',
    cells: { a: 'x = a/x', c: 'a/x -> show' },
    plan: ['c/a/x/show < nothing'],
  },
  {
    name: 'operators that read each other are in the plan once; the planner refuses the cycle later',
    cells: { a: 'b/y -> x: map', b: 'a/x -> y: map -> show' },
    plan: ['a/x < b/y', 'b/y < a/x', 'b/y/show < b/y'],
  },
  {
    name: 'displays, pulls and sinks are leaves',
    cells: { a: 'orders: generate -> show\norders -> pull\norders -> sink' },
    plan: ['a/orders', 'a/orders/sink < a/orders', 'a/orders/show < a/orders', 'a/orders/pull < a/orders'],
  },
  {
    name: 'a node that no leaf reaches is left out',
    cells: { a: 'orders: generate -> large: filter -> largest: take(3)', b: 'a/large -> show', c: 'other: generate' },
    plan: ['a/orders', 'a/large < a/orders', 'b/a/large/show < a/large'],
  },
  {
    name: 'an operator that no leaf reaches is not reported as detached',
    cells: { a: 'gone -> large: filter', b: 'orders: generate -> show' },
    plan: ['b/orders', 'b/orders/show < b/orders'],
  },
  {
    name: 'cells without leaves give the empty plan',
    cells: { a: 'orders: generate -> large: filter' },
    plan: [],
  },
];

for (const row of table)
  test(row.name, () => {
    const plan = merged(row.cells);
    assert.deepEqual(drawn(plan), row.plan);
  });

test('an edge keeps its side and its exchange, and one that leads nowhere too', () => {
  const plan = merged({ a: 'l: generate', b: 'a/l + a/gone -> pairs: join(inner) by id -> show' });
  assert.deepEqual(
    plan.edges.filter((edge) => edge.to === 'b/pairs'),
    [
      { from: 'b/pairs/keyBy', port: 'out', to: 'b/pairs', input: 0, exchange: 'key' },
      { from: 'b/pairs/keyBy2', port: 'out', to: 'b/pairs', input: 1, exchange: 'key' },
    ],
  );
  assert.deepEqual(
    plan.edges.filter((edge) => edge.from === nowhere),
    [{ from: nowhere, port: 'out', to: 'b/pairs/keyBy2', input: 0, exchange: 'forward' }],
  );
});

test('a leaf is a node of its cell, with its own text and its label', () => {
  const plan = merged({ a: 'orders: generate', b: 'a/orders -> show(20 rows)' });
  assert.deepEqual(plan.nodes.at(-1), {
    id: 'b/a/orders/show',
    uid: 'b/a/orders/show',
    kind: 'display',
    name: 'display',
    group: 'b',
    parameters: { leaf: 'b/a/orders/show' },
    own: '20 rows',
    shape: '',
  });
});

test('a leaf for a sink that no cell has any more changes nothing', () => {
  const plan = mergePlan([cellOf('a', 'orders: generate')], [{ kind: 'sink', node: 'a/sink' }]);
  assert.deepEqual(plan, { version: 1, nodes: [], edges: [] });
});

test('what a variable holds is exposed, other operators are not', () => {
  const plan = merged({ a: 'orders: generate -> filter -> large: map -> show', b: 'again = a/orders' });
  assert.deepEqual(exposedIn(plan), ['a/orders', 'a/large']);
});

const modes: readonly { readonly name: string; readonly said: readonly (SessionMode | undefined)[]; mode: unknown }[] =
  [
    { name: 'no cell sets a mode: continuous', said: [undefined, undefined], mode: undefined },
    {
      name: 'one cell sets micro-batches',
      said: [{ microBatchMillis: 500 }, undefined],
      mode: { microBatchMillis: 500 },
    },
    {
      name: 'two cells set micro-batches: the later one counts',
      said: [{ microBatchMillis: 500 }, { microBatchMillis: 200 }],
      mode: { microBatchMillis: 200 },
    },
    { name: 'the later cell sets continuous', said: [{ microBatchMillis: 500 }, 'continuous'], mode: undefined },
    {
      name: 'the later cell sets micro-batches',
      said: ['continuous', { microBatchMillis: 500 }],
      mode: { microBatchMillis: 500 },
    },
  ];
for (const { name, said, mode } of modes)
  test(`mode: ${name}`, () => {
    const cells = said.map((one, place): Declared => {
      const cell = cellOf(`cell${place}`, 'orders: generate');
      return one === undefined ? cell : { ...cell, mode: one };
    });
    const plan = mergePlan(cells, [{ kind: 'sink', node: 'cell0/orders' }]);
    assert.deepEqual(plan.mode, mode);
    assert.equal('mode' in plan, mode !== undefined);
  });

test('two cells that give the same uid: the later node counts at the place of the first', () => {
  const first = cellOf('a', 'orders: generate(first) -> show');
  const second = { ...cellOf('a', 'orders: generate(second)'), cell: 'b' };
  const plan = mergePlan([first, cellOf('c', 'other: generate -> show'), second], first.leaves);
  assert.deepEqual(drawn(plan), ['a/orders', 'a/orders/show < a/orders']);
  assert.equal(plan.nodes[0]?.own, 'generate(second)');
});

test('resolve gives the port of the reader, unless it reads the output of a name for a side output', () => {
  const streams = new Map([['a', new Map([['tardy', { node: 'n', port: 'late' }]])]]);
  assert.deepEqual(resolve({ group: 'a', variable: 'tardy', port: 'out' }, streams), { node: 'n', port: 'late' });
  assert.deepEqual(resolve({ group: 'a', variable: 'tardy', port: 'errors' }, streams), { node: 'n', port: 'errors' });
  assert.equal(resolve({ group: 'b', variable: 'tardy', port: 'out' }, streams), undefined);
});

function merged(cells: Cells): Plan {
  const declared = Object.entries(cells).map(([cell, text]) => cellOf(cell, text));
  return mergePlan(
    declared,
    declared.flatMap((cell) => cell.leaves),
  );
}
function exposedIn(plan: Plan): readonly string[] {
  return plan.nodes.filter((node) => node.exposed).map((node) => node.uid);
}
