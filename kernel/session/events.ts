// Events and effects of the session, as data. `server/control.ts` feeds the events,
// `server/effects.ts` performs the effects.
import type { KeptData } from '../cells/kept-data.ts';
import type { ModuleContent } from '../cells/module-contents.ts';
import type { UsedModules } from '../cells/used-modules.ts';
import type {
  Displayed,
  DisplayInstall,
  ExecutorEvent,
  Export,
  LocatedError,
  MutateCommand,
  PullId,
  RunId,
  Whereabouts,
} from '../executor/executor-protocol.ts';
import type { MemoryEnd } from '../executor/memory-limit.ts';
import type { RestartMark } from '../protocol/displays.ts';
import type { LastCall } from '../protocol/last-call.ts';
import type { CellText, RunResult } from '../protocol/messages.ts';
import type { Generation } from './displayed.ts';
import type { SavedCheckpoint, SavepointRequest, UnstoredRun } from './checkpoint-state.ts';
import type { Compiled, SavedViews } from './state.ts';

/**
 * Events of the executor that change the session. Rows and console lines go to the displays alone.
 */
export type SessionExecutorEvent =
  Exclude<ExecutorEvent, { kind: 'display-rows' | 'pull-rows' | 'console' | 'uncaught' | 'snapshot' }> | SnapshotTaken;

/** A snapshot of the executor, with the rows that were on screen when it came. */
export type SnapshotTaken = Extract<ExecutorEvent, { kind: 'snapshot' }> & { readonly views: SavedViews };

export type SessionEvent =
  /** The whole document as this client has it. Two windows may differ. */
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
  | { readonly kind: 'modules-changed'; readonly modules: readonly ModuleContent[] }
  /** All rows of a display have come. */
  | ({ readonly kind: 'display-ended' } & Generation)
  /** Once a second. */
  | { readonly kind: 'heartbeat' }
  | SessionExecutorEvent
  /** All of the checkpoint is in the directory. Sizes in bytes. */
  | { readonly kind: 'checkpoint-stored'; readonly id: number; readonly bytes: number; readonly newBytes: number }
  | { readonly kind: 'checkpoint-failed'; readonly id: number; readonly message: string }
  /**
   * The newest checkpoint before that one. Without `found` there is none, or it cannot be read: a
   * sentence.
   */
  | {
      readonly kind: 'older-checkpoint';
      readonly before: number;
      readonly found?: SavedCheckpoint | undefined;
      readonly problem?: string;
    }
  /** The next barrier that may enter is a checkpoint. */
  | { readonly kind: 'want-checkpoint' }
  | ({ readonly kind: 'want-savepoint' } & SavepointRequest)
  | { readonly kind: 'give-up-savepoint'; readonly request: number }
  /**
   * The answer to the checkpoint that an earlier process has left. `lastCall`: that process ended
   * in it. `from`: a savepoint that is resumed instead.
   */
  | {
      readonly kind: 'choose';
      readonly choice: 'resume' | 'fresh';
      readonly lastCall?: LastCall | undefined;
      readonly from?: SavedCheckpoint;
    }
  /** User code has not returned for a while. Without `whereabouts` everything returns. */
  | { readonly kind: 'stuck'; readonly whereabouts?: Whereabouts }
  | {
      readonly kind: 'executor-ended';
      readonly reason: string;
      readonly whereabouts?: Whereabouts | undefined;
      /** It held more memory than it may. */
      readonly memory?: MemoryEnd | undefined;
    };

/** `grace:CELL`, `interrupt`, `idle`. Setting a timer again moves it. */
export type TimerId = string;

/** What cells show changes. */
export type ViewEffect =
  /**
   * The views of a cell whose displays begin with the next mutation. Their rows may come before it
   * is done.
   */
  | {
      readonly kind: 'prepare-view';
      readonly cell: string;
      readonly displayed: Displayed;
      readonly exports: readonly Export[];
      readonly displays: readonly DisplayInstall[];
    }
  /** Views go back to the rows of the snapshot from which the executor goes on. */
  | { readonly kind: 'rewind-views'; readonly views: SavedViews; readonly restart: RestartMark }
  /** The mutation is done: cells show what was prepared for it. */
  | { readonly kind: 'show-prepared-views' }
  | { readonly kind: 'drop-prepared-views' }
  | { readonly kind: 'remove-view'; readonly cell: string }
  | { readonly kind: 'clear-log'; readonly cell: string }
  /** All error boxes under a cell: those of its last run and those of its operators. */
  | { readonly kind: 'show-errors'; readonly cell: string };

export type SessionEffect =
  | ViewEffect
  | {
      readonly kind: 'compile';
      readonly run: RunId;
      readonly cell: string;
      /**
       * The notebook as it will be if this run succeeds: running texts, the present texts of cells
       * that never ran, and the new text.
       */
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
      readonly used?: UsedModules | undefined;
    }
  | MutateCommand
  | { readonly kind: 'snapshot'; readonly epoch: number; readonly checkpoint?: number }
  | { readonly kind: 'checkpoint-complete' | 'checkpoint-aborted'; readonly checkpoint: number }
  /** So many checkpoints stay, with this one. */
  | { readonly kind: 'store-checkpoint'; readonly content: SavedCheckpoint; readonly retained: number }
  | ({ readonly kind: 'store-savepoint'; readonly content: SavedCheckpoint } & SavepointRequest)
  | { readonly kind: 'read-older-checkpoint'; readonly before: number }
  /** The user starts fresh: what an earlier process has left goes. */
  | { readonly kind: 'discard-checkpoints' }
  /** These runs are done, and no stored checkpoint has them. They replace those of before. */
  | { readonly kind: 'note-runs'; readonly runs: readonly UnstoredRun[] }
  | { readonly kind: 'commit'; readonly run: RunId }
  | { readonly kind: 'discard'; readonly run: RunId }
  | { readonly kind: 'forget'; readonly cell: string }
  /** A sentence for the user of a job. */
  | { readonly kind: 'warn'; readonly text: string }
  /** A change without a run could not be made. */
  | { readonly kind: 'graph-failed'; readonly error: LocatedError }
  | { readonly kind: 'refuse-pull'; readonly pull: PullId; readonly error: LocatedError }
  | { readonly kind: 'interrupt-executor'; readonly interrupt: number; readonly cell?: string }
  | { readonly kind: 'start-executor' }
  | { readonly kind: 'terminate-executor' }
  | { readonly kind: 'answer'; readonly request: number; readonly results: readonly RunResult[] }
  | { readonly kind: 'run-started'; readonly cell: string }
  | { readonly kind: 'run-ended'; readonly cell: string; readonly result: RunResult }
  | { readonly kind: 'set-timer'; readonly timer: TimerId; readonly millis: number }
  | { readonly kind: 'clear-timer'; readonly timer: TimerId }
  | { readonly kind: 'end-session'; readonly reason: string };

export type Emit = (effect: SessionEffect) => void;
