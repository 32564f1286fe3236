// The contract of a durable store of checkpoints. The first one is a directory
// (checkpoint-directory.ts).
//
//   open ──► restored? ──► write, write, … savepoint … ──► close
//     │                       │ fails: the former checkpoints stay whole, the next write works
//     └ state-in-use, newer-state, bad-state, state-no-permission, state-disk-full
//
// Calls are done one after the other, in their order.
import type { TaskSnapshot } from '../../engine/runtime/snapshot.ts';

/**
 * All that is needed to come back, as plain data of engine/values. It must not change while it is
 * written. A Uint8Array in it never changes at all: bytes that were written once are recognised by
 * their identity and not written again.
 */
export interface CheckpointContent {
  /** At least the storage's `nextId`. */
  readonly id: number;
  /** Epoch milliseconds. For people: the ids give the order, because a clock can be set back. */
  readonly takenAt: number;
  readonly kind: 'checkpoint' | 'savepoint';
  /** Opaque here. Arrays of bytes from 4 KiB on are stored once, like segments. */
  readonly session: unknown;
  /** State by instance. */
  readonly parts: ReadonlyMap<string, TaskSnapshot>;
}

/** A checkpoint that was newer than the restored one. */
export interface SkippedCheckpoint {
  readonly id: number;
  /** A sentence for the user. */
  readonly reason: string;
}

export interface WrittenCheckpoint {
  /** Of its manifest. */
  readonly path: string;
  /** What a restore needs of it. */
  readonly bytes: number;
  /** What was written for it. */
  readonly newBytes: number;
  readonly millis: number;
}

export interface CheckpointStorage {
  /**
   * The newest checkpoint that is whole. undefined when there is none, and after the first write,
   * so that its bytes can be collected.
   */
  readonly restored: CheckpointContent | undefined;
  /**
   * The newest whole checkpoint with a smaller id that is kept. undefined: there is none. Error:
   * `newer-state`.
   */
  before(id: number): Promise<CheckpointContent | undefined>;
  /** Newer checkpoints that are corrupt or half written, newest first. */
  readonly skipped: readonly SkippedCheckpoint[];
  /** Above all ids that this storage has ever had, also in other processes. */
  readonly nextId: number;
  /**
   * `retained`: so many checkpoints stay, with this one. Default: that of the storage.
   *
   * Errors: `state-disk-full`, `state-no-permission`, `checkpoint-failed`, and `not-storable` for a
   * value that is no data. After each of them the former checkpoints are whole.
   */
  write(content: CheckpointContent, retained?: number): Promise<WrittenCheckpoint>;
  /**
   * A checkpoint that needs nothing of this storage and is never removed by it, in a new folder
   * inside `directory`. `readSavepoint` reads its path. It can be moved and copied. Its id is used
   * up.
   */
  savepoint(content: CheckpointContent, directory: string): Promise<{ readonly path: string }>;
  /** Removes all checkpoints. Savepoints stay. */
  discardAll(): Promise<void>;
  /** Waits for the calls before it and releases the lock. A second call changes nothing. */
  close(): Promise<void>;
}
