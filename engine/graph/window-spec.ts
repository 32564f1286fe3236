// What a window is, as plan data: which windows an element belongs to, when they fire, and what they keep. `F` is how a function of the user's is written down.
import type { FunctionRef, Json } from './spec.ts';

/** The windows of time that begin and end at the same moments for all keys. */
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
  /** One window for everything; it has no time. */
  | { readonly kind: 'global' }
  | { readonly kind: 'custom'; readonly assign: F; readonly isMerging: boolean; readonly time: TimeDomain };

/** `parameters.trigger`; absent: the default of the window's time. */
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

/** `parameters.evictor`; absent: none, and elements need not be kept. `after`: after the window function instead of before it. */
export type EvictorSpec<F = FunctionRef> =
  | { readonly kind: 'count'; readonly n: number; readonly after: boolean }
  | { readonly kind: 'time'; readonly keepMillis: number; readonly after: boolean }
  | { readonly kind: 'delta'; readonly threshold: number; readonly delta: F; readonly after: boolean };

/** Windows that touch become one. */
export function isMerging(window: WindowSpec<unknown>): boolean {
  return window.kind === 'session' || (window.kind === 'custom' && window.isMerging);
}
/** Global windows have no time: nothing is ever late for them. */
export function timeOf(window: WindowSpec<unknown>): TimeDomain {
  return window.kind === 'global' ? 'processing' : window.time;
}
/** Whether the window's own time fires it when nobody says otherwise. */
export function isDefaultTrigger(window: WindowSpec<unknown>, trigger: TriggerSpec<unknown>): boolean {
  return window.kind !== 'global' && trigger.kind === `${window.time}-time`;
}
/** A trigger without an answer for windows that become one cannot be used with them. */
export function canMerge(trigger: TriggerSpec<unknown>): boolean {
  if (trigger.kind === 'purging') return canMerge(trigger.trigger);
  return trigger.kind === 'custom' ? trigger.onMerge !== undefined : trigger.kind !== 'delta';
}
/** The default trigger of tumbling and sliding windows of event time, and nothing evicted: all keys of a window fire at once. */
export function isPlain(
  window: WindowSpec<unknown>,
  trigger: TriggerSpec<unknown> | undefined,
  evictor: EvictorSpec<unknown> | undefined,
): window is AlignedSpec {
  const isAligned = window.kind === 'tumbling' || window.kind === 'sliding';
  return isAligned && window.time === 'event' && trigger === undefined && evictor === undefined;
}

/** What decides how the state looks: everything but the user's functions, whose text may change. */
export function stateShape(spec: WindowSpec<unknown> | TriggerSpec<unknown> | EvictorSpec<unknown>): Json {
  const functions = ['gap', 'assign', 'delta', 'onElement', 'onEventTime', 'onProcessingTime', 'onMerge'];
  return Object.fromEntries(
    Object.entries(spec).map(([name, value]): [string, Json] => {
      if (functions.includes(name)) return [name, 'function'];
      return [name, name === 'trigger' ? stateShape(value as TriggerSpec<unknown>) : (value as Json)];
    }),
  );
}
