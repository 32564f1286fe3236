// The public surface of `sluice/testing`: one operator chain driven by hand, with a clock that only moves
// when told. For the project's own tests, for users' tests, and for vectors that come from other engines.
import type { Duration, EpochMillis, SessionOptions, Stream, WindowAssigner, WindowBounds } from '../api/surface.ts';

export type Output<R> = { element: R; timestamp: EpochMillis } | { watermark: EpochMillis };
export interface Harness<R> {
  /** Processing time; starts at 0 and moves only here. */
  advanceProcessingTime(to: EpochMillis): void;
  /** Everything emitted since the last call, in order; watermarks only when asked for. */
  output(options?: { watermarks?: boolean }): Output<R>[];
  /** The same for the result's `late` output. */
  late(): { element: unknown; timestamp: EpochMillis }[];
  /** Number of live keyed state entries and timers: 0 when nothing leaks. */
  entries(): number;
  /** Resolves when nothing is in flight: async calls answered, sinks flushed. */
  settled(): Promise<void>;
  /** Partial matches that timed out (CEP). */
  timedOut(): unknown[];
  snapshot(): Uint8Array;
  /** A checkpoint barrier: the snapshot as of it; and its completion, which commits two-phase sinks. */
  barrier(id: number): Uint8Array;
  complete(id: number): void;
  close(): void;
}
export interface OneInputHarness<T, R> extends Harness<R> {
  element(value: T, timestamp?: EpochMillis): void;
  watermark(timestamp: EpochMillis): void;
  idle(): void;
  active(): void;
}
export interface TwoInputHarness<L, R, O> extends Harness<O> {
  left(value: L, timestamp?: EpochMillis): void;
  right(value: R, timestamp?: EpochMillis): void;
  leftWatermark(timestamp: EpochMillis): void;
  rightWatermark(timestamp: EpochMillis): void;
  leftIdle(): void;
  leftActive(): void;
  rightIdle(): void;
  rightActive(): void;
}
export interface HarnessOptions { restore?: Uint8Array; session?: SessionOptions }
export declare function harness<T, R>(build: (input: Stream<T>) => Stream<R>, options?: HarnessOptions): OneInputHarness<T, R>;
export declare function harness2<L, R, O>(build: (left: Stream<L>, right: Stream<R>) => Stream<O>, options?: HarnessOptions): TwoInputHarness<L, R, O>;
/** Spark's estimator, for vectors: records/s, or undefined when there is no estimate. */
export declare class PidRateEstimator {
  constructor(options: { batchIntervalMs: number; proportional?: number; integral?: number; derived?: number; minRate?: number });
  compute(timeMs: EpochMillis, elements: number, processingDelayMs: number, schedulingDelayMs: number): number | undefined;
}
export type Emitted = { watermark: EpochMillis } | 'idle' | 'active';
/** Channels of one input (parallel senders, union). */
export declare class WatermarkValve {
  constructor(channels: number);
  watermark(channel: number, timestamp: EpochMillis): Emitted[];
  idle(channel: number): Emitted[];
  active(channel: number): Emitted[];
}
/** Partitions of one source, and the two inputs of an operator. */
export declare class PartitionWatermarks {
  constructor(partitions: number);
  watermark(partition: number, timestamp: EpochMillis): Emitted[];
  idle(partition: number): Emitted[];
  active(partition: number): Emitted[];
}
export declare function boundedOutOfOrderness(bound: Duration): { onEvent(timestamp: EpochMillis): void; onPeriodic(): EpochMillis };
export declare function assignWindows<T>(window: WindowAssigner<T>, element: T, timestamp: EpochMillis): WindowBounds[];

export interface ScriptOptions<T, R> {
  /** A line's fields (after the time) as the element. Default: `name=value` pairs, or the columns of `>: name name`, or one value alone. */
  element?(fields: readonly string[], side: 'left' | 'right'): T;
  /** The fields of a result row as they stand in the script. Default: the columns of `<: name name` (`time` is the row's timestamp, `window` its bounds), then what they leave out as `name=value`. */
  row?(row: R, timestamp: EpochMillis): readonly unknown[];
  /** Elements that go in together may overtake each other (iteration, unordered answers): their rows come in any order. */
  overtaking?: boolean;
}
/**
 * Tests operators by a script: what goes in, and under each line what must come out. `>` is an element with its timestamp (`>L`, `>R`: of the left, the right input), `|` a watermark
 * (`| end`: +∞), `~ idle` and `~ active` the input's idleness, `@` processing time; `<` a row that comes out, `!` an element that is late, `=` how many state entries and timers are kept.
 * Times are `00:10`, `1:00:00.250` or ISO instants. What stands behind three blanks is the reason, for people. At the end nothing may be left, unless `=` says how much.
 *
 * Every script runs line by line, all at once, with a full downstream, and with a snapshot and a restore into a new instance at every line; and, where each element meets one key (no second keyBy, nothing
 * without a key), by two instances that share the key groups, also restored from one into two and back: rows must be the same each time. Rows of one element come in order; those of one watermark in any order. Throws an AssertionError that shows script and result side by side.
 *
 *     runScript<Payment, Total>((payments) => payments.keyBy('who').window(tumbling('1m')).aggregate({ total: sum('amount') }), `
 *       >: who amount
 *       <: who window total
 *       > 00:10 ann 5
 *       > 00:50 ann 7
 *       | 01:00
 *       < ann [00:00, 01:00) 12
 *       > 00:59 ann 3
 *       ! 00:59 ann 3            the window is closed and allowed lateness is 0
 *     `);
 */
export declare function runScript<T, R>(build: (input: Stream<T>) => Stream<R>, script: string, options?: ScriptOptions<T, R>): void;
export declare function runScript<L, R, O>(build: (left: Stream<L>, right: Stream<R>) => Stream<O>, script: string, options?: ScriptOptions<L | R, O>): void;
