// What a trigger is: it answers when a window fires, for one window of one key at a time; what it remembers is kept with the window.

/** Fire and purge are independent of each other; fire comes first. */
export interface Verdict {
  readonly fire: boolean;
  readonly purge: boolean;
}
export const goOn: Verdict = { fire: false, purge: false };
export const fire: Verdict = { fire: true, purge: false };
export const purge: Verdict = { fire: false, purge: true };
export const fireAndPurge: Verdict = { fire: true, purge: true };

/** The window that a trigger is asked about. */
export interface TriggerContext {
  /** The window's last moment; +∞ for the global window. */
  readonly maxTimestamp: number;
  readonly windowStart: Date;
  readonly windowEnd: Date;
  /** −∞ before the first one. */
  readonly watermark: number;
  readonly processingTime: number;
  /** What the trigger remembers of this window; undefined: nothing. */
  state: unknown;
  setEventTimer(at: number): void;
  deleteEventTimer(at: number): void;
  setProcessingTimer(at: number): void;
  deleteProcessingTimer(at: number): void;
}
export interface Trigger {
  onElement(element: unknown, timestamp: number, context: TriggerContext): Verdict;
  onEventTime(time: number, context: TriggerContext): Verdict;
  onProcessingTime(time: number, context: TriggerContext): Verdict;
  /** The window has come of others, whose states these are, in the order of their start. It has no timers and no state yet; `onElement` follows. */
  onMerge(states: readonly unknown[], context: TriggerContext): void;
}
