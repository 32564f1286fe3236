// toStream: emits the changes of a table as elements {kind, row, former}. `former` is the row that
// an update replaces or a delete removes; the row of a delete is the same one.
import type { Change } from './change.ts';
import { streamedChange } from './change.ts';
import type { Batch, Operator, OperatorContext, Output } from '../contract/operator.ts';

export class TableToStreamOperator implements Operator {
  at = 0;
  #output!: Output;
  open(context: OperatorContext): void {
    this.#output = context.output;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const output = this.#output;
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const streamed = streamedChange(batch.values[i] as Change);
      if (streamed === undefined) continue;
      output.emit(streamed, batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
}
