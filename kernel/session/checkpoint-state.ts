// What a session knows of its checkpoints and restarts.
//
//   asked ─barrier, parts─► writing ─stored─► complete: sinks commit, a restart goes on from here
//     │                        └─refused─────► failed: the next one has its part of the state too
//     └─the executor ends, or a barrier takes too long─► failed
import type { TaskSnapshot } from '../../engine/runtime/snapshot.ts';
import type { LocatedError } from '../executor/executor-protocol.ts';
import type { Upgrade } from './upgrade.ts';

/** Instance → its state. */
export type KnownParts = ReadonlyMap<string, TaskSnapshot>;

/** A checkpoint that is complete: all of it is in the directory. */
export interface StoredCheckpoint {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly takenAt: number;
  /** What a restore reads. */
  readonly bytes: number;
  /** What was written for this one. */
  readonly newBytes: number;
  /** From the barrier until it was complete. */
  readonly millis: number;
}
export interface FailedCheckpoint {
  readonly id: number;
  readonly takenAt: number;
  /** A sentence. */
  readonly failed: string;
}

/** A run that is done, and that no checkpoint on disk has: see `unstored-runs.ts`. */
export interface UnstoredRun {
  readonly cell: string;
  readonly text: string;
  /** The cells whose names it uses. */
  readonly uses: readonly string[];
  /** A checkpoint that is being written has it. */
  readonly takenIn?: number;
}

/** The content of a checkpoint. */
export interface SavedCheckpoint {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly takenAt: number;
  /** As `saved-session.ts` reads it. */
  readonly saved: unknown;
  readonly parts: KnownParts;
}
/** An earlier process has left a checkpoint, and the user has not chosen yet. */
export interface OfferedCheckpoint extends SavedCheckpoint {
  /** Newer checkpoints that cannot be used, and why: sentences. */
  readonly skipped: readonly string[];
  /** Runs of after the checkpoint. They run again. */
  readonly ran?: readonly UnstoredRun[];
}

/** Checkpoints of this session: see `checkpoints.ts`. */
export interface Checkpoints {
  /** False: they are complete when the control thread has them, and end with the process. */
  readonly isStored: boolean;
  readonly nextId: number;
  /** The executor owes these. */
  readonly asked: readonly { readonly id: number; readonly at: number }[];
  /** They are being written to the directory, the oldest first. */
  readonly writing: readonly { readonly id: number; readonly takenAt: number }[];
  /** Epoch milliseconds before which none is asked for. */
  readonly notBefore: number;
  /** One is wanted at once: a savepoint, or the last one before the end. */
  readonly isUrgent: boolean;
  /** The newest last, at most ten. */
  readonly history: readonly (StoredCheckpoint | FailedCheckpoint)[];
  /** The last complete one. */
  readonly last?: StoredCheckpoint;
  readonly completed: number;
  /** Id of the last complete one; 0: none. */
  readonly completeId: number;
  readonly failed: number;
  /** They wait for the next checkpoint. `at`: epoch milliseconds. */
  readonly savepoints: readonly (SavepointRequest & { readonly at: number })[];
  /** In the order of the runs. */
  readonly unstored: readonly UnstoredRun[];
  readonly offered?: OfferedCheckpoint;
  /** The next plan starts with this state: see `pending-upgrade.ts`. */
  readonly upgrade?: Upgrade;
  /** Mutations that carry it to the executor, in order. No snapshot has their state yet. */
  readonly upgrading?: readonly {
    readonly epoch: number;
    /** Of the mutation. */
    readonly checkpoint: number;
    readonly upgrade: Upgrade;
  }[];
  /** This process started with the state of this checkpoint, and with other functions or values. */
  readonly upgradedFrom?: number;
  /** Why checkpoints do not outlive this process although they should: a sentence. */
  readonly unkept?: string;
  /** When this process has resumed from a checkpoint: the time of that checkpoint. */
  readonly resumedFrom?: number;
}
export interface SavepointRequest {
  readonly request: number;
  /** A new folder inside it becomes the savepoint. */
  readonly directory: string;
}

/** An operator has failed, or the executor has ended. */
export interface Failure {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly cell: string;
  readonly error: LocatedError;
}
/** The session goes back to an older checkpoint: see `rewind.ts`. */
export interface Rewind {
  /** The newest checkpoint with a smaller id is restored. */
  readonly before: number;
  readonly cell: string;
  /** The operator that has failed. */
  readonly instance: string;
  readonly error: LocatedError;
  /** The executor has ended. */
  readonly isDue: boolean;
  /** What the directory has. Absent: it is being read. */
  readonly answer?: {
    readonly found?: SavedCheckpoint | undefined;
    readonly problem?: string | undefined;
  };
}
/** The restarts of a session: see `restarts.ts`. */
export interface Restarts {
  readonly rewind?: Rewind;
  /** Those that the strategy counts. */
  readonly failures: readonly Failure[];
  /** The present outage. Its first failure is the cause that users see. */
  readonly outage?: { readonly first: Failure; readonly failures: number };
  /** The executor is being ended, or the next one waits for its time; epoch milliseconds. */
  readonly startsAt?: number;
  /** How often an executor went on from a checkpoint. */
  readonly count: number;
  /** When it did; epoch milliseconds, the last 100. */
  readonly at: readonly number[];
}

export const noCheckpoints: Checkpoints = {
  ...{ isStored: false, nextId: 1, asked: [], writing: [], notBefore: 0, isUrgent: false },
  ...{ history: [], completed: 0, completeId: 0, failed: 0, savepoints: [], unstored: [] },
};
