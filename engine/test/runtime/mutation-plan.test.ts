// Plans of a mutation: the change of each task and channel, as tables and as laws, without running
// tasks.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { PlanNode } from '../../graph/plan.ts';
import { type Chain, chainsOf } from '../../graph/chains.ts';
import {
  type MutationPlan,
  type MutationRequest,
  placeKey,
  planMutation,
  type RunningGraph,
} from '../../runtime/mutation-plan.ts';
import { planOf } from './graph-kit.ts';

/** ">b" is a loose input of b. */
function chainsFrom(edges: string, own?: Readonly<Record<string, string>>): Chain[] {
  const plan = planOf(edges, own);
  return chainsOf({ ...plan, nodes: plan.nodes.filter(({ id }) => id !== '') });
}

/** A graph that runs and has no barrier on its way. */
function running(chains: readonly Chain[], dormant: readonly string[] = []): RunningGraph {
  const nothing: RunningGraph = { tasks: new Map(), channels: [], attached: [] };
  const { channels } = planMutation(nothing, { chains });
  return {
    tasks: new Map(
      chains.map((chain) => [chain.id, { chain, isDormant: dormant.includes(chain.id), isClosed: false }]),
    ),
    channels,
    attached: channels,
  };
}
/** From one list of edges to another; a changed text is written as `own`. */
function change(before: string, after: string, request: Omit<MutationRequest, 'chains'> & Own & Dormant = {}) {
  const { own, dormant, ...rest } = request;
  return planMutation(running(chainsFrom(before), dormant), { chains: chainsFrom(after, own), ...rest });
}
interface Own {
  readonly own?: Readonly<Record<string, string>>;
}
interface Dormant {
  readonly dormant?: readonly string[];
}
const shown = ({ kept, created, drained, cut, successors }: MutationPlan) => ({
  ...{ kept: [...kept].join(' '), created: created.join(' '), drained: drained.join(' '), cut: cut.join(' ') },
  successors: [...successors].map(([from, to]) => `${from}→${to}`).join(' '),
});
const madeChannels = ({ channels }: MutationPlan): string[] =>
  channels.filter(({ isKept }) => !isKept).map(({ from, to }) => `${from}>${to}`);

const table: readonly {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  readonly request?: Parameters<typeof change>[2];
  readonly gives: Partial<ReturnType<typeof shown>>;
}[] = [
  {
    name: 'nothing changes',
    before: 'a>b, b>c',
    after: 'a>b, b>c',
    gives: { kept: 'a b c', created: '', drained: '', cut: '' },
  },
  {
    name: 'everything is new',
    before: '',
    after: 'a>b',
    gives: { kept: '', created: 'a b' },
  },
  {
    name: 'a branch without a kept reader or a successor is removed at once, writers and readers alike',
    before: 'a>b, b>c, a>d',
    after: 'a>d',
    gives: { kept: 'a d', drained: '', cut: 'b c' },
  },
  {
    name: 'a replaced operator is drained if a kept reader still reads it',
    before: 'a>b, b>c',
    after: 'a>x, x>c',
    gives: { kept: 'a c', created: 'x', drained: 'b', cut: '' },
  },
  {
    name: 'an upstream that is not replaced is cut: nothing feeds the slot of its reader any more',
    before: 'a>b, z>c',
    after: '>b, z>c',
    gives: { kept: 'b z c', drained: '', cut: 'a' },
  },
  {
    name: 'everything above a drained task is drained, an unrelated task before it is not',
    before: 'a>b, b>c, c>r, p>q, q>r',
    after: 'x>r, p>y, y>r',
    gives: { kept: 'r p', created: 'x y', drained: 'a b c q', cut: '' },
  },
  {
    name: 'a predecessor is drained for its state, although no kept operator reads it',
    before: 'a>b, b>c',
    after: 'a>x',
    request: { handover: { x: 'b' } },
    gives: { created: 'x', drained: 'b', cut: 'c', successors: 'b→x' },
  },
  {
    name: 'a handover to a kept task, or from one, is none',
    before: 'a>b, b>c',
    after: 'a>b, b>c',
    request: { handover: { b: 'c', x: 'b' } },
    gives: { kept: 'a b c', successors: '' },
  },
  {
    name: 'a task that is to start again takes nothing over',
    before: 'a>b, b>c',
    after: 'a>b, b>c',
    request: { fresh: new Set(['b']) },
    gives: { kept: 'a c', created: 'b', drained: 'b', successors: '' },
  },
  {
    name: 'a changed text is another task',
    before: 'a>b, b>c',
    after: 'a>b, b>c',
    request: { own: { b: 'another' } },
    gives: { kept: 'a c', created: 'b', drained: 'b', successors: '' },
  },
  {
    name: 'a dormant task starts again with those above it when a new task reads it',
    before: 'a>b, b>c, c>d',
    after: 'a>b, b>c, c>d, c>e',
    request: { dormant: ['b', 'c'] },
    gives: { kept: 'a d', created: 'e c b', drained: 'b c', successors: '' },
  },
  {
    name: 'a dormant task stays as it is while no new task reads it',
    before: 'a>b, b>c',
    after: 'a>b, b>c, a>e',
    request: { dormant: ['b', 'c'] },
    gives: { kept: 'a b c', created: 'e' },
  },
];
for (const { name, before, after, request, gives } of table)
  test(name, () => {
    const result = shown(change(before, after, request));
    assert.deepEqual(result, { ...result, ...gives });
  });

test('a head that is fused in another way is its own successor', () => {
  // Only map and filter are fused. b is a head, so the maps after it are not part of the new chain.
  const fused = chainsOf({ ...planOf('a>b, b>map, map>c'), nodes: inOneGroup('a>b, b>map, map>c') });
  const apart = chainsOf({ ...planOf('a>b, b>map, map>c, b>d'), nodes: inOneGroup('a>b, b>map, map>c, b>d') });
  const result = planMutation(running(fused), { chains: apart });
  assert.deepEqual([...result.successors], [['b', 'b']]);
  assert.deepEqual([result.drained, result.created], [['b'], ['b', 'map', 'd']]);
});
const inOneGroup = (edges: string): PlanNode[] =>
  planOf(edges).nodes.map((node): PlanNode => {
    const fn = { uid: node.uid, slot: 'fn', textHash: '' };
    return node.id === 'map' ? { ...node, kind: 'map', parameters: { fn }, group: '' } : { ...node, group: '' };
  });

test('only tasks with other channels flip', () => {
  const result = change('a>b, b>c, a>d', 'a>b, b>c, a>d, a>e');
  assert.deepEqual([[...result.newInputs], [...result.newOutputs], madeChannels(result)], [[], ['a'], ['a>e']]);
  const rewired = change('a>c, b>d', 'b>c, b>d');
  assert.deepEqual([[...rewired.newInputs], [...rewired.newOutputs]], [['c'], ['b']]);
  assert.deepEqual([rewired.drained, madeChannels(rewired)], [['a'], ['b>c']], 'c still hears from a');
});

test('while a barrier is under way, a task is drained for the reader that it has now', () => {
  // The target is already x>c. But c has not passed the barrier and still reads from b, so b is
  // removed only later.
  const graph = running(chainsFrom('a>b, a>x, x>c'));
  const attached = [...graph.attached, { from: 'b', to: 'c', slot: 0 }];
  const result = planMutation({ ...graph, attached }, { chains: chainsFrom('a>x, x>c') });
  assert.deepEqual([result.drained, result.cut], [['b'], []]);
});

// ------------------------------------------------------------------------------------------ laws

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
/** Edges go from a letter to a later one, so that there is no cycle; some inputs are loose. */
const graph = fc
  .record({
    edges: fc.uniqueArray(
      fc
        .tuple(fc.integer({ min: -1, max: names.length - 1 }), fc.nat(names.length - 1))
        .filter(([from, to]) => from < to)
        .map(([from, to]) => `${names[from] ?? ''}>${names[to]}`),
      { minLength: 1, maxLength: 10 },
    ),
    changed: fc.subarray([...names], { maxLength: 2 }),
  })
  .map(({ edges, changed }) => ({
    chains: chainsFrom(edges.join(', '), Object.fromEntries(changed.map((id) => [id, `${id}'`]))),
  }));
const request = fc.record({
  fresh: fc.subarray([...names], { maxLength: 2 }).map((ids): ReadonlySet<string> => new Set(ids)),
  handover: fc.dictionary(fc.constantFrom(...names), fc.constantFrom(...names), { maxKeys: 2 }),
  dormant: fc.subarray([...names], { maxLength: 3 }),
});
function always(holds: (graph: RunningGraph, chains: readonly Chain[], plan: MutationPlan) => void): void {
  fc.assert(
    fc.property(graph, graph, request, (before, after, { dormant, ...options }) => {
      const now = running(before.chains, dormant);
      holds(now, after.chains, planMutation(now, { chains: after.chains, ...options }));
    }),
    { numRuns: 1000 },
  );
}

test('every chain of the next plan has one task, and every task of the running graph is kept, drained or cut', () => {
  always(({ tasks }, chains, { kept, created, drained, cut }) => {
    assert.deepEqual([...kept, ...created].toSorted(), chains.map(({ id }) => id).toSorted());
    assert.deepEqual([...kept, ...drained, ...cut].toSorted(), [...tasks.keys()].toSorted());
  });
});

test('the signature of a kept task is the same as before', () => {
  always(({ tasks }, chains, { kept }) => {
    for (const { id, signature } of chains) if (kept.has(id)) assert.equal(tasks.get(id)!.chain.signature, signature);
  });
});

test('every edge between two tasks has exactly one channel, and a kept channel has kept ends', () => {
  always(({ channels: former }, chains, { channels, kept }) => {
    const ids = new Set(chains.map(({ id }) => id));
    const edges = chains.flatMap(({ id, inputs }) =>
      inputs.flatMap(({ from, port }, slot) => (ids.has(from) ? [placeKey({ from, port, to: id, slot })] : [])),
    );
    assert.deepEqual(channels.map(placeKey).toSorted(), edges.toSorted());
    for (const channel of channels) {
      const wasThere = former.some((one) => placeKey(one) === placeKey(channel));
      assert.equal(channel.isKept, kept.has(channel.from) && kept.has(channel.to) && wasThere);
    }
  });
});

test('a removed task is drained when a kept reader or a successor needs it, and only then', () => {
  always(({ attached, tasks }, chains, { kept, drained, cut, successors }) => {
    const chainOf = new Map(chains.map((chain) => [chain.id, chain]));
    const isFed = (to: string, slot: number): boolean => chainOf.has(chainOf.get(to)!.inputs[slot]!.from);
    // The plain form: a depth-first search down from each removed task.
    const isNeeded = (id: string): boolean =>
      successors.has(id) ||
      attached.some(({ from, to, slot }) => from === id && (kept.has(to) ? isFed(to, slot) : isNeeded(to)));
    for (const id of tasks.keys())
      if (!kept.has(id)) assert.deepEqual([drained.includes(id), cut.includes(id)], [isNeeded(id), !isNeeded(id)], id);
  });
});

test('a new task above which a task is dormant starts it again', () => {
  always(({ tasks }, chains, { created, kept }) => {
    for (const { id, inputs } of chains)
      if (created.includes(id))
        for (const { from } of inputs)
          assert.ok(!(kept.has(from) && tasks.get(from)!.isDormant), `${from} above ${id}`);
  });
});

test('a kept task flips exactly when a channel of it is new, gone or elsewhere', () => {
  always(({ channels: former }, _chains, { channels, kept, newInputs, newOutputs }) => {
    const of = (all: typeof channels, end: 'from' | 'to', id: string): string =>
      all
        .filter((one) => one[end] === id)
        .map((one) => (one.isKept ? '' : 'new ') + placeKey(one))
        .join();
    const before = former.map((place) => ({ ...place, isKept: true }));
    for (const id of kept) {
      assert.equal(newInputs.has(id), of(before, 'to', id) !== of(channels, 'to', id), `inputs of ${id}`);
      assert.equal(newOutputs.has(id), of(before, 'from', id) !== of(channels, 'from', id), `outputs of ${id}`);
    }
  });
});

test('readers have their turns before writers', () => {
  always((_running, chains, { order }) => {
    assert.deepEqual([...order].toSorted(), chains.map(({ id }) => id).toSorted());
    for (const { id, inputs } of chains)
      for (const { from } of inputs)
        if (order.includes(from)) assert.ok(order.indexOf(id) < order.indexOf(from), `${id} before ${from}`);
  });
});

test('a removed sink that writes is drained, with what is removed above it; a preview is cut', () => {
  const graph = (armed: boolean, reader: string): Chain[] => {
    const plan = planOf(`a>b, b>${reader}`);
    const nodes = plan.nodes.map((node): PlanNode =>
      node.id === reader ? Object.assign({}, node, { kind: 'functionSink', parameters: { armed } }) : node,
    );
    return chainsOf({ ...plan, nodes });
  };
  for (const armed of [true, false]) {
    const next = chainsFrom('a>b');
    const { drained, cut } = planMutation(running(graph(armed, 'out')), { chains: next });
    assert.deepEqual([drained, cut], armed ? [['out'], []] : [[], ['out']]);
    const gone = planMutation(running(graph(armed, 'out')), { chains: [] });
    assert.deepEqual([gone.drained, gone.cut], armed ? [['a', 'b', 'out'], []] : [[], ['a', 'b', 'out']]);
  }
});
