// Joins two tables by key, and updates the result when either side changes. Kafka Streams'
// KTable-KTable join. A key has a row in the result when:
//
//   inner: both sides have a row      left: the left side has one      outer: either side has one
//
// Each change of a side emits at most one change of the result. Its time is the later time of the
// two joined rows, or the time of the change if there is only one row. The old result is computed
// again from the kept rows, so `select` must return the same for the same rows. A result of null or
// undefined is no row.
import type { JoinKind } from '../graph/join-spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { assertStorable } from '../values/storable.ts';
import { type Change, frozen, rowOfUser } from './change.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import { type TableEntry, tableEntry, TableRows } from './table-rows.ts';

type Select = (left: unknown, right: unknown) => unknown;

/** Both sides of a key: row and event time, by input. undefined: the side has no row. */
interface Entry extends TableEntry {
  readonly rows: [left: unknown, right: unknown];
  readonly times: [left: number, right: number];
}

const columns = ['left', 'right', 'leftTime', 'rightTime'];

export function tableJoin(node: NodeOf<'tableJoin'>, functions: FunctionTable): Operator {
  const { kind, select } = node.parameters;
  return new TableJoinOperator(kind, functions.get<Select>(select));
}

class TableJoinOperator implements Operator {
  at = 0;
  readonly #kind: JoinKind;
  readonly #select: Select;
  readonly #entries = new TableRows<Entry>();
  #live = 0;
  #context!: OperatorContext;

  constructor(kind: JoinKind, select: Select) {
    this.#kind = kind;
    this.#select = select;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      this.#change(input, batch.values[i] as Change, batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }

  #change(input: 0 | 1, { key, row }: Change, time: number): void {
    let entry = this.#entries.get(key);
    const other = entry?.rows[1 - input];
    const former = entry?.rows[input];
    // Computed before any change, so that an exception leaves the state unchanged.
    const result = this.#result(input, row, other);
    const old = this.#result(input, former, other);
    if (row !== undefined) assertStorable(row, `A row of the join "${this.#context.name}"`);
    const affectsResult = this.#affectsResult(input, row, former, other);
    const resultTime = other === undefined ? time : Math.max(time, entry!.times[1 - input]!);

    if (row !== undefined) {
      if (!entry) {
        entry = tableEntry(key, { rows: [undefined, undefined], times: [0, 0] }) satisfies Entry;
        this.#entries.add(entry);
      } else this.#entries.touch(entry);
      if (former === undefined) this.#live++;
      entry.rows[input] = row;
      entry.times[input] = time;
    } else if (entry && former !== undefined) {
      this.#live--;
      if (other === undefined) this.#entries.delete(entry);
      else {
        this.#entries.touch(entry);
        entry.rows[input] = undefined;
      }
    }
    if (affectsResult) this.#context.output.emit({ key, row: result, old } satisfies Change, resultTime);
  }
  /** Whether a change of this side can change the result. */
  #affectsResult(input: 0 | 1, row: unknown, former: unknown, other: unknown): boolean {
    if (other !== undefined) return true;
    const standsAlone = this.#kind === 'outer' || (this.#kind === 'left' && input === 0);
    return standsAlone && (row !== undefined || former !== undefined);
  }
  #result(input: 0 | 1, own: unknown, other: unknown): unknown {
    return input === 0 ? this.#joined(own, other) : this.#joined(other, own);
  }
  #joined(left: unknown, right: unknown): unknown {
    if (left === undefined && (right === undefined || this.#kind !== 'outer')) return undefined;
    if (right === undefined && this.#kind === 'inner') return undefined;
    return frozen(rowOfUser(this.#select(left, right), 'The select of the join'), this.#context.freeze);
  }

  /** The current row of a key. */
  lookup(tuple: readonly unknown[]): unknown {
    const entry = this.#entries.get(tuple);
    return entry && this.#joined(entry.rows[0], entry.rows[1]);
  }
  eachRow(visit: (key: readonly unknown[], row: unknown, time: number) => void): void {
    this.#entries.forEach(({ tuple, rows, times }) => {
      const [left, right] = rows;
      const row = this.#joined(left, right);
      const time = left === undefined ? times[1] : right === undefined ? times[0] : Math.max(...times);
      if (row !== undefined) visit(tuple, row, time);
    });
  }
  snapshot(writer: StateWriter): void {
    this.#entries.snapshot(writer, columns, ({ rows, times }) => [...rows, ...times]);
  }
  restore(reader: StateReader): void {
    this.#entries.restore(reader, columns, this.#context.name, (tuple, [left, right, leftTime, rightTime]) => {
      const rows: Entry['rows'] = [left, right];
      this.#live += rows.filter((row) => row !== undefined).length;
      return tableEntry(tuple, { rows, times: [leftTime as number, rightTime as number] }) satisfies Entry;
    });
  }
  /** Number of rows of both sides. */
  status(): OperatorStatus {
    return { entries: this.#live };
  }
}
