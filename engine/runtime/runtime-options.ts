// What a runtime is given: by its host when it starts, and with each mutation.
import type { SourceOptions } from '../connectors/registry.ts';
import type { Clock } from '../contract/clock.ts';
import type { Operator } from '../contract/operator.ts';
import type { Source } from '../contract/source.ts';
import type { FunctionTable, PlanNode } from '../graph/plan.ts';
import type { SnapshotLife } from './checkpoint.ts';
import type { RetiredPart } from './retired-tasks.ts';
import type { TaskSnapshot } from './snapshot.ts';
import type { TaskFailure } from './task-failure.ts';
import type { Task } from './task.ts';
import type { Trace } from './trace.ts';

export interface RuntimeOptions {
  readonly functions: FunctionTable;
  readonly clock?: Clock;
  /** Test kit: freeze elements and state. */
  readonly freeze?: boolean;
  /** Operators and sources of the host, by kind: displays, pulls, inputs of a test. */
  readonly host?: (node: PlanNode) => Operator | Source | undefined;
  readonly sources?: SourceOptions;
  readonly onFailure?: (failure: TaskFailure & { readonly uid: string }) => void;
  /** A task has ended: its inputs are exhausted, or it wants no more. */
  readonly onEnded?: (id: string) => void;
  /** The last rows of all tasks that had ended, or were removed, are committed. */
  readonly onCommitted?: () => void;
  /**
   * A task begins a turn; undefined: the turn is over. Lets another thread find the task that is
   * stuck.
   */
  readonly onTurn?: (task: Task | undefined) => void;
  /** There may be something to do: call `round` soon. The driver sets it. */
  readonly onWork?: () => void;
  readonly trace?: Trace | undefined;
}
export interface MutateOptions extends SnapshotLife {
  /** New instance → the former instance whose state it takes over. */
  readonly handover?: Readonly<Record<string, string>>;
  /**
   * Instances that become new tasks even where nothing changed: they failed, or are to start again.
   */
  readonly fresh?: ReadonlySet<string>;
  /** State of new instances, from an earlier life. */
  readonly restore?: ReadonlyMap<string, TaskSnapshot>;
  /**
   * Everything up to this checkpoint is durable: that of `restore`, if it is one. Sinks commit what
   * they had finished for it.
   */
  readonly completed?: number | undefined;
  /**
   * Instances that had failed in an earlier life. Their tasks start as failed ones: they keep their
   * state, and no user code of theirs runs.
   */
  readonly failed?: ReadonlySet<string> | undefined;
  /** Sinks that had been removed in an earlier life, and have still to commit. */
  readonly retired?: readonly RetiredPart[];
  readonly snapshot?: false | 'changes' | 'full';
  /**
   * The groups that there are. A removed sink of another group gives up the rows that its target
   * does not take. Absent: none is given up.
   */
  readonly groups?: ReadonlySet<string>;
  /**
   * Those of them that were deleted a moment ago. Their sinks take no row as long as they are among
   * these, and discard the rows that wait when they are removed. Absent: none.
   */
  readonly deleted?: ReadonlySet<string>;
}
