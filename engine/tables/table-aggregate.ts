// groupBy of a table, second part: the aggregates of the rows that are in each group now. The
// former row is subtracted before the new one is added. Kafka Streams' KGroupedTable.
//
// A group has a row in the result as long as it has a row. Each change of a row is a change of its
// group. Rows count in the order of arrival, as in toTable. The time of a group is the latest time
// of its changes, as in Kafka Streams, so that a late change does not make a version of the past.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { GroupAccumulators } from '../aggregates/subtractable/group-accumulators.ts';
import { freezeElements } from '../state/freeze.ts';
import { labelOf, rowOf } from '../state/key-label.ts';
import { KeyMap } from '../state/key-map.ts';
import { compileKeys, type KeyRow, type Keys } from '../state/keys.ts';
import type { EntryForm, Keyed } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import { type Change, frozen } from './change.ts';
import type { GroupChange } from './table-group.ts';

interface Group extends Keyed {
  readonly kept: unknown[];
  /** Number of rows. */
  rows: number;
  time: number;
  /** The row of the result. */
  result: unknown;
}

export function tableAggregate({ uid, parameters }: NodeOf<'tableAggregate'>, functions: FunctionTable): Operator {
  const keys = compileKeys(parameters.key, functions, uid);
  return new TableAggregateOperator(keys, new GroupAccumulators(parameters.aggregates, functions, uid));
}

class TableAggregateOperator implements Operator {
  at = 0;
  readonly #keys: Keys;
  readonly #accumulators: GroupAccumulators;
  readonly #groups = new KeyMap<Group>();
  readonly #table = new StateTable<Group>();
  #context!: OperatorContext;

  constructor(keys: Keys, accumulators: GroupAccumulators) {
    this.#keys = keys;
    this.#accumulators = accumulators;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      this.#change(batch.values[i] as GroupChange, batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }

  #change({ key, row, old, id }: GroupChange, time: number): void {
    const known = this.#groups.get(key);
    // A row that was never added is not subtracted.
    const leaves = known && old !== undefined;
    if (!leaves && row === undefined) return;
    const accumulators = this.#accumulators;
    const former = leaves ? accumulators.read({ row: old, id }, known.kept, false) : undefined;
    const added = row === undefined ? undefined : accumulators.read({ row, id }, known?.kept, true);
    const group = known ?? this.#newGroup(row, time);
    const before = group.result;
    if (known) this.#table.touch(known);
    if (former) {
      accumulators.subtract(group.kept, former);
      group.rows--;
    }
    if (added) {
      accumulators.add(group.kept, added);
      group.rows++;
    }
    group.time = Math.max(group.time, time);
    group.result = group.rows > 0 ? this.#resultOf(group) : undefined;
    if (group.result === undefined) {
      this.#groups.delete(key);
      this.#table.delete(group);
    } else if (!known) {
      this.#groups.set(key, group);
      this.#table.add(group);
    }
    this.#context.output.emit({ key, row: group.result, old: before } satisfies Change, group.time);
  }
  #newGroup(row: unknown, time: number): Group {
    const keyRow = this.#keys.row(row, this.#keys.read(row));
    this.#accumulators.assertNamesFree(keyRow);
    return this.#groupOf(keyRow, this.#accumulators.create(), 0, time);
  }
  #groupOf(row: KeyRow, kept: unknown[], rows: number, time: number): Group {
    return { row, written: 0, savedBytes: 0, touched: 0, kept, rows, time, result: undefined };
  }
  #resultOf({ row, kept }: Group): unknown {
    return frozen({ ...row, ...this.#accumulators.results(kept) }, this.#context.freeze);
  }

  /** The current row of a group. */
  lookup(tuple: readonly unknown[]): unknown {
    return this.#groups.get(tuple)?.result;
  }
  eachRow(visit: (key: readonly unknown[], row: unknown, time: number) => void): void {
    this.#groups.forEach(({ row, result, time }) => visit(this.#keys.tuple(row), result, time));
  }
  get #form(): EntryForm<Group> {
    const keys = this.#keys;
    return {
      schema: { ...(keys.fields && { key: keys.fields }), columns: ['rows', 'time', ...this.#accumulators.names] },
      tupleOf: ({ row }) => keys.tuple(row),
      labelOf: ({ row }) => labelOf(row, keys),
      contentOf: ({ rows, time, kept }) => [rows, time, ...kept],
    };
  }
  snapshot(writer: StateWriter): void {
    this.#table.write(writer, this.#form, (visit) => this.#groups.forEach((group) => visit(group)));
  }
  restore(reader: StateReader): void {
    this.#table.read(reader, this.#form.schema, this.#context.name, ({ tuple, content, label }) => {
      const [rows, time, ...kept] = content;
      const group = this.#groupOf(rowOf(tuple, label, this.#keys), kept, rows as number, time as number);
      group.result = this.#resultOf(group);
      this.#groups.set(tuple, group);
      this.#table.add(group);
    });
  }
  /** Number of groups. */
  status(): OperatorStatus {
    return { entries: this.#groups.size };
  }
}
