// iterateDelta(): a table, the workset with changes for its rows, and the step function of a round.
import { builderFor } from './builder.ts';
import { positiveNumber, readOptions, wholeNumber } from './options.ts';
import { userMethod } from './parameters.ts';
import { plannedStream } from './stream.ts';
import type * as S from './surface.ts';
import { keyedInput, tableOf, type PlannedTable } from './table.ts';

export interface DeltaOptions<W, T, K> {
  key: (w: W) => K;
  step(changed: W, current: T | undefined): { row?: T; next?: Iterable<W> } | void;
  maxRounds?: number;
}

export function declareIterateDelta<W, T, K>(
  table: PlannedTable<T, K>,
  workset: S.Stream<W>,
  given: DeltaOptions<W, T, K>,
): S.Table<T, K> {
  const where = 'iterateDelta()';
  const elements = plannedStream<W>(where, workset);
  const options = readOptions(where, given, ['key', 'step', 'maxRounds']);
  const { maxRounds } = options;
  if (maxRounds !== undefined)
    positiveNumber(`The maxRounds of ${where}`, wholeNumber(`The maxRounds of ${where}`, maxRounds));
  const builder = builderFor('iterateDelta', table.place.builder);
  const origins = [table.place.origin, elements.place.origin];
  const { keyFields } = table.place;
  const draft = builder.declare({
    verb: 'iterateDelta',
    kind: 'iterateDelta',
    parameters: {
      key: userMethod(where, options, 'key'),
      step: userMethod(where, options, 'step'),
      ...(keyFields && { keyFields }),
      ...(maxRounds !== undefined && { maxRounds: maxRounds as number }),
      isBatch: origins.every((origin) => builder.unboundedSource(origin) === undefined),
    },
    shape: [],
    // Rounds go from key to key, so both inputs go to one instance.
    inputs: [keyedInput(builder, table, 0), { from: elements.place.origin, input: 1 }],
  });
  return tableOf(draft, table.place);
}
