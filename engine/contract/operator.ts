// The operator contract. A task drives one operator, in one thread, one call at a time.
//
//   open ─► restore? ─► ( process | advance | tick | idle | end | flush | preCommit | snapshot )*
//        ─► close
//
// Room. Before `process`, `advance`, `tick` and `end` the task checks that at least one record can
// be emitted. During the call the operator emits freely, but reads `output.full` after each emit (a
// per-record operator may read it once per input record). When `full` is true, the call returns as
// soon as it can. `full` also becomes true when the call has used its time budget of about 5 ms: so
// an operator that reads it is interruptible. To emit a little past `full` is allowed and costs
// memory. To emit without bound breaks this contract.
//
// Resumable calls. `process` returns the index of the first record that it has NOT consumed. If it
// is less than `batch.length`, the task later calls again with the same batch and that index. An
// operator in the middle of one record's output (flatMap) keeps its iterator in a field, returns
// that record's index, and continues in the next call. `advance`, `tick` and `end` return true when
// done, false when the task must call again with the same argument. Between an unfinished call and
// its continuation the task makes no other call: barriers and watermarks wait. (One exception: a
// barrier may pass an `end` that waits for the outside.) A violation emits rows twice or loses rows
// after a restore.
//
// No progress. A call that consumes nothing while `full` is false waits for something outside. The
// task repeats it after `context.wake()` or at the time given to `context.wakeAt()`. An operator
// that forgets to wake stops its branch of the graph for good.
//
// Time. `advance(w)` means: no more records with a timestamp ≤ w are expected. w never decreases
// and is never −Infinity. +Infinity means that the input has ended. With two inputs, w is the
// combined watermark. When `advance` is done, the task forwards w downstream, unless
// `generatesWatermarks` or `ordersTime` is set.
//
// State. `snapshot` writes keyed state entry by entry, and all other state by its kind, which says
// how it is divided among instances: splits, list, broadcast, minimum, value. It must not emit.
// Only entries that changed since the last snapshot have to be written, and those that are gone;
// what the last snapshots say of the others stays valid. A StateTable does this. `restore` runs on
// a new instance. After it, the same calls must give the same output.
//
// Checkpoints. A checkpoint is a snapshot with an id that outlives the process; ids grow. For a
// sink whose rows become visible by a commit:
//
//   rows ─preCommit(7)─► committable, in every snapshot from now on ─complete(n), n ≥ 7─► committed
//
// `complete(n)` says that checkpoint n is durable, and with it all before it. It may never come for
// a checkpoint: it was aborted, or the process died. Then a later one speaks for both, so an
// operator must not wait for each id. After a restore, `complete` comes again for the checkpoint
// that was restored. So a commit may happen twice, and must be idempotent.
//
// Values. Elements are immutable and shared between branches: never change one. Timestamps are
// integer epoch milliseconds.
//
// Errors. Throw. The task adds the record that was being processed. After an operator has thrown,
// the task calls only `snapshot`, `complete`, `aborted`, `status` and `close`.

import type { Clock } from './clock.ts';

/**
 * Records between two tasks, in columns. The number columns may be longer than the batch. A batch
 * is immutable. An operator may keep elements, but not the batch or its columns.
 */
export interface Batch {
  readonly length: number;
  readonly values: readonly unknown[];
  /** Epoch milliseconds. */
  readonly timestamps: Float64Array;
  /**
   * Source partition and offset of each record. Per-record operators pass them on; windows drop
   * them.
   */
  readonly partitions?: Int32Array;
  readonly offsets?: Float64Array;
  /**
   * These are the present rows of a table, or come from them, for a reader that comes now. They are
   * not new, so no rate counts them.
   */
  readonly isContent?: boolean;
  /**
   * Each reader's task calls this once it no longer needs the batch. Then the columns are reused.
   */
  release?(): void;
}

export interface Output {
  /** The call must return: there is no room, or its time budget is used up. */
  readonly full: boolean;
  emit(value: unknown, timestamp: number): void;
  /** Emits to a side output, such as 'late' or 'errors'. Does nothing when it has no reader. */
  emitTo(port: string, value: unknown, timestamp: number): void;
  hasReader(port: string): boolean;
  /** For operators that emit watermarks. A time that is not above the last one is ignored. */
  watermark(time: number): void;
  /**
   * For operators that emit watermarks: a record with a timestamp up to W + `timeMargin` must come
   * after the watermark W, if the records before it have reached W. Absent: 0.
   */
  readonly timeMargin?: number;
  idle(): void;
  active(): void;
  /** The operator needs no more input (take): the task closes its inputs and ends its output. */
  finish(): void;
}

export interface OperatorContext {
  /** Instance id, for messages. */
  readonly id: string;
  readonly uid: string;
  readonly name: string;
  readonly output: Output;
  readonly clock: Clock;
  /** Asks for a call: something that the operator waited for has happened. Safe from callbacks. */
  wake(): void;
  /**
   * Asks for `tick` at this processing time (epoch milliseconds) or soon after. Only one wake-up is
   * kept: the earliest.
   */
  wakeAt(millis: number): void;
  /** Ends the operator with an error that happened outside a call (an asynchronous send). */
  fail(error: unknown): void;
  /** Counts one late record. `isRead`: 'late' has a reader, so the record is not dropped. */
  countLate(isRead: boolean): void;
  /**
   * True while a barrier is on its way to this task. The task repeats an unfinished call when a
   * barrier starts. An operator that waits for the outside may then accept records beyond its
   * capacity, so that the barrier can pass.
   */
  barrierWaits?(): boolean;
  /** The test kit sets this: freeze elements and state, so that a mutation throws. */
  readonly freeze: boolean;
}

/** What the entries of an operator are, so that another program can read them. */
export interface StateSchema {
  /** Meaning of the namespace. Absent: there are no namespaces. */
  readonly namespace?: string;
  /** Names of the values of a key, if they are known. */
  readonly key?: readonly string[];
  /** Names of the parts of an entry's content, in their order. */
  readonly columns: readonly string[];
}
/** An entry of keyed state as it was saved. */
export interface SavedEntry {
  readonly namespace: number | undefined;
  /** The key: its values, in order. */
  readonly tuple: readonly unknown[];
  /** By the columns of the schema. */
  readonly content: readonly unknown[];
  /** How results show the key, where the tuple does not tell. */
  readonly label: unknown;
}

/** Entries of a snapshot on their way into bytes. */
export interface EntriesInFlight {
  /** Writes until all is written (true), or until the time is up. */
  proceed(isTimeUp: () => boolean): boolean;
  /** What is written, by key group (0…127). Complete when `proceed` has returned true. */
  readonly segments: ReadonlyMap<number, Uint8Array>;
  /**
   * Bytes of records that are no longer needed, by key group: those of earlier snapshots that are
   * replaced or removed, and the removals themselves.
   */
  readonly garbage: ReadonlyMap<number, number>;
}
export interface StateWriter {
  /** Write every entry, not only the changed ones: the state moves to another instance. */
  readonly full: boolean;
  /**
   * Changed and removed entries. They are written after `snapshot` has returned, in slices between
   * later calls. `isWhole`: all entries, in place of what earlier snapshots say. Called once at
   * most.
   */
  entries(schema: StateSchema, entries: EntriesInFlight, isWhole: boolean): void;
  /** Replaces the operator's own scalars: what belongs to no key, split or item. */
  value(content: unknown): void;
  /** Replaces the state of all splits of a source, by their names: each moves by itself. */
  splits(content: ReadonlyMap<string, unknown>): void;
  /**
   * Replaces a list whose items any instance may go on with. Items must not change afterwards: they
   * are written in slices, as entries are.
   */
  list(items: readonly unknown[]): void;
  /**
   * As `list`, for items whose order counts, as that of the rows of a key. It belongs to one
   * instance: another number of instances is refused while it has items.
   */
  orderedList(items: readonly unknown[]): void;
  /**
   * Replaces what all instances have alike. Without a call, the last snapshot's stays. The items
   * are read in slices after `snapshot` has returned, so they must not change, however the state
   * does.
   */
  broadcast(items: Iterable<unknown>): void;
  /** Replaces a time of which the earliest of all instances counts: a watermark. */
  minimum(time: number): void;
}
export interface StateReader {
  /** undefined when no entries were ever written. */
  readonly schema: StateSchema | undefined;
  entries(): Iterable<SavedEntry>;
  /** Each of the others: undefined when nothing was written. */
  value(): unknown;
  splits(): ReadonlyMap<string, unknown> | undefined;
  list(): readonly unknown[] | undefined;
  /** The items; one object in checkpoints of former versions. */
  broadcast(): unknown;
  minimum(): number | undefined;
}

export interface OperatorStatus {
  /** Live keyed entries and timers. 0 when the operator leaks nothing. */
  readonly entries: number;
  /** The earliest open window, if there is one. */
  readonly nextWindow?: { readonly start: number; readonly end: number };
  /**
   * Calls to the outside that have no answer yet. Of a sink: rows that it took and that its target
   * has not acknowledged.
   */
  readonly inFlight?: number;
  /**
   * Of a sink: rows that its target has taken since the sink was opened, and when it took the last.
   */
  readonly rowsWritten?: number;
  readonly writtenAt?: number;
  /** Of a sink with transactions: those of them that are committed. */
  readonly rowsCommitted?: number;
  /** Epoch milliseconds: since when the oldest transaction that is not committed has been open. */
  readonly uncommittedSince?: number;
  /** Of a sink that is a preview: what would keep it from writing, as a sentence. */
  readonly obstacle?: string;
  /** Of a sink: rows that its target did not take and that are not sent again. */
  readonly rowsLost?: number;
  /** Why: the end of a sentence "rows are lost, because". */
  readonly lostBecause?: string;
  /** One line for the user, if the operator itself knows why there is no output yet. */
  readonly waiting?: string;
  /** Epoch milliseconds: since when it waits. */
  readonly waitingSince?: number;
  /** A warning for the user. It does not stop the operator. */
  readonly note?: string;
}

/**
 * Gets a result that an open window would give now, and the window's bounds. Returns false when it
 * wants no more.
 */
export type VisitOpen = (result: unknown, window: { readonly start: number; readonly end: number }) => boolean;

export interface Operator {
  /**
   * The operator holds records, and must forward each watermark (+Infinity too) and each change of
   * idleness itself, after the records that came before it, and all of them before `end` is done.
   * It must not make a barrier wait for answers: see `barrierWaits`. Default: false.
   */
  readonly ordersTime?: boolean;
  /**
   * The operator emits its own watermarks and idleness. `advance` gets only +Infinity, which the
   * task forwards. Default: false.
   */
  readonly generatesWatermarks?: boolean;
  /**
   * Index, in the batch of `process`, of the record that user code works on, so that an error can
   * name it. Set directly before user code is called. Absent: an error names no record.
   */
  readonly at?: number;
  /**
   * The work of user code when `advance` or `tick` threw, as text: key and window, or key and
   * timer.
   */
  readonly working?: string | undefined;
  /** The element an error is about, where that is not the one of the batch at `at`. */
  readonly failedRecord?: { readonly value: unknown; readonly timestamp: number } | undefined;
  /** Called once, first. The context is valid until `close`. */
  open?(context: OperatorContext): void;
  /** Consumes records from index `from` on. Returns the index of the first record not consumed. */
  process(input: 0 | 1, batch: Batch, from: number): number;
  /** The watermark has reached this time: emit the results that are due. Absent: done at once. */
  advance?(watermark: number): boolean;
  /**
   * The input (both, if there are two) has become idle or active. The task forwards this, except
   * with `generatesWatermarks` or `ordersTime`. Must not emit records.
   */
  idle?(input: 0 | 1, isIdle: boolean): void;
  /** Processing time has reached the time given to `wakeAt`, or `wake` was called. */
  tick?(now: number): boolean;
  /** All inputs have ended, and `advance(+Infinity)` is done. False: call again. */
  end?(): boolean;
  /**
   * Called before a barrier passes and before the end. True: no asynchronous send is unanswered.
   */
  flush?(): boolean;
  /**
   * True: a barrier may pass although `flush` is false, if the task stays. The snapshot then has
   * all that is not acknowledged, and a restore sends it again. So an outage of a sink's target
   * holds no other part of the dataflow up.
   */
  readonly keepsUnsent?: boolean;
  /**
   * At a barrier, after `flush` and before the state leaves the operator: for a snapshot, or for a
   * successor. A sink finishes its transaction; what a commit needs is part of its snapshots until
   * it is committed. False: call again after a `wake`. `checkpoint` or a later one will be
   * completed when the state is durable. Also called after the end, for the last checkpoint.
   */
  preCommit?(checkpoint: number): boolean;
  /**
   * Everything up to this checkpoint is durable: a sink commits. Comes at any time between calls,
   * also in the middle of an unfinished one, after the end and after a failure. Must not emit.
   */
  complete?(checkpoint: number): void;
  /** Called in place of `snapshot` at a barrier whose snapshot has been given up. */
  passWithoutSnapshot?(): void;
  /**
   * This checkpoint will not be completed. What was finished for it belongs to the next one. Comes
   * when `complete` may come.
   */
  aborted?(checkpoint: number): void;
  /**
   * It has rows that are not committed. A task that has ended stays until they are. It calls
   * `context.wake()` when this becomes false.
   */
  readonly hasUncommitted?: boolean;
  /** Writes the state, between calls. Absent: no state. */
  snapshot?(writer: StateWriter): void;
  /** Reads the state of a snapshot, once, directly after `open`. */
  restore?(reader: StateReader): void;
  /** For metrics and the user. Called at any time between calls. */
  status?(): OperatorStatus;
  /**
   * What the open windows would give now, for displays. Called at any time between calls. It
   * changes nothing and calls no function of the user's. Of overlapping windows only those are
   * visited whose last slide has begun, because newer ones have seen little.
   */
  openResults?(visit: VisitOpen): void;
  /** Called once, last, also after an error. Its own errors are ignored. */
  close?(): void;
}

/** A per-record stage that the runtime can fuse into the task of its upstream. */
export type Stage =
  | { readonly kind: 'map'; readonly f: (element: unknown) => unknown }
  | { readonly kind: 'filter'; readonly f: (element: unknown) => unknown };
