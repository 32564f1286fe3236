// The window, trigger and evictor of a window operator, as plan data. `F` is the type of a
// reference to a user function.
import type { FunctionRef, Json } from './spec.ts';

/** Windows of time that begin and end at the same moments for all keys. */
export type AlignedSpec =
  | {
      readonly kind: 'tumbling';
      readonly sizeMillis: number;
      readonly offsetMillis: number;
      readonly time: TimeDomain;
    }
  | {
      readonly kind: 'sliding';
      readonly sizeMillis: number;
      readonly slideMillis: number;
      readonly offsetMillis: number;
      readonly time: TimeDomain;
    };
export type TimeDomain = 'event' | 'processing';

/** `parameters.window` of the window operators. */
export type WindowSpec<F = FunctionRef> =
  | AlignedSpec
  | { readonly kind: 'session'; readonly gapMillis: number; readonly time: TimeDomain }
  | { readonly kind: 'session'; readonly gap: F; readonly time: TimeDomain }
  /** One window for all elements; it has no time. */
  | { readonly kind: 'global' }
  | { readonly kind: 'custom'; readonly assign: F; readonly isMerging: boolean; readonly time: TimeDomain };

/** `parameters.trigger`; absent: the default trigger for the window's time. */
export type TriggerSpec<F = FunctionRef> =
  | { readonly kind: 'event-time' | 'processing-time' }
  | { readonly kind: 'early'; readonly everyMillis: number; readonly time: TimeDomain }
  | { readonly kind: 'count'; readonly n: number }
  | { readonly kind: 'delta'; readonly threshold: number; readonly delta: F }
  | { readonly kind: 'purging'; readonly trigger: TriggerSpec<F> }
  | {
      readonly kind: 'custom';
      readonly onElement: F;
      readonly onEventTime?: F;
      readonly onProcessingTime?: F;
      readonly onMerge?: F;
    };

/**
 * `parameters.evictor`; absent: no evictor, so elements need not be kept. `after`: evict after the
 * window function instead of before it.
 */
export type EvictorSpec<F = FunctionRef> =
  | { readonly kind: 'count'; readonly n: number; readonly after: boolean }
  | { readonly kind: 'time'; readonly keepMillis: number; readonly after: boolean }
  | { readonly kind: 'delta'; readonly threshold: number; readonly delta: F; readonly after: boolean };

/** Windows that touch are merged. */
export function isMerging(window: WindowSpec<unknown>): boolean {
  return window.kind === 'session' || (window.kind === 'custom' && window.isMerging);
}
/** A global window has no time: no element is late for it. */
export function timeOf(window: WindowSpec<unknown>): TimeDomain {
  return window.kind === 'global' ? 'processing' : window.time;
}
/** Whether the trigger is the default one for the window's time. */
export function isDefaultTrigger(window: WindowSpec<unknown>, trigger: TriggerSpec<unknown>): boolean {
  return window.kind !== 'global' && trigger.kind === `${window.time}-time`;
}
/** A trigger without `onMerge` cannot be used with windows that merge. */
export function canMerge(trigger: TriggerSpec<unknown>): boolean {
  if (trigger.kind === 'purging') return canMerge(trigger.trigger);
  return trigger.kind === 'custom' ? trigger.onMerge !== undefined : trigger.kind !== 'delta';
}
/**
 * Tumbling or sliding windows of event time, with the default trigger and no evictor: all keys of a
 * window fire at once.
 */
export function isPlain(
  window: WindowSpec<unknown>,
  trigger: TriggerSpec<unknown> | undefined,
  evictor: EvictorSpec<unknown> | undefined,
): window is AlignedSpec {
  const isAligned = window.kind === 'tumbling' || window.kind === 'sliding';
  return isAligned && window.time === 'event' && trigger === undefined && evictor === undefined;
}

/**
 * How close to a watermark the order of record and watermark matters, in milliseconds: see
 * time-margin.ts. A record at W + 1 touches a session that ends there, and W fires it. Early
 * results and triggers of the user see all records of a window that is still open.
 */
export function windowMargin(settings: {
  readonly window: WindowSpec<unknown>;
  readonly trigger?: TriggerSpec<unknown>;
}): number {
  const { window, trigger } = settings;
  if ((window.kind === 'custom' && window.time === 'event') || (trigger && firesEarly(trigger))) return Infinity;
  return isMerging(window) && timeOf(window) === 'event' ? 1 : 0;
}
function firesEarly(trigger: TriggerSpec<unknown>): boolean {
  if (trigger.kind === 'purging') return firesEarly(trigger.trigger);
  if (trigger.kind === 'custom') return trigger.onEventTime !== undefined;
  return trigger.kind === 'early' && trigger.time === 'event';
}

/**
 * The part of a spec that determines the form of the state: everything except the user's functions,
 * whose text may change.
 */
export function stateShape(spec: WindowSpec<unknown> | TriggerSpec<unknown> | EvictorSpec<unknown>): Json {
  const functions = ['gap', 'assign', 'delta', 'onElement', 'onEventTime', 'onProcessingTime', 'onMerge'];
  return Object.fromEntries(
    Object.entries(spec).map(([name, value]): [string, Json] => {
      if (functions.includes(name)) return [name, 'function'];
      return [name, name === 'trigger' ? stateShape(value as TriggerSpec<unknown>) : (value as Json)];
    }),
  );
}
