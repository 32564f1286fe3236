// The topic that a sink writes to.
import type { PlanNode } from './plan.ts';

/** undefined: it is no sink of a topic. */
export function writtenTopic(node: PlanNode): string | undefined {
  return node.kind === 'kafkaSink' ? node.parameters.topic : undefined;
}
