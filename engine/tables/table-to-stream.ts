// toStream: emits the changes of a table as elements {kind, row}. A delete has the last row.
import type { Change } from './change.ts';
import { kindOfChange } from './change.ts';
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
      const change = batch.values[i] as Change;
      const kind = kindOfChange(change);
      if (kind === undefined) continue;
      output.emit({ kind, row: change.row ?? change.old }, batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
}
