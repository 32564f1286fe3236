// The loop that the head and the tail of an iteration share: the records on their way back. It is
// not an edge of the plan, so the plan has no cycle.
//
// The way back never blocks: records that do not fit in memory are written to a file. For
// snapshots, returning records are logged: the head writes the records that wait when the barrier
// reaches it. Records that return after that, until the barrier has passed the body, belong to the
// snapshot too: the tail writes them.
import type { StateReader } from '../contract/operator.ts';
import { SpillingQueue } from '../state/spilling-queue.ts';

interface Returning {
  readonly value: unknown;
  readonly timestamp: number;
}

export class Loop {
  readonly #queue = new SpillingQueue<Returning>();
  /**
   * One log for each barrier with a snapshot that is between head and tail. undefined: the snapshot
   * was given up before the head.
   */
  readonly #logs: (Returning[] | undefined)[] = [];
  #onReturn: () => void = () => {};
  #isAwaited = false;
  /** No record is on its way between head and tail. The runtime sets this function. */
  isQuiet: () => boolean = () => true;

  get size(): number {
    return this.#queue.size;
  }

  // -------------------------------------------------------------------------------------- the head

  /** `wake` is called when a record returns, and when the body is quiet after `awaitQuiet`. */
  attach(wake: () => void): void {
    this.#onReturn = wake;
  }
  awaitQuiet(): void {
    this.#isAwaited = true;
  }
  next(): Returning | undefined {
    return this.#queue.shift();
  }
  clear(): void {
    this.#queue.clear();
  }
  /** The barrier is at the head. */
  beginLog(): Returning[] {
    this.#logs.push([]);
    return [...this.#queue];
  }
  /** The barrier is at the head, and its snapshot has been given up. */
  beginNoLog(): void {
    this.#logs.push(undefined);
  }
  /** Records that a head or a tail has saved return once more. */
  restore(reader: StateReader): void {
    for (const { value, timestamp } of (reader.list() ?? []) as readonly Returning[]) this.giveBack(value, timestamp);
  }
  close(): void {
    this.#onReturn = () => {};
    this.#queue.clear();
  }

  // -------------------------------------------------------------------------------------- the tail

  giveBack(value: unknown, timestamp: number): void {
    const returning = { value, timestamp };
    this.#queue.push(returning);
    for (const log of this.#logs) log?.push(returning);
    this.#onReturn();
  }
  /** The barrier is at the tail, with its snapshot or without: the log of this barrier is over. */
  endLog(): readonly Returning[] {
    return this.#logs.shift() ?? [];
  }

  // ----------------------------------------------------------------------------------- the runtime

  /** Called after each scheduling round. True: the head was woken. */
  check(): boolean {
    if (!this.#isAwaited || !this.isQuiet()) return false;
    this.#isAwaited = false;
    this.#onReturn();
    return true;
  }
}
