// A keyed stream cut into windows: what `window()` and `windowAll()` give, until an aggregate, a reduce or an apply makes it a node.
import { notYet } from '../error.ts';
import { fingerprintAs } from '../graph/fingerprint.ts';
import type { Json } from '../graph/plan.ts';
import { parseDuration } from '../time/duration.ts';
import { aggregateParameters } from './aggregates.ts';
import { builderFor, labelOf, toEndpoint } from './builder.ts';
import type { KeyedPlace } from './keyed-stream.ts';
import { userFunction, type Parameters } from './parameters.ts';
import type { Flat } from './rows.ts';
import { PlannedWindowResult } from './stream.ts';
import type * as S from './surface.ts';
import { windowSpecOf } from './windows.ts';
import type { WindowSpec } from '../windows/assigner.ts';

export interface WindowedPlace extends KeyedPlace {
  readonly window: WindowSpec;
  readonly allowedLatenessMillis: number;
}
/** The fields of `WindowBounds`. */
const boundFields = ['windowStart', 'windowEnd'];

export class PlannedWindowedStream<T, K> implements S.WindowedStream<T, K> {
  readonly place: WindowedPlace;
  constructor(place: WindowedPlace) {
    this.place = place;
  }
  static over<T, K>(keyed: KeyedPlace, window: unknown): PlannedWindowedStream<T, K> {
    return new PlannedWindowedStream({ ...keyed, window: windowSpecOf(window), allowedLatenessMillis: 0 });
  }

  allowedLateness(duration: S.Duration): this {
    const allowedLatenessMillis = parseDuration(duration, 'allowedLateness()');
    return new PlannedWindowedStream<T, K>({ ...this.place, allowedLatenessMillis }) as this;
  }
  aggregate<A extends S.Aggregates<T>>(aggregates: A): S.WindowResult<Flat<K & S.WindowBounds & S.Results<A>>, T> {
    const { keyFields } = this.place;
    const { parameters, shape, about } = aggregateParameters(aggregates, keyFields, boundFields);
    // A window that fires again replaces its row on screen, if its key can be told from the row.
    const rowKey = keyFields && [...keyFields, ...boundFields];
    return this.#declare('aggregate', about, { aggregates: parameters }, shape, rowKey);
  }
  reduce(f: (accumulated: T, element: T) => T): S.WindowResult<T, T> {
    return this.#declare('reduce', f.name, { fn: userFunction('reduce()', 'fn', f) }, []);
  }
  apply<R>(f: (key: K, window: S.WindowBounds, elements: readonly T[]) => Iterable<R>): S.WindowResult<R, T> {
    return this.#declare('apply', f.name, { fn: userFunction('apply()', 'fn', f) }, []);
  }

  trigger(): never {
    return notYet('triggers');
  }
  evictor(): never {
    return notYet('evictors');
  }

  [fingerprintAs](): unknown {
    const { window, allowedLatenessMillis, origin } = this.place;
    return [toEndpoint(origin), window, allowedLatenessMillis];
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `WindowedStream ${labelOf(this.place.origin)}`;
  }

  #declare<R>(
    verb: 'aggregate' | 'reduce' | 'apply',
    about: string,
    rest: Parameters,
    shape: Json,
    rowKey?: readonly string[],
  ): PlannedWindowResult<R, T> {
    const { window, allowedLatenessMillis, origin } = this.place;
    const builder = builderFor(verb, this.place.builder);
    const draft = builder.declare({
      verb,
      kind: `window-${verb}`,
      about,
      parameters: { window, allowedLatenessMillis, ...rest },
      shape: [window, shape],
      inputs: [{ from: origin, exchange: 'key' }],
    });
    return new PlannedWindowResult<R, T>({ origin: { draft, port: 'out' }, builder, rowKey });
  }
}
