// Iterations in a plan: the head of each tail, and the nodes between them. The plan has no edge
// from tail to head.
import type { Plan } from './plan.ts';
import { above, below } from './walk.ts';

export interface PlannedLoop {
  /** Instance ids. */
  readonly head: string;
  readonly tail: string;
  /** The nodes behind the head and before the tail, the tail included. */
  readonly body: ReadonlySet<string>;
}

export function loopsOf(plan: Plan): PlannedLoop[] {
  const tails = plan.nodes.filter((node) => node.kind === 'iterateTail');
  if (tails.length === 0) return [];
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  return tails.flatMap((tail): PlannedLoop[] => {
    const aboveTail = above(plan.edges, [tail.id]);
    const head = [...aboveTail].find((id) => {
      const node = nodes.get(id);
      return node?.kind === 'iterateHead' && node.parameters.loop === tail.parameters.loop;
    });
    if (head === undefined) return [];
    const belowHead = below(plan.edges, [head]);
    const body = [...aboveTail].filter((id) => id !== head && belowHead.has(id));
    return [{ head, tail: tail.id, body: new Set(body) }];
  });
}
