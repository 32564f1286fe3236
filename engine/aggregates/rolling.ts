// Rolling results on a keyed stream, one per element: the common part of rolling aggregates and
// reduce.
import type { EntryForm, Keyed } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
import { freezeElements } from '../state/freeze.ts';
import { labelOf, rowOf } from '../state/key-label.ts';
import { KeyMap } from '../state/key-map.ts';
import type { Keys } from '../state/keys.ts';
import type { Contents } from './accumulators.ts';
import { fresh } from '../codegen/specialize.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  Output,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

interface LoopHost<A extends Keyed> {
  at: number;
  readonly table: StateTable<A>;
  readonly entries: KeyMap<A>;
  insert(element: unknown, key: unknown): A;
}
type Loop = (values: readonly unknown[], timestamps: Float64Array, from: number, to: number) => number;

/** Copied for each operator, see `fresh`. */
function rollingLoop<A extends Keyed>(host: LoopHost<A>, keys: Keys, contents: Contents<A>, output: Output): Loop {
  const { read, find } = keys;
  const { add, result } = contents;
  const { plain } = host.entries;
  const { table } = host;
  return (values, timestamps, from, to) => {
    const { epoch } = table;
    let at = from;
    try {
      while (at < to) {
        const element = values[at];
        const key = read(element);
        let accumulated = typeof key === 'object' ? find(host.entries, key) : plain.get(key);
        if (accumulated === undefined) accumulated = host.insert(element, key);
        else {
          if (accumulated.touched !== epoch) table.touch(accumulated);
          add(accumulated, element);
        }
        output.emit(result(accumulated), timestamps[at]!);
        at++;
        if (output.full) return at;
      }
      return at;
    } catch (error) {
      host.at = at;
      throw error;
    }
  };
}

export class KeyedRows<A extends Keyed> implements Operator, LoopHost<A> {
  at = 0;
  readonly entries = new KeyMap<A>();
  readonly #keys: Keys;
  readonly #make: (context: OperatorContext) => Contents<A>;
  readonly table = new StateTable<A>();
  #contents!: Contents<A>;
  #loop!: Loop;
  #freeze = false;
  #name = '';

  constructor(keys: Keys, contents: (context: OperatorContext) => Contents<A>) {
    this.#keys = keys;
    this.#make = contents;
  }
  open(context: OperatorContext): void {
    this.#freeze = context.freeze;
    this.#name = context.name;
    this.#contents = this.#make(context);
    this.#loop = fresh(rollingLoop<A>, context.uid)(this, this.#keys, this.#contents, context.output);
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (this.#freeze) freezeElements(batch, from);
    return this.#loop(batch.values, batch.timestamps, from, batch.length);
  }
  insert(element: unknown, key: unknown): A {
    const row = this.#keys.row(element, key);
    const entry = this.#contents.create(row, this.table.epoch, element);
    this.entries.set(this.#keys.tuple(row), entry);
    this.table.add(entry);
    return entry;
  }

  get #form(): EntryForm<A> {
    const keys = this.#keys;
    const { columns, pack } = this.#contents;
    return {
      schema: { ...(keys.fields && { key: keys.fields }), columns },
      tupleOf: ({ row }) => keys.tuple(row),
      labelOf: ({ row }) => labelOf(row, keys),
      contentOf: pack,
    };
  }
  snapshot(writer: StateWriter): void {
    this.table.write(writer, this.#form, (visit) => this.entries.forEach((entry) => visit(entry)));
  }
  restore(reader: StateReader): void {
    this.table.read(reader, this.#form.schema, this.#name, ({ tuple, content, label }) => {
      const row = rowOf(tuple, label, this.#keys);
      this.entries.set(tuple, this.#contents.unpack(row, this.table.epoch, content));
    });
  }
  status(): OperatorStatus {
    return { entries: this.entries.size };
  }
}
