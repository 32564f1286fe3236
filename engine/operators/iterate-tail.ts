// The tail of an iteration: it emits input 0, the output of the body, and returns input 1 to the
// head.
import type { Loop } from './loop.ts';
import type { Batch, Operator, OperatorContext, Output, StateReader, StateWriter } from '../contract/operator.ts';

export class IterateTailOperator implements Operator {
  at = 0;
  readonly #loopOf: () => Loop;
  #loop!: Loop;
  #output!: Output;

  /** The loop is known only when all tasks of the graph change exist. */
  constructor(loopOf: () => Loop) {
    this.#loopOf = loopOf;
  }
  open(context: OperatorContext): void {
    this.#loop = this.#loopOf();
    this.#output = context.output;
  }
  process(input: 0 | 1, batch: Batch, from: number): number {
    if (input === 1) {
      for (let i = from; i < batch.length; i++) this.#loop.giveBack(batch.values[i], batch.timestamps[i]!);
      return batch.length;
    }
    const output = this.#output;
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      output.emit(batch.values[i], batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  snapshot(writer: StateWriter): void {
    writer.orderedList(this.#loop.endLog());
  }
  passWithoutSnapshot(): void {
    this.#loop.endLog();
  }
  restore(reader: StateReader): void {
    this.#loop.restore(reader);
  }
}
