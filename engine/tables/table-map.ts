// map and filter of a table: row by row, without state. The old row is mapped again to emit the
// change, so the function must return the same for the same row.
import { kinds } from '../graph/kinds.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { type Change, frozen, rowOfUser } from './change.ts';
import { isTrue } from '../values/promise.ts';
import type { Batch, Operator, OperatorContext } from '../contract/operator.ts';

type MadeRow = (row: unknown) => unknown;

/** Makes the row of the new table; undefined: the row does not belong to it. */
export function rowMaker(node: NodeOf<'tableMap' | 'tableFilter'>, functions: FunctionTable): MadeRow {
  const f = functions.get<MadeRow>(node.parameters.fn);
  return kinds[node.kind].derivesRows === 'map'
    ? (row) => rowOfUser(f(row), 'The function of map')
    : (row) => (isTrue(f(row), 'The function of filter') ? row : undefined);
}

export function tableMap(node: NodeOf<'tableMap'>, functions: FunctionTable): Operator {
  return new TableMapOperator(rowMaker(node, functions));
}
export function tableFilter(node: NodeOf<'tableFilter'>, functions: FunctionTable): Operator {
  return new TableMapOperator(rowMaker(node, functions));
}

class TableMapOperator implements Operator {
  at = 0;
  readonly #f: MadeRow;
  #context!: OperatorContext;

  constructor(f: MadeRow) {
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
