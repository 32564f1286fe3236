// The open windows of all keys: found by key, counted, and written to snapshots by key group.
import type { StateReader, StateWriter } from '../contract/operator.ts';
import type { EntryForm, Keyed } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
import { deepFreeze } from '../state/freeze.ts';
import { labelOf, rowOf } from '../state/key-label.ts';
import { KeyMap } from '../state/key-map.ts';
import type { Keys } from '../state/keys.ts';
import type { WindowContents } from './evicting-contents.ts';
import { type OpenWindow, WindowsOfKey } from './open-window.ts';
import { packWindows, unpackWindows, windowColumns } from './window-snapshot.ts';

export class KeyedWindows<A extends Keyed> {
  /** Entries and timers of all windows except the current one. */
  live = 0;
  readonly #keys: Keys;
  readonly #entries = new KeyMap<WindowsOfKey<A>>();
  readonly #table = new StateTable<WindowsOfKey<A>>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }
  find(key: unknown): WindowsOfKey<A> | undefined {
    return this.#keys.find(this.#entries, key);
  }
  /** A new key. It has no window yet. */
  add(element: unknown, key: unknown, freeze: boolean): WindowsOfKey<A> {
    const row = this.#keys.row(element, key);
    if (freeze) deepFreeze(row);
    const entry = new WindowsOfKey<A>(row, this.#keys.tuple(row));
    this.#entries.set(entry.tuple, entry);
    this.#table.add(entry);
    return entry;
  }
  forEach(visit: (entry: WindowsOfKey<A>) => void): void {
    this.#entries.forEach(visit);
  }
  /** The windows of the key are about to change. */
  touch(key: WindowsOfKey<A>): void {
    this.#table.touch(key);
  }
  /** The window becomes the current one. Its state may change until `leave`. */
  enter(window: OpenWindow<A>): void {
    this.#table.touch(window.key);
    this.live -= window.live;
  }
  /** Removes the window if it has no state, and the key if it has no windows. */
  leave(window: OpenWindow<A>): void {
    const { live, key } = window;
    this.live += live;
    if (live > 0) return;
    key.close(window);
    if (key.windows.length > 0) return;
    this.#entries.delete(key.tuple);
    this.#table.delete(key);
  }

  #form(contents: WindowContents<A>): EntryForm<WindowsOfKey<A>> {
    const keys = this.#keys;
    return {
      schema: { ...(keys.fields && { key: keys.fields }), columns: windowColumns(contents) },
      tupleOf: ({ tuple }) => tuple,
      labelOf: ({ row }) => labelOf(row, keys),
      contentOf: (entry) => packWindows(entry, contents),
    };
  }
  snapshot(writer: StateWriter, contents: WindowContents<A>): void {
    this.#table.write(writer, this.#form(contents), (visit) => this.#entries.forEach((entry) => visit(entry)));
  }
  /** `resume` sets the timers of a restored window. `name` is the operator, for errors. */
  restore(
    reader: StateReader,
    contents: WindowContents<A>,
    name: string,
    resume: (window: OpenWindow<A>) => void,
  ): void {
    this.#table.read(reader, this.#form(contents).schema, name, ({ tuple, content, label }) => {
      const entry = new WindowsOfKey<A>(rowOf(tuple, label, this.#keys), tuple);
      unpackWindows(content, entry, contents);
      this.#entries.set(tuple, entry);
      for (const window of entry.windows) {
        resume(window);
        this.live += window.live;
      }
    });
  }
}
