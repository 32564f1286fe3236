// What a sink has finished at barriers and has still to commit. It is in each snapshot, so a
// restored sink commits it too.
//
//   add(checkpoint) ──► pending ──complete(n), n ≥ checkpoint──► committing ──► gone
//                          ▲                                         │
//                          └──────────────a pause, if it failed──────┘
//
// Commits go in the order of their checkpoints. A commit that fails is repeated until it succeeds,
// since its rows are in a checkpoint and will never be written again. Only a final error ends that.
import { setImmediate as nextTurn } from 'node:timers';
import { reach } from '../contract/failpoints.ts';
import type { OperatorStatus, StateReader, StateWriter } from '../contract/operator.ts';
import { SluiceError } from '../errors/error.ts';
import { isError, messageOf } from '../errors/thrown.ts';
import { isPromise } from '../values/promise.ts';

/** The pauses between the attempts of a commit, in milliseconds. They double. */
const firstPauseMillis = 100;
const longestPauseMillis = 30_000;

export interface CommitHost<C> {
  /**
   * May be called again with the same committable, also by a later process. May be asynchronous.
   */
  commit(committable: C): unknown;
  /** Of the operator's context. */
  readonly now: () => number;
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
  /** A further attempt cannot help: the operator fails. Absent: none is. */
  isFinal?(error: unknown): boolean;
  committed?(committable: C): void;
}
/** Finished at a barrier. It may be committed when this checkpoint, or a later one, is durable. */
interface Finished<C> {
  readonly checkpoint: number;
  committable: C;
  /** Its committable is known. */
  isReady: boolean;
}
type Saved = readonly [checkpoint: number, committable: unknown];

export class PendingCommits<C> {
  readonly #host: CommitHost<C>;
  /** In the order of their checkpoints. */
  #pending: Finished<C>[] = [];
  #completed = -Infinity;
  #isCommitting = false;
  #failedCommits = 0;
  #lastError = '';
  #failingSince = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(host: CommitHost<C>) {
    this.#host = host;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }
  /** Every committable is known, so a barrier may pass. */
  get isReady(): boolean {
    return this.#pending.every(({ isReady }) => isReady);
  }
  /** Those that are known, the oldest first. */
  get committables(): readonly C[] {
    return this.#ready().map(({ committable }) => committable);
  }
  /** Nothing is left that may be committed now. */
  get isUpToDate(): boolean {
    return !this.#pending.some(({ checkpoint }) => checkpoint <= this.#completed);
  }
  #ready(): readonly Finished<C>[] {
    return this.#pending.filter(({ isReady }) => isReady);
  }

  /** A promise: the barrier waits for it. `failed` comes instead of `CommitHost.fail`. */
  add(checkpoint: number, committable: C | PromiseLike<C>, failed?: (error: unknown) => void): void {
    if (!isPromise(committable)) {
      this.#pending.push({ checkpoint, committable: committable as C, isReady: true });
      reach('after-precommit');
      return;
    }
    const finished: Finished<C> = { checkpoint, committable: undefined as C, isReady: false };
    this.#pending.push(finished);
    (committable as PromiseLike<C>).then(
      (known) => {
        finished.committable = known;
        finished.isReady = true;
        reach('after-precommit');
        if (!this.#isClosed) this.#host.wake();
      },
      (error: unknown) => {
        failed?.(error);
        // First the failure: a sink without pending rows that has ended cannot fail any more.
        if (!this.#isClosed) this.#host.fail(error);
        this.#pending = this.#pending.filter((one) => one !== finished);
      },
    );
  }
  /** As `StateWriter.list` takes them. */
  snapshot(writer: StateWriter): void {
    writer.list(this.#ready().map(({ checkpoint, committable }): Saved => [checkpoint, committable]));
  }
  /** `complete` follows if the state comes from a checkpoint. */
  restore(reader: StateReader): void {
    for (const [checkpoint, committable] of (reader.list() ?? []) as readonly Saved[])
      this.#pending.push({ checkpoint, committable: committable as C, isReady: true });
  }

  /** This checkpoint is durable, and so are all before it. */
  complete(checkpoint: number): void {
    this.#completed = Math.max(this.#completed, checkpoint);
    // Whatever went wrong may be over: a commit that waits for its next attempt need not wait.
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (!this.isUpToDate) reach('before-commit');
    this.#commitAll();
  }
  #commitAll(): void {
    while (!this.#isCommitting && !this.#retry && !this.#isClosed) {
      const [first] = this.#pending;
      if (!first?.isReady || first.checkpoint > this.#completed) return;
      this.#commit(first);
    }
  }
  #commit({ committable }: Finished<C>): void {
    let answer: unknown;
    try {
      answer = this.#host.commit(committable);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (!isPromise(answer)) {
      this.#committed();
      return;
    }
    this.#isCommitting = true;
    // The request is on its way then, and there is no answer.
    nextTurn(() => reach('while-committing'));
    (answer as PromiseLike<unknown>).then(
      () => {
        this.#isCommitting = false;
        this.#committed();
        this.#commitAll();
      },
      (error: unknown) => {
        this.#isCommitting = false;
        this.#failed(error);
      },
    );
  }
  #committed(): void {
    reach('after-commit');
    const { committable } = this.#pending.shift()!;
    this.#failedCommits = 0;
    this.#host.committed?.(committable);
    if (!this.isUpToDate) reach('while-committing');
    if (!this.#isClosed) this.#host.wake();
  }
  #failed(error: unknown): void {
    if (this.#isClosed) return;
    if (hasExpired(error) || this.#host.isFinal?.(error) === true) {
      this.#isClosed = true;
      this.#host.fail(hasExpired(error) ? expired(error, this.#pending[0]!.checkpoint) : error);
      return;
    }
    if (this.#failedCommits === 0) this.#failingSince = this.#host.now();
    this.#lastError = messageOf(error);
    const pause = Math.min(longestPauseMillis, firstPauseMillis * 2 ** this.#failedCommits++);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#commitAll();
    }, pause);
  }

  status(): Pick<OperatorStatus, 'waiting' | 'waitingSince'> {
    if (this.#failedCommits === 0) return {};
    return {
      waiting: `the commit failed: ${this.#lastError.replace(/\.?$/, ';')} trying again`,
      waitingSince: this.#failingSince,
    };
  }
  /** What is pending stays: a checkpoint may have it. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }
}

/** The target has given the rows up. Then the session goes back to the checkpoint before. */
function hasExpired(error: unknown): error is Error {
  return isError(error) && (error as { readonly code?: unknown }).code === 'transaction-expired';
}
function expired(error: Error, checkpoint: number): SluiceError {
  const details = error instanceof SluiceError ? error.details : {};
  return new SluiceError('transaction-expired', messageOf(error), { ...details, checkpoint }, { cause: error });
}
