// Which source a plan node stands for.
import type { FunctionTable, PlanNode } from '../graph/plan.ts';
import type { Source } from '../operators/source.ts';
import { createFileSource } from './file.ts';
import { createFromSource } from './from.ts';
import { createGenerateSource } from './generate.ts';
import { createKafkaSource } from './kafka/kafka-source.ts';
import { MicroBatchLog } from './micro-batch-log.ts';
import { MicroBatchSource } from './micro-batches.ts';
import { SourceStarts } from './source-starts.ts';

export interface SourceOptions {
  /** Shared by all sources of a session, so that a reader that is added later keeps the pace of the first. */
  readonly starts?: SourceStarts;
  /** Where the runtime writes what became of each micro-batch. */
  readonly batches?: MicroBatchLog;
}

export function createSource(node: PlanNode, functions: FunctionTable, options: SourceOptions = {}): Source {
  const starts = options.starts ?? new SourceStarts();
  switch (node.kind) {
    case 'generate':
      return createGenerateSource(node, functions, starts);
    case 'from':
      return createFromSource(node, functions);
    case 'file':
      return createFileSource(node, functions, starts);
    case 'kafka':
      return createKafkaSource(node, functions);
    case 'micro-batches':
      return new MicroBatchSource(options.batches ?? new MicroBatchLog());
    default:
      throw new Error(`${node.name} (${node.kind}) is no source.`);
  }
}
