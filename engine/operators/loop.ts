// What the head and the tail of an iteration share: the records on their way back, outside the plan, which stays without cycles.
//
// The way back never blocks: what does not fit in memory lies in a file. For snapshots it is logged: the head writes what waits at its barrier; what comes
// back after that, until the barrier has come through the body, belongs to the snapshot as well, and the tail writes it.
import type { StateReader } from '../contract/operator.ts';
import { SpillingQueue } from '../state/spilling-queue.ts';

export interface Returning {
  readonly value: unknown;
  readonly timestamp: number;
}

export class Loop {
  readonly #queue = new SpillingQueue<Returning>();
  /** One for each barrier that is between head and tail. */
  readonly #logs: Returning[][] = [];
  #onReturn: () => void = () => {};
  #isAwaited = false;
  /** Nothing is on its way between head and tail; the runtime knows. */
  isQuiet: () => boolean = () => true;

  get size(): number {
    return this.#queue.size;
  }

  // ------------------------------------------------------------------------------------------------ the head

  /** `wake` is called when something comes back, and when the body is quiet after `awaitQuiet`. */
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
  /** What a head or a tail has saved comes back once more. */
  restore(reader: StateReader): void {
    const saved = reader.value() as { readonly returning: readonly Returning[] } | undefined;
    for (const { value, timestamp } of saved?.returning ?? []) this.giveBack(value, timestamp);
  }
  close(): void {
    this.#onReturn = () => {};
    this.#queue.clear();
  }

  // ------------------------------------------------------------------------------------------------ the tail

  giveBack(value: unknown, timestamp: number): void {
    const returning = { value, timestamp };
    this.#queue.push(returning);
    for (const log of this.#logs) log.push(returning);
    this.#onReturn();
  }
  /** The barrier is at the tail. */
  endLog(): readonly Returning[] {
    return this.#logs.shift() ?? [];
  }

  // ------------------------------------------------------------------------------------------------ the runtime

  /** After each round. True: the head was woken. */
  check(): boolean {
    if (!this.#isAwaited || !this.isQuiet()) return false;
    this.#isAwaited = false;
    this.#onReturn();
    return true;
  }
}
