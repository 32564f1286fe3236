// Chains: the operators of one task, a head and the per-record stages fused behind it. Planning
// only; nothing here runs.
import type { KeySpec } from './spec.ts';
import { collapses, isSource, isStage } from './kinds.ts';
import type { Plan, PlanEdge, PlanNode } from './plan.ts';
import { edgesByReader, edgesByWriter } from './walk.ts';

/** An edge between tasks. A keyBy node on it has become its `key`. */
export interface TaskEdge {
  readonly from: string;
  readonly port: string;
  readonly to: string;
  readonly input: 0 | 1;
  readonly key?: KeySpec;
}
export interface Chain {
  /** Instance id of the head. It is the name of the task. */
  readonly id: string;
  /** The nodes of the chain, the head first. */
  readonly nodes: readonly PlanNode[];
  /**
   * One slot per edge, in order. `from` is the id of a chain, not of its tail. Empty for sources
   * and detached inputs.
   */
  readonly inputs: readonly TaskEdge[];
  /** Chains with the same signature are the same, so their task stays the same object. */
  readonly signature: string;
}

export function chainsOf(plan: Plan): Chain[] {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const inputs = edgesByReader(plan.edges);
  const readers = edgesByWriter(plan.edges);

  const fusedBehind = (node: PlanNode): PlanNode | undefined => {
    if (node.exposed || isSource(node) || collapses(node)) return undefined;
    const [edge, ...more] = readers.get(node.id) ?? [];
    if (!edge || more.length > 0 || edge.port !== 'out' || edge.exchange !== 'forward') return undefined;
    const next = nodes.get(edge.to);
    return next && isStage(next) && next.group === node.group && inputs.get(next.id)!.length === 1 ? next : undefined;
  };

  const fused = new Set<string>();
  for (const node of plan.nodes) {
    const next = fusedBehind(node);
    if (next) fused.add(next.id);
  }

  /** Tail node id → chain id, so that edges between nodes become edges between tasks. */
  const chainOfNode = new Map<string, string>();
  const heads: { head: PlanNode; members: PlanNode[] }[] = [];
  for (const head of plan.nodes) {
    if (fused.has(head.id) || collapses(head)) continue;
    const members: PlanNode[] = [];
    for (let node: PlanNode | undefined = head; node; node = fusedBehind(node)) {
      members.push(node);
      chainOfNode.set(node.id, head.id);
    }
    heads.push({ head, members });
  }

  const resolve = (edge: PlanEdge, key: KeySpec | undefined, to: string, input: 0 | 1): TaskEdge => {
    const from = nodes.get(edge.from);
    if (from && collapses(from)) {
      const spec = key ?? from.parameters.key;
      const above = inputs.get(from.id)?.[0];
      if (above) return resolve(above, spec, to, input);
      return { from: '', port: 'out', to, input, key: spec };
    }
    // An input that was lost keeps its key, so that its reader stays the same task.
    const spec = key ?? edge.lost?.key?.spec;
    return { from: chainOfNode.get(edge.from) ?? '', port: edge.port, to, input, ...(spec && { key: spec }) };
  };

  return heads.map(({ head, members }) => {
    const edges = (inputs.get(head.id) ?? []).map((edge) => resolve(edge, undefined, head.id, edge.input));
    return { id: head.id, nodes: members, inputs: edges, signature: signatureOf(members, edges) };
  });
}

function signatureOf(members: readonly PlanNode[], edges: readonly TaskEdge[]): string {
  const operators = members.map((node) => `${node.id}:${node.own}`).join('>');
  const inputs = edges.map((edge) => edge.input).join();
  const keys = edges.map((edge) => JSON.stringify(edge.key ?? null)).join();
  return `${operators}|${inputs}|${keys}`;
}
