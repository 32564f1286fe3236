// pairwise: emits each element with the element before it, of its key or of the whole stream, in
// the order of arrival. It keeps one element for each key.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { KeySpec } from '../graph/spec.ts';
import type { EntryForm, Keyed } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
import { freezeElements } from '../state/freeze.ts';
import { labelOf, rowOf } from '../state/key-label.ts';
import { KeyMap } from '../state/key-map.ts';
import { compileKeys, type Keys } from '../state/keys.ts';
import { assertStorable } from '../values/storable.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

interface Entry extends Keyed {
  last: unknown;
}

export class PairwiseOperator implements Operator {
  at = 0;
  readonly #keys: Keys;
  /** There is no key: pairs are made over the whole stream. */
  readonly #isWhole: boolean;
  readonly #entries = new KeyMap<Entry>();
  readonly #table = new StateTable<Entry>();
  #context!: OperatorContext;
  #what = '';

  constructor(node: NodeOf<'pairwise'>, functions: FunctionTable, key: KeySpec) {
    this.#keys = compileKeys(key, functions, node.uid);
    this.#isWhole = 'constant' in key;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#what = `An element that "${context.name}" keeps for its next pair`;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    const keys = this.#keys;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const element = batch.values[i];
      assertStorable(element, this.#what);
      const key = keys.read(element);
      const entry = keys.find(this.#entries, key);
      if (!entry) {
        this.#insert(element, key);
        continue;
      }
      const previous = entry.last;
      this.#table.touch(entry);
      entry.last = element;
      output.emit([previous, element], batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  #insert(element: unknown, key: unknown): void {
    const row = this.#keys.row(element, key);
    const entry = { row, written: 0, savedBytes: 0, touched: 0, last: element };
    this.#entries.set(this.#keys.tuple(row), entry);
    this.#table.add(entry);
  }

  get #form(): EntryForm<Entry> {
    const keys = this.#keys;
    return {
      schema: { ...(keys.fields && { key: keys.fields }), columns: ['last'] },
      tupleOf: ({ row }) => keys.tuple(row),
      labelOf: ({ row }) => labelOf(row, keys),
      contentOf: ({ last }) => [last],
    };
  }
  snapshot(writer: StateWriter): void {
    this.#table.write(writer, this.#form, (visit) => this.#entries.forEach((entry) => visit(entry)));
  }
  restore(reader: StateReader): void {
    this.#table.read(reader, this.#form.schema, this.#context.name, ({ tuple, content: [last], label }) => {
      this.#entries.set(tuple, { row: rowOf(tuple, label, this.#keys), written: 0, savedBytes: 0, touched: 0, last });
    });
  }
  /** Without a key, the last element does not count as keyed state. */
  status(): OperatorStatus {
    return { entries: this.#isWhole ? 0 : this.#entries.size };
  }
}
