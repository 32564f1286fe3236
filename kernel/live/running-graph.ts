// What runs, as a change of the graph looks at it: instances, their slots, and what each slot reads
// or has lost.
import { collapses } from '../../engine/graph/kinds.ts';
import { couldReadAgain, lineage, slotLineage } from '../../engine/graph/lineage.ts';
import type { LostInput, Plan, PlanEdge, PlanNode } from '../../engine/graph/plan.ts';
import { edgesByReader } from '../../engine/graph/walk.ts';
import { nowhere } from './merge.ts';

export class RunningGraph {
  readonly plan: Plan;
  /** By instance. */
  readonly nodes: ReadonlyMap<string, PlanNode>;
  readonly lineages: ReadonlyMap<string, string>;
  /** uid → the instance that readers attach to. */
  readonly main: ReadonlyMap<string, string>;
  readonly #inputs: ReadonlyMap<string, readonly PlanEdge[]>;

  constructor(plan: Plan) {
    this.plan = plan;
    this.nodes = new Map(plan.nodes.map((node) => [node.id, node]));
    this.main = new Map(plan.nodes.filter((node) => !node.copy).map((node) => [node.uid, node.id]));
    this.lineages = lineage(withoutUnknown(plan));
    this.#inputs = edgesByReader(plan.edges);
  }
  slots(id: string): readonly PlanEdge[] {
    return this.#inputs.get(id) ?? [];
  }
  /** What the instance has seen could be read again. */
  couldReadAgain(id: string): boolean {
    return couldReadAgain(this.plan, id);
  }
  /** The edge of this slot when its upstream is gone. */
  cut(edge: PlanEdge): PlanEdge {
    if (edge.from === nowhere) return edge;
    const { to, input, exchange } = edge;
    const upstream = this.nodes.get(edge.from)!;
    const lost: LostInput = {
      from: { id: edge.from, port: edge.port },
      lineage: slotLineage(edge, this.lineages.get(edge.from)!),
      canReadAgain: this.couldReadAgain(edge.from),
      ...(collapses(upstream) && { key: { own: upstream.own, spec: upstream.parameters.key } }),
    };
    return { from: nowhere, port: 'out', to, input, exchange, lost };
  }
  /** The fingerprint of the key of a slot; undefined: it has none. */
  keyOf(edge: PlanEdge): string | undefined {
    return edge.from === nowhere ? edge.lost?.key?.own : keyOwn(this.nodes.get(edge.from));
  }
}

/** The fingerprint of a key, if this node is one. */
export function keyOwn(upstream: PlanNode | undefined): string | undefined {
  return upstream && collapses(upstream) ? upstream.own : undefined;
}
/** Slots that never had an input say nothing about lineage. */
export function withoutUnknown(plan: Plan): Plan {
  return { ...plan, edges: plan.edges.filter((edge) => edge.from !== nowhere || edge.lost) };
}
