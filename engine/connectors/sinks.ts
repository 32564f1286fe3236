// Which sink a plan node stands for. One that is not armed is a preview: it takes every row and writes nothing.
import type { FunctionRef } from '../graph/spec.ts';
import type { FunctionTable, PlanNode } from '../graph/plan.ts';
import type { Batch, Operator } from '../contract/operator.ts';
import { FileSink } from './file-sink.ts';
import { FunctionSink } from './function-sink.ts';
import { createKafkaSink } from './kafka/kafka-sink.ts';

class PreviewSink implements Operator {
  process(_input: 0 | 1, batch: Batch): number {
    return batch.length;
  }
}

/** undefined: the node is no sink. */
export function createSink(node: PlanNode, functions: FunctionTable): Operator | undefined {
  switch (node.kind) {
    case 'kafka-sink':
      return createKafkaSink(node, functions);
    case 'function-sink':
      if (node.parameters['armed'] === false) return new PreviewSink();
      return new FunctionSink(functions.get(node.parameters['fn'] as unknown as FunctionRef));
    case 'file-sink':
      return node.parameters['armed'] === false ? new PreviewSink() : new FileSink(node, functions);
    default:
      return undefined;
  }
}
