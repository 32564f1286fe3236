// Joins a stream with the current rows of a table, when the element arrives: Kafka Streams' left
// stream-table join. Changes of the table emit no rows.
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { compileKeys, type Keys } from '../state/keys.ts';
import { assertStorable } from '../values/storable.ts';
import type { Change } from './change.ts';
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
}

const columns = ['row'];

export function arrivalJoin(node: NodeOf<'arrivalJoin'>, functions: FunctionTable, left: KeySpec): Operator {
  const select = functions.get<ArrivalJoinOperator['select']>(node.parameters.select);
  return new ArrivalJoinOperator(compileKeys(left, functions, node.uid), select);
}

class ArrivalJoinOperator implements Operator {
  at = 0;
  readonly select: (left: unknown, right: unknown) => unknown;
  readonly #keys: Keys;
  readonly #rows = new TableRows<Entry>();
  #context!: OperatorContext;

  constructor(keys: Keys, select: (left: unknown, right: unknown) => unknown) {
    this.#keys = keys;
    this.select = select;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    const keys = this.#keys;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      if (input === 1) {
        this.#put(batch.values[i] as Change);
        continue;
      }
      const element = batch.values[i];
      const key = keys.read(element);
      const entry = keys.find(this.#rows.map, key);
      // An invalid key is never found, but it is an error: `row` throws.
      if (!entry) keys.row(element, key);
      output.emit(this.select(element, entry?.value), batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  #put({ key, row }: Change): void {
    const entry = this.#rows.get(key);
    if (row === undefined) {
      if (entry) this.#rows.delete(entry);
      return;
    }
    assertStorable(row, `A row of the table of "${this.#context.name}"`);
    if (!entry) this.#rows.add(tableEntry(key, { value: row }));
    else {
      this.#rows.touch(entry);
      entry.value = row;
    }
  }

  snapshot(writer: StateWriter): void {
    this.#rows.snapshot(writer, columns, ({ value }) => [value]);
  }
  restore(reader: StateReader): void {
    this.#rows.restore(reader, columns, this.#context.name, (tuple, [value]) => tableEntry(tuple, { value }));
  }
  /** Number of rows of the table. */
  status(): OperatorStatus {
    return { entries: this.#rows.size };
  }
}
