// The life of a snapshot beside its barrier: its id, its time-out, and which tasks decline.
//
//   entered ──all tasks have passed───────────────► reported (with the tasks that declined)
//      │                                               ├─the caller has stored it──► complete(id)
//      │                                               └─it could not, or will not─► aborted(id)
//      └──time-out, or aborted(id) by the caller──► given up: the barrier goes on without it, and
//                                                   the next snapshot has its parts too

/** How long the barrier of a snapshot may take, in milliseconds. */
export const defaultTimeoutMillis = 600_000;

export interface SnapshotLife {
  /**
   * Id of a checkpoint. Ids grow, also from one process to the next. Absent: the snapshot is for
   * memory only, and nobody is told when it is safe.
   */
  readonly checkpoint?: number | undefined;
  /** With `onAborted`: the snapshot is given up after so long. Default: 10 minutes. */
  readonly timeoutMillis?: number | undefined;
  /** It will not be reported. Absent: it waits as long as its tasks do. */
  readonly onAborted?: ((aborted: AbortedSnapshot) => void) | undefined;
}
export interface AbortedSnapshot {
  readonly epoch: number;
  readonly checkpoint: number | undefined;
  /** Ids of the tasks that had not passed and held the others up. */
  readonly heldBy: readonly string[];
}
/**
 * A task whose part is a hole: it has failed, so records that it should have seen are lost to it.
 */
export interface Declined {
  readonly task: string;
  /** The operator that failed, as an instance id. */
  readonly node: string;
  /** Its error, as text. */
  readonly reason: string;
}
