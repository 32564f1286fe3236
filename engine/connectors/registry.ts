// Which source a plan node stands for.
import type { FunctionTable, PlanNode } from '../graph/plan.ts';
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
  /** Shared by all sources of a session, so that a reader that is added later keeps the pace of the first. */
  readonly starts?: SourceStarts;
  /** Shared by all sources of a runtime, so that none runs ahead of its group. */
  readonly alignment?: AlignmentGroups;
  /** Where the runtime writes what became of each micro-batch. */
  readonly batches?: MicroBatchLog;
}

export function createSource(node: PlanNode, functions: FunctionTable, options: SourceOptions = {}): Source {
  const starts = options.starts ?? new SourceStarts();
  const alignment = options.alignment ?? new AlignmentGroups();
  switch (node.kind) {
    case 'generate':
      return createGenerateSource(node, functions, starts, alignment);
    case 'from':
      return createFromSource(node, functions, alignment);
    case 'file':
      return createFileSource(node, functions, starts, alignment);
    case 'kafka':
      return createKafkaSource(node, functions, alignment);
    case 'micro-batches':
      return new MicroBatchSource(options.batches ?? new MicroBatchLog());
    default:
      throw new Error(`${node.name} (${node.kind}) is no source.`);
  }
}
