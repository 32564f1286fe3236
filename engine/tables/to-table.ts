// toTable: turns a keyed stream into a table of the last row of each key, in the order of arrival.
// A row of null or undefined deletes, like a tombstone.
//
// Rows count in the order of arrival even if their event times are not in order, as in Kafka
// Streams. The temporal join keeps versions by event time (temporal-join.ts).
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { KeySpec } from '../graph/spec.ts';
import { freezeElements } from '../state/freeze.ts';
import { compileKeys, type Keys } from '../state/keys.ts';
import { assertStorable } from '../values/storable.ts';
import { type Change, rowOrNone } from './change.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import { type TableEntry, tableEntry, TableRows } from './table-rows.ts';

interface Entry extends TableEntry {
  value: unknown;
  time: number;
}

const columns = ['row', 'time'];

export function toTable(node: NodeOf<'toTable'>, functions: FunctionTable, key: KeySpec): Operator {
  return new ToTableOperator(compileKeys(key, functions, node.uid), node.parameters.wrapped === true);
}

class ToTableOperator implements Operator {
  at = 0;
  readonly #keys: Keys;
  /** Elements are {key, row} of a source. The row may be null. */
  readonly #isWrapped: boolean;
  readonly #rows = new TableRows<Entry>();
  #context!: OperatorContext;

  constructor(keys: Keys, isWrapped: boolean) {
    this.#keys = keys;
    this.#isWrapped = isWrapped;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze, name } = this.#context;
    const keys = this.#keys;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const element = batch.values[i];
      const read = keys.read(element);
      const entry = keys.find(this.#rows.map, read);
      // A found key is valid. `row` checks any other key.
      const tuple = entry?.tuple ?? keys.tuple(keys.row(element, read));
      const row = rowOrNone(this.#isWrapped ? (element as { readonly row: unknown }).row : element);
      if (row !== undefined) assertStorable(row, `A row of table "${name}"`);
      const time = batch.timestamps[i]!;
      const old = this.#put(entry, tuple, row, time);
      output.emit({ key: tuple, row, old } satisfies Change, time);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  /** Returns the old row. */
  #put(entry: Entry | undefined, tuple: readonly unknown[], row: unknown, time: number): unknown {
    const old = entry?.value;
    if (row === undefined) {
      if (entry) this.#rows.delete(entry);
    } else if (entry) {
      this.#rows.touch(entry);
      entry.value = row;
      entry.time = time;
    } else this.#rows.add(tableEntry(tuple, { value: row, time }));
    return old;
  }

  /** The current row of a key. */
  lookup(tuple: readonly unknown[]): unknown {
    return this.#rows.get(tuple)?.value;
  }
  eachRow(visit: (key: readonly unknown[], row: unknown, time: number) => void): void {
    this.#rows.forEach(({ tuple, value, time }) => visit(tuple, value, time));
  }
  snapshot(writer: StateWriter): void {
    this.#rows.snapshot(writer, columns, ({ value, time }) => [value, time]);
  }
  restore(reader: StateReader): void {
    this.#rows.restore(reader, columns, this.#context.name, (tuple, [value, time]) =>
      tableEntry(tuple, { value, time: time as number }),
    );
  }
  status(): OperatorStatus {
    return { entries: this.#rows.size };
  }
}
