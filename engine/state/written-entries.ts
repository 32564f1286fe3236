// The entries of one snapshot on their way into bytes, in slices between the calls of the operator.
//
//   lists taken at the barrier ──slice, slice, …─► all records written ──a key group a step──► done
//         └─ an entry that is about to change is written first (`StateTable.touch`)
import type { EntriesInFlight } from '../contract/operator.ts';
import { keyGroups } from './key-group.ts';
import { SegmentWriter } from './segment.ts';
import type { EntryForm, Keyed, Namespace, SavedGroup } from './keyed.ts';

export interface Lists<E, N> {
  readonly entries: readonly E[];
  /** The namespaces of the entries, in the same order. Empty without namespaces. */
  readonly owners: readonly N[];
  readonly gone: readonly E[];
  readonly dropped: readonly N[];
}

/** Entries between two looks at the clock. */
const step = 8;

export class WrittenEntries<E extends Keyed, N extends Namespace> implements EntriesInFlight {
  readonly segments = new Map<number, Uint8Array>();
  readonly garbage = new Map<number, number>();
  readonly #form: EntryForm<E>;
  readonly #epoch: number;
  readonly #isWhole: boolean;
  readonly #writer = new SegmentWriter();
  readonly #onDone: () => void;
  #lists: Lists<E, N> | undefined;
  #at = 0;
  #group = 0;

  /** Removals are written at once, because they come before the puts. */
  constructor(form: EntryForm<E>, lists: Lists<E, N>, epoch: number, isWhole: boolean, onDone: () => void) {
    this.#form = form;
    this.#lists = lists;
    this.#epoch = epoch;
    this.#isWhole = isWhole;
    this.#onDone = onDone;
    if (isWhole) return;
    for (const { start, savedGroups } of lists.dropped) if (savedGroups) this.#writer.drop(start, savedGroups);
    for (const entry of lists.gone) this.#writer.remove(undefined, form.tupleOf(entry), entry.savedBytes);
  }

  /** The entry belongs to the snapshot, is still there, and has not been written. */
  waits({ touched, written }: E): boolean {
    if (written === this.#epoch || touched < 0) return false;
    return this.#isWhole ? touched <= this.#epoch : touched === this.#epoch;
  }
  write(entry: E, owner: N | undefined): void {
    const form = this.#form;
    const writer = this.#writer;
    const tuple = form.tupleOf(entry);
    // A whole snapshot takes the place of all former records.
    const replaced = this.#isWhole ? 0 : entry.savedBytes;
    const group = writer.put(owner?.start, tuple, form.contentOf(entry), form.labelOf?.(entry), replaced);
    if (owner) {
      const saved = savedGroupOf(owner, group);
      if (entry.written === 0) saved.entries++;
      saved.bytes += writer.recordBytes - entry.savedBytes;
    }
    entry.savedBytes = writer.recordBytes;
    entry.written = this.#epoch;
  }

  proceed(isTimeUp: () => boolean): boolean {
    if (this.#lists) {
      const { entries, owners } = this.#lists;
      while (this.#at < entries.length) {
        const entry = entries[this.#at]!;
        const owner = owners[this.#at];
        if (!this.#isPast(entry, owner)) this.write(entry, owner);
        if (++this.#at % step === 0 && isTimeUp()) return false;
      }
      this.#lists = undefined;
      this.#onDone();
    }
    while (this.#group < keyGroups) {
      const taken = this.#writer.take(this.#group);
      if (taken) {
        this.segments.set(this.#group, taken.segment);
        if (taken.garbage > 0) this.garbage.set(this.#group, taken.garbage);
      }
      this.#group++;
      if (taken && isTimeUp()) return false;
    }
    return true;
  }
  /** The entry has been written, or was gone before the barrier. */
  #isPast({ touched, written }: E, owner: N | undefined): boolean {
    if (written === this.#epoch || (touched < 0 && -touched <= this.#epoch)) return true;
    return owner !== undefined && owner.droppedAt > 0 && owner.droppedAt <= this.#epoch;
  }
}

function savedGroupOf(owner: Namespace, group: number): SavedGroup {
  const groups = (owner.savedGroups ??= new Map<number, SavedGroup>());
  let saved = groups.get(group);
  if (!saved) groups.set(group, (saved = { entries: 0, bytes: 0 }));
  return saved;
}
