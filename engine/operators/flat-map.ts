// flatMap: emits the rows of an iterable for each element, one by one. An endless iterable can be
// interrupted after any row.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { Emission } from '../contract/emission.ts';
import type { Batch, Operator, OperatorContext } from '../contract/operator.ts';

export class FlatMapOperator implements Operator {
  at = 0;
  readonly #f: (element: unknown) => unknown;
  readonly #rows = new Emission();
  #context!: OperatorContext;
  constructor(node: NodeOf<'flatMap'>, functions: FunctionTable) {
    this.#f = functions.get(node.parameters.fn);
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze, name } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      if (!this.#rows.isOpen) this.#rows.start(this.#f(batch.values[i]), batch.timestamps[i]!, `flatMap of "${name}"`);
      if (!this.#rows.drain(output)) return i;
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  close(): void {
    this.#rows.close();
  }
}
