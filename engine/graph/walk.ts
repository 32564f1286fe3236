// Walks over the edges of a plan: the nodes above a node, the nodes below it, and the nodes that a
// walk reaches.
//
// A walk visits each node once, so it ends in any graph. Its result is in the order of the visit:
// the start first, then the nearest nodes. An edge of a cell may end at an id that is not a node;
// the caller decides what that means.

/** The fields of an edge that a walk needs. Edges of plans and of fragments have them. */
export interface Way {
  readonly from: string;
  readonly to: string;
}

/** The edges by the node that reads them. The order of a node's edges is the order of its slots. */
export function edgesByReader<E extends Pick<Way, 'to'>>(edges: Iterable<E>): Map<string, E[]> {
  return Map.groupBy(edges, ({ to }) => to);
}
/** The edges by the node that writes to them. */
export function edgesByWriter<E extends Pick<Way, 'from'>>(edges: Iterable<E>): Map<string, E[]> {
  return Map.groupBy(edges, ({ from }) => from);
}

/** The start, and every node that can be reached from it by `next`. */
export function reached(start: Iterable<string>, next: (id: string) => Iterable<string>): Set<string> {
  const seen = new Set(start);
  // A loop over a set also visits the elements that are added during the loop.
  for (const id of seen) for (const other of next(id)) seen.add(other);
  return seen;
}
/** The nodes themselves and all nodes upstream of them. */
export function above(edges: Iterable<Way>, ids: Iterable<string>): Set<string> {
  const inputs = edgesByReader(edges);
  return reached(ids, (id) => (inputs.get(id) ?? []).map(({ from }) => from));
}
/** The nodes themselves and all nodes downstream of them. */
export function below(edges: Iterable<Way>, ids: Iterable<string>): Set<string> {
  const outputs = edgesByWriter(edges);
  return reached(ids, (id) => (outputs.get(id) ?? []).map(({ to }) => to));
}
