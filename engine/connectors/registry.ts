// The factories of sources, one for each kind. A kind without a factory does not compile.
import type { SourceKind } from '../graph/kinds.ts';
import type { FunctionTable, NodeOf, PlanNode } from '../graph/plan.ts';
import type { Source } from '../contract/source.ts';
import { createFileSource } from './file.ts';
import { createFromSource } from './from.ts';
import { createGenerateSource } from './generate.ts';
import { createKafkaSource } from './kafka/kafka-source.ts';
import { MicroBatchLog } from './micro-batch-log.ts';
import { MicroBatchSource } from './micro-batches.ts';
import { AlignmentGroups } from '../time/watermark-alignment.ts';
import { SourceStarts } from './source-starts.ts';

export interface SourceOptions {
  /**
   * Shared by all sources of a session, so that a reader that is added later has the pace of the
   * first.
   */
  readonly starts?: SourceStarts;
  /** Shared by all sources of a runtime, so that no source runs ahead of its group. */
  readonly alignment?: AlignmentGroups;
  /** The runtime writes the figures of each micro-batch to it. */
  readonly batches?: MicroBatchLog;
}

type Factory<K extends SourceKind> = (
  node: NodeOf<K>,
  functions: FunctionTable,
  options: Required<SourceOptions>,
) => Source;

const factories: { readonly [K in SourceKind]: Factory<K> } = {
  generate: (node, functions, { starts, alignment }) => createGenerateSource(node, functions, starts, alignment),
  from: (node, functions, { alignment }) => createFromSource(node, functions, alignment),
  file: (node, functions, { starts, alignment }) => createFileSource(node, functions, starts, alignment),
  kafka: (node, functions, { alignment }) => createKafkaSource(node, functions, alignment),
  microBatches: (_node, _functions, { batches }) => new MicroBatchSource(batches),
};

export function createSource(node: PlanNode, functions: FunctionTable, options: SourceOptions = {}): Source {
  if (!hasFactory(node)) throw new Error(`${node.name} (${node.kind}) has no source factory.`);
  return create(node, functions, {
    starts: options.starts ?? new SourceStarts(),
    alignment: options.alignment ?? new AlignmentGroups(),
    batches: options.batches ?? new MicroBatchLog(),
  });
}
function hasFactory(node: PlanNode): node is Extract<PlanNode, { readonly kind: SourceKind }> {
  return Object.hasOwn(factories, node.kind);
}
function create<K extends SourceKind>(
  node: NodeOf<K>,
  functions: FunctionTable,
  options: Required<SourceOptions>,
): Source {
  return factories[node.kind](node, functions, options);
}
