// The sentences under a cell after a change: what was kept, what starts again, and from where each
// source is read.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { changeGraph } from '../../live/live-graph.ts';
import { notesOf } from '../../live/notes.ts';
import { planOf } from './plans.ts';
import { emptyPlan, type Plan } from '../../../engine/graph/plan.ts';

interface Row {
  readonly name: string;
  readonly before: readonly string[];
  readonly after: string;
  readonly failed?: readonly string[];
  readonly notes: readonly string[];
}
const live = 'orders: generate -> totals: aggregate(sum) by customer -> show';
const mixed = (text: string, shape = 'sum'): string =>
  `hist: file -> m: map(${text})\nlive: generate\nm + live -> both: union -> totals: aggregate(${shape}) -> show`;

const rows: readonly Row[] = [
  { name: 'keep: no sentence', before: [live], after: live, notes: [] },
  { name: 'new: no sentence', before: [], after: live, notes: [] },
  {
    name: 'handover',
    before: [live],
    after: 'orders: generate -> totals: aggregate(sum, rounded) by customer -> show',
    notes: ['totals keeps what it held before the change.'],
  },
  {
    name: 'rewire to another live source',
    before: [live],
    after: 'others: generate(other) -> totals: aggregate(sum) by customer -> show',
    notes: ['totals keeps what it held before the change. It also reads others from now on.'],
  },
  {
    name: 'rewire: a source that was never read joins',
    before: ['old: file(old)\nlive: generate\nold + live -> both: union -> totals: aggregate(sum) -> show'],
    after: 'hist: file\nlive: generate\nhist + live -> both: union -> totals: aggregate(sum) -> show',
    notes: ['totals keeps what it held before the change. It also reads hist from the start.'],
  },
  {
    name: 'rewire: the input is removed',
    before: ['orders: generate -> totals: aggregate(sum) -> show'],
    after: 'gone -> totals: aggregate(sum) -> show',
    notes: ['totals keeps what it held before the change, and waits for an input that is gone.'],
  },
  {
    name: 'rebuild',
    before: ['hist: file -> totals: aggregate(sum) -> show'],
    after: 'hist: file -> totals: aggregate(average) -> show',
    notes: ['totals starts again and reads hist from the start.'],
  },
  {
    name: 'reset: another shape',
    before: [live],
    after: 'orders: generate -> totals: aggregate(average) by customer -> show',
    notes: ['totals starts again: what it held has another shape. It reads orders from now on.'],
  },
  {
    name: 'reset: another key',
    before: [live],
    after: 'orders: generate -> totals: aggregate(sum) by product -> show',
    notes: ['totals starts again: what it held is for other inputs or another key. It reads orders from now on.'],
  },
  {
    name: 'reset: the source cannot be read again any more',
    before: ['hist: file -> totals: aggregate(sum) -> show'],
    after: 'hist: generate -> totals: aggregate(sum) -> show',
    notes: [
      'totals starts again: what it held came from sources that could be read again, and not all of the present ' +
        'ones can. It reads hist from now on.',
    ],
  },
  {
    name: 'reset: a branch that can be read again is edited beside a live one',
    before: [mixed('1')],
    after: mixed('2'),
    notes: [
      'totals starts again: hist would reach what it held a second time. It reads hist from the start and live ' +
        'from now on.',
    ],
  },
  {
    name: 'reset: another shape over both kinds of sources',
    before: [mixed('1')],
    after: mixed('1', 'average'),
    notes: ['totals starts again: what it held has another shape. It reads hist from the start and live from now on.'],
  },
];

/** A drawn operator goes by its name, as one behind a variable does. */
function named(text: string): Plan {
  const uid = (name: string): string => (name === '' ? '' : `${name}/op#1`);
  const { nodes, edges } = planOf(text);
  return {
    version: 1,
    nodes: nodes.map((node) => ({ ...node, id: uid(node.id), uid: uid(node.uid) })),
    edges: edges.map((edge) => ({ ...edge, from: uid(edge.from), to: uid(edge.to) })),
  };
}

for (const { name, before, after, failed, notes } of rows)
  test(`notes: ${name}`, () => {
    const running = before.reduce((ran, text) => changeGraph(ran, named(text)).plan, emptyPlan);
    const next = named(after);
    const change = changeGraph(running, next, new Set(failed));
    assert.deepEqual(notesOf(change, running, next, ['']), { '': notes });
  });
