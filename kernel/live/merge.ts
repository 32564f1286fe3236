// Merges the declarations of all cells into one plan. Each name is resolved to its present node,
// and nodes that no leaf reaches are left out.
import type { Endpoint, FragmentEdge } from '../../engine/api/fragment.ts';
import type { MicroBatchMode, Plan, PlanEdge, PlanNode } from '../../engine/graph/plan.ts';
import { edgesByReader, reached } from '../../engine/graph/walk.ts';

/** What a cell's last successful run declared, as far as the graph goes. */
export interface Declared {
  readonly cell: string;
  readonly nodes: readonly PlanNode[];
  readonly edges: readonly FragmentEdge[];
  /** Top-level variables that hold streams. */
  readonly streams: ReadonlyMap<string, Endpoint>;
  /** What its `configure()` says of micro-batches; undefined: it says nothing. */
  readonly mode?: SessionMode;
}
export type SessionMode = 'continuous' | MicroBatchMode;
/**
 * A display, sink or pull: why operators run. A sink is a node of its cell (`node`). The nodes of
 * displays and pulls are made here.
 */
export type Leaf =
  | {
      readonly kind: 'display' | 'pull';
      readonly id: string;
      readonly cell: string;
      readonly from: Endpoint;
      readonly own: string;
      readonly label: string;
      /** It shows the rows of a table. */
      readonly changes?: true | undefined;
    }
  | { readonly kind: 'sink'; readonly node: string };

/**
 * An edge that leads nowhere keeps its place among the slots of its reader. It comes from this id,
 * which is no node.
 */
export const nowhere = '';

/**
 * In the result `id` equals `uid`; instances come later. An edge whose upstream is not defined
 * comes from `nowhere`.
 */
export function mergePlan(cells: Iterable<Declared>, leaves: readonly Leaf[]): Plan {
  const nodes = new Map<string, PlanNode>();
  const declared: FragmentEdge[] = [];
  const streams = new Map<string, ReadonlyMap<string, Endpoint>>();
  const exposed = new Set<string>();
  // Where two cells say it, the later one counts.
  let mode: SessionMode = 'continuous';
  for (const cell of cells) {
    mode = cell.mode ?? mode;
    streams.set(cell.cell, cell.streams);
    for (const node of cell.nodes) nodes.set(node.uid, node);
    declared.push(...cell.edges);
    for (const endpoint of cell.streams.values()) if ('node' in endpoint) exposed.add(endpoint.node);
  }
  for (const leaf of leaves) {
    if (leaf.kind === 'sink') continue;
    nodes.set(leaf.id, {
      id: leaf.id,
      uid: leaf.id,
      kind: leaf.kind,
      name: leaf.label,
      group: leaf.cell,
      parameters: { leaf: leaf.id, ...(leaf.changes && { changes: true }) },
      own: leaf.own,
      shape: '',
    });
    declared.push({ from: leaf.from, to: leaf.id, input: 0, exchange: 'forward' });
  }

  const inputs = edgesByReader(declared);
  /** Where the edge comes from at the moment; undefined: nowhere. */
  const writerOf = (endpoint: Endpoint): Place | undefined => {
    const place = resolve(endpoint, streams);
    return place && nodes.has(place.node) ? place : undefined;
  };
  const above = (uid: string): string[] => (inputs.get(uid) ?? []).flatMap(({ from }) => writerOf(from)?.node ?? []);
  const read = reached(
    leaves.map((leaf) => (leaf.kind === 'sink' ? leaf.node : leaf.id)).filter((uid) => nodes.has(uid)),
    above,
  );
  const edges = [...read].flatMap((to) =>
    (inputs.get(to) ?? []).map(({ from, input, exchange }): PlanEdge => {
      const writer = writerOf(from);
      return { from: writer?.node ?? nowhere, port: writer?.port ?? 'out', to, input, exchange };
    }),
  );
  // In the order in which the cells declare them: what panels show is read from top to bottom.
  const ordered = [...nodes.values()]
    .filter(({ uid }) => read.has(uid))
    .map((node) => (exposed.has(node.uid) && !node.exposed ? { ...node, exposed: true } : node));
  return { version: 1, nodes: ordered, edges, ...(mode !== 'continuous' && { mode }) };
}

interface Place {
  readonly node: string;
  readonly port: string;
}
/**
 * Follows a name through cells that pass on an imported name. undefined: the name is gone, or it
 * leads to itself.
 */
export function resolve(
  endpoint: Endpoint,
  streams: ReadonlyMap<string, ReadonlyMap<string, Endpoint>>,
): Place | undefined {
  let at = endpoint;
  let port = endpoint.port;
  for (let steps = 0; steps < 100; steps++) {
    if ('node' in at) return { node: at.node, port: port === 'out' ? at.port : port };
    const next = streams.get(at.group)?.get(at.variable);
    if (!next) return undefined;
    if (port === 'out') port = next.port;
    at = next;
  }
  return undefined;
}
