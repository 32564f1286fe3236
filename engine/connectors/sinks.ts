// The factories of sinks, one for each kind. A kind without a factory does not compile. A sink that
// is not armed is a preview: it takes every row and writes nothing.
import { isSink, type SinkKind } from '../graph/kinds.ts';
import type { FunctionTable, NodeOf, PlanNode } from '../graph/plan.ts';
import type { Batch, Operator } from '../contract/operator.ts';
import { FileSink } from './file-sink.ts';
import { FunctionSink } from './function-sink.ts';
import { createKafkaSink } from './kafka/kafka-sink.ts';
import { PartFileSink } from './part-file-sink.ts';
import { methodsOf, TwoPhaseSink } from './two-phase-sink.ts';

class PreviewSink implements Operator {
  process(_input: 0 | 1, batch: Batch): number {
    return batch.length;
  }
}

const factories: { readonly [K in SinkKind]: (node: NodeOf<K>, functions: FunctionTable) => Operator } = {
  kafkaSink: createKafkaSink,
  functionSink: ({ parameters: { armed, fn } }, functions) =>
    armed === false ? new PreviewSink() : new FunctionSink(functions.get(fn)),
  twoPhaseSink: (node, functions) =>
    node.parameters.armed === false ? new PreviewSink() : new TwoPhaseSink(methodsOf(node, functions)),
  fileSink: (node, functions) => {
    const { armed, delivery } = node.parameters;
    if (armed === false) return new PreviewSink();
    return delivery === 'exactly-once' ? new PartFileSink(node, functions) : new FileSink(node, functions);
  },
};

/** undefined: the node is not a sink. */
export function createSink(node: PlanNode, functions: FunctionTable): Operator | undefined {
  return isSink(node) ? create(node, functions) : undefined;
}
function create<K extends SinkKind>(node: NodeOf<K>, functions: FunctionTable): Operator {
  return factories[node.kind](node, functions);
}
