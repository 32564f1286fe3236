// The state table of an operator: (namespace, key) → entry. It knows which entries have changed
// since the last snapshot, so that a snapshot writes them and looks at no other one.
//
//   hot form: a Map that generated loops read ──hit──► entry ─first write since the last snapshot─►
//             touch(entry) BEFORE the write: it is now on the list of dirty entries
//
//   a snapshot writes   each dirty entry (a put)          add, touch
//                       each entry that is gone (remove)  delete
//                       each namespace that is gone       drop: a window goes with all its keys
//
// The loops of keyed operators compare `entry.touched` with the table's `epoch`, and call `touch`
// only if they differ: once per entry and snapshot.
//
// A barrier only takes the lists. Their entries are written in slices, while records flow again
// (`WrittenEntries`). The first write to an entry that still waits writes its bytes first, because
// `touch` comes before the change. An entry that is gone does not change, so it can wait.
//
// The operator owns the maps, because a window is a map of its own. A key that the map does not
// have is a new key. There is no store on disk. With one, each operator would have to ask it at a
// miss, and all that visits every entry would have to read it: a whole snapshot, a window that
// fires, the open results of a display, the loops that are generated for the maps.
import type { SavedEntry, StateReader, StateSchema, StateWriter } from '../contract/operator.ts';
import { SluiceError } from '../errors/error.ts';
import type { EntryForm, Keyed, Namespace } from './keyed.ts';
import { WrittenEntries } from './written-entries.ts';

/** The list of dirty entries is cleared of entries that are gone when it has this length. */
const shortList = 65_536;

export class StateTable<E extends Keyed, N extends Namespace = never> {
  /** Grows with each snapshot. */
  epoch = 1;
  /** Before the first snapshot nothing is noted, because that one is whole. */
  #isNoting = false;
  #dirty: E[] = [];
  /** The namespaces of the dirty entries, in the same order. Empty without namespaces. */
  #owners: N[] = [];
  #longest = shortList;
  #gone: E[] = [];
  #dropped: N[] = [];
  /** The entries of the last snapshot, until all are written. */
  #inFlight: WrittenEntries<E, N> | undefined;

  /** Length of the list of dirty entries, with those that are gone. */
  get noted(): number {
    return this.#dirty.length;
  }
  /** The entry is about to change. Call it before the change. */
  touch(entry: E, owner?: N): void {
    // An entry that is gone stays gone.
    if (entry.touched === this.epoch || entry.touched < 0) return;
    if (this.#inFlight?.waits(entry)) this.#inFlight.write(entry, owner);
    this.add(entry, owner);
  }
  /** The entry is new. */
  add(entry: E, owner?: N): void {
    entry.touched = this.epoch;
    if (!this.#isNoting) return;
    if (this.#dirty.length >= this.#longest) this.#shorten();
    this.#dirty.push(entry);
    if (owner !== undefined) this.#owners.push(owner);
  }
  /** The entry is removed from the state. Nothing changes it after that. */
  delete(entry: E): void {
    if (entry.touched < 0) return;
    if (entry.written > 0 || this.#inFlight?.waits(entry)) this.#gone.push(entry);
    entry.touched = -this.epoch;
  }
  /** All entries of the namespace are removed from the state. Nothing changes them after that. */
  drop(owner: N): void {
    owner.droppedAt = this.epoch;
    if (owner.savedGroups || this.#inFlight) this.#dropped.push(owner);
  }

  /** `each` visits all entries, for a snapshot that has to be whole. */
  write(writer: StateWriter, form: EntryForm<E>, each: (visit: (entry: E, owner?: N) => void) => void): void {
    this.settle();
    const isWhole = writer.full || !this.#isNoting;
    if (isWhole) this.#takeAll(each);
    const lists = { entries: this.#dirty, owners: this.#owners, gone: this.#gone, dropped: this.#dropped };
    const onDone = (): void => (this.#inFlight = undefined);
    const inFlight = new WrittenEntries<E, N>(form, lists, this.epoch, isWhole, onDone);
    this.#inFlight = inFlight;
    writer.entries(form.schema, inFlight, isWhole);
    this.epoch++;
    this.#isNoting = true;
    this.#clear();
  }
  /** Writes at once what the last snapshot has left to write. */
  settle(): void {
    this.#inFlight?.proceed(() => false);
  }
  #takeAll(each: (visit: (entry: E, owner?: N) => void) => void): void {
    this.#clear();
    each((entry, owner) => {
      this.#dirty.push(entry);
      if (owner) this.#owners.push(owner);
    });
  }
  #clear(): void {
    this.#dirty = [];
    this.#owners = [];
    this.#longest = shortList;
    this.#gone = [];
    this.#dropped = [];
  }
  /** While no snapshot comes, windows come and go. */
  #shorten(): void {
    const dirty: E[] = [];
    const owners: N[] = [];
    this.#dirty.forEach((entry, at) => {
      const owner = this.#owners[at];
      if (entry.touched !== this.epoch || (owner && owner.droppedAt > 0)) return;
      dirty.push(entry);
      if (owner) owners.push(owner);
    });
    this.#dirty = dirty;
    this.#owners = owners;
    this.#longest = Math.max(shortList, 2 * dirty.length);
  }

  /** Reads the entries of a snapshot: `enter` adds each. `name` is the operator, for errors. */
  read(reader: StateReader, { columns }: StateSchema, name: string, enter: (saved: SavedEntry) => void): void {
    const { schema: saved } = reader;
    if (!saved) return;
    if (saved.columns.join() !== columns.join())
      throw new SluiceError(
        'other-state',
        `The state of "${name}" has ${saved.columns.join(', ')}, but ${columns.join(', ')} is wanted now. ` +
          'Rebuild it, or give it a new .id().',
      );
    for (const entry of reader.entries()) enter(entry);
  }
}
