// What can happen to a session, and what the session wants done. Both are data: `control.ts` turns one into the other's cause.
import type { KeptData } from '../cells/kept-data.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import type { ExecutorEvent, LocatedError, PullId, RunId, Whereabouts } from '../executor/executor-protocol.ts';
import type { CellText, RunResult } from '../protocol/messages.ts';
import type { GraphDeclaration } from '../live/plan-request.ts';
import type { Compiled } from './state.ts';

/** Events of the executor that change the session; rows and console lines go to the displays alone. */
export type SessionExecutorEvent = Exclude<
  ExecutorEvent,
  { kind: 'display-rows' | 'pull-rows' | 'console' | 'snapshot' }
>;

export type SessionEvent =
  /** The whole document as this client has it; two windows may have two. */
  | { readonly kind: 'sync'; readonly client?: string; readonly cells: readonly CellText[] }
  | { readonly kind: 'run'; readonly client?: string; readonly request: number; readonly cells: readonly string[] }
  | { readonly kind: 'interrupt'; readonly cell?: string }
  | { readonly kind: 'delete'; readonly client?: string; readonly cell: string }
  | { readonly kind: 'arm'; readonly cell: string; readonly armed: boolean }
  | { readonly kind: 'client-joined'; readonly client: string }
  | { readonly kind: 'client-left'; readonly client: string }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'timer'; readonly timer: TimerId }
  | { readonly kind: 'compiled'; readonly run: RunId; readonly compiled: Compiled }
  | { readonly kind: 'compilation-failed'; readonly run: RunId; readonly error: LocatedError }
  /** Relative modules have changed on disk. */
  | { readonly kind: 'modules-changed'; readonly modules: readonly string[] }
  | {
      readonly kind: 'planned';
      readonly epoch: number;
      readonly plan: Plan;
      readonly notes: Readonly<Record<string, readonly string[]>>;
    }
  | SessionExecutorEvent
  /** Asked once a second; absent: everything returns. */
  | { readonly kind: 'stuck'; readonly whereabouts?: Whereabouts }
  | { readonly kind: 'executor-ended'; readonly reason: string; readonly whereabouts?: Whereabouts };

/** `grace:CELL`, `interrupt`, `idle`. Setting a timer again moves it. */
export type TimerId = string;

export type SessionEffect =
  | {
      readonly kind: 'compile';
      readonly run: RunId;
      readonly cell: string;
      /** The notebook as it would be if this run succeeds: running texts, texts at hand of cells that never ran, and the new one. */
      readonly cells: readonly CellText[];
    }
  | {
      readonly kind: 'evaluate';
      readonly run: RunId;
      readonly cell: string;
      readonly version: number;
      readonly compiled: Compiled;
      readonly uses: readonly { readonly name: string; readonly cell: string }[];
      readonly restore?: KeptData;
    }
  | {
      readonly kind: 'mutate';
      readonly epoch: number;
      readonly graph: GraphDeclaration;
      readonly committing?: string;
      readonly failed: readonly string[];
      /** The executor is new: start from the last snapshot. */
      readonly restore: boolean;
    }
  | { readonly kind: 'commit'; readonly run: RunId; readonly cell: string; readonly restored: boolean }
  | { readonly kind: 'discard'; readonly run: RunId; readonly cell: string }
  | { readonly kind: 'forget'; readonly cell: string }
  /** A change that was no run's could not be made. */
  | { readonly kind: 'graph-failed'; readonly error: LocatedError }
  | { readonly kind: 'refuse-pull'; readonly pull: PullId; readonly error: LocatedError }
  | { readonly kind: 'interrupt-executor'; readonly interrupt: number; readonly cell?: string }
  | { readonly kind: 'start-executor' }
  | { readonly kind: 'terminate-executor'; readonly reason: string }
  /** The displays that the mutation prepared (the run's, and those of cells that start anew with it) are shown from now on. */
  | { readonly kind: 'show-prepared-views' }
  | { readonly kind: 'drop-prepared-views' }
  | { readonly kind: 'remove-view'; readonly cell: string }
  | { readonly kind: 'clear-log'; readonly cell: string }
  /** The error boxes under a cell, all of them: of its last run, and of its operators. */
  | { readonly kind: 'show-errors'; readonly cell: string }
  | { readonly kind: 'answer'; readonly request: number; readonly results: readonly RunResult[] }
  | { readonly kind: 'run-started'; readonly cell: string }
  | { readonly kind: 'run-ended'; readonly cell: string; readonly result: RunResult }
  | { readonly kind: 'set-timer'; readonly timer: TimerId; readonly millis: number }
  | { readonly kind: 'clear-timer'; readonly timer: TimerId }
  | { readonly kind: 'end-session'; readonly reason: string };

export type Emit = (effect: SessionEffect) => void;
