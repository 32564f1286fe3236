// pairwise: emits each element with the element before it, of its key or of the whole stream, in
// the order of arrival. It keeps one element for each key.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { KeySpec } from '../graph/spec.ts';
import { ChangedGroups, type Keyed } from '../state/changed-groups.ts';
import { freezeElements } from '../state/freeze.ts';
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
/** Columns of one key group. */
interface GroupContent {
  readonly keys: unknown[];
  readonly last: unknown[];
}

export class PairwiseOperator implements Operator {
  at = 0;
  readonly #keys: Keys;
  /** There is no key: pairs are made over the whole stream. */
  readonly #isWhole: boolean;
  readonly #entries = new KeyMap<Entry>();
  readonly #changed = new ChangedGroups();
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
      entry.last = element;
      entry.touched = this.#changed.epoch;
      output.emit([previous, element], batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  #insert(element: unknown, key: unknown): void {
    const row = this.#keys.row(element, key);
    const entry = { row, group: -1, touched: this.#changed.epoch, last: element };
    this.#entries.set(this.#keys.tuple(row), entry);
  }

  snapshot(writer: StateWriter): void {
    this.#changed.write<Entry, undefined, GroupContent>(
      writer,
      ({ row }) => this.#keys.tuple(row),
      (visit) => this.#entries.forEach((entry) => visit(entry, undefined)),
      () => ({ keys: [], last: [] }),
      (content, { row, last }) => {
        content.keys.push(this.#keys.pack(row));
        content.last.push(last);
      },
    );
  }
  restore(reader: StateReader): void {
    for (const [group, content] of reader.groups()) {
      const { keys, last } = (content ?? { keys: [], last: [] }) as GroupContent;
      keys.forEach((packed, index) => {
        const row = this.#keys.unpack(packed);
        const entry = { row, group, touched: this.#changed.epoch, last: last[index] };
        this.#changed.restored(entry, group);
        this.#entries.set(this.#keys.tuple(row), entry);
      });
    }
  }
  /** Without a key, the last element does not count as keyed state. */
  status(): OperatorStatus {
    return { entries: this.#isWhole ? 0 : this.#entries.size };
  }
}
