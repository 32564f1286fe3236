// A sink that calls a function for every element, at least once. If the function returns a promise,
// a barrier waits for it.
import { refusePromise } from '../values/promise.ts';
import type { Batch, Operator, OperatorContext, OperatorStatus } from '../contract/operator.ts';

/** With so many pending promises, the sink takes no more elements. */
const pendingLimit = 100;

export class FunctionSink implements Operator {
  at = 0;
  #context!: OperatorContext;
  #pending = 0;
  readonly #write: (element: unknown) => void | Promise<void>;

  constructor(write: (element: unknown) => void | Promise<void>) {
    this.#write = write;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output } = this.#context;
    let i = from;
    for (; i < batch.length && this.#pending < pendingLimit; i++) {
      if (output.full) break;
      this.at = i;
      refusePromise(batch.values[i], 'The function that made this row');
      const answer = this.#write(batch.values[i]);
      if (answer !== undefined && typeof answer.then === 'function') this.#await(answer);
    }
    return i;
  }
  flush(): boolean {
    return this.#pending === 0;
  }

  status(): OperatorStatus {
    return { entries: 0, inFlight: this.#pending };
  }

  #await(answer: Promise<void>): void {
    this.#pending++;
    answer.then(
      () => {
        this.#pending--;
        if (this.#pending === 0 || this.#pending === pendingLimit - 1) this.#context.wake();
      },
      (error: unknown) => {
        this.#pending--;
        this.#context.fail(error);
      },
    );
  }
}
