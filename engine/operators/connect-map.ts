// connect(…).map: maps two streams of different types to one, each with its own function.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import type { Batch, Operator, OperatorContext } from '../contract/operator.ts';

export class ConnectMapOperator implements Operator {
  at = 0;
  readonly #left: (element: unknown) => unknown;
  readonly #right: (element: unknown) => unknown;
  #context!: OperatorContext;
  constructor(node: NodeOf<'connectMap'>, functions: FunctionTable) {
    this.#left = functions.get(node.parameters.left);
    this.#right = functions.get(node.parameters.right);
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    const f = input === 0 ? this.#left : this.#right;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      output.emit(f(batch.values[i]), batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
}
