// The topic that a sink writes to.
import type { PlanNode } from './plan.ts';

/** undefined: it is no sink of a topic. */
export function writtenTopic(node: PlanNode): string | undefined {
  return node.kind === 'kafkaSink' ? node.parameters.topic : undefined;
}
/**
 * Both write to one topic, at least once, and wait for acknowledgements. The second one begins when
 * all rows of the first one are written, so the rows of a key keep their order.
 */
export function writesAfter(former: PlanNode, next: PlanNode): boolean {
  return (
    former.kind === 'kafkaSink' &&
    next.kind === 'kafkaSink' &&
    former.parameters.topic === next.parameters.topic &&
    former.parameters.connection === next.parameters.connection &&
    [former, next].every(
      ({ parameters: { armed, delivery, acks } }) => armed !== false && delivery === 'at-least-once' && acks !== 0,
    )
  );
}
