// The sources, bound to the place where they declare: the current evaluation, or an Environment.
import { builderFor, type Builder } from './builder.ts';
import { declareFile } from './file.ts';
import { declareFrom } from './from.ts';
import { declareGenerate } from './generate.ts';
import { declareKafka } from './kafka.ts';
import { declareMicroBatches } from './micro-batches.ts';
import { checkSessionOptions } from './session.ts';
import type * as S from './surface.ts';
import { declareTable } from './table-source.ts';

export interface Sources {
  readonly kafka: typeof S.kafka;
  readonly generate: typeof S.generate;
  readonly from: typeof S.from;
  readonly file: typeof S.file;
  readonly table: typeof S.table;
  readonly microBatches: typeof S.microBatches;
}

/**
 * Without a builder, the sources declare into the evaluation that calls them. `options` are those
 * of an Environment.
 */
export function makeSources(builder?: Builder, options?: S.SessionOptions): Sources {
  if (builder !== undefined && options !== undefined)
    builder.options = checkSessionOptions('new Environment()', options);
  const into = (verb: string): Builder => builder ?? builderFor(verb, undefined);
  return {
    kafka: (topic: unknown, given?: unknown) => declareKafka(into('kafka'), topic, given) as never,
    generate: (given, next) => declareGenerate(into('generate'), given, next),
    from: (elements, given) => declareFrom(into('from'), elements, given),
    file: (path, given) => declareFile(into('file'), path, given),
    table: (topic: unknown, given?: unknown) => declareTable(into('table'), topic, given) as never,
    microBatches: () => declareMicroBatches(into('microBatches')),
  };
}

export const { kafka, generate, from, file, table, microBatches } = makeSources();
