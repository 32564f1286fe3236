// A pull: the end of a temporary branch. A program takes its rows one by one. It holds a few rows;
// the others wait in the channels.
import type { Batch, Operator, OperatorContext } from '../contract/operator.ts';

/** So many rows wait for the program; others stay upstream. */
const held = 64;

export class PullOperator implements Operator, AsyncIterableIterator<unknown> {
  #rows: unknown[] = [];
  #context: OperatorContext | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #waiting: { resolve(result: IteratorResult<unknown>): void; reject(error: unknown): void }[] = [];
  readonly #onDone: () => void;

  constructor(onDone: () => void) {
    this.#onDone = onDone;
  }
  /** Rows that were taken by the program. */
  taken = 0;

  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    let i = from;
    for (; i < batch.length && this.#rows.length < held; i++) this.#rows.push(batch.values[i]);
    this.#deliver();
    return i;
  }
  end(): boolean {
    this.#ended = true;
    this.#deliver();
    return true;
  }
  /** The branch has failed or was removed. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#deliver();
  }

  next(): Promise<IteratorResult<unknown>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#deliver();
      if (this.#rows.length < held / 2) this.#context?.wake();
    });
  }
  return(): Promise<IteratorResult<unknown>> {
    this.#ended = true;
    this.#rows = [];
    this.#onDone();
    return Promise.resolve({ done: true, value: undefined });
  }
  [Symbol.asyncIterator](): this {
    return this;
  }

  #deliver(): void {
    while (this.#waiting.length > 0) {
      const row = this.#rows.length > 0;
      if (!row && !this.#failure && !this.#ended) return;
      const waiting = this.#waiting.shift()!;
      if (row) {
        this.taken++;
        waiting.resolve({ done: false, value: this.#rows.shift() });
        continue;
      }
      this.#onDone();
      if (this.#failure) waiting.reject(this.#failure.error);
      else waiting.resolve({ done: true, value: undefined });
    }
  }
}
