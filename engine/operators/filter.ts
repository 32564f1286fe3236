// filter: emits the elements for which the predicate holds. The runtime fuses it where possible;
// this is the form that is not fused.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { isTrue } from '../values/promise.ts';
import type { Batch, Operator, OperatorContext } from '../contract/operator.ts';

/** Whether the element passes; an error for a Promise, which is always truthy. */
export function passesFilter(answer: unknown): boolean {
  return isTrue(answer, 'The function of filter');
}

export class FilterOperator implements Operator {
  at = 0;
  readonly #holds: (element: unknown) => unknown;
  #context!: OperatorContext;
  constructor(node: NodeOf<'filter'>, functions: FunctionTable) {
    this.#holds = functions.get(node.parameters.fn);
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      if (passesFilter(this.#holds(batch.values[i]))) output.emit(batch.values[i], batch.timestamps[i]!);
      // Check this after a dropped element too: a predicate may be slow.
      if (output.full) return i + 1;
    }
    return batch.length;
  }
}
