// Windows of every kind, with any trigger and evictor, by the rules of Flink's WindowOperator.
// State is stored by key, then by window.
//
//   an element:  assigned to windows ─► (merged with those it touches) ─► added
//                ─► trigger.onElement ─► fires, purges ─► cleanup timer
//   a timer:     trigger.onEventTime | onProcessingTime ─► fires, purges
//                ─► at the cleanup time all state of the window is removed
//
// Tumbling and sliding windows of event time that need none of this run in WindowOperator, which is
// faster. KeyedWindows stores the windows. WindowTimers stores their timers.
import { Emission } from '../contract/emission.ts';
import { tooLate } from '../contract/late.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
  VisitOpen,
} from '../contract/operator.ts';
import type { Keyed } from '../state/keyed.ts';
import { freezeElements } from '../state/freeze.ts';
import type { Keys } from '../state/keys.ts';
import type { TimerService } from '../time/timer-service.ts';
import type { WindowRange } from './assigner.ts';
import type { Assignment } from './assignment.ts';
import { nothing, type WindowContents } from './evicting-contents.ts';
import { KeyedWindows } from './keyed-windows.ts';
import type { OpenWindow, WindowsOfKey } from './open-window.ts';
import type { Trigger, TriggerContext, TriggerResult } from './trigger.ts';
import { windowText } from './window-columns.ts';
import { WindowTimers } from './window-timers.ts';

export interface TriggeredWindowSettings<A extends Keyed> {
  readonly keys: Keys;
  readonly assignment: Assignment;
  readonly allowedLatenessMillis: number;
  readonly trigger: (context: OperatorContext) => Trigger;
  readonly contents: (context: OperatorContext) => WindowContents<A>;
  /** A result is an iterable of rows, not one row. */
  readonly givesMany: boolean;
  /** A result calls no function of the user's, and comes once, when the window closes. */
  readonly canPreview: boolean;
  /** Infinity if windows do not slide. */
  readonly slideMillis: number;
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
  readonly #windows: KeyedWindows<A>;
  readonly #timers: WindowTimers<A>;
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
    this.#windows = new KeyedWindows(settings.keys);
    const willFire = ({ key }: OpenWindow<A>): void => this.#windows.touch(key);
    this.#timers = new WindowTimers(settings.assignment, settings.allowedLatenessMillis, willFire);
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#timers.open(context);
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
    const entry = this.#windows.find(this.#key);
    const window = entry && (isMerging ? this.#merged(entry, range) : entry.find(range));
    if (!window && this.#isLate(this.#assignment.maxTimestamp(range))) return;
    this.#isSkipped = false;
    if (entry) this.#windows.touch(entry);
    this.#enter(window ?? (entry ?? this.#windows.add(element, this.#key, this.#context.freeze)).open(range));
    this.#add(element, timestamp);
    this.#follow(this.#trigger.onElement(element, timestamp, this));
    this.#timers.setCleanup(this.#window);
    this.#windows.leave(this.#window);
  }
  #add(element: unknown, timestamp: number): void {
    const window = this.#window;
    if (window.contents !== undefined) this.#contents.add(window.contents, element, timestamp);
    else window.contents = this.#contents.create(window.key.row, 0, element, timestamp);
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
    this.#windows.touch(entry);
    for (const window of windows) {
      this.#windows.live -= window.live;
      this.#timers.deleteAll(window);
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
    this.#windows.live += first.live;
  }

  // ------------------------------------------------------------------------------------ one window

  #enter(window: OpenWindow<A>): void {
    this.#window = window;
    this.#windows.enter(window);
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
  #clear(window: OpenWindow<A>): void {
    window.contents = undefined;
    window.trigger = undefined;
    this.#timers.deleteAll(window);
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
    this.#timers.event.set(this.#window, at);
  }
  deleteEventTimer(at: number): void {
    this.#timers.event.delete(this.#window, at);
  }
  setProcessingTimer(at: number): void {
    this.#timers.setProcessing(this.#window, at);
  }
  deleteProcessingTimer(at: number): void {
    this.#timers.processing.delete(this.#window, at);
  }

  // ------------------------------------------------------------------------------------------ time

  advance(watermark: number): boolean {
    if (!this.#timers.event.isPassing) {
      if (watermark <= this.#watermark) return true;
      this.#watermark = watermark;
    }
    return this.#pass('event', this.#timers.event, this.#watermark);
  }
  tick(now: number): boolean {
    if (this.#timers.mayFire(now) && !this.#pass('processing', this.#timers.processing, now)) return false;
    this.#timers.wakeInTime();
    return true;
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
      this.#windows.live--;
      this.#onTimer(domain, due.time);
      this.#windows.leave(this.#window);
    }
  }
  #onTimer(domain: 'event' | 'processing', time: number): void {
    const window = this.#window;
    const isEvent = domain === 'event';
    this.#follow(isEvent ? this.#trigger.onEventTime(time, this) : this.#trigger.onProcessingTime(time, this));
    // At the end of time even a global window is cleared.
    const isCleanup = isEvent === this.#assignment.isEventTime && time === this.#timers.cleanupTime(window);
    if (isCleanup || time === Infinity) this.#clear(window);
  }

  // ----------------------------------------------------------------------------------------- state

  snapshot(writer: StateWriter): void {
    this.#windows.snapshot(writer, this.#contents);
    writer.minimum(this.#watermark);
    writer.value({ heldUntil: this.#timers.heldUntil });
  }
  restore(reader: StateReader): void {
    const value = reader.value() as { readonly heldUntil: number } | undefined;
    this.#watermark = reader.minimum() ?? -Infinity;
    this.#timers.heldUntil = value?.heldUntil ?? -Infinity;
    this.#windows.restore(reader, this.#contents, this.#context.name, (window) => this.#timers.resume(window));
    this.#timers.wakeInTime();
  }
  openResults(visit: VisitOpen): void {
    const { canPreview, slideMillis } = this.#settings;
    const { isEventTime } = this.#assignment;
    const now = isEventTime ? this.#watermark : this.processingTime;
    const newestEnd = isEventTime ? Infinity : now + slideMillis;
    let wantsMore = canPreview;
    const one = ({ contents, start, end, windowStart, windowEnd }: OpenWindow<A>): void => {
      if (!wantsMore || contents === undefined || end - 1 <= now || end > newestEnd) return;
      wantsMore = visit(this.#contents.result(contents, windowStart, windowEnd), { start, end });
    };
    if (canPreview) this.#windows.forEach(({ windows }) => wantsMore && windows.forEach(one));
  }
  status(): OperatorStatus {
    const { waiting } = this.#settings;
    const { live } = this.#windows;
    const next = this.#timers.nextWindow(this.#watermark);
    return {
      entries: live,
      ...(next && { nextWindow: { start: next.start, end: next.end } }),
      ...(waiting !== undefined && live > 0 && !this.#hasFired && { waiting }),
    };
  }
  close(): void {
    this.#rows.close();
  }
}
