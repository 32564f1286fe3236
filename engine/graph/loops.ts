// Iterations in a plan: which head a tail belongs to, and what lies between them. The way back is no edge.
import type { Plan } from './plan.ts';

export interface PlannedLoop {
  /** Instances. */
  readonly head: string;
  readonly tail: string;
  /** What lies behind the head and before the tail, the tail included. */
  readonly body: ReadonlySet<string>;
}

export function loopsOf(plan: Plan): PlannedLoop[] {
  const tails = plan.nodes.filter(({ kind }) => kind === 'iterate-tail');
  if (tails.length === 0) return [];
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const inputs = Map.groupBy(plan.edges, (edge) => edge.to);
  return tails.flatMap((tail): PlannedLoop[] => {
    const body = new Set<string>();
    let head: string | undefined;
    const behindHead = new Map<string, boolean>();
    const visit = (id: string): boolean => {
      const known = behindHead.get(id);
      if (known !== undefined) return known;
      const node = nodes.get(id);
      if (!node) return false;
      if (node.kind === 'iterate-head' && node.parameters.loop === tail.parameters.loop) {
        head = id;
        return true;
      }
      behindHead.set(id, false);
      const isBehind = (inputs.get(id) ?? []).map((edge) => visit(edge.from)).includes(true);
      behindHead.set(id, isBehind);
      if (isBehind) body.add(id);
      return isBehind;
    };
    visit(tail.id);
    return head === undefined ? [] : [{ head, tail: tail.id, body }];
  });
}
