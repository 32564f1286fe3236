// Joins with tables: of two tables, and of a stream with the version of a table.
import { SluiceError } from '../errors/error.ts';
import { builderFor } from './builder.ts';
import type { KeyedPlace } from './keyed-stream.ts';
import { oneOf, readOptions } from './options.ts';
import { userFunction } from './parameters.ts';
import { streamOf } from './stream.ts';
import type * as S from './surface.ts';
import { keyedInput, plannedTable, tableOf, type PlannedTable } from './table.ts';

export function declareTableJoin<T, U, K, KU, R>(
  left: PlannedTable<T, K>,
  right: PlannedTable<U, KU>,
  given: unknown,
  f: (left: T | undefined, right: U | undefined) => R,
): S.Table<R, K> {
  const kind = oneOf('The kind of join()', given, ['inner', 'left', 'outer']);
  assertSameKey('join()', left.place.keyFields, right.place.keyFields);
  const select = userFunction('select()', 'select', f);
  const builder = builderFor('join', left.place.builder);
  const inputs = [keyedInput(builder, left, 0), keyedInput(builder, right, 1)];
  const parameters = { kind, select };
  // Every kind keeps both sides, so the state stays when only the kind changes.
  const draft = builder.declare({ verb: 'join', kind: 'tableJoin', about: kind, parameters, shape: [], inputs });
  return tableOf(draft, left.place);
}

/**
 * By event time: the table's version at the element's time. On arrival: the latest version. Without
 * a version, select gets undefined.
 */
export function declareTemporalJoin<T, U, KU>(
  place: KeyedPlace,
  table: S.Table<U, KU>,
  given: unknown,
): { select<R>(f: (left: T, right: U | undefined) => R): S.Stream<R> } {
  const right = plannedTable<U, KU>('temporalJoin()', table);
  assertSameKey('temporalJoin()', place.keyFields, right.place.keyFields);
  const { time = 'event' } = readOptions('temporalJoin()', given, ['time']);
  const domain = oneOf('The time of temporalJoin()', time, ['event', 'arrival']);
  return {
    select: (f) => {
      const select = userFunction('select()', 'select', f);
      const builder = builderFor('temporalJoin', place.builder);
      const inputs = [{ from: place.origin, exchange: 'key' as const }, keyedInput(builder, right, 1)];
      const kind = domain === 'event' ? 'temporalJoin' : 'arrivalJoin';
      return streamOf(builder.declare({ verb: 'temporalJoin', kind, parameters: { select }, shape: [], inputs }));
    },
  };
}

/**
 * Keys are compared by their values, whatever the names of their fields. Keys of different length
 * are never equal.
 */
function assertSameKey(where: string, left: readonly string[] | undefined, right: readonly string[] | undefined): void {
  if (left === undefined || right === undefined || left.length === right.length) return;
  throw new SluiceError(
    'bad-key',
    `${where} cannot match its sides: the left one is keyed by ${left.join(', ')}, the table by ${right.join(', ')}. ` +
      'Key both by the same values, in the same order.',
  );
}
