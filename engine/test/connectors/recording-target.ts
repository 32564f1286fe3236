// A target with transactions, as a database has them. It outlives the sinks that write to it.
import type { TwoPhaseSink } from '../../index.ts';

export interface Handle {
  readonly id: number;
  readonly rows: unknown[];
}
export interface Committable {
  readonly id: number;
}

export class RecordingTarget {
  /** Rows that readers see, in the order of the commits. */
  readonly committed: unknown[] = [];
  /** Transactions that are ready, by id. */
  readonly ready = new Map<number, readonly unknown[]>();
  readonly aborted: number[] = [];
  /** What no sink may do, in sentences. */
  readonly violations: string[] = [];
  /** The calls of commit and abort, also the repeated ones, with the ids. */
  readonly calls: string[] = [];
  begun = 0;
  readonly #done = new Set<number>();

  begin(): Handle {
    return { id: this.begun++, rows: [] };
  }
  preCommit({ id, rows }: Handle): Committable {
    this.ready.set(id, rows);
    return { id };
  }
  /** As a database does it: a transaction that is committed already stays committed. */
  commit({ id }: Committable): void {
    this.calls.push(`commit ${id}`);
    if (this.#done.has(id)) return;
    const rows = this.ready.get(id);
    if (!rows) {
      this.violations.push(`transaction ${id} was committed, but it is not ready`);
      throw new Error(`transaction ${id} is not ready`);
    }
    if (Math.max(...this.#done) > id) this.violations.push(`transaction ${id} was committed behind a later one`);
    this.#done.add(id);
    this.ready.delete(id);
    this.committed.push(...rows);
  }
  /** Only what preCommit has not finished may be aborted: the rest is in a checkpoint. */
  abort({ id }: Handle | Committable): void {
    this.calls.push(`abort ${id}`);
    this.aborted.push(id);
    if (this.#done.has(id) || this.ready.has(id)) this.violations.push(`transaction ${id} was aborted after preCommit`);
    this.ready.delete(id);
  }
  /** Answers come at once, or later. */
  sink(isAsync: () => boolean = () => false): TwoPhaseSink<unknown, Handle, Committable> {
    const answer = <T>(run: () => T): T | Promise<T> =>
      isAsync() ? new Promise<void>((resolve) => setImmediate(resolve)).then(run) : run();
    return {
      begin: () => answer(() => this.begin()),
      write: ({ rows }, element) => void rows.push(element),
      preCommit: (handle) => answer(() => this.preCommit(handle)),
      commit: (committable) => answer(() => this.commit(committable)),
      abort: (transaction) => this.abort(transaction),
    };
  }
}
