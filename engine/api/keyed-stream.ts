// A stream with state by key. In the plan it is an exchange (`keyBy`); the operator behind it holds
// the state.
import { SluiceError } from '../errors/error.ts';
import { fingerprintAs } from '../graph/fingerprint.ts';
import { aggregateParameters } from './aggregates.ts';
import { connectBroadcast, notBroadcast } from './broadcast.ts';
import { builderFor, labelOf, toEndpoint, type Builder, type VerbDeclaration, type Origin } from './builder.ts';
import { coGroup, intervalJoin, type Sides, sidesOf, windowJoin } from './joins.ts';
import { describe, userFunction } from './parameters.ts';
import { matchPattern } from './pattern.ts';
import { processParameters } from './process-function.ts';
import type { Flat } from './rows.ts';
import { streamOf } from './stream.ts';
import type * as S from './surface.ts';
import { declareToTable } from './table.ts';
import { declareTemporalJoin } from './table-joins.ts';
import { PlannedWindowedStream } from './windowed-stream.ts';

export interface KeyedPlace {
  /** The keyBy node. */
  readonly origin: Origin;
  readonly builder: Builder | undefined;
  /**
   * undefined when a function gives the key: the names of its fields are known only when it runs.
   */
  readonly keyFields: readonly string[] | undefined;
}

export function keyByFunction(builder: Builder, from: Origin, f: unknown): KeyedPlace {
  const fn = userFunction('keyBy()', 'key', f);
  const draft = builder.declare({
    verb: 'keyBy',
    kind: 'keyBy',
    about: (f as { name: string }).name,
    parameters: { key: { fn } },
    inputs: [{ from }],
  });
  return { origin: { draft, port: 'out' }, builder, keyFields: undefined };
}

export class PlannedKeyedStream<T, K> implements S.KeyedStream<T, K> {
  readonly place: KeyedPlace;
  constructor(place: KeyedPlace) {
    this.place = place;
  }

  window(window: S.WindowAssigner<T>): S.WindowedStream<T, K> {
    return PlannedWindowedStream.over<T, K>(this.place, window);
  }
  reduce(f: (accumulated: T, element: T) => T): S.Stream<T> {
    const fn = userFunction('reduce()', 'fn', f);
    return this.#declare({ verb: 'reduce', kind: 'reduce', about: f.name, parameters: { fn }, shape: [] });
  }
  aggregate<A extends S.Aggregates<T>>(aggregates: A): S.Stream<Flat<K & S.Results<A>>> {
    const { parameters, shape, about } = aggregateParameters(aggregates, this.place.keyFields, []);
    return this.#declare({
      verb: 'aggregate',
      kind: 'aggregate',
      about,
      parameters: { aggregates: parameters },
      shape: [shape],
    });
  }
  process<R, N extends S.StateSpec, Q = never>(f: S.ProcessFunction<T, K, N, R, Q>): S.Stream<R | Q> {
    const { parameters, shape } = processParameters(f, ['onElement']);
    return this.#declare({ verb: 'process', kind: 'process', parameters, shape: [shape] });
  }

  /**
   * Each element with the previous element of the same key, in the order of arrival. The first
   * element of a key gives nothing. The state is one element for each key.
   */
  pairwise(): S.Stream<[previous: T, current: T]> {
    return this.#declare({ verb: 'pairwise', kind: 'pairwise', parameters: {}, shape: [] });
  }
  intervalJoin<U>(other: unknown, kind?: 'inner' | 'left' | 'outer') {
    return intervalJoin<T, U>(this.#sides('intervalJoin()', other), kind) as never;
  }
  join<U>(other: unknown, kind?: 'inner' | 'left' | 'outer') {
    return windowJoin<T, U>(this.#sides('join()', other), kind);
  }
  coGroup<U>(other: unknown) {
    return coGroup<T, K, U>(this.#sides('coGroup()', other));
  }
  temporalJoin<U, KU>(
    table: S.Table<U, KU>,
    options?: { time?: 'event' | 'arrival' },
  ): { select<R>(f: (left: T, right: U | undefined) => R): S.Stream<R> } {
    return declareTemporalJoin<T, U, KU>(this.place, table, options);
  }
  connect<B>(broadcast: S.BroadcastStream<B>): S.BroadcastConnectedStream<T, B, K> {
    const { origin, builder } = this.place;
    return connectBroadcast<T, K>({ origin, builder, isKeyed: true }, broadcast) ?? notBroadcast(broadcast);
  }
  pattern(p: S.Pattern<T>): { select<R>(f: (match: Record<string, T[]>) => R): S.PatternResult<R, T> } {
    const { origin, builder } = this.place;
    return matchPattern<T>(origin, builder, p);
  }
  /**
   * The last row of each key, in the order of arrival. An element that is null or undefined deletes
   * the row of its key.
   */
  toTable(): S.Table<T, K> {
    return declareToTable(this.place);
  }

  [fingerprintAs](): unknown {
    return toEndpoint(this.place.origin);
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `KeyedStream ${labelOf(this.place.origin)}`;
  }

  #sides(verb: string, other: unknown): Sides {
    if (other instanceof PlannedKeyedStream)
      return sidesOf(verb, this.place, (other as PlannedKeyedStream<unknown, unknown>).place);
    throw new SluiceError(
      'not-a-stream',
      `${verb} takes a keyed stream, not ${describe(other)}. Give it a key with keyBy().`,
    );
  }
  #declare<R>(declaration: VerbDeclaration): S.Stream<R> {
    const builder = builderFor(declaration.verb, this.place.builder);
    const inputs = [{ from: this.place.origin, exchange: 'key' as const }];
    return streamOf(builder.declare({ ...declaration, inputs }));
  }
}
