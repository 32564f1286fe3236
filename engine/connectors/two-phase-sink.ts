// A sink with transactions of the user. A row is visible outside exactly once, if a commit may be
// repeated.
//
//   first row ──begin──► open ──barrier: preCommit──► pending ──complete──► committed
//                          └─write threw, or the sink goes away──► aborted
//
// What is pending is in each snapshot. A commit that throws is repeated until it succeeds, since
// its rows are in a checkpoint and will never be written again. Without rows there is no
// transaction. A commit that can never succeed, because its target has given the transaction up,
// ends the sink with the code `transaction-expired`. Then the session goes back to the checkpoint
// before it.
import { PendingCommits } from '../commits/pending-commits.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { isPromise, refusePromise } from '../values/promise.ts';

/** What a target with transactions can do: see `TwoPhaseSink` in engine/api/surface.ts. */
export interface TransactionMethods {
  readonly begin: () => unknown;
  readonly write: (handle: unknown, element: unknown) => void;
  readonly preCommit: (handle: unknown) => unknown;
  readonly commit: (committable: unknown) => unknown;
  readonly abort: (handle: unknown) => unknown;
}
/** Those of a user's sink. */
export function methodsOf({ parameters }: NodeOf<'twoPhaseSink'>, functions: FunctionTable): TransactionMethods {
  const { begin, write, preCommit, commit, abort } = parameters;
  return {
    begin: functions.get(begin),
    write: functions.get(write),
    preCommit: functions.get(preCommit),
    commit: functions.get(commit),
    abort: functions.get(abort),
  };
}

export class TwoPhaseSink implements Operator {
  at = 0;
  readonly #methods: TransactionMethods;
  #context!: OperatorContext;
  /** The transaction that takes rows. */
  #open: { readonly handle: unknown } | undefined;
  #isBeginning = false;
  #pending!: PendingCommits<unknown>;
  #isClosed = false;

  constructor(methods: TransactionMethods) {
    this.#methods = methods;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#pending = new PendingCommits({
      commit: (committable) => this.#methods.commit(committable),
      now: () => context.clock.now(),
      wake: () => context.wake(),
      fail: (error) => context.fail(error),
    });
  }

  // ------------------------------------------------------------ rows

  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (!this.#open && !this.#isBeginning) this.#begin();
    if (!this.#open) return from;
    const { handle } = this.#open;
    const { output } = this.#context;
    try {
      for (let i = from; i < batch.length; i++) {
        if (i > from && output.full) return i;
        this.at = i;
        refusePromise(batch.values[i], 'The function that made this row');
        refusePromise(this.#methods.write(handle, batch.values[i]), 'The write of sink()');
      }
    } catch (error) {
      this.#abortOpen();
      throw error;
    }
    return batch.length;
  }
  #begin(): void {
    const handle = this.#methods.begin();
    if (!isPromise(handle)) {
      this.#open = { handle };
      return;
    }
    this.#isBeginning = true;
    (handle as PromiseLike<unknown>).then(
      (begun) => {
        this.#isBeginning = false;
        this.#open = { handle: begun };
        if (this.#isClosed) this.#abortOpen();
        else this.#context.wake();
      },
      (error: unknown) => {
        this.#isBeginning = false;
        if (!this.#isClosed) this.#context.fail(error);
      },
    );
  }
  #abortOpen(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open) this.#abort(open.handle);
  }
  #abort(handle: unknown): void {
    try {
      const answer = this.#methods.abort(handle);
      if (isPromise(answer)) (answer as PromiseLike<unknown>).then(undefined, () => {});
    } catch {
      // The rows are not committed, and that is all that matters here.
    }
  }

  // ------------------------------------------------------------ barriers

  preCommit(checkpoint: number): boolean {
    const open = this.#open;
    this.#open = undefined;
    if (open) this.#finish(open.handle, checkpoint);
    return this.#pending.isReady;
  }
  #finish(handle: unknown, checkpoint: number): void {
    let answer: unknown;
    try {
      answer = this.#methods.preCommit(handle);
    } catch (error) {
      this.#abort(handle);
      throw error;
    }
    this.#pending.add(checkpoint, answer, () => this.#abort(handle));
  }
  get hasUncommitted(): boolean {
    return this.#open !== undefined || this.#isBeginning || !this.#pending.isEmpty;
  }
  snapshot(writer: StateWriter): void {
    this.#pending.snapshot(writer);
  }
  /** `complete` follows if the state comes from a checkpoint. */
  restore(reader: StateReader): void {
    this.#pending.restore(reader);
  }
  complete(checkpoint: number): void {
    this.#pending.complete(checkpoint);
  }

  status(): OperatorStatus {
    return { entries: 0, ...this.#pending.status() };
  }
  /** What is pending stays: a checkpoint may have it. */
  close(): void {
    this.#isClosed = true;
    this.#pending?.close();
    this.#abortOpen();
  }
}
