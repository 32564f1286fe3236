// map and filter of a table: row by row, without state. The old row is mapped again to emit the
// change, so the function must return the same for the same row.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { type Change, frozen, rowOrNone } from './change.ts';
import { isTrue } from '../values/promise.ts';
import type { Batch, Operator, OperatorContext } from '../contract/operator.ts';

export function tableMap(node: NodeOf<'tableMap'>, functions: FunctionTable): Operator {
  const f = functions.get<(row: unknown) => unknown>(node.parameters.fn);
  return new TableMapOperator((row) => rowOrNone(f(row)));
}
export function tableFilter(node: NodeOf<'tableFilter'>, functions: FunctionTable): Operator {
  const predicate = functions.get<(row: unknown) => unknown>(node.parameters.fn);
  return new TableMapOperator((row) => (isTrue(predicate(row), 'The function of filter') ? row : undefined));
}

class TableMapOperator implements Operator {
  at = 0;
  readonly #f: (row: unknown) => unknown;
  #context!: OperatorContext;

  /** `f` returns undefined if the row does not belong to the new table. */
  constructor(f: (row: unknown) => unknown) {
    this.#f = f;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const { key, row, old } = batch.values[i] as Change;
      // A change without a row is emitted too: it says that there is no row at this time, see
      // change.ts.
      output.emit({ key, row: this.#mapped(row), old: this.#mapped(old) } satisfies Change, batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  #mapped(row: unknown): unknown {
    return row === undefined ? undefined : frozen(this.#f(row), this.#context.freeze);
  }
}
