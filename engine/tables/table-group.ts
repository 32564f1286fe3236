// groupBy of a table, first part: gives each change the key of its group. A row that moves from one
// group to another becomes two changes: it leaves the one, then it enters the other. So a group
// needs only the changes that carry its key, wherever the groups are. Kafka Streams' repartitioning
// of a grouped table.
//
//   {key, row, old}, both of group g      ─► {key: g, row, old}
//   old of group a, row of group b        ─► {key: a, old}, {key: b, row}
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { keyText } from '../state/key-text.ts';
import { compileKeys, type Keys } from '../state/keys.ts';
import type { Batch, Operator, OperatorContext } from '../contract/operator.ts';
import type { Change } from './change.ts';

/** A change of a row in a group. `key` is that of the group. */
export interface GroupChange extends Change {
  /** The key of the row in its table, as a text. */
  readonly id: string;
}

export function tableGroup({ uid, parameters }: NodeOf<'tableGroup'>, functions: FunctionTable): Operator {
  return new TableGroupOperator(compileKeys(parameters.key, functions, uid));
}

/** The tuple of the group of a row. Throws when the row has no such key. */
function groupOf(keys: Keys, row: unknown): readonly unknown[] {
  return keys.tuple(keys.row(row, keys.read(row)));
}
/** The change with which a row of a running table enters its group, for a reader that comes now. */
export function groupInserts(
  { uid, parameters }: NodeOf<'tableGroup'>,
  functions: FunctionTable,
): (key: readonly unknown[], row: unknown) => GroupChange {
  const keys = compileKeys(parameters.key, functions, uid);
  return (key, row) => ({ key: groupOf(keys, row), row, old: undefined, id: keyText(key) });
}

class TableGroupOperator implements Operator {
  at = 0;
  readonly #keys: Keys;
  /** The second change of the current element, when there was no room for it. */
  #second: GroupChange | undefined;
  #context!: OperatorContext;

  constructor(keys: Keys) {
    this.#keys = keys;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const time = batch.timestamps[i]!;
      const second = this.#second;
      if (second) {
        this.#second = undefined;
        output.emit(second, time);
      } else {
        const [first, next] = this.#split(batch.values[i] as Change);
        if (first) output.emit(first, time);
        if (next && output.full) {
          this.#second = next;
          return i;
        }
        if (next) output.emit(next, time);
      }
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  #split({ key, row, old }: Change): readonly [first?: GroupChange, second?: GroupChange] {
    const id = keyText(key);
    const leaves = old === undefined ? undefined : groupOf(this.#keys, old);
    const enters = row === undefined ? undefined : groupOf(this.#keys, row);
    if (!leaves) return enters ? [{ key: enters, row, old: undefined, id }] : [];
    if (!enters) return [{ key: leaves, row: undefined, old, id }];
    if (keyText(leaves) === keyText(enters)) return [{ key: enters, row, old, id }];
    return [
      { key: leaves, row: undefined, old, id },
      { key: enters, row, old: undefined, id },
    ];
  }
}
