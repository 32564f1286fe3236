// Lineage: everything above a node that determines its rows, up to the sources. Also the properties
// of a node that follow from its sources.
import { invariant } from '../errors/invariant.ts';
import { shapeHash } from './fingerprint.ts';
import { canReadNodeAgain, isBoundedNode } from './kinds.ts';
import type { Plan, PlanEdge, PlanNode } from './plan.ts';
import { edgesByReader, reached } from './walk.ts';

/**
 * For each instance: the hash of its own fingerprint and of the lineage of all its inputs, in
 * order. Nodes with the same lineage have the same rows.
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
    invariant(node, `an edge of the plan begins at a node of it, and not at ${id}`);
    // The sentence of a large plan is long, so it is made only when it is needed.
    if (open.has(id)) invariant(false, `the plan has no cycle such as ${[...open, id].join(' → ')}`);
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
 * Every source above the node (or the node itself) can be read again from its start and then gives
 * the same records. A lost input cannot be read.
 */
export function canReadAgain(plan: Plan, id: string): boolean {
  return everySourceAbove(plan, id, canReadNodeAgain);
}
/** The same of what the node has seen: a lost input counts as what it was. */
export function couldReadAgain(plan: Plan, id: string): boolean {
  return everySourceAbove(plan, id, canReadNodeAgain, ({ lost }) => lost?.canReadAgain ?? false);
}

/**
 * The node's output ends by itself: on every path above it there is a bounded source or a `take`.
 */
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
  // The walk stops at a source or at a `take`, where the answer is known.
  const visited = reached([id], (at) =>
    holdsAt(at) ? [] : (inputs.get(at) ?? []).flatMap((edge) => (isKnown(edge) ? [] : edge.from)),
  );
  // A node without input that is not a source has lost its input. Its former input is unknown, so
  // the answer is no.
  return visited.values().every((at) => holdsAt(at) || (nodes.has(at) && inputs.has(at)));
}
