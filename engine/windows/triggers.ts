// The built-in triggers, each with the rules of Flink's class of that name.
import { assertStorable } from '../values/storable.ts';
import { customTrigger } from './custom-trigger.ts';
import { deltaOf } from './delta.ts';
import { fire, fireAndPurge, goOn, type Trigger, type TriggerContext, type TriggerResult } from './trigger.ts';
import type { TriggerPlace } from './trigger-place.ts';
import type { TriggerSpec } from '../graph/window-spec.ts';

const never = (): TriggerResult => goOn;
const neverMerges = (): void => {
  throw new Error('A trigger that cannot merge was asked to merge: the planner should have refused the plan.');
};

/**
 * The trigger of a window operator: the one of `trigger()`, or the default of the window's time.
 */
export function triggerOf(spec: TriggerSpec | undefined, place: TriggerPlace): Trigger {
  const { window, resolve, name } = place;
  if (!spec) {
    if (window.kind === 'global') return neverTrigger;
    return window.time === 'event' ? eventTimeTrigger : processingTimeTrigger;
  }
  switch (spec.kind) {
    case 'event-time':
      return eventTimeTrigger;
    case 'processing-time':
      return processingTimeTrigger;
    case 'early':
      if (spec.time === 'event') return earlyEventTime(spec.everyMillis);
      return earlyProcessingTime(spec.everyMillis, window.kind !== 'global' && window.time === 'event');
    case 'count':
      return countTrigger(spec.n);
    case 'delta':
      return deltaTrigger(spec.threshold, resolve(spec.delta) as (last: unknown, current: unknown) => unknown, name);
    case 'purging':
      return purging(triggerOf(spec.trigger, place));
    case 'custom':
      return customTrigger(spec, place);
  }
}

const neverTrigger: Trigger = {
  onElement: never,
  onEventTime: never,
  onProcessingTime: never,
  onMerge: () => undefined,
};

/** Fires at the end of the window, and for each element after the end at once. */
const eventTimeTrigger: Trigger = {
  onElement(_element, _timestamp, context) {
    if (context.maxTimestamp <= context.watermark) return fire;
    context.setEventTimer(context.maxTimestamp);
    return goOn;
  },
  onEventTime: (time, context) => (time === context.maxTimestamp ? fire : goOn),
  onProcessingTime: never,
  onMerge(_states, context) {
    // Past the window's end `onElement` fires it, and a timer would fire it again.
    if (context.maxTimestamp > context.watermark) context.setEventTimer(context.maxTimestamp);
  },
};

const processingTimeTrigger: Trigger = {
  onElement(_element, _timestamp, context) {
    context.setProcessingTimer(context.maxTimestamp);
    return goOn;
  },
  onEventTime: never,
  onProcessingTime: () => fire,
  onMerge(_states, context) {
    if (context.maxTimestamp > context.processingTime) context.setProcessingTimer(context.maxTimestamp);
  },
};

/** Fires at every nth element. Windows that merge add up their counts. */
function countTrigger(n: number): Trigger {
  return {
    onElement(_element, _timestamp, context) {
      const count = ((context.state as number | undefined) ?? 0) + 1;
      context.state = count >= n ? undefined : count;
      return count >= n ? fire : goOn;
    },
    onEventTime: never,
    onProcessingTime: never,
    onMerge(states, context) {
      const counts = states.filter((count) => count !== undefined) as number[];
      if (counts.length > 0) context.state = counts.reduce((sum, count) => sum + count, 0);
    },
  };
}

/** The state is the next time to fire. When windows merge, the earliest time wins. */
function mergedFireTime(states: readonly unknown[]): number {
  return Math.min(...(states.filter((time) => time !== undefined) as number[]));
}

/**
 * Flink's ContinuousEventTimeTrigger: fires at each multiple of `every` after the first element's
 * timestamp, and at the end of the window.
 */
function earlyEventTime(every: number): Trigger {
  const fireAfter = (time: number, context: TriggerContext): void => {
    // At the end of time a global window fires once more, not once for each interval up to
    // infinity.
    const next =
      context.watermark === Infinity && context.maxTimestamp === Infinity
        ? Infinity
        : Math.min(time + every, context.maxTimestamp);
    context.state = next;
    context.setEventTimer(next);
  };
  return {
    onElement(_element, timestamp, context) {
      if (context.maxTimestamp <= context.watermark) return fire;
      context.setEventTimer(context.maxTimestamp);
      if (context.state === undefined) fireAfter(timestamp - (timestamp % every), context);
      return goOn;
    },
    onEventTime(time, context) {
      if (time === context.maxTimestamp) return fire;
      if (context.state !== time) return goOn;
      fireAfter(time, context);
      return fire;
    },
    onProcessingTime: never,
    onMerge(states, context) {
      const next = mergedFireTime(states);
      if (next === Infinity) return;
      context.state = next;
      context.setEventTimer(next);
    },
  };
}

/**
 * Flink's ContinuousProcessingTimeTrigger. For windows of event time, where Flink compares two
 * clocks, it fires every `every` of processing time while the window is open, and when the
 * watermark reaches the window's end.
 */
function earlyProcessingTime(every: number, isOfEventTime: boolean): Trigger {
  const fireAfter = (time: number, context: TriggerContext): void => {
    const next = isOfEventTime ? time + every : Math.min(time + every, context.maxTimestamp);
    context.state = next;
    context.setProcessingTimer(next);
  };
  return {
    onElement(_element, _timestamp, context) {
      if (isOfEventTime) {
        if (context.maxTimestamp <= context.watermark) return fire;
        context.setEventTimer(context.maxTimestamp);
      }
      const now = context.processingTime;
      if (context.state === undefined) fireAfter(now - (now % every), context);
      return goOn;
    },
    onEventTime(time, context) {
      if (!isOfEventTime || time !== context.maxTimestamp) return goOn;
      if (context.state !== undefined) context.deleteProcessingTimer(context.state as number);
      context.state = undefined;
      return fire;
    },
    onProcessingTime(time, context) {
      if (!isOfEventTime && time === context.maxTimestamp) return fire;
      if (context.state !== time) return goOn;
      fireAfter(time, context);
      return fire;
    },
    onMerge(states, context) {
      const next = mergedFireTime(states);
      if (next === Infinity) return;
      context.state = next;
      context.setProcessingTimer(next);
    },
  };
}

/**
 * Compares each element with the element at which it last fired; at first with the first element.
 */
function deltaTrigger(threshold: number, delta: (last: unknown, current: unknown) => unknown, name: string): Trigger {
  const what = `The element that the delta trigger of "${name}" keeps`;
  const keep = (element: unknown, context: TriggerContext): void => {
    assertStorable(element, what);
    context.state = element;
  };
  return {
    onElement(element, _timestamp, context) {
      if (context.state === undefined) {
        keep(element, context);
        return goOn;
      }
      if (!(deltaOf(delta(context.state, element), name) > threshold)) return goOn;
      keep(element, context);
      return fire;
    },
    onEventTime: never,
    onProcessingTime: never,
    onMerge: neverMerges,
  };
}
function purging(trigger: Trigger): Trigger {
  const purged = (result: TriggerResult): TriggerResult => (result.fire ? fireAndPurge : result);
  return {
    onElement: (element, timestamp, context) => purged(trigger.onElement(element, timestamp, context)),
    onEventTime: (time, context) => purged(trigger.onEventTime(time, context)),
    onProcessingTime: (time, context) => purged(trigger.onProcessingTime(time, context)),
    onMerge: (states, context) => trigger.onMerge(states, context),
  };
}
