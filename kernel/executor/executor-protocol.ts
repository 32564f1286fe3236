// The messages between the control thread and an executor thread. Types only: everything here is
// plain data.
//
//   control: evaluate ──► executor: (pull-opened / pull-closed)* ──► evaluated | evaluation-failed
//   control: mutate (the plan) ──► executor: mutated | mutation-failed ──► control: commit | discard
//
// Commands are handled in order. `evaluate` may overlap with others: a cell that awaits a pull goes
// on by itself.
import type { MemoryEnd } from './memory-limit.ts';
import type { KeptData } from '../cells/kept-data.ts';
import type { DisplaySpec, Endpoint, Fragment } from '../../engine/api/fragment.ts';
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';
import type { OperatorStatus } from '../../engine/contract/operator.ts';
import type { SourceStatus } from '../../engine/contract/source.ts';
import type { TaskSnapshot } from '../../engine/runtime/snapshot.ts';
import type { LogLine, Wire } from '../protocol/displays.ts';

/**
 * Identifies one run of one cell; never used twice in a session (a restored executor evaluates the
 * same runs again).
 */
export type RunId = number;
/**
 * Identifies a pull; given by the executor, unique in a session (a restored executor is told where
 * to go on).
 */
export type PullId = string;

// ---------------------------------------------------------------------------------------- commands

export interface EvaluateCommand {
  readonly kind: 'evaluate';
  readonly run: RunId;
  readonly cell: string;
  /** Counts the texts of this cell that were run. */
  readonly version: number;
  /** The compiled cell, as `kernel/cells` gives it. */
  readonly code: string;
  readonly declares: readonly string[];
  /** Names of other cells that this one reads, and whose they are. */
  readonly uses: readonly { readonly name: string; readonly cell: string }[];
  /**
   * After the end of an executor a cell is evaluated for its functions only.
   * Its data come from this record, its output is dropped, and no async iterable is iterated.
   */
  readonly restore?: KeptData;
  /**
   * Rows that the cell pulls go to the observer too, as `pull-credit` commands allow: `sluice run
   * --json`.
   */
  readonly tellsPulls?: boolean;
}

export interface MutateCommand {
  readonly kind: 'mutate';
  readonly epoch: number;
  readonly plan: Plan;
  /** New instance → the instance whose state it takes over. */
  readonly handover: Readonly<Record<string, string>>;
  readonly displays: readonly DisplayInstall[];
  /** The first mutation of a restored executor: every instance starts from its part. */
  readonly restore?: readonly SnapshotPart[];
  /** With `restore`: instances that had failed. They stay failed, and none of their code runs. */
  readonly failed?: readonly string[];
}

/**
 * Rows of a display go to the control thread, at least every 250 ms and before the next `snapshot`
 * or `mutated` event.
 * A display that is no longer in the list of a mutation is removed.
 */
export interface DisplayInstall {
  /** `cell/part`. */
  readonly display: string;
  readonly cell: string;
  readonly part: number;
  readonly instance: string;
  /**
   * Rows a second beyond which rows are sampled evenly. Absent: every row is sent, as `credit`
   * commands allow.
   */
  readonly perSecond?: number;
  /** Rows that do not fit: a table keeps the newest ones, a chart an even sample. */
  readonly newest?: boolean;
  /**
   * The stream carries changes of a table: rows replace each other by key, and this many are shown
   * at most.
   */
  readonly changes?: number;
  /** Its stream was not changed: it keeps its counter and what it has not sent. */
  readonly keep: boolean;
  /**
   * Epoch of the mutation that began this generation. It goes with the rows and tells them from
   * those of a former stream.
   */
  readonly installed: number;
}

export type ExecutorCommand =
  | EvaluateCommand
  /** The run's values are the cell's from now on; those of its former run may go. */
  | { readonly kind: 'commit'; readonly run: RunId }
  /** Nothing of the run stays. */
  | { readonly kind: 'discard'; readonly run: RunId }
  /** The cell is gone for good: its values and functions too. */
  | { readonly kind: 'forget'; readonly cell: string }
  | MutateCommand
  | { readonly kind: 'snapshot'; readonly epoch: number }
  /** The pull cannot be attached: it rejects. */
  | { readonly kind: 'refuse-pull'; readonly pull: PullId; readonly error: LocatedError }
  /** The observer has taken this many rows of a pull. */
  | { readonly kind: 'pull-credit'; readonly pull: PullId; readonly rows: number }
  /** A lossless display may send this many rows more. */
  | { readonly kind: 'credit'; readonly display: string; readonly rows: number }
  /**
   * Rejects what the cell (or any cell) awaits and stops its operators that have not returned from
   * a call.
   * The answer is `interrupted`. Without an answer in 500 ms the control thread ends the executor.
   */
  | { readonly kind: 'interrupt'; readonly interrupt: number; readonly cell?: string }
  | { readonly kind: 'close' };

// ------------------------------------------------------------------------------------------ events

/** A fragment without its functions, which stay in the executor. */
export type FragmentData = Omit<Fragment, 'functions'>;

/** What a variable holds, for dependants: the stream behind the name, or the hash of its value. */
export type Export =
  | { readonly kind: 'stream'; readonly name: string; readonly endpoint: Endpoint }
  | { readonly kind: 'value'; readonly name: string; readonly hash: string };

/** What is under the cell: parts of streams, the text of a value, or nothing. */
export type Displayed =
  | { readonly kind: 'displays'; readonly parts: readonly DisplaySpec[] }
  | { readonly kind: 'value'; readonly text: string; readonly wire?: Wire }
  | { readonly kind: 'nothing' };

/** An error with the place in the user's text, mapped back already. */
export interface LocatedError {
  readonly code: string;
  readonly message: string;
  readonly cell?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly excerpt?: string;
  readonly stack?: readonly string[];
  readonly hint?: string;
}

export interface SnapshotPart {
  readonly instance: string;
  /**
   * Key groups that were written since the last snapshot. `mergeSnapshots` puts them on top of
   * those known before.
   */
  readonly state: TaskSnapshot;
}

export interface SnapshotWaits {
  readonly cell: string;
  readonly operator: string;
  readonly millis: number;
}

/**
 * A row that has reached a display. `n` counts the rows of the display from 1 and is part of its
 * snapshot.
 */
export interface DisplayRow {
  readonly n: number;
  readonly timestamp: number;
  /** Structured clone of the element, cut for a display. In lossless mode it is not cut. */
  readonly value: unknown;
  /** Approximate size of a large row. */
  readonly size?: number;
  readonly partition?: number;
  readonly offset?: number;
  readonly partial?: boolean;
  /** The key of a table's row: the tuple of its values. */
  readonly key?: readonly unknown[];
  /** The table has no row of this key any more. */
  readonly gone?: boolean;
}

/** One running instance, once a second. */
export interface OperatorReport {
  readonly id: string;
  readonly uid: string;
  readonly name: string;
  readonly cell: string;
  readonly kind: PlanNode['kind'];
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  /** Shares of the last second; they add up to 1. */
  readonly busy: number;
  readonly idle: number;
  readonly backpressured: number;
  readonly watermark?: number;
  readonly late: number;
  /** Its input has ended and it has emitted everything. */
  readonly finished: boolean;
  /** It has thrown. Its task emits nothing any more, and its readers get no end. */
  readonly failed?: boolean;
  /** It works on nothing, and nothing waits in its input. */
  readonly isQuiet?: boolean;
  readonly status?: OperatorStatus;
  readonly source?: SourceStatus;
}

export type ExecutorEvent =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'evaluated';
      readonly run: RunId;
      readonly fragment: FragmentData;
      readonly exports: readonly Export[];
      readonly displayed: Displayed;
      readonly kept: KeptData;
    }
  | { readonly kind: 'evaluation-failed'; readonly run: RunId; readonly error: LocatedError }
  /** The cell awaits rows of `label`; `wants` is how many when it is known (take). */
  | {
      readonly kind: 'pull-opened';
      readonly pull: PullId;
      readonly run: RunId;
      readonly from: Endpoint;
      readonly label: string;
      readonly wants?: number;
      readonly fragment: FragmentData;
    }
  | { readonly kind: 'pull-closed'; readonly pull: PullId }
  /**
   * Rows that the cell has taken, when it was evaluated with `tellsPulls`. They come before its
   * `evaluated`.
   */
  | {
      readonly kind: 'pull-rows';
      readonly pull: PullId;
      readonly cell: string;
      readonly label: string;
      readonly rows: readonly unknown[];
      /** Rows that could not be sent. They are counted as taken, like the others. */
      readonly leftOut?: number;
    }
  | {
      readonly kind: 'mutated';
      readonly epoch: number;
      /** Source instance → position at the barrier, for people and for the record. */
      readonly positions: Readonly<Record<string, string>>;
    }
  /** Nothing has changed. */
  | { readonly kind: 'mutation-failed'; readonly epoch: number; readonly error: LocatedError }
  /** Rows that were before the barrier have been sent before this. */
  | {
      readonly kind: 'snapshot';
      readonly epoch: number;
      readonly parts: readonly SnapshotPart[];
      /** Time of the executor's thread that writing it took. */
      readonly millis: number;
      /**
       * Age of the oldest barrier under way. A slow reader of a pull holds barriers back; then
       * fewer should be sent.
       */
      readonly behindMillis: number;
    }
  | {
      readonly kind: 'display-rows';
      readonly display: string;
      readonly installed: number;
      readonly rows: readonly DisplayRow[];
      /**
       * Rows a second that reached the display. One row in `sampled` is in `rows`; `total` counts
       * all rows ever.
       */
      readonly rate: number;
      readonly sampled: number;
      readonly total: number;
      readonly watermark?: number;
      readonly finished: boolean;
      /** Rows that could not be sent. They have used credit, like the others. */
      readonly leftOut?: number;
    }
  /**
   * Rows of a display cannot leave the thread. They are left out, and everything else goes on. It
   * comes before the frame that would have had the rows.
   */
  | {
      readonly kind: 'row-refused';
      readonly cell: string;
      /** `cell/part`, or `pull …`: rows that the cell has pulled and that an observer sees. */
      readonly display: string;
      readonly instance?: string;
      /** Rows since the last report of this display. */
      readonly count: number;
      /** Of the first of these rows. */
      readonly error: LocatedError;
      /** "orders[3]@188204  { … }" */
      readonly record: string;
    }
  /**
   * Failures of instances that a mutation in flight installs come after its `mutated`, those of
   * instances it replaces before.
   */
  | {
      readonly kind: 'operator-failed';
      readonly instance: string;
      readonly cell: string;
      readonly name: string;
      readonly error: LocatedError;
      /** "orders[3]@188204  { … }" */
      readonly record?: string;
    }
  | {
      readonly kind: 'metrics';
      readonly at: number;
      readonly operators: readonly OperatorReport[];
      /** Sources that have left the plan since the last report. Absent: none. */
      readonly left?: readonly OperatorReport[];
      /** Load of the executor's thread, 0…1. */
      readonly thread: number;
      /** A snapshot is under way, and this operator does not let its barrier through. */
      readonly snapshotWaits?: SnapshotWaits;
    }
  | {
      readonly kind: 'console';
      readonly cell: string;
      readonly lines: readonly Omit<LogLine, 'n'>[];
      readonly dropped: number;
    }
  /** `stopped` are the runs and operators that ended because of it. */
  | {
      readonly kind: 'interrupted';
      readonly interrupt: number;
      readonly stopped: readonly { readonly cell: string; readonly what: string }[];
    };

/**
 * The work of the executor at this moment, in shared memory: readable even when the executor does
 * not answer.
 */
export interface Whereabouts {
  readonly cell: string;
  /** Name of the operator; absent: the cell itself is being evaluated. */
  readonly operator?: string;
  readonly millis: number;
}

/** An executor as the control thread sees it: a worker thread with the engine's runtime. */
export interface ExecutorPort {
  post(command: ExecutorCommand): void;
  onEvent(listener: (event: ExecutorEvent) => void): void;
  /**
   * The thread has ended, asked or not (process.exit in a cell). `memory`: it held more than it
   * may.
   */
  onEnd(listener: (reason: string, memory?: MemoryEnd) => void): void;
  /** undefined: it is between two calls of user code. */
  whereabouts(): Whereabouts | undefined;
  terminate(): Promise<void>;
}
