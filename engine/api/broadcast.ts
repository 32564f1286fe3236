// Broadcast streams, and streams connected to one. The elements of the other input read a state
// that only broadcast elements change.
import { SluiceError } from '../errors/error.ts';
import { fingerprintAs } from '../graph/fingerprint.ts';
import { builderFor, labelOf, toEndpoint, type Builder, type Origin } from './builder.ts';
import { describe } from './parameters.ts';
import { processParameters } from './process-function.ts';
import { stateParameters } from './state.ts';
import { streamOf, type StreamPlace } from './stream.ts';
import type * as S from './surface.ts';

/** A stream whose readers receive every element in every parallel instance. */
export class PlannedBroadcastStream<B> implements S.BroadcastStream<B> {
  readonly kind = 'broadcast';
  readonly place: StreamPlace;
  constructor(place: StreamPlace) {
    this.place = place;
  }
  [fingerprintAs](): unknown {
    return [this.kind, toEndpoint(this.place.origin)];
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `BroadcastStream ${labelOf(this.place.origin)}`;
  }
}

/** The input that is not broadcast: a stream, or the keyBy node of a keyed one. */
interface Elements {
  readonly origin: Origin;
  readonly builder: Builder | undefined;
  readonly isKeyed: boolean;
}

export class PlannedBroadcastConnectedStream<T, B, K> implements S.BroadcastConnectedStream<T, B, K> {
  readonly #elements: Elements;
  readonly #broadcast: PlannedBroadcastStream<B>;
  constructor(elements: Elements, broadcast: PlannedBroadcastStream<B>) {
    this.#elements = elements;
    this.#broadcast = broadcast;
  }

  /**
   * `broadcast` declares the state that onBroadcast writes and onElement reads; it has no time to
   * live. After keyBy, `state`, timers and onTimer work as in any process function. The order
   * between elements of the two inputs is not determined. The watermark is the lower of the two.
   */
  process(f: unknown): never {
    const { origin, builder, isKeyed } = this.#elements;
    const { parameters, shape } = processParameters(f, ['onElement', 'onBroadcast']);
    const { broadcast, state, onTimer } = f as Readonly<Record<'broadcast' | 'state' | 'onTimer', unknown>>;
    if (broadcast === undefined)
      throw new SluiceError(
        'bad-state',
        'process() beside a broadcast stream needs its state: { broadcast: { rules: mapState() }, … }.',
      );
    const shared = stateParameters(broadcast, 'broadcast state');
    for (const [name, spec] of Object.entries(shared.parameters))
      if (spec.ttlMillis !== undefined)
        throw new SluiceError(
          'bad-state',
          `Broadcast state "${name}" has a ttl, but parallel instances would drop it at different times. Clear it in onBroadcast.`,
        );
    const used = onTimer !== undefined ? 'onTimer' : state !== undefined ? 'state' : undefined;
    if (!isKeyed && used !== undefined)
      throw new SluiceError(
        'no-key',
        `process() has ${used === 'state' ? 'a state' : 'an onTimer'}, which belongs to a key, but its stream has none. Put keyBy() before connect().`,
      );
    const into = builderFor('process', builder);
    const draft = into.declare({
      verb: 'connect',
      kind: 'broadcastProcess',
      parameters: { ...parameters, broadcast: shared.parameters },
      shape: [shape, shared.shape],
      inputs: [
        { from: origin, input: 0, exchange: isKeyed ? 'key' : 'forward' },
        { from: this.#broadcast.place.origin, input: 1, exchange: 'broadcast' },
      ],
    });
    return streamOf(draft) as never;
  }
}

/** Connects `elements` with `other`; undefined when `other` is not a broadcast stream. */
export function connectBroadcast<T, K>(
  elements: Elements,
  other: unknown,
): PlannedBroadcastConnectedStream<T, never, K> | undefined {
  if (!(other instanceof PlannedBroadcastStream)) return undefined;
  return new PlannedBroadcastConnectedStream<T, never, K>(elements, other as PlannedBroadcastStream<never>);
}

export function notBroadcast(other: unknown): never {
  throw new SluiceError(
    'not-a-stream',
    `connect() of a keyed stream takes a broadcast stream, not ${describe(other)}. Call .broadcast() on the other stream; two keyed streams: left.connect(right).keyBy(…).`,
  );
}
