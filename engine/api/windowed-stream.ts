// A keyed stream with windows, the result of `window()` and `windowAll()`. An aggregate, a reduce
// or an apply makes it a node.
import { SluiceError } from '../errors/error.ts';
import { fingerprintAs } from '../graph/fingerprint.ts';
import type { WindowParameters } from '../graph/parameters.ts';
import type { Json } from '../graph/spec.ts';
import { parseDuration } from '../time/duration.ts';
import { aggregateParameters } from './aggregates.ts';
import { builderFor, labelOf, toEndpoint, type VerbDeclaration } from './builder.ts';
import type { KeyedPlace } from './keyed-stream.ts';
import { type UserFunction, userFunction } from './parameters.ts';
import type { Flat } from './rows.ts';
import { PlannedWindowResult } from './stream.ts';
import type * as S from './surface.ts';
import { isMerging } from '../graph/window-spec.ts';
import {
  type DeclaredWindow,
  declaredWindow,
  evictorSpecOf,
  nameOf,
  refuseUnmerging,
  triggerSpecOf,
  windowParameters,
} from './windows.ts';

export interface WindowedPlace extends KeyedPlace {
  readonly window: DeclaredWindow;
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
    return new PlannedWindowedStream({ ...keyed, window: declaredWindow(window), allowedLatenessMillis: 0 });
  }

  allowedLateness(duration: S.Duration): this {
    const allowedLatenessMillis = parseDuration(duration, 'allowedLateness()');
    return new PlannedWindowedStream<T, K>({ ...this.place, allowedLatenessMillis }) as this;
  }
  trigger(given: S.Trigger<T>): this {
    const { window } = this.place;
    const trigger = triggerSpecOf(given);
    refuseUnmerging(window.spec, trigger);
    return new PlannedWindowedStream<T, K>({ ...this.place, window: { ...window, trigger } }) as this;
  }
  evictor(given: S.Evictor<T>): this {
    const window = { ...this.place.window, evictor: evictorSpecOf(given) };
    return new PlannedWindowedStream<T, K>({ ...this.place, window }) as this;
  }
  aggregate<A extends S.Aggregates<T>>(aggregates: A): S.WindowResult<Flat<K & S.WindowBounds & S.Results<A>>, T> {
    const { keyFields, window } = this.place;
    const { parameters, shape, about, unmergeable } = aggregateParameters(aggregates, keyFields, boundFields);
    if (unmergeable !== undefined && isMerging(window.spec))
      throw new SluiceError(
        'unmergeable',
        `${nameOf(window.spec)} windows merge, and aggregate "${unmergeable}" has no merge. Add merge(a, b) to its aggregator().`,
        { aggregate: unmergeable },
      );
    // A later firing of a window replaces its row on screen. That needs a key in the row, and a
    // window that keeps all its elements between firings.
    const rowKey = isAccumulating(window) ? keyFields && [...keyFields, ...boundFields] : undefined;
    return this.#declare(
      about,
      shape,
      (own) => ({ verb: 'aggregate', kind: 'windowAggregate', parameters: { ...own, aggregates: parameters } }),
      rowKey,
    );
  }
  reduce(f: (accumulated: T, element: T) => T): S.WindowResult<T, T> {
    const fn = userFunction('reduce()', 'fn', f);
    return this.#declare(f.name, [], (own) => ({ verb: 'reduce', kind: 'windowReduce', parameters: { ...own, fn } }));
  }
  apply<R>(f: (key: K, window: S.WindowBounds, elements: readonly T[]) => Iterable<R>): S.WindowResult<R, T> {
    const fn = userFunction('apply()', 'fn', f);
    return this.#declare(f.name, [], (own) => ({ verb: 'apply', kind: 'windowApply', parameters: { ...own, fn } }));
  }

  [fingerprintAs](): unknown {
    const { window, allowedLatenessMillis, origin } = this.place;
    const { spec, trigger = null, evictor = null } = window;
    return [toEndpoint(origin), spec, allowedLatenessMillis, trigger, evictor];
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `WindowedStream ${labelOf(this.place.origin)}`;
  }

  #declare<R>(
    about: string,
    shape: Json,
    declaration: (own: WindowParameters<UserFunction>) => VerbDeclaration,
    rowKey?: readonly string[],
  ): PlannedWindowResult<R, T> {
    const { window, allowedLatenessMillis, origin } = this.place;
    const planned = windowParameters(window);
    const declared = declaration({ ...planned.parameters, allowedLatenessMillis });
    const builder = builderFor(declared.verb, this.place.builder);
    const draft = builder.declare({
      ...declared,
      about,
      shape: [...planned.shape, shape],
      inputs: [{ from: origin, exchange: 'key' }],
    });
    return new PlannedWindowResult<R, T>({ origin: { draft, port: 'out' }, builder, rowKey });
  }
}

/** Each firing covers all elements so far, so the last one is the result of the window. */
function isAccumulating({ trigger, evictor }: DeclaredWindow): boolean {
  return trigger?.kind !== 'purging' && trigger?.kind !== 'custom' && evictor === undefined;
}
