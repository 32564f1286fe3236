// A cell that is deleted and comes back: what runs in between, and that an undo changes nothing.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { isSink, isSource } from '../../../engine/graph/kinds.ts';
import { emptyPlan, type Plan, type PlanEdge } from '../../../engine/graph/plan.ts';
import { above, below } from '../../../engine/graph/walk.ts';
import { nowhere } from '../../live/merge.ts';
import type { DeclaredCell } from '../../live/plan-request.ts';
import { planLive } from '../../live/planner.ts';
import { cellOf, drawn } from './plans.ts';

const numRuns = Number(process.env['LAW_RUNS'] ?? 400);

type Texts = Readonly<Record<string, string>>;

function declared(cell: string, text: string, detached: boolean): DeclaredCell {
  const { nodes, edges, streams, leaves } = cellOf(cell, text);
  const parts = leaves.flatMap((leaf) =>
    leaf.kind === 'display' ? [{ kind: 'table' as const, from: leaf.from, rows: 10 }] : [],
  );
  const sinks = nodes.filter(isSink).map(({ uid }) => ({ node: uid, target: uid }));
  return {
    ...{ cell, run: 1, armed: true, wrote: [], detached, displayed: { parts } },
    fragment: { nodes, edges, sinks, parts: [] } as unknown as DeclaredCell['fragment'],
    exports: [...streams].map(([name, endpoint]) => ({ kind: 'stream' as const, name, endpoint })),
  };
}
function planned(texts: Texts, running: Plan, deleted: readonly string[] = []) {
  const cells = Object.entries(texts).map(([cell, text]) => declared(cell, text, deleted.includes(cell)));
  return planLive({ graph: { cells, pulls: [] }, running, displays: [], failed: [], mayDisarm: true });
}
/** Each cell has run, in this order. */
function begun(texts: Texts): Plan {
  let running = emptyPlan;
  const names = Object.keys(texts);
  for (let count = 1; count <= names.length; count++) {
    const ran = Object.fromEntries(names.slice(0, count).map((name) => [name, texts[name]!]));
    running = planned(ran, running).plan;
  }
  return running;
}
const sorted = (plan: Plan): readonly string[] => drawn(plan).toSorted();

const cases: readonly {
  readonly name: string;
  readonly cells: Texts;
  readonly deleted: string;
  readonly meanwhile: readonly string[];
  readonly after?: readonly string[];
}[] = [
  {
    name: 'its only source is its own: all stands still',
    cells: { a: 'out: generate -> n: aggregate(sum) -> show' },
    deleted: 'a',
    meanwhile: ['a/out', 'a/n < nothing', 'display/a/0 < a/n'],
  },
  {
    name: 'another cell reads the source too: the operators go on',
    cells: { a: 'out: generate -> show', b: 'a/out -> n: aggregate(sum) -> show' },
    deleted: 'b',
    meanwhile: ['a/out', 'display/a/0 < a/out', 'b/n < a/out', 'display/b/0 < b/n'],
  },
  {
    name: 'its reader in another cell goes on with it',
    cells: { a: 'out: generate -> show', b: 'a/out -> n: aggregate(sum)', c: 'b/n -> m: map -> show' },
    deleted: 'b',
    meanwhile: ['a/out', 'display/a/0 < a/out', 'b/n < a/out', 'c/m < b/n', 'display/c/0 < c/m'],
  },
  {
    name: 'its reader in another cell stands still with it',
    cells: { a: 'out: generate', b: 'a/out -> n: aggregate(sum)', c: 'b/n -> m: map -> show' },
    deleted: 'b',
    meanwhile: ['a/out', 'b/n < nothing', 'c/m < nothing', 'display/c/0 < c/m'],
  },
  {
    name: 'nobody else reads the cells above it: they stand still',
    cells: { a: 'out: generate -> m: map', b: 'a/m -> n: aggregate(sum) -> show' },
    deleted: 'b',
    meanwhile: ['a/out', 'a/m < nothing', 'b/n < a/m', 'display/b/0 < b/n'],
  },
  {
    name: 'a reader that came late has a source of its own, which stands still',
    cells: { a: 'out: generate(limit) -> show', b: 'a/out -> n: aggregate(sum) -> show' },
    deleted: 'b',
    meanwhile: ['a/out', 'a/out~1*', 'display/a/0 < a/out', 'b/n < nothing', 'display/b/0 < b/n'],
  },
  {
    name: 'copies of another cell that only it reads stand still',
    cells: {
      a: 'out: generate(limit)',
      b: 'a/out -> m: aggregate(sum) -> show',
      c: 'b/m -> n: aggregate(sum) -> sink',
    },
    deleted: 'c',
    meanwhile: [
      ...['a/out', 'a/out~1*', 'b/m < a/out', 'b/m~1* < nothing', 'display/b/0 < b/m'],
      ...['c/n < nothing', 'c/n/sink < c/n'],
    ],
  },
  {
    name: 'the sink of a pipeline that stands still waits for its rows',
    cells: { a: 'out: generate -> n: aggregate(sum) -> sink' },
    deleted: 'a',
    meanwhile: ['a/out', 'a/n < nothing', 'a/n/sink < a/n'],
  },
  {
    name: 'the sink gets nothing while what it reads goes on, and goes on from the undo',
    cells: { a: 'out: generate -> show', b: 'a/out -> n: aggregate(sum) -> sink' },
    deleted: 'b',
    meanwhile: ['a/out', 'display/a/0 < a/out', 'b/n < a/out', 'b/n/sink < nothing'],
  },
  {
    name: 'the source of a cell is deleted, and its reader has another one that goes on',
    cells: { a: 'out: generate', b: 'out: generate -> show', c: 'a/out + b/out -> n: join(sum) by k -> show' },
    deleted: 'a',
    meanwhile: [
      ...['a/out', 'b/out', 'display/b/0 < b/out', 'c/n/keyBy < nothing', 'c/n/keyBy2 < b/out'],
      ...['c/n < c/n/keyBy, c/n/keyBy2', 'display/c/0 < c/n'],
    ],
  },
];
for (const { name, cells, deleted, meanwhile } of cases)
  test(`deleted and back: ${name}`, () => {
    const before = begun(cells);
    const { plan } = planned(cells, before, [deleted]);
    assert.deepEqual(sorted(plan), meanwhile.toSorted());
    assert.deepEqual(sorted(planned(cells, plan, [deleted]).plan), sorted(plan), 'another change meanwhile');
    assert.deepEqual(sorted(planned(cells, plan).plan), sorted(before), 'after the undo');
  });

test('an operator that stands still goes on when a reader beside it lets records pass', () => {
  const cells = { a: 'out: generate', b: 'a/out -> n: aggregate(sum) -> show' };
  const still = planned(cells, begun(cells), ['b']).plan;
  assert.ok(sorted(still).includes('b/n < nothing'));
  const { plan } = planned({ ...cells, c: 'a/out -> show' }, still, ['b']);
  assert.ok(sorted(plan).includes('b/n < a/out'), 'it misses no record');
});

test('the note of a sink says that it did not write what passed meanwhile', () => {
  const cells = { a: 'out: generate -> show', b: 'a/out -> sink' };
  const { plan } = planned(cells, begun(cells), ['b']);
  const { notes } = planned(cells, plan);
  assert.deepEqual(notes['b'], [
    'sink goes on from now: it does not write the rows that passed while it had no input.',
  ]);
});

// ------------------------------------------------------------ any notebook, any deletions

const end = fc.constantFrom('', ' -> show', ' -> sink');
const notebooks: fc.Arbitrary<Texts> = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('live', 'limit'), fc.constantFrom('', ' -> map -> m: map'), end), {
      ...{ minLength: 1, maxLength: 2 },
    }),
    fc.array(fc.tuple(fc.array(fc.nat(9), { minLength: 1, maxLength: 2 }), fc.constantFrom('', 'map -> '), end), {
      ...{ minLength: 1, maxLength: 4 },
    }),
  )
  .map(([sources, readers]) => {
    const cells: Record<string, string> = {};
    for (const [kind, behind, last] of sources)
      cells[`c${Object.keys(cells).length}`] = `out: generate(${kind})${behind}${last}`;
    for (const [reads, first, last] of readers) {
      const names = Object.keys(cells);
      const from = [...new Set(reads.map((read) => `${names[read % names.length]!}/out`))];
      const inner = from.length === 2 ? 'out: join(sum) by k' : `${first}out: aggregate(sum) by k`;
      cells[`c${names.length}`] = `${from.join(' + ')} -> ${inner}${last}`;
    }
    return cells;
  });
/** Each step deletes a cell, or brings it back. */
const toggles = fc.array(fc.nat(5), { minLength: 1, maxLength: 8 });

/** Calls `look` with each plan and the cells that are deleted then; at last all cells are back. */
function followed(
  texts: Texts,
  steps: readonly number[],
  look: (plan: Plan, deleted: readonly string[], before: Plan) => void,
): void {
  const before = begun(texts);
  const names = Object.keys(texts);
  let running = before;
  let deleted: readonly string[] = [];
  for (const step of [...steps, -1]) {
    const cell = names[step % names.length];
    if (cell === undefined) deleted = [];
    else deleted = deleted.includes(cell) ? deleted.filter((one) => one !== cell) : [...deleted, cell];
    running = planned(texts, running, deleted).plan;
    look(running, deleted, before);
  }
}
/** Records may leave the instance: a source above it has a reader. */
function flows(plan: Plan, id: string): boolean {
  const sources = new Set(plan.nodes.filter(isSource).map((node) => node.id));
  const upstream = above(plan.edges, [id]);
  const isRead = (source: string): boolean => plan.edges.some(({ from }) => from === source);
  return [...upstream].some((one) => sources.has(one) && isRead(one));
}
const slot = ({ to, input, exchange, from, port }: PlanEdge): string => [to, input, exchange, from, port].join(' ');

test('no operator misses a record: each input is attached, or what it waits for stands still', () => {
  let cuts = 0;
  let passing = 0;
  const law = fc.property(notebooks, toggles, (texts, steps) =>
    followed(withLiveSinks(texts), steps, (plan, deleted, before) => {
      const sinks = new Set(plan.nodes.filter(isSink).map((node) => node.id));
      const wanted = new Map(Map.groupBy(before.edges, ({ to }) => to));
      const seen = Map.groupBy(plan.edges, ({ to }) => to);
      for (const [to, edges] of wanted) {
        if (sinks.has(to)) continue;
        for (const [place, edge] of edges.entries()) {
          const now = seen.get(to)?.[place];
          assert.ok(now, `${to} runs`);
          if (now.from === edge.from) {
            if (deleted.includes(cellOfNode(before, to)) && flows(plan, edge.from)) passing++;
            continue;
          }
          cuts++;
          assert.deepEqual([now.from, now.lost?.from?.id, now.lost?.from?.port], [nowhere, edge.from, edge.port]);
          assert.ok(!flows(plan, edge.from), `${edge.from} stands still, as ${to} waits for it`);
        }
      }
    }),
  );
  fc.assert(law, { numRuns });
  assert.ok(cuts > 100 && passing > 100, `${cuts} cut, ${passing} passing`);
});

test('when all cells are back, the same instances read the same instances', () => {
  fc.assert(
    fc.property(notebooks, toggles, (texts, steps) => {
      let last: Plan | undefined;
      let first: Plan | undefined;
      followed(withoutSinks(texts), steps, (plan, _deleted, before) => ([last, first] = [plan, before]));
      assert.deepEqual(sorted(last!), sorted(first!));
      assert.deepEqual(last!.edges.map(slot).toSorted(), first!.edges.map(slot).toSorted());
    }),
    { numRuns },
  );
});

test('a sink of a deleted cell gets no row', () => {
  let tried = 0;
  fc.assert(
    fc.property(notebooks, toggles, (texts, steps) =>
      followed(texts, steps, (plan, deleted) => {
        for (const node of plan.nodes)
          if (isSink(node) && deleted.includes(node.group)) {
            tried++;
            assert.ok(!flows(plan, node.id), `${node.id} gets nothing`);
          }
      }),
    ),
    { numRuns },
  );
  assert.ok(tried > 100);
});

test('cells that read nothing of deleted cells go on', () => {
  let tried = 0;
  fc.assert(
    fc.property(notebooks, toggles, (texts, steps) =>
      followed(withoutSinks(texts), steps, (plan, deleted, before) => {
        const touched = below(
          before.edges,
          before.nodes.filter(({ group }) => deleted.includes(group)).map(({ id }) => id),
        );
        for (const node of before.nodes.filter(({ kind, id }) => kind === 'display' && !touched.has(id))) {
          tried++;
          assert.ok(flows(plan, node.id), `${node.id} goes on`);
        }
      }),
    ),
    { numRuns },
  );
  assert.ok(tried > 100);
});

function cellOfNode(plan: Plan, id: string): string {
  return plan.nodes.find((node) => node.id === id)!.group;
}
/** A sink that has missed rows of a source which can be read again starts again, as a preview. */
function withLiveSinks(texts: Texts): Texts {
  if (!Object.values(texts).some((text) => text.endsWith('sink'))) return texts;
  return Object.fromEntries(Object.entries(texts).map(([cell, text]) => [cell, text.replace('(limit)', '(live)')]));
}
function withoutSinks(texts: Texts): Texts {
  return Object.fromEntries(Object.entries(texts).map(([cell, text]) => [cell, text.replace(' -> sink', ' -> show')]));
}
