// union: forwards the elements of all channels. The input gate has merged the channels and combined
// their watermarks before.
import type { Batch, Operator, OperatorContext, Output } from '../contract/operator.ts';

export class UnionOperator implements Operator {
  at = 0;
  #output!: Output;
  open(context: OperatorContext): void {
    this.#output = context.output;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const output = this.#output;
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      output.emit(batch.values[i], batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
}
