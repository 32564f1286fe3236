// A table in a cell: rows by key that change. In the plan it is a stream of changes
// (engine/tables/change.ts), each with its key.
import { SluiceError } from '../errors/error.ts';
import { fingerprintAs } from '../graph/fingerprint.ts';
import { tupleOfKey } from '../state/table-key.ts';
import { keyText } from '../state/key-text.ts';
import {
  builderFor,
  type DeclaredParameters,
  labelOf,
  toEndpoint,
  type Builder,
  type VerbDeclaration,
  type Draft,
  type Input,
  type Origin,
} from './builder.ts';
import { chartSpec, declareDisplay, tableSpec } from './displays.ts';
import { groupTable } from './grouped-table.ts';
import { declareIterateDelta, type DeltaOptions } from './iterate-delta.ts';
import type { KeyedPlace } from './keyed-stream.ts';
import { describe, userFunction } from './parameters.ts';
import type { KeyRow } from './rows.ts';
import { PlannedStream, streamOf } from './stream.ts';
import type * as S from './surface.ts';
import { declareTableJoin } from './table-joins.ts';

export interface TablePlace {
  /** The place where the changes can be read. */
  readonly origin: Origin;
  readonly builder: Builder | undefined;
  /** In the order of the key's tuple. undefined when a function gives the key. */
  readonly keyFields: readonly string[] | undefined;
  /**
   * The key of the table, as in its keyBy. Operators with state by key compare it, to detect a
   * change of the key.
   */
  readonly key: DeclaredParameters<'keyBy'>['of'];
}

export class PlannedTable<T, K> implements S.Table<T, K> {
  readonly kind = 'table';
  readonly place: TablePlace;
  constructor(place: TablePlace) {
    this.place = place;
  }

  /**
   * Maps each row to a row. null or undefined: no row. The function must return the same for the
   * same row, because it is also called for the former row.
   */
  map<R>(f: (row: T) => R): S.Table<R, K> {
    return this.#then('map', 'tableMap', f);
  }
  filter(predicate: (row: T) => boolean): S.Table<T, K> {
    return this.#then('filter', 'tableFilter', predicate);
  }
  join<U, KU>(
    other: S.Table<U, KU>,
    kind: 'inner' | 'left' | 'outer' = 'inner',
  ): { select<R>(f: (left: T | undefined, right: U | undefined) => R): S.Table<R, K> } {
    return { select: (f) => declareTableJoin(this, plannedTable<U, KU>('join()', other), kind, f) };
  }
  /**
   * The changes of the rows from now on, or from the start if the sources can be read again.
   */
  toStream(): S.Stream<S.TableChange<T>> {
    return streamOf(this.#declare({ verb: 'toStream', kind: 'tableToStream', parameters: {} }));
  }
  groupBy<F extends keyof T & string>(...fields: F[]): S.GroupedTable<T, Pick<T, F>>;
  groupBy<R>(f: (row: T) => R): S.GroupedTable<T, KeyRow<R>>;
  groupBy(...keys: unknown[]): unknown {
    return groupTable<T, never>(this.place, keys);
  }
  iterateDelta<W>(workset: S.Stream<W>, options: DeltaOptions<W, T, K>): S.Table<T, K> {
    return declareIterateDelta(this, workset, options);
  }

  /**
   * The row of a key. Over bounded input: the row after its end. If the input has no end or cannot
   * be read again: the present row of a table that runs in another cell or in a job.
   */
  async get(key: K): Promise<T | undefined> {
    const label = labelOf(this.place.origin);
    const builder = builderFor('get', this.place.builder);
    const tuple = tupleOfKey(key, this.place.keyFields, `get() of "${label}"`);
    const host = builder.settings.pullHost;
    const present = host?.lookup?.(toEndpoint(this.place.origin), tuple);
    const endless = builder.unboundedSource(this.place.origin);
    if (present && (endless !== undefined || present.isBest)) return present.row as T | undefined;
    if (endless !== undefined)
      throw new SluiceError(
        'unbounded',
        `get() of "${label}" would never answer: the table does not run, and ${endless} has no end. ` +
          'Show it in another cell (.show()) and run that first, or give the source an end (until, limit).',
      );
    const parameters = { key: keyText(tuple) };
    const rows = streamOf<T>(this.#declare({ verb: 'get', kind: 'tableGet', parameters }));
    for await (const row of rows) return row;
    return undefined;
  }

  show(): S.Display {
    return declareDisplay('show', this.place.builder, tableSpec({ ...this.place, isTable: true }));
  }
  chart(mark: S.Mark<T> | S.VegaLiteSpec): S.Display {
    return declareDisplay('chart', this.place.builder, chartSpec({ ...this.place, isTable: true }, mark));
  }

  [fingerprintAs](): unknown {
    return toEndpoint(this.place.origin);
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Table ${labelOf(this.place.origin)}`;
  }

  #declare(declaration: VerbDeclaration): Draft {
    const builder = builderFor(declaration.verb, this.place.builder);
    return builder.declare({ ...declaration, inputs: [{ from: this.place.origin }] });
  }
  #then<R>(verb: string, kind: 'tableMap' | 'tableFilter', f: (row: T) => unknown): S.Table<R, K> {
    const fn = userFunction(`${verb}() of a table`, 'fn', f);
    const draft = this.#declare({ verb, kind, about: f.name, parameters: { fn } });
    return tableOf(draft, this.place);
  }
}

/** The table with the changes of the operator, by the key of the original table. */
export function tableOf<T, K>(
  draft: Draft,
  { keyFields, key }: Pick<TablePlace, 'keyFields' | 'key'>,
): PlannedTable<T, K> {
  return new PlannedTable<T, K>({ origin: { draft, port: 'out' }, builder: draft.builder, keyFields, key });
}

/** With `topic`, elements are {key, row} of a table source. The row may be null. */
export function declareToTable<T, K>(place: KeyedPlace, verb = 'toTable', topic?: string): PlannedTable<T, K> {
  const { origin, keyFields } = place;
  const draft = builderFor(verb, place.builder).declare({
    verb,
    kind: 'toTable',
    ...(topic !== undefined && { about: topic }),
    parameters: { ...(topic !== undefined && { wrapped: true }) },
    shape: [],
    inputs: [{ from: origin, exchange: 'key' }],
  });
  const before = 'draft' in origin ? origin.draft.declaration : undefined;
  const keyBy = before?.kind === 'keyBy' ? before.parameters : undefined;
  const key = keyBy?.of ?? keyBy?.key ?? (keyFields ? { fields: keyFields } : null);
  return tableOf(draft, { keyFields, key });
}

/** Checks that the argument is a table of ours. `where` names the call for the error. */
export function plannedTable<T, K>(where: string, value: unknown): PlannedTable<T, K> {
  if (value instanceof PlannedTable) return value as PlannedTable<T, K>;
  const hasKey = typeof (value as { readonly toTable?: unknown } | null | undefined)?.toTable === 'function';
  const isStream = hasKey || value instanceof PlannedStream;
  const wayOut = isStream ? ' Make it one: stream.keyBy(…).toTable().' : '';
  throw new SluiceError('not-a-table', `${where} takes a table, not ${describe(value)}.${wayOut}`);
}

/** The table as an input of an operator that keeps state by key. */
export function keyedInput(builder: Builder, { place }: { readonly place: TablePlace }, input: 0 | 1): Input {
  const draft = builder.declare({
    verb: 'byKey',
    kind: 'keyBy',
    parameters: { key: { carried: true }, of: place.key },
    inputs: [{ from: place.origin }],
  });
  return { from: { draft, port: 'out' }, input, exchange: 'key' };
}
