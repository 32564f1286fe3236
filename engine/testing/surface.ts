// The public surface of `sluice/testing`: a test drives one operator chain, and the clock moves
// only when the test moves it. For the project's own tests, for users' tests, and for vectors that
// come from other engines.
import type { Duration, EpochMillis, SessionOptions, Stream, WindowAssigner, WindowBounds } from '../api/surface.ts';

export type Output<R> = { element: R; timestamp: EpochMillis } | { watermark: EpochMillis };
export interface Harness<R> {
  /** Sets processing time. It starts at 0 and moves only here. */
  advanceProcessingTime(to: EpochMillis): void;
  /**
   * Everything emitted since the last call, in order. Watermarks are included only with
   * `watermarks: true`.
   */
  output(options?: { watermarks?: boolean }): Output<R>[];
  /** The late elements since the last call, from the result's `late` output. */
  late(): { element: unknown; timestamp: EpochMillis }[];
  /** The number of keyed state entries and timers that are kept. 0 shows that nothing leaks. */
  entries(): number;
  /**
   * Resolves when nothing is in flight: all async calls have an answer, and all sinks are flushed.
   */
  settled(): Promise<void>;
  /** Partial matches that timed out (CEP). */
  timedOut(): unknown[];
  snapshot(): Uint8Array;
  /**
   * Sends checkpoint barrier `id` and returns its snapshot. `complete` reports that the checkpoint
   * is complete, which commits two-phase sinks.
   */
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
/**
 * Spark's PID estimator, for vectors. A rate is in records/s; undefined when there is no estimate.
 */
export declare class PidRateEstimator {
  constructor(options: { batchIntervalMs: number; proportional?: number; integral?: number; derived?: number; minRate?: number });
  compute(timeMs: EpochMillis, elements: number, processingDelayMs: number, schedulingDelayMs: number): number | undefined;
}
export type Emitted = { watermark: EpochMillis } | 'idle' | 'active';
/** The watermark of one input with several channels (parallel senders, union). */
export declare class WatermarkValve {
  constructor(channels: number);
  watermark(channel: number, timestamp: EpochMillis): Emitted[];
  idle(channel: number): Emitted[];
  active(channel: number): Emitted[];
}
/** The watermark of one source with several partitions, or of an operator with two inputs. */
export declare class PartitionWatermarks {
  constructor(partitions: number);
  watermark(partition: number, timestamp: EpochMillis): Emitted[];
  idle(partition: number): Emitted[];
  active(partition: number): Emitted[];
}
export declare function boundedOutOfOrderness(bound: Duration): { onEvent(timestamp: EpochMillis): void; onPeriodic(): EpochMillis };
export declare function assignWindows<T>(window: WindowAssigner<T>, element: T, timestamp: EpochMillis): WindowBounds[];

export interface ScriptOptions<T, R> {
  /**
   * Makes an element of a line's fields (after the time). Default: `name=value` pairs, the columns
   * of `>: name name`, or one single value.
   */
  element?(fields: readonly string[], side: 'left' | 'right'): T;
  /**
   * Makes the fields of a result row as they stand in the script. Default: the columns of `<: name
   * name` (`time` is the row's timestamp, `window` its bounds), then the other fields as
   * `name=value`.
   */
  row?(row: R, timestamp: EpochMillis): readonly unknown[];
  /**
   * Elements given together may overtake each other (iteration, unordered answers), so their rows
   * come in any order.
   */
  overtaking?: boolean;
}
/**
 * Tests operators by a script: the inputs, and under each input its expected results.
 *
 *     > 00:10 fields   an element with its timestamp (>L, >R: of the left or right input)
 *     | 00:20          a watermark (| end: +∞)
 *     ~ idle           the input becomes idle, or active again (~ active)
 *     @ 00:30          processing time
 *     < fields         a result row
 *     ! 00:10 fields   a late element
 *     = 2              the number of state entries and timers that are kept
 *
 * Times are `00:10`, `1:00:00.250` or ISO instants. Text after three blanks is the reason, for
 * people. At the end no state entry and no timer may be left, unless `=` gives a number.
 *
 * Every script runs line by line, all at once, with a full downstream, with a snapshot at every
 * line, and with a restore into a new instance at every line. If each element meets one key (no
 * second keyBy, no operator without a key), two instances that share the key groups run it too,
 * also restored from one into two and back. The rows must be the same each time. Rows of one
 * element come in order, rows of one watermark in any order. Throws an AssertionError with the
 * script and the result side by side.
 *
 *     runScript<Payment, Total>(
 *       (payments) =>
 *         payments.keyBy('who').window(tumbling('1m')).aggregate({ total: sum('amount') }),
 *       `
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
