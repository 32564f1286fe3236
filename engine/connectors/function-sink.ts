// A sink that calls a function for every element, at least once. If the function returns a promise,
// a barrier waits for it.
import { fresh } from '../codegen/specialize.ts';
import type { Batch, Operator, OperatorContext, Output, OperatorStatus } from '../contract/operator.ts';
import { refusePromise } from '../values/promise.ts';

/** With so many pending promises, the sink takes no more elements. */
const pendingLimit = 100;

type Write = (element: unknown) => void | Promise<void>;
type Loop = (batch: Batch, from: number) => number;

/** The part of the sink that the loop uses. */
interface SinkHost {
  at: number;
  readonly hasRoom: boolean;
  refuse(element: unknown): void;
  await(answer: PromiseLike<void>): void;
}

/** Writes the elements of a batch. Each sink has its own copy, see `fresh`. */
function sinkLoop(host: SinkHost, write: Write, output: Output): Loop {
  return (batch, from) => {
    const { values, length } = batch;
    let i = from;
    for (; i < length && host.hasRoom; i++) {
      if (output.full) break;
      host.at = i;
      const element = values[i] as { then?: unknown };
      if (typeof element === 'object' && element !== null && typeof element.then === 'function') host.refuse(element);
      const answer = write(element);
      if (answer !== undefined && typeof answer.then === 'function') host.await(answer);
    }
    return i;
  };
}

export class FunctionSink implements Operator, SinkHost {
  at = 0;
  hasRoom = true;
  #context!: OperatorContext;
  #loop!: Loop;
  #pending = 0;
  #taken = 0;
  /** Of the last call that returned, or of the last promise that was kept. */
  #writtenAt: number | undefined;
  readonly #write: Write;

  constructor(write: Write) {
    this.#write = write;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#loop = fresh(sinkLoop, context.uid)(this, this.#write, context.output);
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const next = this.#loop(batch, from);
    this.#taken += next - from;
    if (next > from && this.#pending === 0) this.#writtenAt = this.#context.clock.now();
    return next;
  }
  flush(): boolean {
    return this.#pending === 0;
  }
  status(): OperatorStatus {
    const writtenAt = this.#writtenAt;
    return {
      ...{ entries: 0, rowsWritten: this.#taken - this.#pending },
      ...(writtenAt !== undefined && { writtenAt }),
      ...(this.#pending > 0 && { inFlight: this.#pending }),
    };
  }

  refuse(element: unknown): void {
    refusePromise(element, 'The function that made this row');
  }
  await(answer: PromiseLike<void>): void {
    this.#count(1);
    answer.then(
      () => {
        this.#count(-1);
        this.#writtenAt = this.#context.clock.now();
        if (this.#pending === 0 || this.#pending === pendingLimit - 1) this.#context.wake();
      },
      (error: unknown) => {
        this.#count(-1);
        this.#context.fail(error);
      },
    );
  }

  #count(change: 1 | -1): void {
    this.#pending += change;
    this.hasRoom = this.#pending < pendingLimit;
  }
}
