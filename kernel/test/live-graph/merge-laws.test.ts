// Laws of `mergePlan` that hold for any cells: names that are passed on, that are gone, or that
// lead to each other; cells in any order; any edit of one cell.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Endpoint, FragmentEdge } from '../../../engine/api/fragment.ts';
import type { Plan, PlanEdge, PlanNode } from '../../../engine/graph/plan.ts';
import { type Leaf, mergePlan, nowhere } from '../../live/merge.ts';
import { cellOf, drawn, type DrawnCell } from './plans.ts';

const numRuns = Number(process.env['LAW_RUNS'] ?? 400);

const cellNames = ['a', 'b', 'c', 'd'];
/** A name of any cell, also of a cell that is gone, or a name that its cell does not define. */
const reference = fc
  .record({
    cell: fc.constantFrom(...cellNames, 'gone'),
    variable: fc.constantFrom('out', 'out', 'again', 'kept'),
    port: fc.constantFrom('', '', '.late', '.errors'),
  })
  .map(({ cell, variable, port }) => `${cell}/${variable}${port}`);
const source = fc.constantFrom('', 'out: generate(limit)', 'out: generate(live)');
const passedOn = fc.oneof(
  fc.constant(''),
  reference.map((name) => `again = ${name}`),
);
const leaf = fc.constantFrom('', ' -> show', ' -> show(20 rows)', ' -> pull', ' -> sink');
const chain = fc
  .record({
    reads: fc.array(reference, { minLength: 1, maxLength: 2 }),
    text: fc.nat(1),
    shape: fc.constantFrom('x', 'y'),
    key: fc.constantFrom('k', 'l'),
    leaf,
  })
  .map(({ reads, text, shape, key, leaf: end }) => {
    const inputs = reads.join(' + ');
    const last =
      reads.length === 2
        ? `kept: join(${shape}) by ${key}`
        : `map(${text}) -> kept: aggregate(${shape}, ${text}) by ${key}`;
    return `${inputs} -> ${last}${end}`;
  });
const shown = fc.oneof(
  fc.constant(''),
  fc.tuple(reference, fc.constantFrom('show', 'show(20 rows)', 'pull')).map(([name, end]) => `${name} -> ${end}`),
);
const cellText = fc
  .tuple(source, passedOn, fc.oneof(fc.constant(''), chain), shown)
  .map((lines) => lines.filter((line) => line !== '').join('\n'));

type Texts = ReadonlyMap<string, string>;
const notebooks: fc.Arbitrary<Texts> = fc
  .record({
    order: fc.shuffledSubarray(cellNames, { minLength: 1 }),
    texts: fc.array(cellText, { minLength: 4, maxLength: 4 }),
  })
  .map(({ order, texts }) => new Map(order.map((cell, place) => [cell, texts[place]!])));

interface Merge {
  readonly cells: readonly DrawnCell[];
  readonly leaves: readonly Leaf[];
  readonly plan: Plan;
}
function merged(texts: Texts): Merge {
  const cells = [...texts].map(([cell, text]) => cellOf(cell, text));
  const leaves = cells.flatMap((cell) => cell.leaves);
  return { cells, leaves, plan: mergePlan(cells, leaves) };
}

/** Holds for any notebook. `size`: how much of it the law is about. */
function law(name: string, size: (merge: Merge, texts: Texts) => number): void {
  test(name, () => {
    let tried = 0;
    fc.assert(
      fc.property(notebooks, (texts) => {
        tried += size(merged(texts), texts);
      }),
      { numRuns },
    );
    assert.ok(tried > numRuns, `The law was tried at ${tried} places only.`);
  });
}

law('each node of the plan is reached by a leaf, and what a leaf reaches is in the plan once', (merge) => {
  const reached = new Set<string>();
  const visit = (uid: string): void => {
    if (reached.has(uid) || !declaredNode(merge, uid)) return;
    reached.add(uid);
    for (const { from } of declaredSlots(merge, uid)) visit(placeOf(merge, from)?.node ?? nowhere);
  };
  for (const one of merge.leaves) visit(uidOf(one));
  const uids = merge.plan.nodes.map((node) => node.uid);
  assert.deepEqual(uids.toSorted(), [...reached].sort());
  return uids.length;
});

law('each slot of a node reads what its name stands for, in the order that its cell declares', (merge) => {
  let slots = 0;
  for (const { uid } of merge.plan.nodes) {
    const declared = declaredSlots(merge, uid).map(({ from, input, exchange }): PlanEdge => {
      const place = placeOf(merge, from);
      return { from: place?.node ?? nowhere, port: place?.port ?? 'out', to: uid, input, exchange };
    });
    assert.deepEqual(edgesOf(merge.plan, uid), declared, `the slots of ${uid}`);
    slots += declared.length;
  }
  return slots;
});

law('no state goes to another key or shape: a node is what its cell declares, and so is its key', (merge) => {
  let keys = 0;
  for (const node of merge.plan.nodes) {
    const { exposed: _, ...same } = node;
    assert.deepEqual(same, declaredNode(merge, node.uid));
    for (const [slot, { from, exchange }] of edgesOf(merge.plan, node.uid).entries()) {
      if (exchange !== 'key') continue;
      const declared = declaredSlots(merge, node.uid)[slot]!.from;
      assert.ok('node' in declared, `slot ${slot} of ${node.uid}`);
      const key = merge.plan.nodes.find((one) => one.uid === from);
      assert.equal(key?.own, declaredNode(merge, declared.node)?.own, `the key of slot ${slot} of ${node.uid}`);
      keys++;
    }
  }
  return keys * 4;
});

law('a node is exposed if and only if a variable of its cell holds its output', (merge) => {
  for (const { uid, group, exposed } of merge.plan.nodes) {
    const streams = merge.cells.find(({ cell }) => cell === group)?.streams ?? new Map<string, Endpoint>();
    const isHeld = [...streams.values()].some((endpoint) => 'node' in endpoint && endpoint.node === uid);
    assert.equal(exposed ?? false, isHeld, uid);
  }
  return merge.plan.nodes.length;
});

law('an edit of a cell changes no node and no input of cells that read nothing through it', (merge, texts) => {
  let kept = 0;
  for (const edited of texts.keys())
    for (const text of ['', 'out: generate(edited)\nagain = a/out', undefined]) {
      const others = [...texts].filter(([cell]) => cell !== edited);
      const next = merged(text === undefined ? new Map(others) : new Map(texts).set(edited, text));
      for (const node of merge.plan.nodes) {
        const { uid, group } = node;
        const isApart =
          group !== edited && declaredSlots(merge, uid).every(({ from }) => !cellsOfName(merge, from).includes(edited));
        const now = next.plan.nodes.find((one) => one.uid === uid);
        if (!isApart || !now) continue;
        assert.deepEqual(now, node);
        assert.deepEqual(edgesOf(next.plan, uid), edgesOf(merge.plan, uid), `the inputs of ${uid}`);
        kept++;
      }
    }
  return kept;
});

law('editing nothing changes nothing: merging again, and merging the merged plan, give the same plan', (merge) => {
  const before = structuredClone({ cells: merge.cells, leaves: merge.leaves });
  assert.deepEqual(mergePlan(merge.cells, merge.leaves), merge.plan);
  assert.deepEqual({ cells: merge.cells, leaves: merge.leaves }, before, 'mergePlan changes nothing that it reads');
  const whole: DrawnCell = {
    cell: 'whole',
    nodes: merge.plan.nodes,
    edges: merge.plan.edges.map(({ from, port, ...edge }): FragmentEdge => ({ ...edge, from: { node: from, port } })),
    streams: new Map(),
    leaves: merge.leaves.map((one): Leaf => ({ kind: 'sink', node: uidOf(one) })),
  };
  assert.deepEqual(mergePlan([whole], whole.leaves), merge.plan);
  return merge.plan.nodes.length;
});

law('the order of the cells changes nothing but the order', (merge, texts) => {
  const turned = merged(new Map([...texts].reverse()));
  assert.deepEqual(drawn(turned.plan).toSorted(), drawn(merge.plan).toSorted());
  return merge.plan.nodes.length;
});

function uidOf(one: Leaf): string {
  return one.kind === 'sink' ? one.node : one.id;
}
function declaredNode({ cells, leaves }: Merge, uid: string): PlanNode | undefined {
  const leaf = leaves.find((one) => uidOf(one) === uid);
  if (!leaf || leaf.kind === 'sink') return cells.flatMap((cell) => cell.nodes).find((node) => node.uid === uid);
  const { id, kind, label: name, cell: group, own } = leaf;
  return { ...{ id, uid: id, kind, name, group, own }, parameters: { leaf: id }, shape: '' };
}
function declaredSlots({ cells, leaves }: Merge, uid: string): readonly Omit<FragmentEdge, 'to'>[] {
  const leaf = leaves.find((one) => uidOf(one) === uid);
  if (leaf && leaf.kind !== 'sink') return [{ from: leaf.from, input: 0, exchange: 'forward' }];
  return cells.flatMap((cell) => cell.edges).filter((edge) => edge.to === uid);
}
function edgesOf(plan: Plan, uid: string): readonly PlanEdge[] {
  return plan.edges.filter((edge) => edge.to === uid);
}

/** The names from this one to a node, to a name that is gone, or to a name that came before. */
function namesFrom({ cells }: Merge, from: Endpoint): readonly Endpoint[] {
  const names = [from];
  for (;;) {
    const at = names.at(-1)!;
    if ('node' in at) return names;
    const next = cells.find(({ cell }) => cell === at.group)?.streams.get(at.variable);
    if (!next || names.slice(1).includes(next)) return names;
    names.push(next);
  }
}
/** A side output that a name asks for first is read, whatever the names behind it ask for. */
function placeOf(merge: Merge, from: Endpoint): { readonly node: string; readonly port: string } | undefined {
  const names = namesFrom(merge, from);
  const last = names.at(-1)!;
  if (!('node' in last) || !declaredNode(merge, last.node)) return undefined;
  return { node: last.node, port: names.find(({ port }) => port !== 'out')?.port ?? 'out' };
}
function cellsOfName(merge: Merge, from: Endpoint): readonly string[] {
  return namesFrom(merge, from).flatMap((name) => ('node' in name ? [] : [name.group]));
}
