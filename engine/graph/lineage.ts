// Lineage: what a node's rows depend on, all the way up to the sources; and what follows from the sources above it.
import { shapeHash } from './fingerprint.ts';
import { canReadNodeAgain, isBoundedNode } from './kinds.ts';
import type { Plan, PlanEdge, PlanNode } from './plan.ts';
import { edgesByReader, reached } from './walk.ts';

/**
 * For each instance: hash of its own fingerprint and the lineage of all its inputs, in order. Same
 * lineage, same rows. A lost input counts as what it was.
 */
export function lineage(plan: Plan): Map<string, string> {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const inputs = edgesByReader(plan.edges);
  const result = new Map<string, string>();
  const open = new Set<string>();
  const visit = (id: string): string => {
    const known = result.get(id);
    if (known !== undefined) return known;
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`The plan has an edge from ${id}, which is not one of its nodes.`);
    if (open.has(id)) throw new Error(`The plan has a cycle: ${[...open, id].join(' → ')}.`);
    open.add(id);
    const above = (inputs.get(id) ?? []).map((edge) => edge.lost?.lineage ?? slotLineage(edge, visit(edge.from)));
    open.delete(id);
    const own = shapeHash(node.own, above);
    result.set(id, own);
    return own;
  };
  for (const node of plan.nodes) visit(node.id);
  return result;
}

/** What a slot reads, as part of the lineage of its reader. `upstream` is the lineage there. */
export function slotLineage({ port, input, exchange }: PlanEdge, upstream: string): string {
  return shapeHash(port, input, exchange, upstream);
}

/**
 * Every source above the node (or the node itself) can be read again from its start and gives the
 * same records. A lost input cannot be read.
 */
export function canReadAgain(plan: Plan, id: string): boolean {
  return everySourceAbove(plan, id, canReadNodeAgain);
}
/** The same of what the node has seen: a lost input counts as what it was. */
export function couldReadAgain(plan: Plan, id: string): boolean {
  return everySourceAbove(plan, id, canReadNodeAgain, ({ lost }) => lost?.canReadAgain ?? false);
}

/** The node's output ends by itself: every source above it is bounded, or a `take` is in between. */
export function isBounded(plan: Plan, id: string): boolean {
  return everySourceAbove(plan, id, isBoundedNode);
}

function everySourceAbove(
  plan: Plan,
  id: string,
  test: (node: PlanNode) => boolean,
  isKnown: (edge: PlanEdge) => boolean = () => false,
): boolean {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const inputs = edgesByReader(plan.edges);
  const holdsAt = (at: string): boolean => {
    const node = nodes.get(at);
    return node !== undefined && test(node);
  };
  // The walk stops where the answer is known: at a source, or at a `take`, whatever is above it.
  const visited = reached([id], (at) =>
    holdsAt(at) ? [] : (inputs.get(at) ?? []).flatMap((edge) => (isKnown(edge) ? [] : edge.from)),
  );
  // A node without input that is no source has lost its input: nothing is known about what it saw.
  return visited.values().every((at) => holdsAt(at) || (nodes.has(at) && inputs.has(at)));
}
