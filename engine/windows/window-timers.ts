// The timers of open windows, in event time and in processing time, and the cleanup timer of each
// window.
import type { OperatorContext } from '../contract/operator.ts';
import { TimerService } from '../time/timer-service.ts';
import type { Assignment } from './assignment.ts';
import type { OpenWindow } from './open-window.ts';

export class WindowTimers<A> {
  readonly event: TimerService<OpenWindow<A>>;
  readonly processing: TimerService<OpenWindow<A>>;
  /**
   * A processing-time timer that is set at or before the current time fires when the clock is above
   * this time.
   */
  heldUntil = -Infinity;
  readonly #assignment: Assignment;
  readonly #allowedLatenessMillis: number;
  #context!: OperatorContext;

  constructor(assignment: Assignment, allowedLatenessMillis: number, willFire: (window: OpenWindow<A>) => void) {
    this.event = new TimerService((window) => (window.eventTimers ??= new Set()), willFire);
    this.processing = new TimerService((window) => (window.processingTimers ??= new Set()), willFire);
    this.#assignment = assignment;
    this.#allowedLatenessMillis = allowedLatenessMillis;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  setProcessing(window: OpenWindow<A>, at: number): void {
    this.processing.set(window, at);
    const now = this.#context.clock.now();
    if (at <= now) this.heldUntil = now;
    this.wakeInTime();
  }
  /** Processing-time timers may be due: the clock is above `heldUntil`, or a pass has not ended. */
  mayFire(now: number): boolean {
    return this.processing.isPassing || now > this.heldUntil;
  }
  wakeInTime(): void {
    const { nextTime } = this.processing;
    if (nextTime < Infinity) this.#context.wakeAt(Math.max(nextTime, this.heldUntil + 1));
  }

  /** At this time all state of the window is removed. */
  cleanupTime(window: OpenWindow<A>): number {
    const last = this.#assignment.maxTimestamp(window);
    return this.#assignment.isEventTime ? last + this.#allowedLatenessMillis : last;
  }
  setCleanup(window: OpenWindow<A>): void {
    const time = this.cleanupTime(window);
    if (time === Infinity) return;
    if (this.#assignment.isEventTime) this.event.set(window, time);
    else this.setProcessing(window, time);
  }
  deleteAll(window: OpenWindow<A>): void {
    for (const time of window.eventTimers ?? []) this.event.delete(window, time);
    for (const time of window.processingTimers ?? []) this.processing.delete(window, time);
  }
  /**
   * Sets the timers of a restored window again, and its cleanup timer by the current allowed
   * lateness.
   */
  resume(window: OpenWindow<A>): void {
    const { eventTimers, processingTimers } = window;
    window.eventTimers = undefined;
    window.processingTimers = undefined;
    for (const time of eventTimers ?? []) this.event.set(window, time);
    for (const time of processingTimers ?? []) this.processing.set(window, time);
    const cleanupTime = this.cleanupTime(window);
    if (cleanupTime < Infinity) (this.#assignment.isEventTime ? this.event : this.processing).set(window, cleanupTime);
  }

  /** The event-time window that fires next. Windows past their end only wait for late elements. */
  nextWindow(watermark: number): OpenWindow<A> | undefined {
    const first = this.#assignment.isEventTime ? this.event.next?.entry : undefined;
    const isOpen = (window: OpenWindow<A>): boolean => window.end - 1 > watermark;
    return first === undefined || isOpen(first) ? first : this.event.earliest(isOpen);
  }
}
