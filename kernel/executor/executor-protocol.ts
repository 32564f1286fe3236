// The messages between the control thread and an executor thread. Types only: everything here is
// plain data.
//
//   control: evaluate ──► executor: (pull-opened / pull-closed)* ──► evaluated | evaluation-failed
//   control: mutate (the plan) ──► executor: mutated | mutation-failed ──► control: commit | discard
//
// Commands are handled in order. `evaluate` may overlap with others: a cell that awaits a pull goes
// on by itself.
import type { DisplayRow, OpenFrame } from './display-rows.ts';
import type { MemoryEnd } from './memory-limit.ts';
import type { KeptData } from '../cells/kept-data.ts';
import type { ModuleNews, UsedModules } from '../cells/used-modules.ts';
import type { Definitions } from '../../engine/connections/connection-named.ts';
import type { DisplaySpec, Endpoint, Fragment } from '../../engine/api/fragment.ts';
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';
import type { OperatorStatus } from '../../engine/contract/operator.ts';
import type { SourceStatus } from '../../engine/contract/source.ts';
import type { RetiredPart } from '../../engine/runtime/retired-tasks.ts';
import type { ReadBySource } from '../../engine/runtime/source-progress.ts';
import type { TaskSnapshot } from '../../engine/runtime/snapshot.ts';
import type { LogLine, Wire } from '../protocol/displays.ts';
import type { LeavingSink, SnapshotWaits } from './waits.ts';

/**
 * Identifies one run of one cell; never used twice in a session (a restored executor evaluates the
 * same runs again).
 */
export type RunId = number;
/** Identifies a pull; given by the executor, unique in a session, also after a restore. */
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
   * With `restore`: the modules with which it ran. Absent: it imported none, or they are not known.
   */
  readonly used?: UsedModules | undefined;
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
  /** The cells that there are. A sink of another cell gives up what its target does not take. */
  readonly cells: readonly string[];
  /** Those of them that were deleted, and may come back by an undo. */
  readonly deleted: readonly string[];
  /** New instance → the instance whose state it takes over. */
  readonly handover: Readonly<Record<string, string>>;
  readonly displays: readonly DisplayInstall[];
  /** The first mutation of a restored executor: every instance starts from its part. */
  readonly restore?: readonly SnapshotPart[];
  /** With `restore`: sinks that had been removed before their last commit. */
  readonly retired?: readonly RetiredPart[];
  /** The barrier carries the id of this checkpoint. */
  readonly checkpoint?: number;
  /** With `restore`: the time of that state, in epoch milliseconds. Time never goes behind it. */
  readonly goesOnFrom?: number;
  /** With `restore`: everything up to this checkpoint outlives the executor, so sinks commit it. */
  readonly completed?: number;
  /** With `restore`: when all of this is read again, the executor says `caught-up`. */
  readonly readsAgain?: ReadBySource;
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
  /** The barrier carries the id of the checkpoint, if the snapshot is one. */
  | { readonly kind: 'snapshot'; readonly epoch: number; readonly checkpoint?: number }
  /** Everything up to this checkpoint outlives the executor: sinks commit. */
  | { readonly kind: 'checkpoint-complete'; readonly checkpoint: number }
  | { readonly kind: 'checkpoint-aborted'; readonly checkpoint: number }
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
  /** Replaces the connections that an editor has handed over. */
  | { readonly kind: 'connections'; readonly connections: Definitions }
  | { readonly kind: 'close' };

// ------------------------------------------------------------------------------------------ events

/** A fragment without its functions, which stay in the executor. */
export type FragmentData = Omit<Fragment, 'functions'>;

/** What a variable holds, for dependants: the stream behind the name, or the hash of its value. */
export type Export =
  | { readonly kind: 'stream'; readonly name: string; readonly endpoint: Endpoint }
  | { readonly kind: 'value'; readonly name: string; readonly hash: string };

/** What is under the cell: its displays in order, and then the value of its last expression. */
export interface Displayed {
  readonly parts: readonly DisplaySpec[];
  /** Absent: there is none, or it is one of the displays. */
  readonly value?: { readonly text: string; readonly wire?: Wire };
}

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
  /** Of `transaction-expired`: the checkpoint whose rows are lost. */
  readonly checkpoint?: number;
}

export interface SnapshotPart {
  readonly instance: string;
  /**
   * Key groups that were written since the last snapshot. `mergeSnapshots` puts them on top of
   * those known before.
   */
  readonly state: TaskSnapshot;
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
  /** Whether or not somebody reads them at `late`. */
  readonly late: number;
  readonly lateDropped: number;
  /** Its input has ended and it has emitted everything. */
  readonly finished: boolean;
  /** It has thrown. Its task emits nothing any more, and its readers get no end. */
  readonly failed?: boolean;
  /** Of a sink: rows that it was given and has not written. */
  readonly unwritten?: number;
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
      /** Absent: it has imported none. */
      readonly used?: UsedModules;
      /** Absolute paths of its own modules. */
      readonly paths?: readonly string[];
      /** Of a cell that was evaluated with `used`. */
      readonly news?: ModuleNews;
    }
  /** A callback of the cell has imported one more module. All that the cell has used. */
  | {
      readonly kind: 'modules-used';
      readonly run: RunId;
      readonly used: UsedModules;
      readonly paths: readonly string[];
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
      /**
       * Checkpoints of before that were given up, because their graph is not this one. Absent:
       * none.
       */
      readonly givenUp?: readonly number[];
      /** As of `MutationResult`: a sink of before the change waits for its target. */
      readonly read?: ReadBySource;
    }
  | { readonly kind: 'caught-up' }
  /** Nothing has changed. */
  | { readonly kind: 'mutation-failed'; readonly epoch: number; readonly error: LocatedError }
  /** Rows that were before the barrier have been sent before this. */
  | {
      readonly kind: 'snapshot';
      readonly epoch: number;
      /** Of the barrier with which it came. */
      readonly checkpoint?: number;
      readonly parts: readonly SnapshotPart[];
      /** The executor's clock, behind all times in the parts. It may be ahead of the wall clock. */
      readonly clock: number;
      /** Removed sinks that have still to commit. Absent: none. */
      readonly retired?: readonly RetiredPart[];
      /** Time of the executor's thread that writing it took. */
      readonly millis: number;
      /** Age of the oldest barrier under way. While a slow reader holds it, send fewer. */
      readonly behindMillis: number;
    }
  | {
      readonly kind: 'display-rows';
      readonly display: string;
      readonly instance: string;
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
      /** The windows that are open now. Absent: as in the last frame. */
      readonly open?: OpenFrame;
      /** Rows that could not be sent. They have used credit, like the others. */
      readonly leftOut?: number;
    }
  /** Rows of a display cannot leave the thread and are left out. It comes before their frame. */
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
      /** Only these partitions of a source have stopped. The instance goes on with the others. */
      readonly partitions?: readonly string[];
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
      /** Absent: none. */
      readonly leavingSinks?: readonly LeavingSink[];
    }
  | {
      readonly kind: 'console';
      readonly cell: string;
      readonly lines: readonly Omit<LogLine, 'n'>[];
      readonly dropped: number;
    }
  /** A promise that no code awaits, or a throw in a timer. `error.message` names the place. */
  | { readonly kind: 'uncaught'; readonly cell: string; readonly at: number; readonly error: LocatedError }
  /** `stopped` are the runs and operators that ended because of it. */
  | {
      readonly kind: 'interrupted';
      readonly interrupt: number;
      readonly stopped: readonly { readonly cell: string; readonly what: string }[];
    };

/** The work of the executor at this moment, in shared memory: readable without its answer. */
export interface Whereabouts {
  readonly cell: string;
  /** Absent: the cell itself is evaluated, or code that it left behind runs (a timer). */
  readonly operator?: string;
  readonly millis: number;
}

/** An executor as the control thread sees it: a worker thread with the engine's runtime. */
export interface ExecutorPort {
  post(command: ExecutorCommand): void;
  onEvent(listener: (event: ExecutorEvent) => void): void;
  /** The thread has ended, asked or not (process.exit). `memory`: it held more than it may. */
  onEnd(listener: (reason: string, memory?: MemoryEnd) => void): void;
  /** undefined: it is between two calls of user code. */
  whereabouts(): Whereabouts | undefined;
  /** It is silent and answers no question: it is inside one call of V8, such as an allocation. */
  isUnanswered?(): boolean;
  terminate(): Promise<void>;
}
