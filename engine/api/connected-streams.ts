// Two streams as the two inputs of one operator.
import { fingerprintAs } from '../graph/fingerprint.ts';
import { builderFor, toEndpoint } from './builder.ts';
import { keyByFunction } from './keyed-stream.ts';
import { userFunction } from './parameters.ts';
import { processParameters } from './process-function.ts';
import type { KeyRow } from './rows.ts';
import { streamOf, type PlannedStream } from './stream.ts';
import type * as S from './surface.ts';

interface ConnectedProcess<T, U, K, N extends S.StateSpec, R> {
  state?: N;
  onLeft(element: T, ctx: S.Context<KeyRow<K>, N>): Iterable<R> | void;
  onRight(element: U, ctx: S.Context<KeyRow<K>, N>): Iterable<R> | void;
  onTimer?(at: S.EpochMillis, ctx: S.Context<KeyRow<K>, N>): Iterable<R> | void;
}

export class PlannedConnectedStreams<T, U> implements S.ConnectedStreams<T, U> {
  readonly #left: PlannedStream<T>;
  readonly #right: PlannedStream<U>;
  constructor(left: PlannedStream<T>, right: PlannedStream<U>) {
    this.#left = left;
    this.#right = right;
  }

  map<R>(left: (element: T) => R, right: (element: U) => R): S.Stream<R> {
    const parameters = {
      left: userFunction('The left side of map()', 'left', left),
      right: userFunction('The right side of map()', 'right', right),
    };
    const inputs = [
      { from: this.#left.place.origin, input: 0 as const },
      { from: this.#right.place.origin, input: 1 as const },
    ];
    const builder = builderFor('map', this.#left.place.builder);
    return streamOf(builder.declare({ verb: 'connect', kind: 'connectMap', parameters, inputs }));
  }

  keyBy<K>(left: (element: T) => K, right: (element: U) => K) {
    const builder = builderFor('keyBy', this.#left.place.builder);
    const leftKeyed = keyByFunction(builder, this.#left.place.origin, left);
    const rightKeyed = keyByFunction(builder, this.#right.place.origin, right);
    return {
      process: <R, N extends S.StateSpec>(f: ConnectedProcess<T, U, K, N, R>): S.Stream<R> => {
        const { parameters, shape } = processParameters(f, ['onLeft', 'onRight']);
        const inputs = [
          { from: leftKeyed.origin, input: 0 as const, exchange: 'key' as const },
          { from: rightKeyed.origin, input: 1 as const, exchange: 'key' as const },
        ];
        const into = builderFor('process', builder);
        return streamOf(into.declare({ verb: 'connect', kind: 'connectProcess', parameters, shape: [shape], inputs }));
      },
    };
  }

  [fingerprintAs](): unknown {
    return [toEndpoint(this.#left.place.origin), toEndpoint(this.#right.place.origin)];
  }
}
