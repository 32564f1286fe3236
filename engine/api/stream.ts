// A stream in a cell: an endpoint where records can be read, and the verbs that declare operators
// on it. It never runs anything.
import { SluiceError } from '../errors/error.ts';
import { fingerprintAs } from '../graph/fingerprint.ts';
import { connectBroadcast, PlannedBroadcastStream } from './broadcast.ts';
import {
  builderFor,
  labelOf,
  toEndpoint,
  type Builder,
  type VerbDeclaration,
  type Draft,
  type Origin,
} from './builder.ts';
import { PlannedConnectedStreams } from './connected-streams.ts';
import { chartSpec, declareDisplay, tableSpec } from './displays.ts';
import { collected } from './open-collections.ts';
import { declareIterate } from './iterate.ts';
import { keyByFunction, PlannedKeyedStream } from './keyed-stream.ts';
import type { KeyRow, NoKey } from './rows.ts';
import { wholeNumber } from './options.ts';
import { describe, keyFieldNames, userFunction } from './parameters.ts';
import { declareKafkaSink } from './kafka-sink.ts';
import { declareFileSink, declareFunctionSink, type PlannedSink } from './sinks.ts';
import { mapAsyncParameters, type MapAsyncOptions } from './async.ts';
import type * as S from './surface.ts';
import { assignTimestampsParameters } from './time-options.ts';
import { PlannedWindowedStream } from './windowed-stream.ts';

export interface StreamPlace {
  readonly origin: Origin;
  /** The builder for operators outside an evaluation; undefined for a stream of another cell. */
  readonly builder: Builder | undefined;
  /** The fields that identify a row on screen: a new row replaces the row with the same values. */
  readonly rowKey?: readonly string[] | undefined;
}

export class PlannedStream<T> implements S.Stream<T> {
  readonly place: StreamPlace;
  constructor(place: StreamPlace) {
    this.place = place;
  }

  map<R>(f: (element: T) => R): S.Stream<R> {
    return this.#then('map', 'map', f);
  }
  filter<U extends T>(predicate: (element: T) => element is U): S.Stream<U>;
  filter(predicate: (element: T) => boolean): S.Stream<T>;
  filter(predicate: (element: T) => boolean): S.Stream<T> {
    return this.#then('filter', 'filter', predicate, this.place.rowKey);
  }
  flatMap<R>(f: (element: T) => Iterable<R>): S.Stream<R> {
    return this.#then('flatMap', 'flatMap', f);
  }
  /**
   * The result of a promise for each element, with the element's time.
   *
   * `capacity` (100): the number of calls in flight, plus the answers that wait for earlier ones.
   * `ordered` (true): results keep the order of the elements. false: they come in the order of the
   * answers, but never pass a watermark. `timeout` (30s): from the first call for an element until
   * its answer, retries included; after it, the signal is aborted. `retries` (0): a failed call is
   * repeated at once. If you want a pause, wait in the function. `onError`: 'fail' (default) or
   * 'drop' the element.
   *
   * After a restore, elements without an answer are called for again, so a call may happen twice.
   */
  mapAsync<R>(f: (element: T, signal: AbortSignal) => Promise<R>, options?: MapAsyncOptions): S.Stream<R> {
    const parameters = mapAsyncParameters(f, options);
    return this.#declare({ verb: 'mapAsync', kind: 'mapAsync', about: f.name, parameters, shape: [] });
  }
  take(n: number): S.Stream<T> {
    const parameters = { n: wholeNumber('The n of take()', n) };
    return this.#declare({ verb: 'take', kind: 'take', about: String(n), parameters, shape: [] }, this.place.rowKey);
  }
  union<U = T>(...others: S.Stream<U>[]): S.Stream<T | U> {
    const streams = [this, ...others.map((other) => plannedStream('union()', other))];
    const builder = builderFor('union', this.place.builder);
    const inputs = streams.map(({ place }) => ({ from: place.origin }));
    return streamOf(builder.declare({ verb: 'union', kind: 'union', parameters: {}, inputs }));
  }
  /**
   * New event times and watermarks.
   *
   * `watermark` is bounded out-of-orderness (default 0 ms) or a generator. A generator's onElement
   * runs after each element, and its onPeriodic every 200 ms of processing time. They return a
   * watermark in epoch milliseconds, or nothing. A watermark that is not above the last one is
   * ignored. A generator is not part of snapshots: it starts from the beginning after a restore,
   * and in a reader that is added later.
   */
  assignTimestamps(
    timestamp: S.Selector<T, S.EventTime>,
    watermark?: S.TimeOptions<T>['watermark'] | S.WatermarkGenerator<T>,
  ): S.Stream<T> {
    const parameters = assignTimestampsParameters(timestamp, watermark);
    const about = typeof timestamp === 'string' ? timestamp : '';
    return this.#declare({ verb: 'assignTimestamps', kind: 'assignTimestamps', about, parameters }, this.place.rowKey);
  }

  keyBy<F extends keyof T & string>(...fields: F[]): S.KeyedStream<T, Pick<T, F>>;
  keyBy<R>(f: (element: T) => R): S.KeyedStream<T, KeyRow<R>>;
  keyBy(...keys: unknown[]): unknown {
    const builder = builderFor('keyBy', this.place.builder);
    if (keys.length === 1 && typeof keys[0] === 'function')
      return new PlannedKeyedStream<T, never>(keyByFunction(builder, this.place.origin, keys[0]));
    const fields = keyFieldNames('keyBy()', 'element', keys);
    const draft = builder.declare({
      verb: 'keyBy',
      kind: 'keyBy',
      about: fields.join(', '),
      parameters: { key: { fields } },
      inputs: [{ from: this.place.origin }],
    });
    return new PlannedKeyedStream<T, never>({ origin: { draft, port: 'out' }, builder, keyFields: fields });
  }
  windowAll(window: S.WindowAssigner<T>): S.WindowedStream<T, NoKey> {
    const builder = builderFor('windowAll', this.place.builder);
    const draft = builder.declare({
      verb: 'windowAll',
      kind: 'keyBy',
      parameters: { key: { constant: true } },
      inputs: [{ from: this.place.origin }],
    });
    return PlannedWindowedStream.over<T, NoKey>({ origin: { draft, port: 'out' }, builder, keyFields: [] }, window);
  }

  /**
   * Each element with the previous one, in the order of arrival: one sequence of pairs over the
   * whole stream.
   */
  pairwise(): S.Stream<[previous: T, current: T]> {
    const builder = builderFor('pairwise', this.place.builder);
    const draft = builder.declare({
      verb: 'pairwiseAll',
      kind: 'keyBy',
      parameters: { key: { constant: true } },
      inputs: [{ from: this.place.origin }],
    });
    return new PlannedKeyedStream<T, NoKey>({ origin: { draft, port: 'out' }, builder, keyFields: [] }).pairwise();
  }

  connect<U>(other: S.Stream<U>): S.ConnectedStreams<T, U>;
  connect<B>(broadcast: S.BroadcastStream<B>): S.BroadcastConnectedStream<T, B, NoKey>;
  connect(other: unknown): S.ConnectedStreams<T, never> & S.BroadcastConnectedStream<T, never, NoKey> {
    const { origin, builder } = this.place;
    const beside = connectBroadcast<T, NoKey>({ origin, builder, isKeyed: false }, other);
    return (beside ?? new PlannedConnectedStreams<T, never>(this, plannedStream<never>('connect()', other))) as never;
  }

  id(uid: string): this {
    const { draft, builder } = this.#ownDraft('id', uid);
    builder.rename(draft, uid);
    return this;
  }
  name(label: string): this {
    const { draft, builder } = this.#ownDraft('name', label);
    builder.relabel(draft, label);
    return this;
  }

  to(topic: string, options?: S.KafkaSinkOptions<T> | S.KafkaSinkOptions<T, unknown>): S.Sink {
    return this.#sink((builder, origin) => declareKafkaSink(builder, origin, topic, options));
  }
  sink<H, C>(sink: S.TwoPhaseSink<T, H, C> | ((element: T) => void | Promise<void>)): S.Sink {
    return this.#sink((builder, origin) => declareFunctionSink(builder, origin, sink));
  }
  show(options?: { rows?: number }): S.Display {
    return declareDisplay('show', this.place.builder, tableSpec(this.place, options));
  }
  chart(mark: S.Mark<T> | S.VegaLiteSpec): S.Display {
    return declareDisplay('chart', this.place.builder, chartSpec(this.place, mark));
  }

  async toArray(): Promise<T[]> {
    const builder = builderFor('toArray', this.place.builder);
    const endless = builder.unboundedSource(this.place.origin);
    if (endless !== undefined)
      throw new SluiceError(
        'unbounded',
        `toArray() of "${labelOf(this.place.origin)}" would never end: ${endless} has no end. ` +
          'Take some rows first (.take(100)), give the source an end (until, limit), or read it with for await.',
      );
    return collected(builder.settings.group, this.#pull('toArray', builder));
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.#pull('for await', builderFor('for await', this.place.builder));
  }

  /** For `connect`: every parallel instance of the reader receives every element. */
  broadcast(): S.BroadcastStream<T> {
    return new PlannedBroadcastStream<T>(this.place);
  }
  iterate<R>(
    body: (loop: S.Stream<T>) => { feedback: S.Stream<T>; output: S.Stream<R> },
    options?: { maxRounds?: number },
  ): S.Stream<R> {
    return declareIterate(this.place, body, options);
  }
  toFile(path: string, options?: S.FileSinkOptions<T>): S.Sink {
    return this.#sink((builder, origin) => declareFileSink(builder, origin, path, options));
  }

  [fingerprintAs](): unknown {
    return toEndpoint(this.place.origin);
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Stream ${labelOf(this.place.origin)}`;
  }

  #declare<R>(declaration: VerbDeclaration, rowKey?: readonly string[]): S.Stream<R> {
    const builder = builderFor(declaration.verb, this.place.builder);
    return streamOf(builder.declare({ ...declaration, inputs: [{ from: this.place.origin }] }), rowKey);
  }
  #then<R>(
    verb: string,
    kind: 'map' | 'filter' | 'flatMap',
    f: (element: T) => unknown,
    rowKey?: readonly string[],
  ): S.Stream<R> {
    const fn = userFunction(`${verb}()`, 'fn', f);
    return this.#declare({ verb, kind, about: f.name, parameters: { fn } }, rowKey);
  }
  #sink(declare: (builder: Builder, origin: Origin) => PlannedSink): S.Sink {
    return declare(builderFor('to', this.place.builder), this.place.origin);
  }
  #pull(verb: string, builder: Builder): AsyncIterableIterator<T> {
    const label = labelOf(this.place.origin);
    const host = builder.settings.pullHost;
    if (host === undefined)
      throw new SluiceError('cannot-pull', `${verb} of "${label}": no engine runs here that could read it.`);
    return host.pull(toEndpoint(this.place.origin), label, builder.fragment()) as AsyncIterableIterator<T>;
  }

  #ownDraft(verb: string, label: string): { draft: Draft; builder: Builder } {
    const { origin } = this.place;
    const builder = builderFor(verb, this.place.builder);
    if (origin.port !== 'out')
      throw new SluiceError(
        'misplaced-id',
        `.${verb}(${describe(label)}) is called on "${labelOf(origin)}", a side output. Only an operator has an id and a name.`,
      );
    const isOwn = 'draft' in origin && origin.draft.builder === builder && origin.draft.variable === builder.variable;
    if (!isOwn)
      throw new SluiceError(
        'misplaced-id',
        `.${verb}(${describe(label)}) is outside the chain that creates "${labelOf(origin)}". Move it to the end of that chain.`,
      );
    return { draft: origin.draft, builder };
  }
}
/** A source with its rejected records as a side output. */
export class PlannedSourceStream<T> extends PlannedStream<T> implements S.SourceStream<T> {
  get errors(): S.SourceStream<T>['errors'] {
    return sideOutput(this.place, 'errors');
  }
}
/** The results of windows, with the late elements as a side output. */
export class PlannedWindowResult<R, T> extends PlannedStream<R> implements S.WindowResult<R, T> {
  get late(): S.Stream<T> {
    return sideOutput(this.place, 'late');
  }
}
/** The matches of a pattern, with timed-out partial matches and late elements as side outputs. */
export class PlannedPatternResult<R, T> extends PlannedStream<R> implements S.PatternResult<R, T> {
  get timedOut(): S.Stream<Record<string, T[]>> {
    return sideOutput(this.place, 'timedOut');
  }
  get late(): S.Stream<T> {
    return sideOutput(this.place, 'late');
  }
}

function sideOutput<T>({ origin, builder }: StreamPlace, port: string): S.Stream<T> {
  return new PlannedStream<T>({ origin: { ...origin, port }, builder });
}

export function streamOf<T>(draft: Draft, rowKey?: readonly string[]): PlannedStream<T> {
  return new PlannedStream<T>({ origin: { draft, port: 'out' }, builder: draft.builder, rowKey });
}

/** Checks that the argument is a stream of ours. `where` names the call for the error. */
export function plannedStream<T>(where: string, value: unknown): PlannedStream<T> {
  if (value instanceof PlannedStream) return value as PlannedStream<T>;
  throw new SluiceError('not-a-stream', `${where} takes a stream, not ${describe(value)}.`);
}
