// The rows of a table by key: looked up by the key's tuple, saved by key group.
import { ChangedGroups, type Keyed } from '../state/changed-groups.ts';
import { KeyMap } from '../state/key-map.ts';
import type { KeyRow } from '../state/keys.ts';
import type { StateReader, StateWriter } from '../contract/operator.ts';

/** The state of one key. */
export interface TableEntry extends Keyed {
  readonly tuple: readonly unknown[];
}
/** Operators of tables use the tuple as key and need no labels. */
const noLabels: KeyRow = {};

export function tableEntry<E extends object>(tuple: readonly unknown[], rest: E): TableEntry & E {
  return { row: noLabels, tuple, group: -1, touched: 0, ...rest };
}

export class TableRows<E extends TableEntry> {
  readonly #entries = new KeyMap<E>();
  readonly #changed = new ChangedGroups();

  get size(): number {
    return this.#entries.size;
  }
  get map(): KeyMap<E> {
    return this.#entries;
  }
  get(tuple: readonly unknown[]): E | undefined {
    return this.#entries.get(tuple);
  }
  add(entry: E): void {
    this.#entries.set(entry.tuple, entry);
    this.touch(entry);
  }
  /** Marks the entry as changed. */
  touch(entry: E): void {
    entry.touched = this.#changed.epoch;
  }
  delete(entry: E): void {
    this.#entries.delete(entry.tuple);
    this.#changed.forget(entry);
  }
  forEach(visit: (entry: E) => void): void {
    this.#entries.forEach(visit);
  }

  /** `pack` returns the content to save with the key. */
  snapshot(writer: StateWriter, pack: (entry: E) => unknown): void {
    this.#changed.write<E, undefined, [tuple: readonly unknown[], content: unknown][]>(
      writer,
      ({ tuple }) => tuple,
      (visit) => this.#entries.forEach((entry) => visit(entry, undefined)),
      () => [],
      (content, entry) => content.push([entry.tuple, pack(entry)]),
    );
  }
  restore(reader: StateReader, unpack: (tuple: readonly unknown[], content: unknown) => E): void {
    for (const [group, content] of reader.groups())
      for (const [tuple, packed] of (content as [readonly unknown[], unknown][] | undefined) ?? []) {
        const entry = unpack(tuple, packed);
        this.add(entry);
        this.#changed.restored(entry, group);
      }
  }
}
