// Rolling results on a keyed stream, one per element: the common part of rolling aggregates and
// reduce.
import { ChangedGroups, type Keyed } from '../state/changed-groups.ts';
import { freezeElements } from '../state/freeze.ts';
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
  readonly epoch: number;
  readonly entries: KeyMap<A>;
  insert(element: unknown, key: unknown): A;
}
type Loop = (values: readonly unknown[], timestamps: Float64Array, from: number, to: number) => number;

/** Copied for each operator, see `fresh`. */
function rollingLoop<A extends Keyed>(host: LoopHost<A>, keys: Keys, contents: Contents<A>, output: Output): Loop {
  const { read, find } = keys;
  const { add, result } = contents;
  const { plain } = host.entries;
  return (values, timestamps, from, to) => {
    const epoch = host.epoch;
    let at = from;
    try {
      while (at < to) {
        const element = values[at];
        const key = read(element);
        let accumulated = typeof key === 'object' ? find(host.entries, key) : plain.get(key);
        if (accumulated === undefined) accumulated = host.insert(element, key);
        else {
          add(accumulated, element);
          accumulated.touched = epoch;
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

/** Columns of one key group. */
interface GroupContent {
  readonly keys: unknown[];
  readonly kept: unknown[][];
}

export class KeyedRows<A extends Keyed> implements Operator, LoopHost<A> {
  at = 0;
  readonly entries = new KeyMap<A>();
  readonly #keys: Keys;
  readonly #make: (context: OperatorContext) => Contents<A>;
  readonly #changed = new ChangedGroups();
  #contents!: Contents<A>;
  #loop!: Loop;
  #freeze = false;

  constructor(keys: Keys, contents: (context: OperatorContext) => Contents<A>) {
    this.#keys = keys;
    this.#make = contents;
  }
  open(context: OperatorContext): void {
    this.#freeze = context.freeze;
    this.#contents = this.#make(context);
    this.#loop = fresh(rollingLoop<A>, context.uid)(this, this.#keys, this.#contents, context.output);
  }
  get epoch(): number {
    return this.#changed.epoch;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (this.#freeze) freezeElements(batch, from);
    return this.#loop(batch.values, batch.timestamps, from, batch.length);
  }
  insert(element: unknown, key: unknown): A {
    const row = this.#keys.row(element, key);
    const entry = this.#contents.create(row, this.epoch, element);
    this.entries.set(this.#keys.tuple(row), entry);
    return entry;
  }

  snapshot(writer: StateWriter): void {
    this.#changed.write<A, undefined, GroupContent>(
      writer,
      ({ row }) => this.#keys.tuple(row),
      (visit) => this.entries.forEach((entry) => visit(entry, undefined)),
      () => ({ keys: [], kept: Array.from({ length: this.#contents.columns }, () => []) }),
      (content, entry) => {
        content.keys.push(this.#keys.pack(entry.row));
        this.#contents.pack(entry, content.kept);
      },
    );
  }
  restore(reader: StateReader): void {
    for (const [group, content] of reader.groups()) {
      if (content === undefined) continue;
      const { keys, kept } = content as GroupContent;
      keys.forEach((packed, index) => {
        const row = this.#keys.unpack(packed);
        const entry = this.#contents.unpack(row, this.epoch, kept, index);
        this.#changed.restored(entry, group);
        this.entries.set(this.#keys.tuple(row), entry);
      });
    }
  }
  status(): OperatorStatus {
    return { entries: this.entries.size };
  }
}
