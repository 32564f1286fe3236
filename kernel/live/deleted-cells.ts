// Cells that were deleted a moment ago: their operators stay for as long as the user may undo it,
// and an undo finds them as if nothing had happened.
//
//   the records can wait       the edge is cut, and everything above it stands still until the undo
//   the records do not wait    the edge stays, and the operators go on, unseen
//   the edge is that of a      the edge is cut. After an undo the sink goes on where it stands, or
//     deleted sink               from then on if the rows have passed
//
// Records do not wait if somebody else reads them too. That shows only among instances: a reader
// that came late has a copy of its source. So a change is tried with all edges cut. Where a slot
// would miss records, its edge stays, and the change is tried again. Each try cuts fewer edges, so
// this ends.
import { isSink, isSource } from '../../engine/graph/kinds.ts';
import type { Plan, PlanEdge } from '../../engine/graph/plan.ts';
import { above, below, edgesByReader } from '../../engine/graph/walk.ts';
import { type Change, changeGraph } from './live-graph.ts';
import { nowhere } from './merge.ts';

export interface DeletedCells {
  /** Nodes of deleted cells, by uid. */
  readonly nodes: ReadonlySet<string>;
  /** Displays, sinks and pulls of all other cells, by uid. */
  readonly livingLeaves: readonly string[];
}

export interface ChangeWithoutDeleted {
  readonly change: Change;
  /** The plan that runs next, as uids, with the edges that are cut. */
  readonly next: Plan;
}

/** `whole` is the plan as if no cell had been deleted. */
export function changeWithoutDeleted(
  running: Plan,
  whole: Plan,
  deleted: DeletedCells,
  failed: ReadonlySet<string>,
): ChangeWithoutDeleted {
  if (deleted.nodes.size === 0) return { change: changeGraph(running, whole, failed), next: whole };
  const isBetween = isBetweenDeletedAndLiving(whole, deleted);
  const passing = new Set<PlanEdge>();
  for (;;) {
    const isCut = isCutWhile(whole, deleted, isBetween, passing);
    const next = { ...whole, edges: whole.edges.map((edge) => (isCut(edge) ? cut(edge) : edge)) };
    const change = changeGraph(running, next, failed);
    const missing = slotsThatMiss(running, whole, change).filter((edge) => isBetween(edge) && !passing.has(edge));
    if (missing.length === 0) return { change, next };
    for (const edge of missing) passing.add(edge);
  }
}

/**
 * Edges between what living cells read and what only deleted ones read, and edges of the sources of
 * the latter.
 */
function isBetweenDeletedAndLiving(whole: Plan, { nodes, livingLeaves }: DeletedCells): (edge: PlanEdge) => boolean {
  const edges = whole.edges.filter(({ from }) => from !== nowhere && !nodes.has(from));
  const living = above(edges, livingLeaves);
  const sources = new Set(whole.nodes.filter(isSource).map(({ uid }) => uid));
  return ({ from, to }) => {
    if (from === nowhere) return false;
    if (living.has(to)) return nodes.has(from);
    return living.has(from) || sources.has(from);
  };
}

function isCutWhile(
  whole: Plan,
  { nodes }: DeletedCells,
  isBetween: (edge: PlanEdge) => boolean,
  passing: ReadonlySet<PlanEdge>,
): (edge: PlanEdge) => boolean {
  const isCut = (edge: PlanEdge): boolean => isBetween(edge) && !passing.has(edge);
  const mute = new Set(whole.nodes.filter((node) => isSink(node) && nodes.has(node.uid)).map(({ uid }) => uid));
  const goOn = below(
    whole.edges.filter((edge) => edge.from !== nowhere && !isCut(edge)),
    [...passing].map(({ to }) => to),
  );
  return (edge) => isCut(edge) || (mute.has(edge.to) && (passing.has(edge) || goOn.has(edge.from)));
}
function cut(edge: PlanEdge): PlanEdge {
  return { ...edge, from: nowhere, port: 'out' };
}

/**
 * Edges of the whole plan of which a slot, also of a copy, read something and cannot go on there
 * later.
 */
function slotsThatMiss(running: Plan, whole: Plan, { plan, handover }: Change): readonly PlanEdge[] {
  const former = edgesByReader(running.edges);
  const next = edgesByReader(plan.edges);
  const declared = edgesByReader(whole.edges);
  return plan.nodes.flatMap(({ id, uid }) => {
    const before = former.get(handover[id] ?? id) ?? [];
    return (next.get(id) ?? []).flatMap(({ from, lost }, slot) => {
      const read = before[slot];
      const couldGoOn = read !== undefined && (read.from !== nowhere || read.lost?.from !== undefined);
      const edge = declared.get(uid)?.[slot];
      return edge && from === nowhere && lost?.from === undefined && couldGoOn ? [edge] : [];
    });
  });
}
