// The rows of a table by key: looked up by the key's tuple, saved by key group.
import type { Keyed } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
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
  return { row: noLabels, tuple, written: 0, savedBytes: 0, touched: 0, ...rest };
}

export class TableRows<E extends TableEntry> {
  readonly #entries = new KeyMap<E>();
  readonly #table = new StateTable<E>();

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
    this.#table.add(entry);
  }
  /** The entry is about to change. */
  touch(entry: E): void {
    this.#table.touch(entry);
  }
  delete(entry: E): void {
    this.#entries.delete(entry.tuple);
    this.#table.delete(entry);
  }
  forEach(visit: (entry: E) => void): void {
    this.#entries.forEach(visit);
  }

  /** `pack` returns the content by the columns. It may be the state itself. */
  snapshot(writer: StateWriter, columns: readonly string[], pack: (entry: E) => readonly unknown[]): void {
    const form = { schema: { columns }, tupleOf: ({ tuple }: E) => tuple, contentOf: pack };
    this.#table.write(writer, form, (visit) => this.#entries.forEach((entry) => visit(entry)));
  }
  /** `name` is the operator, for errors. */
  restore(
    reader: StateReader,
    columns: readonly string[],
    name: string,
    unpack: (tuple: readonly unknown[], content: readonly unknown[]) => E,
  ): void {
    this.#table.read(reader, { columns }, name, ({ tuple, content }) => this.add(unpack(tuple, content)));
  }
}
