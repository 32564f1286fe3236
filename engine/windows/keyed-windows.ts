// The open windows of all keys: found by key, counted, and written to snapshots by key group.
import type { StateReader, StateWriter } from '../contract/operator.ts';
import { ChangedGroups, type Keyed } from '../state/changed-groups.ts';
import { deepFreeze } from '../state/freeze.ts';
import { KeyMap } from '../state/key-map.ts';
import type { Keys } from '../state/keys.ts';
import type { WindowContents } from './evicting-contents.ts';
import { type OpenWindow, WindowsOfKey } from './open-window.ts';
import { packWindows, unpackWindows, type WindowGroup } from './window-snapshot.ts';

export class KeyedWindows<A extends Keyed> {
  /** Entries and timers of all windows except the current one. */
  live = 0;
  readonly #keys: Keys;
  readonly #entries = new KeyMap<WindowsOfKey<A>>();
  readonly #changed = new ChangedGroups();

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
    return entry;
  }
  /** The window becomes the current one. Its state may change until `leave`. */
  enter(window: OpenWindow<A>): void {
    this.live -= window.live;
    window.key.touched = this.#changed.epoch;
  }
  /** Removes the window if it has no state, and the key if it has no windows. */
  leave(window: OpenWindow<A>): void {
    const { live, key } = window;
    this.live += live;
    if (live > 0) return;
    key.close(window);
    if (key.windows.length > 0) return;
    this.#entries.delete(key.tuple);
    this.#changed.forget(key);
  }

  snapshot(writer: StateWriter, contents: WindowContents<A>): void {
    this.#changed.write<WindowsOfKey<A>, undefined, WindowGroup>(
      writer,
      ({ tuple }) => tuple,
      (visit) => this.#entries.forEach((entry) => visit(entry, undefined)),
      () => ({ keys: [], windows: [], kept: Array.from({ length: contents.columns }, () => []) }),
      (group, entry) => packWindows(group, entry, this.#keys.pack(entry.row), contents),
    );
  }
  /** `resume` sets the timers of a restored window. `name` is the operator, for errors. */
  restore(
    reader: StateReader,
    contents: WindowContents<A>,
    name: string,
    resume: (window: OpenWindow<A>) => void,
  ): void {
    const entryOf = (packed: unknown): WindowsOfKey<A> => {
      const row = this.#keys.unpack(packed);
      return new WindowsOfKey<A>(row, this.#keys.tuple(row));
    };
    for (const [group, content] of reader.groups()) {
      if (content === undefined) continue;
      for (const entry of unpackWindows(content as WindowGroup, entryOf, contents, name)) {
        entry.touched = this.#changed.epoch;
        this.#changed.restored(entry, group);
        this.#entries.set(entry.tuple, entry);
        for (const window of entry.windows) {
          resume(window);
          this.live += window.live;
        }
      }
    }
  }
}
