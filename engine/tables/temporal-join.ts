// Joins a stream with the version of a table that is valid at the element's event time. Flink's
// TemporalRowTimeJoinOperator.
//
//   element ─► waits under its key until the combined watermark has reached its time
//              ─► select(element, version), with the element's timestamp
//   change  ─► a version that is valid from its time until the next one; a later change with the
//              same time replaces it
//
// Versions may arrive in any order until the watermark passes them. Then only the latest version at
// or before the watermark is kept, because it is still valid. Keys are processed in the order of
// their first waiting element or version, and the elements of a key in the order of arrival. A late
// element waits for the next watermark. It gets the remaining version if that one is valid at its
// time, otherwise none. After the end of the input nothing is kept.
//
// Different from Flink: a deletion that the watermark has passed is not kept, so a deleted key
// costs no memory. The difference shows only with a late change that is older than the deletion.
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { compileKeys, type Keys } from '../state/keys.ts';
import { described } from '../values/kind.ts';
import { assertStorable } from '../values/storable.ts';
import { TimerQueue } from '../time/timer-queue.ts';
import type { Change } from './change.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import { type TableEntry, tableEntry, TableRows } from './table-rows.ts';

type Select = (left: unknown, right: unknown) => unknown;
interface Timed {
  readonly time: number;
  readonly value: unknown;
}
interface Entry extends TableEntry {
  /** In the order of arrival. */
  waiting: Timed[];
  /** By time. A value of undefined: there is no row from this time on. */
  versions: Timed[];
  /**
   * The time at which the key is due; Infinity: never. Queue entries with other times are stale.
   */
  dueAt: number;
}

interface Ready {
  readonly entry: Entry;
  readonly ready: readonly Timed[];
  at: number;
}

const columns = ['waiting', 'versions'];

export function temporalJoin(node: NodeOf<'temporalJoin'>, functions: FunctionTable, left: KeySpec): Operator {
  const select = functions.get<Select>(node.parameters.select);
  return new TemporalJoinOperator(compileKeys(left, functions, node.uid), select);
}

class TemporalJoinOperator implements Operator {
  at = 0;
  readonly #keys: Keys;
  readonly #select: Select;
  readonly #entries = new TableRows<Entry>();
  readonly #due = new TimerQueue<Entry>();
  #watermark = -Infinity;
  /** An `advance` has begun and is not done. */
  #isPassing = false;
  #live = 0;
  /** How many of `#live` are elements. */
  #waiting = 0;
  #hasEmitted = false;
  #context!: OperatorContext;
  /** The key whose elements are being emitted, and how many of them have been. */
  #current: Ready | undefined;

  constructor(keys: Keys, select: Select) {
    this.#keys = keys;
    this.#select = select;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  get working(): string | undefined {
    if (!this.#current) return undefined;
    const { entry, ready, at } = this.#current;
    const time = ready[at]?.time ?? NaN;
    return `key ${entry.tuple.map(described).join(', ')}, element of ${Number.isNaN(time) ? 'no time' : new Date(time).toISOString()}`;
  }

  process(input: 0 | 1, batch: Batch, from: number): number {
    if (this.#context.freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const time = batch.timestamps[i]!;
      const entry = input === 0 ? this.#wait(batch.values[i], time) : this.#version(batch.values[i] as Change, time);
      this.#plan(entry, time);
    }
    return batch.length;
  }
  #wait(element: unknown, time: number): Entry {
    const keys = this.#keys;
    const key = keys.read(element);
    const found = keys.find(this.#entries.map, key);
    const tuple = found?.tuple ?? keys.tuple(keys.row(element, key));
    assertStorable(element, `An element that waits in "${this.#context.name}"`);
    const entry = this.#changing(found, tuple);
    entry.waiting.push({ time, value: element });
    this.#live++;
    this.#waiting++;
    return entry;
  }
  #version({ key, row }: Change, time: number): Entry {
    assertStorable(row, `A row of the table of "${this.#context.name}"`);
    const entry = this.#changing(this.#entries.get(key), key);
    const { versions } = entry;
    const at = lastAtOrBefore(versions, time);
    if (versions[at]?.time === time) versions[at] = { time, value: row };
    else {
      versions.splice(at + 1, 0, { time, value: row });
      this.#live++;
    }
    return entry;
  }
  /** The entry of a key, which is about to change. */
  #changing(found: Entry | undefined, tuple: readonly unknown[]): Entry {
    if (!found) return this.#newEntry(tuple);
    this.#entries.touch(found);
    return found;
  }
  #newEntry(tuple: readonly unknown[]): Entry {
    const entry: Entry = tableEntry(tuple, { waiting: [], versions: [], dueAt: Infinity });
    this.#entries.add(entry);
    return entry;
  }
  #plan(entry: Entry, time: number): void {
    if (time >= entry.dueAt) return;
    entry.dueAt = time;
    this.#due.add(time, entry);
  }

  advance(watermark: number): boolean {
    if (!this.#isPassing && watermark <= this.#watermark) return true;
    this.#isPassing = true;
    this.#watermark = watermark;
    const { output } = this.#context;
    for (;;) {
      this.#current ??= this.#next();
      if (!this.#current) return this.#passed();
      const { entry, ready } = this.#current;
      while (this.#current.at < ready.length) {
        const { time, value } = ready[this.#current.at]!;
        output.emit(this.#select(value, entry.versions[lastAtOrBefore(entry.versions, time)]?.value), time);
        this.#current.at++;
        if (output.full && this.#current.at < ready.length) return false;
      }
      this.#current = undefined;
      this.#leave(entry);
      if (output.full) return false;
    }
  }
  /** All keys that were due are done. After the end no element arrives, so no version is needed. */
  #passed(): true {
    this.#isPassing = false;
    if (this.#watermark === Infinity) this.#entries.forEach((entry) => this.#entries.delete(entry));
    if (this.#watermark === Infinity) this.#live = 0;
    return true;
  }
  /** The next key that is due, with its elements that are due. */
  #next(): Ready | undefined {
    const watermark = this.#watermark;
    while (this.#due.isDue(watermark)) {
      const time = this.#due.nextTime;
      const entry = this.#due.shift()!;
      if (entry.dueAt !== time) continue;
      entry.dueAt = Infinity;
      this.#entries.touch(entry);
      const ready = entry.waiting.filter((one) => one.time <= watermark);
      if (ready.length > 0) entry.waiting = entry.waiting.filter((one) => one.time > watermark);
      this.#live -= ready.length;
      this.#waiting -= ready.length;
      this.#hasEmitted ||= ready.length > 0;
      return { entry, ready, at: 0 };
    }
    return undefined;
  }
  /** The elements of the key are emitted: removes old versions and plans the next time. */
  #leave(entry: Entry): void {
    const valid = lastAtOrBefore(entry.versions, this.#watermark);
    // A version without a row need not be kept.
    const isKept = entry.versions[valid]?.value !== undefined;
    const gone = isKept ? valid : valid + 1;
    if (gone > 0) entry.versions = entry.versions.slice(gone);
    this.#live -= Math.max(0, gone);
    if (entry.waiting.length === 0 && entry.versions.length === 0) return this.#entries.delete(entry);
    this.#planNext(entry);
  }
  #planNext(entry: Entry): void {
    for (const { time } of entry.waiting) this.#plan(entry, time);
    for (const { time } of entry.versions) if (time > this.#watermark) this.#plan(entry, time);
  }

  snapshot(writer: StateWriter): void {
    this.#entries.snapshot(writer, columns, ({ waiting, versions }) => [waiting, versions]);
    writer.minimum(this.#watermark);
  }
  restore(reader: StateReader): void {
    this.#watermark = reader.minimum() ?? -Infinity;
    this.#entries.restore(reader, columns, this.#context.name, (tuple, content) => {
      const [waiting, versions] = content as [Timed[], Timed[]];
      const entry: Entry = tableEntry(tuple, { waiting, versions, dueAt: Infinity });
      this.#live += waiting.length + versions.length;
      this.#waiting += waiting.length;
      this.#planNext(entry);
      // The next watermark removes late changes, and a deletion that is the only version.
      if (versions.length > 1 || versions[0]?.value === undefined) this.#plan(entry, versions[0]?.time ?? Infinity);
      return entry;
    });
  }
  /** Number of waiting elements and of versions. */
  status(): OperatorStatus {
    const waiting = `no element has been joined yet: ${this.#waiting} wait for the combined watermark of the stream and the table`;
    return { entries: this.#live, ...(this.#waiting > 0 && !this.#hasEmitted && { waiting }) };
  }
}

/** Index of the latest version at or before the time; −1: there is none. */
function lastAtOrBefore(versions: readonly Timed[], time: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (versions[middle]!.time <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
