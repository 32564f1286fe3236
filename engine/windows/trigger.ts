// The trigger interface: a trigger decides when a window fires, for one window of one key at a
// time. Its state is stored with the window.

/**
 * The decision of a trigger: Flink's TriggerResult. Fire and purge are independent; fire happens
 * first.
 */
export interface TriggerResult {
  readonly fire: boolean;
  readonly purge: boolean;
}
export const goOn: TriggerResult = { fire: false, purge: false };
export const fire: TriggerResult = { fire: true, purge: false };
export const purge: TriggerResult = { fire: false, purge: true };
export const fireAndPurge: TriggerResult = { fire: true, purge: true };

/** The window for which the trigger is called. */
export interface TriggerContext {
  /** The window's last millisecond; +∞ for the global window. */
  readonly maxTimestamp: number;
  readonly windowStart: Date;
  readonly windowEnd: Date;
  /** −∞ before the first watermark. */
  readonly watermark: number;
  readonly processingTime: number;
  /** The trigger's state for this window; undefined: none. */
  state: unknown;
  setEventTimer(at: number): void;
  deleteEventTimer(at: number): void;
  setProcessingTimer(at: number): void;
  deleteProcessingTimer(at: number): void;
}
export interface Trigger {
  onElement(element: unknown, timestamp: number, context: TriggerContext): TriggerResult;
  onEventTime(time: number, context: TriggerContext): TriggerResult;
  onProcessingTime(time: number, context: TriggerContext): TriggerResult;
  /**
   * The window is the result of a merge. `states` are the states of the merged windows, in the
   * order of their starts. The window has no timers and no state yet. `onElement` follows.
   */
  onMerge(states: readonly unknown[], context: TriggerContext): void;
}
