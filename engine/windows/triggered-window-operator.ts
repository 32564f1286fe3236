// Windows of every kind, with any trigger and evictor, by the rules of Flink's WindowOperator.
// State is stored by key, then by window.
//
//   an element:  assigned to windows ─► (merged with those it touches) ─► added
//                ─► trigger.onElement ─► fires, purges ─► cleanup timer
//   a timer:     trigger.onEventTime | onProcessingTime ─► fires, purges
//                ─► at the cleanup time all state of the window is removed
//
// Tumbling and sliding windows of event time that need none of this run in WindowOperator, which is
// faster. One file, because the calls of the operator and the steps of one window share state.
import { Emission } from '../contract/emission.ts';
import { tooLate } from '../contract/late.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import { ChangedGroups, type Keyed } from '../state/changed-groups.ts';
import { deepFreeze, freezeElements } from '../state/freeze.ts';
import { KeyMap } from '../state/key-map.ts';
import type { Keys } from '../state/keys.ts';
import { TimerService } from '../time/timer-service.ts';
import type { WindowRange } from './assigner.ts';
import type { Assignment } from './assignment.ts';
import { nothing, type WindowContents } from './evicting-contents.ts';
import { type OpenWindow, WindowsOfKey } from './open-window.ts';
import type { Trigger, TriggerContext, TriggerResult } from './trigger.ts';
import { windowText } from './window-columns.ts';
import { packWindows, unpackWindows, type WindowGroup } from './window-snapshot.ts';

export interface TriggeredWindowSettings<A extends Keyed> {
  readonly keys: Keys;
  readonly assignment: Assignment;
  readonly allowedLatenessMillis: number;
  readonly trigger: (context: OperatorContext) => Trigger;
  readonly contents: (context: OperatorContext) => WindowContents<A>;
  /** A result is an iterable of rows, not one row. */
  readonly givesMany: boolean;
  /** Why there is no result yet, for the user; undefined: the watermark explains it. */
  readonly waiting: string | undefined;
}

export class TriggeredWindowOperator<A extends Keyed> implements Operator, TriggerContext {
  at = 0;
  readonly #settings: TriggeredWindowSettings<A>;
  readonly #assignment: Assignment;
  readonly #keys: Keys;
  #context!: OperatorContext;
  #contents!: WindowContents<A>;
  #trigger!: Trigger;

  #watermark = -Infinity;
  readonly #entries = new KeyMap<WindowsOfKey<A>>();
  readonly #changed = new ChangedGroups();
  readonly #eventTimers = new TimerService<OpenWindow<A>>((window) => (window.eventTimers ??= new Set()));
  readonly #processingTimers = new TimerService<OpenWindow<A>>((window) => (window.processingTimers ??= new Set()));
  /**
   * A processing-time timer that is set at or before the current time fires when the clock is above
   * this time.
   */
  #heldUntil = -Infinity;
  #live = 0;
  #hasFired = false;

  /** The current window. */
  #window!: OpenWindow<A>;
  // Progress of an unfinished call.
  readonly #rows = new Emission();
  /** Windows of the current element, and the index of the next one. */
  #assigned: readonly WindowRange[] | undefined;
  #nextRange = 0;
  #key: unknown;
  #isSkipped = true;
  /** The timer that is firing, for errors. */
  #timer: { readonly domain: 'event' | 'processing'; readonly time: number } | undefined;

  constructor(settings: TriggeredWindowSettings<A>) {
    this.#settings = settings;
    this.#assignment = settings.assignment;
    this.#keys = settings.keys;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#contents = this.#settings.contents(context);
    this.#trigger = this.#settings.trigger(context);
  }
  get working(): string | undefined {
    if (!this.#timer) return undefined;
    const { key, windowStart, windowEnd } = this.#window;
    return windowText(key.row, windowStart.getTime(), windowEnd.getTime());
  }

  // -------------------------------------------------------------------------------------- elements

  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      if (!this.#take(batch.values[i], batch.timestamps[i]!)) return i;
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  /** False: the output is full in the middle of the element. */
  #take(element: unknown, timestamp: number): boolean {
    const { output } = this.#context;
    if (!this.#assigned) {
      const { isEventTime } = this.#assignment;
      this.#assigned = this.#assignment.assign(element, isEventTime ? timestamp : this.#context.clock.now());
      this.#nextRange = 0;
      this.#isSkipped = true;
      this.#key = this.#keys.read(element);
    }
    const ranges = this.#assigned;
    for (;;) {
      if (!this.#rows.drain(output)) return false;
      if (this.#nextRange >= ranges.length) break;
      if (this.#nextRange > 0 && output.full) return false;
      this.#takeInto(ranges[this.#nextRange++]!, element, timestamp);
    }
    this.#assigned = undefined;
    // An element in a gap between windows is not late.
    if (this.#isSkipped && ranges.length > 0 && this.#isLate(timestamp)) tooLate(this.#context, element, timestamp);
    return true;
  }
  #takeInto(range: WindowRange, element: unknown, timestamp: number): void {
    const { isMerging } = this.#assignment;
    const entry = this.#keys.find(this.#entries, this.#key);
    const window = entry && (isMerging ? this.#merged(entry, range) : entry.find(range));
    if (!window && this.#isLate(this.#assignment.maxTimestamp(range))) return;
    this.#isSkipped = false;
    this.#enter(window ?? (entry ?? this.#newEntry(element)).open(range));
    this.#add(element, timestamp);
    this.#follow(this.#trigger.onElement(element, timestamp, this));
    this.#setCleanupTimer();
    this.#leave();
  }
  #add(element: unknown, timestamp: number): void {
    const window = this.#window;
    if (window.contents !== undefined) this.#contents.add(window.contents, element, timestamp);
    else window.contents = this.#contents.create(window.key.row, 0, element, timestamp);
  }
  #newEntry(element: unknown): WindowsOfKey<A> {
    const row = this.#keys.row(element, this.#key);
    if (this.#context.freeze) deepFreeze(row);
    const entry = new WindowsOfKey<A>(row, this.#keys.tuple(row));
    this.#entries.set(entry.tuple, entry);
    return entry;
  }
  /**
   * For an element's timestamp or a window's last millisecond: the watermark has passed it by the
   * allowed lateness.
   */
  #isLate(time: number): boolean {
    return this.#assignment.isEventTime && time + this.#settings.allowedLatenessMillis <= this.#watermark;
  }

  /** The open window that absorbs the new one, after the merge; undefined: it touches none. */
  #merged(entry: WindowsOfKey<A>, range: WindowRange): OpenWindow<A> | undefined {
    const touching = entry.touching(range);
    const first = touching[0];
    if (!first) return undefined;
    const start = Math.min(range.start, first.start);
    const end = Math.max(range.end, touching.at(-1)!.end);
    if (touching.length > 1 || first.start !== start || first.end !== end) this.#merge(entry, touching, { start, end });
    return first;
  }
  /**
   * Merges all contents into the first window. The trigger sets the timers of the merged window.
   */
  #merge(entry: WindowsOfKey<A>, windows: readonly OpenWindow<A>[], range: WindowRange): void {
    const [first, ...others] = windows as [OpenWindow<A>, ...OpenWindow<A>[]];
    const states = windows.map(({ trigger }) => trigger);
    for (const window of windows) {
      this.#live -= window.live;
      this.#deleteTimers(window);
      window.trigger = undefined;
    }
    for (const other of others) {
      if (first.contents === undefined) first.contents = other.contents;
      else if (other.contents !== undefined) this.#contents.merge!(first.contents, other.contents);
      entry.close(other);
    }
    first.become(range);
    this.#window = first;
    this.#trigger.onMerge(states, this);
    this.#live += first.live;
  }

  // ------------------------------------------------------------------------------------ one window

  #enter(window: OpenWindow<A>): void {
    this.#window = window;
    this.#live -= window.live;
    window.key.touched = this.#changed.epoch;
  }
  /** Removes the window if it has no state, and the key if it has no windows. */
  #leave(): void {
    const window = this.#window;
    const { live, key } = window;
    this.#live += live;
    if (live > 0) return;
    key.close(window);
    if (key.windows.length > 0) return;
    this.#entries.delete(key.tuple);
    this.#changed.forget(key);
  }
  #follow({ fire, purge }: TriggerResult): void {
    const window = this.#window;
    if (fire && window.contents !== undefined) this.#fire(window, window.contents);
    if (purge) window.contents = undefined;
  }
  #fire(window: OpenWindow<A>, contents: A): void {
    const { output, name } = this.#context;
    const timestamp = this.#assignment.resultTimestamp(window);
    const result = this.#contents.result(contents, window.windowStart, window.windowEnd);
    this.#hasFired = true;
    if (result !== nothing) {
      if (this.#settings.givesMany) this.#rows.start(result, timestamp, `apply of "${name}"`);
      else output.emit(result, timestamp);
    }
    if (this.#contents.isGone?.(contents)) window.contents = undefined;
  }
  #cleanupTime(window: OpenWindow<A>): number {
    const { isEventTime } = this.#assignment;
    const last = this.#assignment.maxTimestamp(window);
    return isEventTime ? last + this.#settings.allowedLatenessMillis : last;
  }
  #setCleanupTimer(): void {
    const time = this.#cleanupTime(this.#window);
    if (time === Infinity) return;
    if (this.#assignment.isEventTime) this.setEventTimer(time);
    else this.setProcessingTimer(time);
  }
  #clear(window: OpenWindow<A>): void {
    window.contents = undefined;
    window.trigger = undefined;
    this.#deleteTimers(window);
  }
  #deleteTimers(window: OpenWindow<A>): void {
    for (const time of window.eventTimers ?? []) this.#eventTimers.delete(window, time);
    for (const time of window.processingTimers ?? []) this.#processingTimers.delete(window, time);
  }

  // ------------------------------------------------------------------------------- for the trigger

  get maxTimestamp(): number {
    return this.#assignment.maxTimestamp(this.#window);
  }
  get windowStart(): Date {
    return this.#window.windowStart;
  }
  get windowEnd(): Date {
    return this.#window.windowEnd;
  }
  get watermark(): number {
    return this.#watermark;
  }
  get processingTime(): number {
    return this.#context.clock.now();
  }
  get state(): unknown {
    return this.#window.trigger;
  }
  set state(value: unknown) {
    this.#window.trigger = value;
  }
  setEventTimer(at: number): void {
    this.#eventTimers.set(this.#window, at);
  }
  deleteEventTimer(at: number): void {
    this.#eventTimers.delete(this.#window, at);
  }
  setProcessingTimer(at: number): void {
    this.#processingTimers.set(this.#window, at);
    const now = this.#context.clock.now();
    if (at <= now) this.#heldUntil = now;
    this.#wakeInTime();
  }
  deleteProcessingTimer(at: number): void {
    this.#processingTimers.delete(this.#window, at);
  }

  // ------------------------------------------------------------------------------------------ time

  advance(watermark: number): boolean {
    if (!this.#eventTimers.isPassing) {
      if (watermark <= this.#watermark) return true;
      this.#watermark = watermark;
    }
    return this.#pass('event', this.#eventTimers, this.#watermark);
  }
  tick(now: number): boolean {
    if (this.#processingTimers.isPassing || now > this.#heldUntil)
      if (!this.#pass('processing', this.#processingTimers, now)) return false;
    this.#wakeInTime();
    return true;
  }
  #wakeInTime(): void {
    const { nextTime } = this.#processingTimers;
    if (nextTime < Infinity) this.#context.wakeAt(Math.max(nextTime, this.#heldUntil + 1));
  }
  /** Fires the timers that are due, in time order; false: call again. */
  #pass(domain: 'event' | 'processing', timers: TimerService<OpenWindow<A>>, now: number): boolean {
    const { output } = this.#context;
    for (;;) {
      if (!this.#rows.drain(output)) return false;
      if (this.#timer && output.full) {
        this.#timer = undefined;
        return false;
      }
      this.#timer = undefined;
      const due = timers.take(now);
      if (!due) return true;
      this.#timer = { domain, time: due.time };
      this.#enter(due.entry);
      // The timer itself has been taken out of the window already.
      this.#live--;
      this.#onTimer(domain, due.time);
      this.#leave();
    }
  }
  #onTimer(domain: 'event' | 'processing', time: number): void {
    const window = this.#window;
    const isEvent = domain === 'event';
    this.#follow(isEvent ? this.#trigger.onEventTime(time, this) : this.#trigger.onProcessingTime(time, this));
    // At the end of time even a global window is cleared.
    const isCleanup = isEvent === this.#assignment.isEventTime && time === this.#cleanupTime(window);
    if (isCleanup || time === Infinity) this.#clear(window);
  }

  // ----------------------------------------------------------------------------------------- state

  snapshot(writer: StateWriter): void {
    const { columns } = this.#contents;
    this.#changed.write<WindowsOfKey<A>, undefined, WindowGroup>(
      writer,
      ({ tuple }) => tuple,
      (visit) => this.#entries.forEach((entry) => visit(entry, undefined)),
      () => ({ keys: [], windows: [], kept: Array.from({ length: columns }, () => []) }),
      (group, entry) => packWindows(group, entry, this.#keys.pack(entry.row), this.#contents),
    );
    writer.value({ watermark: this.#watermark, heldUntil: this.#heldUntil });
  }
  restore(reader: StateReader): void {
    const value = reader.value() as { readonly watermark: number; readonly heldUntil: number } | undefined;
    this.#watermark = value?.watermark ?? -Infinity;
    this.#heldUntil = value?.heldUntil ?? -Infinity;
    for (const [group, content] of reader.groups()) {
      if (content === undefined) continue;
      const entryOf = (packed: unknown): WindowsOfKey<A> => {
        const row = this.#keys.unpack(packed);
        return new WindowsOfKey<A>(row, this.#keys.tuple(row));
      };
      for (const entry of unpackWindows(content as WindowGroup, entryOf, this.#contents, this.#context.name)) {
        entry.touched = this.#changed.epoch;
        this.#changed.restored(entry, group);
        this.#entries.set(entry.tuple, entry);
        for (const window of entry.windows) this.#resume(window);
      }
    }
    this.#wakeInTime();
  }
  /** Sets the window's timers again, and the cleanup timer by the current allowed lateness. */
  #resume(window: OpenWindow<A>): void {
    const { eventTimers, processingTimers } = window;
    window.eventTimers = undefined;
    window.processingTimers = undefined;
    for (const time of eventTimers ?? []) this.#eventTimers.set(window, time);
    for (const time of processingTimers ?? []) this.#processingTimers.set(window, time);
    const cleanupTime = this.#cleanupTime(window);
    if (cleanupTime < Infinity)
      (this.#assignment.isEventTime ? this.#eventTimers : this.#processingTimers).set(window, cleanupTime);
    this.#live += window.live;
  }
  status(): OperatorStatus {
    const { waiting } = this.#settings;
    const next = this.#nextWindow();
    return {
      entries: this.#live,
      ...(next && { nextWindow: { start: next.start, end: next.end } }),
      ...(waiting !== undefined && this.#live > 0 && !this.#hasFired && { waiting }),
    };
  }
  /** The event-time window that fires next. Windows past their end only wait for late elements. */
  #nextWindow(): OpenWindow<A> | undefined {
    const first = this.#assignment.isEventTime ? this.#eventTimers.next?.entry : undefined;
    const isOpen = (window: OpenWindow<A>): boolean => window.end - 1 > this.#watermark;
    return first === undefined || isOpen(first) ? first : this.#eventTimers.earliest(isOpen);
  }
  close(): void {
    this.#rows.close();
  }
}
