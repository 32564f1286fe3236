// groupBy() of a table: the rows by another key, and the aggregates of each group.
import { SluiceError } from '../errors/error.ts';
import { fingerprintAs } from '../graph/fingerprint.ts';
import type { GroupKeySpec } from '../graph/spec.ts';
import { cannotSubtract, subtractable } from '../graph/aggregate-spec.ts';
import { aggregateParameters } from './aggregates.ts';
import { type Builder, builderFor, labelOf, type Origin, toEndpoint } from './builder.ts';
import { keyFieldNames, type UserFunction, userFunction } from './parameters.ts';
import type { Flat } from './rows.ts';
import type * as S from './surface.ts';
import { keyedInput, tableOf, type TablePlace } from './table.ts';

interface GroupedPlace {
  /** The place where the changes of the table can be read. */
  readonly origin: Origin;
  readonly builder: Builder | undefined;
  readonly key: GroupKeySpec<UserFunction>;
  /** undefined when a function gives the key. */
  readonly keyFields: readonly string[] | undefined;
}

export class PlannedGroupedTable<T, K> implements S.GroupedTable<T, K> {
  readonly kind = 'grouped-table';
  readonly place: GroupedPlace;
  constructor(place: GroupedPlace) {
    this.place = place;
  }

  aggregate<A extends S.Aggregates<T>>(aggregates: A): S.Table<Flat<K & S.Results<A>>, K> {
    const { origin, key, keyFields } = this.place;
    const { parameters, shape, about } = aggregateParameters(aggregates, keyFields, []);
    for (const [name, spec] of Object.entries(parameters)) refuse(name, cannotSubtract(spec));
    const builder = builderFor('groupBy', this.place.builder);
    const grouped = builder.declare({
      verb: 'groupBy',
      kind: 'tableGroup',
      ...(keyFields && { about: keyFields.join(', ') }),
      parameters: { key },
      inputs: [{ from: origin }],
    });
    const place = { origin: { draft: grouped, port: 'out' }, builder, keyFields, key };
    const draft = builder.declare({
      verb: 'aggregate',
      kind: 'tableAggregate',
      about,
      parameters: { key, aggregates: parameters },
      // An edit never takes the state over (kinds.ts, `startsFromTable`); a start from a savepoint
      // does.
      shape: [shape, keyFields ?? null],
      inputs: [keyedInput(builder, { place }, 0)],
    });
    return tableOf(draft, place);
  }

  [fingerprintAs](): unknown {
    return toEndpoint(this.place.origin);
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `GroupedTable ${labelOf(this.place.origin)}`;
  }
}

export function groupTable<T, K>({ origin, builder }: TablePlace, keys: readonly unknown[]): PlannedGroupedTable<T, K> {
  if (keys.length === 1 && typeof keys[0] === 'function') {
    const key = { fn: userFunction('groupBy()', 'key', keys[0]) };
    return new PlannedGroupedTable<T, K>({ origin, builder, key, keyFields: undefined });
  }
  const keyFields = keyFieldNames('groupBy()', 'row', keys);
  return new PlannedGroupedTable<T, K>({ origin, builder, key: { fields: keyFields }, keyFields });
}

function refuse(name: string, what: string | undefined): void {
  if (what === undefined) return;
  throw new SluiceError(
    'cannot-subtract',
    `Aggregate "${name}" is ${what}, which cannot subtract a row that changes or leaves its group. groupBy() of a table ` +
      `takes ${subtractable.join(', ')}, and aggregator() with subtract.`,
  );
}
