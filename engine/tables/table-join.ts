// The join of two tables by key: a row of the result for each key that the kind of join wants, kept up to date from either side. Kafka Streams' KTable-KTable join.
//
//   inner   both sides have a row            left   the left side has one            outer   one of them has one
//
// Each change of a side gives at most one change of the result; its time is the later one of the two rows that meet, and that of the change where only one is there.
// The former result is computed again from the rows that are kept, so `select` must give the same for the same rows. A result of null or undefined is no row.
import type { JoinKind } from '../graph/join-spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { assertStorable } from '../values/storable.ts';
import { type Change, frozen, rowOrNone } from './change.ts';
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

/** Both sides of a key: row and event time, by input. undefined: that side has none. */
interface Entry extends TableEntry {
  readonly rows: [left: unknown, right: unknown];
  readonly times: [left: number, right: number];
}

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
    // Computed before anything changes: what throws leaves the state as it was.
    const result = this.#result(input, row, other);
    const old = this.#result(input, former, other);
    if (row !== undefined) assertStorable(row, `A row of the join "${this.#context.name}"`);
    const isHeard = this.#isHeard(input, row, former, other);
    const resultTime = other === undefined ? time : Math.max(time, entry!.times[1 - input]!);

    if (row !== undefined) {
      if (!entry) {
        entry = tableEntry(key, { rows: [undefined, undefined], times: [0, 0] }) satisfies Entry;
        this.#entries.add(entry);
      }
      if (former === undefined) this.#live++;
      entry.rows[input] = row;
      entry.times[input] = time;
      this.#entries.touch(entry);
    } else if (entry && former !== undefined) {
      this.#live--;
      entry.rows[input] = undefined;
      if (other === undefined) this.#entries.delete(entry);
      else this.#entries.touch(entry);
    }
    if (isHeard) this.#context.output.emit({ key, row: result, old } satisfies Change, resultTime);
  }
  /** Whether a change of this side can be one of the result. */
  #isHeard(input: 0 | 1, row: unknown, former: unknown, other: unknown): boolean {
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
    return frozen(rowOrNone(this.#select(left, right)), this.#context.freeze);
  }

  /** The present row of a key. */
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
    this.#entries.snapshot(writer, ({ rows, times }) => ({ rows: [...rows], times: [...times] }));
  }
  restore(reader: StateReader): void {
    this.#entries.restore(reader, (tuple, content) => {
      const { rows, times } = content as Pick<Entry, 'rows' | 'times'>;
      this.#live += rows.filter((row) => row !== undefined).length;
      return tableEntry(tuple, { rows: [rows[0], rows[1]], times: [times[0], times[1]] }) satisfies Entry;
    });
  }
  /** Rows of both sides. */
  status(): OperatorStatus {
    return { entries: this.#live };
  }
}
