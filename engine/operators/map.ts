// map: emits the result of the function for each element. The runtime fuses it where possible; this
// is the form that is not fused.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import type { Batch, Operator, OperatorContext } from '../contract/operator.ts';

export class MapOperator implements Operator {
  at = 0;
  readonly #f: (element: unknown) => unknown;
  #context!: OperatorContext;
  constructor(node: NodeOf<'map'>, functions: FunctionTable) {
    this.#f = functions.get(node.parameters.fn);
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      output.emit(this.#f(batch.values[i]), batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
}
