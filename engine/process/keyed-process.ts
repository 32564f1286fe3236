// The user's process function: state and timers per key, and any number of rows per call. It has
// one or two inputs. The second input may be a broadcast one, without a key.
//
//   onElement / onLeft / onRight ─► rows, one by one (an endless generator can be interrupted)
//   onTimer, event time: when the watermark reaches the timer, in time order
//   onTimer, processing time: when the clock reaches the timer
//
// One file, because the context that user code sees and the calls that set it must agree on the
// current key.
import type { Context, Timers } from '../api/surface.ts';
import { SluiceError } from '../errors/error.ts';
import type { EntryForm } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
import { deepFreeze, freezeElements } from '../state/freeze.ts';
import { labelOf, rowOf } from '../state/key-label.ts';
import { KeyMap } from '../state/key-map.ts';
import type { KeyRow, Keys } from '../state/keys.ts';
import { described, describedRow } from '../values/kind.ts';
import { declaredStates, firstExpiry, restoredValue } from '../state/declared-state.ts';
import { ExpiryQueue } from '../state/expiry-queue.ts';
import type { StateSpecs } from '../graph/state-spec.ts';
import type { CurrentKey } from '../state/value-state.ts';
import type { StateSpec } from '../graph/state-spec.ts';
import { TimerService } from '../time/timer-service.ts';
import { type BroadcastFunctions, BroadcastSide, type SavedBroadcast } from './broadcast-side.ts';
import { columns, type Content, contentOf, type Entry, expired, liveOf, newEntry, noTimers } from './process-entry.ts';
import { Emission } from '../contract/emission.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

/**
 * Keys, and items of their lists and maps, that are looked at for what has expired. A key needs a
 * record to come, and an item a write, so two for each record or write keep up. What many keys or
 * items leave at one time is divided among the next barriers too, because it would be a long pause.
 */
const expiredPerRecord = 2;
const expiredPerBarrier = 8_192;

type Rows = Iterable<unknown> | void;
export type ProcessContext = Context<KeyRow, Record<string, never>> & { readonly domain: 'event' | 'processing' };
export interface ProcessFunctions {
  /** By input. */
  readonly onElement: readonly ((element: unknown, context: ProcessContext) => Rows)[];
  readonly onTimer?: ((at: number, context: ProcessContext) => Rows) | undefined;
  readonly state: StateSpecs;
  /** The second input is broadcast. */
  readonly broadcast?: BroadcastFunctions;
}

/** The part of a snapshot that is not keyed. */
interface Kept {
  readonly heldUntil: number;
}

export class KeyedProcess implements Operator, CurrentKey {
  at = 0;
  current!: Entry;
  readonly #functions: ProcessFunctions;
  /** By input. */
  readonly #keys: readonly Keys[];
  readonly #names: readonly string[];
  readonly #specs: readonly StateSpec[];
  /** undefined: no state has a time to live. */
  readonly expiry: ExpiryQueue<Entry> | undefined;
  readonly #broadcast: BroadcastSide | undefined;
  readonly #entries = new KeyMap<Entry>();
  readonly #table = new StateTable<Entry>();
  readonly #rows = new Emission();
  readonly #willFire = (entry: Entry): void => this.#table.touch(entry);
  readonly #eventTimers = new TimerService<Entry>((entry) => entry.eventTimers, this.#willFire);
  readonly #processingTimers = new TimerService<Entry>((entry) => entry.processingTimers, this.#willFire);
  /**
   * A processing-time timer that is set at or before the current time fires when the clock is above
   * this time.
   */
  #heldUntil = -Infinity;
  #live = 0;
  /** Items with a time to live that were written since the last look at what has expired. */
  #written = 0;
  #context!: OperatorContext;
  #user!: ProcessContext;
  #timestamp = 0;
  #watermark = -Infinity;
  #domain: 'event' | 'processing' = 'event';
  /** Time of the timer whose rows are being emitted; undefined while an element is processed. */
  #timer: number | undefined;

  constructor(keys: readonly Keys[], functions: ProcessFunctions) {
    this.#keys = keys;
    this.#functions = functions;
    this.#names = Object.keys(functions.state);
    this.#specs = Object.values(functions.state);
    this.#broadcast = functions.broadcast && new BroadcastSide(functions.broadcast, this);
    const hasTtl = this.#specs.some(({ ttlMillis }) => ttlMillis !== undefined);
    this.expiry = hasTtl ? new ExpiryQueue<Entry>() : undefined;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    const broadcast = this.#broadcast?.open(context);
    this.#user = Object.defineProperties(
      this.#userContext(),
      broadcast ? { broadcast: { value: broadcast, enumerable: true } } : {},
    );
  }
  get watermark(): number {
    return this.#watermark;
  }
  now(): number {
    return this.#context.clock.now();
  }
  touch(): void {
    this.#table.touch(this.current);
  }
  expires(at: number, items = 1): void {
    this.#written += items;
    this.expiry?.note(this.current, at);
  }
  get working(): string | undefined {
    if (this.#timer === undefined) return undefined;
    return `${describedRow(this.current.row)}${this.#domain}-time timer at ${new Date(this.#timer).toISOString()}`;
  }

  process(input: 0 | 1, batch: Batch, from: number): number {
    if (input === 1 && this.#broadcast) return this.#broadcast.process(batch, from);
    if (!this.#rows.isOpen) this.#expire(expiredPerRecord * Math.max(batch.length - from, this.#written));
    const { output, freeze } = this.#context;
    const keys = this.#keys[input]!;
    const onElement = this.#functions.onElement[input]!;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      if (!this.#rows.isOpen) {
        const element = batch.values[i];
        this.#enter(keys, element);
        this.#timestamp = batch.timestamps[i]!;
        this.#start(onElement(element, this.#user));
      }
      if (!this.#rows.drain(output)) return i;
      this.#leave();
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  advance(watermark: number): boolean {
    if (!this.#eventTimers.isPassing) {
      if (watermark <= this.#watermark) return true;
      this.#watermark = watermark;
    }
    return this.#fire('event', this.#eventTimers, this.#watermark);
  }
  tick(now: number): boolean {
    if (this.#processingTimers.isPassing || now > this.#heldUntil)
      if (!this.#fire('processing', this.#processingTimers, now)) return false;
    this.#wakeInTime();
    return true;
  }

  // ------------------------------------------------------------------------------- keys and timers

  #enter(keys: Keys, element: unknown): void {
    const key = keys.read(element);
    let entry = keys.find(this.#entries, key);
    if (!entry) {
      const row = keys.row(element, key);
      if (this.#context.freeze) deepFreeze(row);
      entry = this.#newEntry(row, keys.tuple(row));
      this.#entries.set(entry.tuple, entry);
    }
    this.current = entry;
    this.#live -= liveOf(entry);
  }
  #newEntry(row: KeyRow, tuple: readonly unknown[]): Entry {
    return newEntry(row, tuple, this.#names, this.expiry !== undefined);
  }
  /** User code is done with the current key. A key without state and timers is removed. */
  #leave(): void {
    const live = liveOf(this.current);
    this.#live += live;
    if (live === 0) this.#forget(this.current);
  }
  #forget(entry: Entry): void {
    this.#entries.delete(entry.tuple);
    this.#table.delete(entry);
    this.expiry?.forget(entry);
  }

  /** Fires the timers that are due, in time order; false: call again. */
  #fire(domain: 'event' | 'processing', timers: TimerService<Entry>, now: number): boolean {
    const { output } = this.#context;
    const { onTimer } = this.#functions;
    this.#domain = domain;
    for (;;) {
      if (this.#timer === undefined) {
        const due = timers.take(now);
        if (!due) break;
        this.current = due.entry;
        // The timer itself has been taken out of the entry already.
        this.#live -= liveOf(due.entry) + 1;
        this.#timer = due.time;
        this.#timestamp = due.time;
        this.#start(onTimer?.(due.time, this.#user));
      }
      if (!this.#rows.drain(output)) return false;
      this.#timer = undefined;
      this.#leave();
      if (output.full) return false;
    }
    this.#domain = 'event';
    return true;
  }
  #start(rows: Rows): void {
    if (rows !== undefined) this.#rows.start(rows, this.#timestamp, `process of "${this.#context.name}"`);
  }
  #wakeInTime(): void {
    const { nextTime } = this.#processingTimers;
    if (nextTime < Infinity) this.#context.wakeAt(Math.max(nextTime, this.#heldUntil + 1));
  }

  /** The context of user code. It always refers to the current key. */
  #userContext(): ProcessContext {
    const { name, freeze } = this.#context;
    const state = declaredStates(this, this.#functions.state, name, freeze);
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- its getters have another `this`
    const process = this;
    return {
      get key() {
        return process.current.row;
      },
      get timestamp() {
        return process.#timestamp;
      },
      get watermark() {
        return process.#watermark;
      },
      get domain() {
        return process.#domain;
      },
      state: state as Record<string, never>,
      timers: this.#timersOfUser(),
    };
  }
  #timersOfUser(): Timers {
    const set = (domain: 'event' | 'processing', at: number): void => {
      this.#assertTimer(domain, at);
      this.touch();
      this.#setTimer(domain, this.current, at);
      if (domain === 'event') return;
      const now = this.now();
      if (at <= now) this.#heldUntil = now;
      this.#wakeInTime();
    };
    const remove = (timers: TimerService<Entry>, at: number): void => {
      this.touch();
      timers.delete(this.current, at);
    };
    return {
      eventTime: (at) => set('event', at),
      processingTime: (at) => set('processing', at),
      deleteEventTime: (at) => remove(this.#eventTimers, at),
      deleteProcessingTime: (at) => remove(this.#processingTimers, at),
    };
  }
  #setTimer(domain: 'event' | 'processing', entry: Entry, at: number): void {
    if (domain === 'event') {
      if (entry.eventTimers === noTimers) entry.eventTimers = new Set();
      this.#eventTimers.set(entry, at);
    } else {
      if (entry.processingTimers === noTimers) entry.processingTimers = new Set();
      this.#processingTimers.set(entry, at);
    }
  }
  #assertTimer(domain: string, at: unknown): void {
    const { name } = this.#context;
    if (!this.#functions.onTimer)
      throw new SluiceError(
        'no-on-timer',
        `"${name}" sets a timer but has no onTimer. Add onTimer(at, context) to it.`,
      );
    if (!Number.isInteger(at))
      throw new SluiceError(
        'bad-timer',
        `"${name}" sets a timer of ${domain} time at ${described(at)}. A timer is set at a whole number of epoch milliseconds.`,
      );
  }

  // ----------------------------------------------------------------------------------------- state

  get #form(): EntryForm<Entry> {
    const keys = this.#keys[0]!;
    return {
      schema: { ...(keys.fields && { key: keys.fields }), columns },
      tupleOf: ({ tuple }) => tuple,
      labelOf: ({ row }) => labelOf(row, keys),
      contentOf: (entry) => contentOf(this.#names, this.#specs, entry),
    };
  }
  snapshot(writer: StateWriter): void {
    this.#expire(expiredPerBarrier);
    this.#table.write(writer, this.#form, (visit) => this.#entries.forEach((entry) => visit(entry)));
    writer.minimum(this.#watermark);
    writer.value({ heldUntil: this.#heldUntil } satisfies Kept);
    this.#broadcast?.snapshot(writer);
  }
  restore(reader: StateReader): void {
    const rest = reader.value() as Kept | undefined;
    this.#watermark = reader.minimum() ?? -Infinity;
    this.#heldUntil = rest?.heldUntil ?? -Infinity;
    const broadcast = reader.broadcast() as SavedBroadcast | undefined;
    if (broadcast) this.#broadcast?.restore(broadcast);
    this.#table.read(reader, { columns }, this.#context.name, ({ tuple, content, label }) => {
      const [values, expiresAt, eventTimers, processingTimers] = content as Content;
      const entry = this.#newEntry(rowOf(tuple, label, this.#keys[0]!), tuple);
      this.#names.forEach((name, index) => {
        entry.values[index] = restoredValue(values[name], this.#specs[index]!);
        if (entry.expiresAt) entry.expiresAt[index] = expiresAt?.[name] ?? Infinity;
      });
      for (const at of eventTimers) this.#setTimer('event', entry, at);
      for (const at of processingTimers) this.#setTimer('processing', entry, at);
      this.#live += liveOf(entry);
      this.#entries.set(tuple, entry);
      this.expiry?.note(entry, firstExpiry(entry, this.#specs));
    });
    this.#wakeInTime();
  }
  /** Removes what has expired, at most so many keys and items. No key is current. */
  #expire(most: number): void {
    if (!this.expiry) return;
    this.#written = 0;
    const now = this.now();
    const budget = { left: most };
    this.expiry.look(now, budget, (entry) => {
      const before = liveOf(entry);
      const next = expired(entry, this.#specs, now, budget, () => this.#table.touch(entry));
      const live = liveOf(entry);
      this.#live += live - before;
      if (live === 0) this.#forget(entry);
      return next;
    });
  }
  status(): OperatorStatus {
    return { entries: this.#live };
  }
  close(): void {
    this.#rows.close();
    this.#broadcast?.close();
  }
}
