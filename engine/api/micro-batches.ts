// microBatches(): the figures of each micro-batch of the session, as a stream.
import type { Builder } from './builder.ts';
import { streamOf } from './stream.ts';
import type * as S from './surface.ts';

export function declareMicroBatches(builder: Builder): S.Stream<S.MicroBatch> {
  return streamOf(builder.declare({ verb: 'microBatches', kind: 'microBatches', parameters: {}, shape: [] }));
}
