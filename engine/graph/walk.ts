// Walks over the edges of a plan: what lies above a node, what lies below it, and what a walk
// reaches.
//
// A walk visits each node once, so it ends in any graph. Its result is in the order of the visit:
// the start first, then the nearest nodes. An edge of a cell may have an end that is no node; the
// caller decides what that means.

/** What a walk needs to know of an edge; edges of plans and of fragments are both such edges. */
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

/** The start, and everything that `next` leads to from there. */
export function reached(start: Iterable<string>, next: (id: string) => Iterable<string>): Set<string> {
  const seen = new Set(start);
  // A set visits what is added to it during the loop.
  for (const id of seen) for (const other of next(id)) seen.add(other);
  return seen;
}
/** The nodes themselves and everything they get records from. */
export function above(edges: Iterable<Way>, ids: Iterable<string>): Set<string> {
  const inputs = edgesByReader(edges);
  return reached(ids, (id) => (inputs.get(id) ?? []).map(({ from }) => from));
}
/** The nodes themselves and everything that gets records from them. */
export function below(edges: Iterable<Way>, ids: Iterable<string>): Set<string> {
  const outputs = edgesByWriter(edges);
  return reached(ids, (id) => (outputs.get(id) ?? []).map(({ to }) => to));
}
