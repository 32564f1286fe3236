// THE operator contract: records and time in, records out, and never more out than there is room for.
//
// An operator is driven by one task, in one thread, one call at a time. It is told what arrives; it answers how much it took.
//
//   open ─► ( process | advance | tick | end | flush | snapshot )* ─► close
//      restore, if there is state to restore, comes right after open and before anything else
//
// Room. Before every call the task makes sure that at least one record can be emitted. Inside a call the operator emits freely
// but looks at `output.full` after each emit (a per-record operator may also look once per input record). When it is true the call
// returns as soon as it can: `full` is also true when the call has used up its slice of ~5 ms, so looking at it is all it takes to be
// interruptible. Emitting a little past `full` is allowed and costs memory; emitting without bound is the mistake this contract exists to prevent.
//
// Resumable calls. `process` returns the index of the first record it has NOT consumed. When that is less than `batch.length`,
// the task calls again later with the same batch and that index: an operator in the middle of one record's output (flatMap) keeps its
// iterator in a field, returns that record's index, and goes on with the iterator when it is called again. `advance`, `tick` and `end` return
// true when they are done and false when they must be called again with the same argument. Between an unfinished call and its
// continuation nothing else is called: barriers and watermarks wait behind it. Violating this shows as rows twice or rows lost after a restore.
//
// No progress. A call that consumes nothing and is not `full` says "I wait for something outside": it is repeated after `context.wake()` or at the time
// given to `context.wakeAt()`. An operator that forgets to wake stops its branch for good.
//
// Time. `advance(w)` says that no record with timestamp ≤ w is expected any more; w never falls, −Infinity is never passed, +Infinity means the input
// has ended. Afterwards the task forwards w downstream by itself, unless the operator's `generatesWatermarks` is true: then only what it passes to
// `output.watermark` goes out (and +Infinity, which is always forwarded). With two inputs, w is the combined watermark.
//
// An operator whose records come out later than they went in (mapAsync) says `ordersTime`: it is told every mark and passes each on itself behind the records
// that came before it. It never makes a barrier wait for answers: while one is on its way (`context.barrierWaits()`) it takes in what it has no room for.
//
// State. `snapshot` runs between calls, writes keyed state by key group and everything else as one value, and must not emit. Only key
// groups written since the last snapshot need to be written again; the last content of the others stays valid. `restore` on a fresh instance, given what the snapshots
// wrote, must leave it so that the same calls give the same output.
//
// Values. Elements are immutable and shared between branches: never change one. Timestamps are integer epoch milliseconds.
//
// Errors. Throw. The task knows which record it was processing and adds it. An operator that threw is never called again except `snapshot` and `close`.

import type { Clock } from './clock.ts';

/** Records on their way between tasks, in columns; those of numbers may be longer than the batch. Nobody changes it. An operator may keep elements, not the batch or its columns. */
export interface Batch {
  readonly length: number;
  readonly values: readonly unknown[];
  /** Epoch milliseconds. */
  readonly timestamps: Float64Array;
  /** Source partition and offset of each record, as far as per-record operators reach; windows drop them. */
  readonly partitions?: Int32Array;
  readonly offsets?: Float64Array;
  /** The task of a reader is through with it: when all are, its columns are used again. */
  release?(): void;
}

export interface Output {
  /** Return from the present call: there is no room, or the slice is used up. */
  readonly full: boolean;
  emit(value: unknown, timestamp: number): void;
  /** A side output: 'late', 'errors', … . Costs nothing when nobody reads it; `hasReader` says whether anybody does. */
  emitTo(port: string, value: unknown, timestamp: number): void;
  hasReader(port: string): boolean;
  /** For operators that generate watermarks: never lower than the last one. */
  watermark(time: number): void;
  idle(): void;
  active(): void;
  /** This operator wants no more input (take): its inputs are closed, downstream gets the end. */
  finish(): void;
}

export interface OperatorContext {
  /** Instance id, for messages. */
  readonly id: string;
  readonly uid: string;
  readonly name: string;
  readonly output: Output;
  readonly clock: Clock;
  /** Call me again: something I waited for has happened. Safe from asynchronous callbacks. */
  wake(): void;
  /** Call `tick` at this processing time (epoch milliseconds) or soon after. A later call with an earlier time wins; one wake-up is kept. */
  wakeAt(millis: number): void;
  /** Ends the operator with an error that happened outside a call (an asynchronous send). */
  fail(error: unknown): void;
  /** Counts records that were dropped as late (no reader on 'late'). */
  countLate(): void;
  /** A barrier is on its way here: who waits for something outside may take in what it would otherwise leave waiting. Then an unfinished call is repeated. */
  barrierWaits?(): boolean;
  /** In the test kit: freeze elements and state so that a mutation throws. */
  readonly freeze: boolean;
}

export interface StateWriter {
  /** Write every key group, not only those written since the last snapshot: the state moves to a successor. */
  readonly full: boolean;
  /** Replaces the content of one key group (0…127). Any value the structured clone algorithm takes. */
  group(keyGroup: number, content: unknown): void;
  /** Replaces everything that is not keyed. */
  value(content: unknown): void;
}
export interface StateReader {
  groups(): Iterable<readonly [keyGroup: number, content: unknown]>;
  /** undefined when nothing was written. */
  value(): unknown;
}

export interface OperatorStatus {
  /** Live keyed entries and timers: 0 when nothing leaks. */
  readonly entries: number;
  /** End of the earliest window that is open, when there is one. */
  readonly nextWindow?: { readonly start: number; readonly end: number };
  /** Calls to the outside without an answer: what comes of them is still to come out. */
  readonly inFlight?: number;
  /** One line for the user when the operator itself knows why nothing comes out. */
  readonly waiting?: string;
}

export interface Operator {
  /** Time waits for records inside: each watermark (+Infinity too) and idleness that it is told, it says itself when what came before is out; all of it before `end` is done. */
  readonly ordersTime?: boolean;
  /** Watermarks of the input are swallowed; `output.watermark` says what goes out. */
  readonly generatesWatermarks?: boolean;
  /** Index, in the batch given to `process`, of the record that user code is working on: kept right before user code is called, so that an error can name the record. */
  readonly at?: number;
  /** What user code was working on when `advance` or `tick` threw, in words: key and window, or key and timer. */
  readonly working?: string | undefined;
  /** The element an error is about, where that is not the one of the batch at `at`. */
  readonly blamed?: { readonly value: unknown; readonly timestamp: number } | undefined;
  open?(context: OperatorContext): void;
  process(input: 0 | 1, batch: Batch, from: number): number;
  /** Absent: done at once. */
  advance?(watermark: number): boolean;
  /** An input has gone idle or come back; the task combines and forwards idleness itself. */
  idle?(input: 0 | 1, isIdle: boolean): void;
  /** Processing time has reached what `wakeAt` asked for, or `wake` was called. */
  tick?(now: number): boolean;
  /** All inputs have ended, after advance(+Infinity). False: call again. */
  end?(): boolean;
  /** Before a snapshot and before the end: true when nothing is in flight to the outside (asynchronous sends). */
  flush?(): boolean;
  snapshot?(writer: StateWriter): void;
  restore?(reader: StateReader): void;
  status?(): OperatorStatus;
  close?(): void;
}

/** A per-record stage that can be fused into its upstream's task. */
export type Stage =
  | { readonly kind: 'map'; readonly f: (element: unknown) => unknown }
  | { readonly kind: 'filter'; readonly f: (element: unknown) => unknown };
