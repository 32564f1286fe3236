// A stream joined with the version of a table that is valid at the element's event time, as Flink's TemporalRowTimeJoinOperator does it.
//
//   element ─► waits under its key until the combined watermark has reached its time ─► select(element, version) with the element's timestamp
//   change  ─► a version from its time on, until the next one; a later change of the same time takes its place
//
// Versions come in any order until the watermark passes them. When it does, of those at or before it only the latest is kept: it is valid still. Keys come in the order
// of their first waiting element or version; of one key, elements come in the order of arrival. A late element waits for the next watermark and gets what
// is left of the versions: the one that is valid at its time if that is the latest, else none. When time has ended nothing is kept.
//
// Other than there, a deletion that the watermark has passed is not kept: a key that has gone costs nothing. Only a change that is late and older than such a deletion can tell.
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
  /** By time; undefined from a time on: there is no row. */
  versions: Timed[];
  /** When it is looked at; Infinity: not planned. What the queue holds for other times is void. */
  dueAt: number;
}

interface Ready {
  readonly entry: Entry;
  readonly ready: readonly Timed[];
  at: number;
}

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
  /** A watermark is on its way through the keys that are due. */
  #isPassing = false;
  #live = 0;
  /** Of them, elements. */
  #waiting = 0;
  #hasEmitted = false;
  #context!: OperatorContext;
  /** The key whose elements are on their way out, and how many of them have gone. */
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
      this.#entries.touch(entry);
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
    const entry = found ?? this.#newEntry(tuple);
    entry.waiting.push({ time, value: element });
    this.#live++;
    this.#waiting++;
    return entry;
  }
  #version({ key, row }: Change, time: number): Entry {
    assertStorable(row, `A row of the table of "${this.#context.name}"`);
    const entry = this.#entries.get(key) ?? this.#newEntry(key);
    const { versions } = entry;
    const at = lastAtOrBefore(versions, time);
    if (versions[at]?.time === time) versions[at] = { time, value: row };
    else {
      versions.splice(at + 1, 0, { time, value: row });
      this.#live++;
    }
    return entry;
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
  /** Everything that was due is out. Nobody comes after the end, so that no version is needed any more. */
  #passed(): true {
    this.#isPassing = false;
    if (this.#watermark === Infinity) this.#entries.forEach((entry) => this.#entries.delete(entry));
    if (this.#watermark === Infinity) this.#live = 0;
    return true;
  }
  /** The next key that is due, with its elements that are. */
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
  /** Its elements are out: old versions go, and it is planned for what is to come. */
  #leave(entry: Entry): void {
    const valid = lastAtOrBefore(entry.versions, this.#watermark);
    // That there is no row needs no version.
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
    this.#entries.snapshot(writer, ({ waiting, versions }) => ({ waiting: [...waiting], versions: [...versions] }));
    writer.value({ watermark: this.#watermark });
  }
  restore(reader: StateReader): void {
    this.#watermark = (reader.value() as { readonly watermark: number } | undefined)?.watermark ?? -Infinity;
    this.#entries.restore(reader, (tuple, content) => {
      const { waiting, versions } = content as Pick<Entry, 'waiting' | 'versions'>;
      const entry: Entry = tableEntry(tuple, { waiting: [...waiting], versions: [...versions], dueAt: Infinity });
      this.#live += waiting.length + versions.length;
      this.#waiting += waiting.length;
      this.#planNext(entry);
      // A late change is tidied up with the next watermark; so is a deletion that is all there is.
      if (versions.length > 1 || versions[0]?.value === undefined) this.#plan(entry, versions[0]?.time ?? Infinity);
      return entry;
    });
  }
  /** Elements that wait, and versions. */
  status(): OperatorStatus {
    const waiting = `no element has its version yet: ${this.#waiting} wait for the watermark of stream and table`;
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
