// Windows, triggers and evictors as plan data. All arguments are checked here, so the window
// operators need no checks.
import { SluiceError } from '../errors/error.ts';
import type { WindowParameters } from '../graph/parameters.ts';
import type { Json } from '../graph/spec.ts';
import { parseDuration, parseSignedDuration } from '../time/duration.ts';
import type { TimeDomain } from '../graph/window-spec.ts';
import {
  canMerge,
  type EvictorSpec,
  isDefaultTrigger,
  isMerging,
  stateShape,
  type TriggerSpec,
  type WindowSpec,
} from '../graph/window-spec.ts';
import { oneOf, readOptions } from './options.ts';
import { describe, type UserFunction, userFunction, userMethod } from './parameters.ts';
import type * as S from './surface.ts';

/** A declared window, with its own trigger and evictor if it has them. */
export interface DeclaredWindow {
  readonly spec: WindowSpec<UserFunction>;
  readonly trigger?: TriggerSpec<UserFunction>;
  readonly evictor?: EvictorSpec<UserFunction>;
}
class PlannedWindowAssigner implements S.WindowAssigner<never> {
  readonly kind = 'window';
  readonly declared: DeclaredWindow;
  constructor(declared: DeclaredWindow) {
    this.declared = declared;
  }
}
class PlannedTrigger implements S.Trigger<never> {
  readonly kind = 'trigger';
  readonly spec: TriggerSpec<UserFunction>;
  constructor(spec: TriggerSpec<UserFunction>) {
    this.spec = spec;
  }
}
class PlannedEvictor implements S.Evictor<never> {
  readonly kind = 'evictor';
  readonly spec: EvictorSpec<UserFunction>;
  constructor(spec: EvictorSpec<UserFunction>) {
    this.spec = spec;
  }
}

export function declaredWindow(window: unknown): DeclaredWindow {
  if (window instanceof PlannedWindowAssigner) return window.declared;
  throw new SluiceError(
    'bad-window',
    `A window is made by tumbling("1m"), sliding("10m", "1m"), session("30s"), countWindow(100), globalWindow() or customWindow({ assign }), not ${describe(window)}.`,
  );
}
/**
 * The parameters of a window's node, and the form of its state. The form has the slots of user
 * functions, not their text.
 */
export function windowParameters({ spec, trigger, evictor }: DeclaredWindow): {
  readonly parameters: Omit<WindowParameters<UserFunction>, 'allowedLatenessMillis'>;
  readonly shape: readonly Json[];
} {
  const own = trigger && !isDefaultTrigger(spec, trigger) ? trigger : undefined;
  return {
    parameters: { window: spec, ...(own && { trigger: own }), ...(evictor && { evictor }) },
    shape: [spec, own, evictor].flatMap((part) => (part === undefined ? [] : [stateShape(part)])),
  };
}
export function triggerSpecOf(trigger: unknown): TriggerSpec<UserFunction> {
  if (trigger instanceof PlannedTrigger) return trigger.spec;
  throw new SluiceError(
    'bad-trigger',
    `A trigger is made by trigger.early("10s"), trigger.count(100) and the like, not ${describe(trigger)}.`,
  );
}
export function evictorSpecOf(evictor: unknown): EvictorSpec<UserFunction> {
  if (evictor instanceof PlannedEvictor) return evictor.spec;
  throw new SluiceError(
    'bad-evictor',
    `An evictor is made by evictor.count(10), evictor.time("1m") or evictor.delta(5, f), not ${describe(evictor)}.`,
  );
}
/** Windows that merge need a trigger that can merge. */
export function refuseUnmerging(window: WindowSpec<UserFunction>, trigger: TriggerSpec<UserFunction>): void {
  if (!isMerging(window) || canMerge(trigger)) return;
  const inner = trigger.kind === 'purging' ? trigger.trigger : trigger;
  const why =
    inner.kind === 'custom'
      ? 'the custom trigger has no onMerge. Add onMerge(ctx), which sets the timers of the merged window'
      : `trigger.${inner.kind}() compares with one element and cannot merge. Use another trigger`;
  throw new SluiceError('unmergeable', `${nameOf(window)} windows merge, and ${why}.`);
}
export function nameOf({ kind }: WindowSpec<UserFunction>): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1);
}

// ----------------------------------------------------------------------------------------- windows

/**
 * `[start, start + size)`, without gaps or overlap from 1970-01-01T00:00Z on, moved by `offset`.
 */
export const tumbling: typeof S.tumbling = (size, options) => {
  const sizeMillis = wholeMillis('tumbling() size', size);
  return new PlannedWindowAssigner({
    spec: { kind: 'tumbling', sizeMillis, ...timeAndOffset('tumbling()', options, sizeMillis, 'size') },
  });
};

/**
 * A window of `size` starts every `slide` (SQL's HOP, Kafka Streams' hopping). If slide > size
 * there are gaps, and an element in a gap belongs to no window.
 */
export const sliding: typeof S.sliding = (size, slide, options) => {
  const sizeMillis = wholeMillis('sliding() size', size);
  const slideMillis = wholeMillis('sliding() slide', slide);
  return new PlannedWindowAssigner({
    spec: { kind: 'sliding', sizeMillis, slideMillis, ...timeAndOffset('sliding()', options, slideMillis, 'slide') },
  });
};

/**
 * Elements of a key up to `gap` apart. Each element opens `[timestamp, timestamp + gap)`, and
 * windows that touch are merged (exactly `gap` apart do). A function gives each element its own
 * gap; a result that is not a duration above 0 is an error.
 */
export const session = ((gap: unknown, options?: unknown) => {
  const time = timeDomain('session()', options);
  if (typeof gap === 'function')
    return new PlannedWindowAssigner({
      spec: { kind: 'session', gap: userFunction('session()', 'window.gap', gap), time },
    });
  return new PlannedWindowAssigner({
    spec: { kind: 'session', gapMillis: wholeMillis('session() gap', gap), time },
  });
}) as typeof S.session;

/**
 * A global window that fires and is cleared at every `size` elements of a key. With `slide`, it
 * fires at every `slide` elements, over the last `size`.
 */
export const countWindow: typeof S.countWindow = (size, slide) => {
  const n = positiveCount('countWindow() size', size);
  if (slide === undefined)
    return new PlannedWindowAssigner({
      spec: { kind: 'global' },
      trigger: { kind: 'purging', trigger: { kind: 'count', n } },
    });
  return new PlannedWindowAssigner({
    spec: { kind: 'global' },
    trigger: { kind: 'count', n: positiveCount('countWindow() slide', slide) },
    evictor: { kind: 'count', n, after: false },
  });
};

/**
 * One window for all elements of a key. It never fires by itself: give it a trigger. Its results
 * have the greatest timestamp, 8.64e15 (Flink's Long.MAX).
 */
export const globalWindow: typeof S.globalWindow = () => new PlannedWindowAssigner({ spec: { kind: 'global' } });

/**
 * Windows that a user function assigns. `assign` gets the element and its timestamp (with `time:
 * 'processing'`, the time of the clock) and returns windows in whole epoch milliseconds. With
 * `merging`, windows that touch are merged. Without a trigger they fire at their end.
 */
export const customWindow: typeof S.customWindow = (window) => {
  const where = 'customWindow()';
  const known = ['assign', 'merging', 'trigger', 'time'];
  const { assign, merging = false, trigger: given, time } = readOptions(where, window ?? {}, known);
  if (typeof assign !== 'function')
    throw new SluiceError('not-a-function', `${where} needs a function assign, not ${describe(assign)}.`);
  const spec: WindowSpec<UserFunction> = {
    kind: 'custom',
    assign: userMethod(where, window, 'assign', 'window.assign'),
    isMerging: flag(`merging of ${where}`, merging),
    time: timeDomain(where, { time }),
  };
  if (given === undefined) return new PlannedWindowAssigner({ spec });
  const own = triggerSpecOf(given);
  refuseUnmerging(spec, own);
  return new PlannedWindowAssigner({ spec, trigger: own });
};

// ---------------------------------------------------------------------------------------- triggers

export const trigger: typeof S.trigger = {
  /**
   * Fires when the watermark reaches the window's last millisecond, and at once for each late
   * element. The default in event time.
   */
  eventTime: () => new PlannedTrigger({ kind: 'event-time' }),
  /** Fires when the clock reaches the window's last millisecond. The default in processing time. */
  processingTime: () => new PlannedTrigger({ kind: 'processing-time' }),
  /** Fires at every multiple of `every` while the window is open, and at its end. */
  early: (every, options) =>
    new PlannedTrigger({
      kind: 'early',
      everyMillis: wholeMillis('trigger.early() every', every),
      time: timeDomain('trigger.early()', options),
    }),
  /** Fires at every n elements of a key and window. */
  count: (n) => new PlannedTrigger({ kind: 'count', n: positiveCount('trigger.count() n', n) }),
  /**
   * Fires when `delta(last, current)` > threshold. `last` is the element of the last firing; before
   * it, the first element.
   */
  delta: (threshold, delta) =>
    new PlannedTrigger({
      kind: 'delta',
      threshold: finite('trigger.delta() threshold', threshold),
      delta: userFunction('trigger.delta()', 'trigger.delta', delta),
    }),
  /** Fires when the inner trigger fires, and then clears the window. */
  purging: (inner) => new PlannedTrigger({ kind: 'purging', trigger: triggerSpecOf(inner) }),
  /**
   * The user's own trigger. Each call returns 'continue', 'fire', 'purge' or 'fire-and-purge'.
   * Windows that merge need `onMerge`.
   */
  custom: (given) => {
    const where = 'trigger.custom()';
    const methods = ['onElement', 'onEventTime', 'onProcessingTime', 'onMerge'] as const;
    if (given === null || typeof given !== 'object')
      throw new SluiceError('not-a-function', `${where} takes { onElement, … }, not ${describe(given)}.`);
    for (const name of Object.keys(given))
      if (/^on[A-Z]/.test(name)) readOptions(where, { [name]: undefined }, methods);
    const method = (name: (typeof methods)[number]): UserFunction | undefined =>
      given[name] === undefined ? undefined : userMethod(where, given, name, `trigger.${name}`);
    const [onEventTime, onProcessingTime, onMerge] = methods.slice(1).map(method);
    return new PlannedTrigger({
      kind: 'custom',
      onElement: userMethod(where, given, 'onElement', 'trigger.onElement'),
      ...(onEventTime && { onEventTime }),
      ...(onProcessingTime && { onProcessingTime }),
      ...(onMerge && { onMerge }),
    });
  },
};

// ---------------------------------------------------------------------------------------- evictors

export const evictor: typeof S.evictor = {
  /** Keeps the last n elements. */
  count: (n, options) => {
    const after = isAfter('evictor.count()', options);
    if (!(Number.isSafeInteger(n) && n >= (after ? 0 : 1)))
      throw badEvictor('evictor.count() n', n, after ? 'a whole number, 0 or more' : 'a whole number, 1 or more');
    return new PlannedEvictor({ kind: 'count', n, after });
  },
  /** Removes elements whose timestamp is `keep` or more before the greatest timestamp. */
  time: (keep, options) => {
    const after = isAfter('evictor.time()', options);
    const keepMillis = parseDuration(keep, 'evictor.time() keep');
    if (keepMillis === 0 && !after) throw badEvictor('evictor.time() keep', keep, 'a duration above 0');
    return new PlannedEvictor({ kind: 'time', keepMillis, after });
  },
  /** Removes elements that differ from the last element by `threshold` or more. */
  delta: (threshold, delta, options) =>
    new PlannedEvictor({
      kind: 'delta',
      threshold: finite('evictor.delta() threshold', threshold),
      delta: userFunction('evictor.delta()', 'evictor.delta', delta),
      after: isAfter('evictor.delta()', options),
    }),
};

function badEvictor(what: string, value: unknown, wanted: string): SluiceError {
  return new SluiceError('bad-evictor', `${what} is ${describe(value)}. It must be ${wanted}.`);
}
function isAfter(where: string, options: unknown): boolean {
  const { after = false } = readOptions(where, options, ['after']);
  return flag(`after of ${where}`, after);
}

// ------------------------------------------------------------------------------------------ values

function wholeMillis(what: string, duration: unknown): number {
  const millis = parseDuration(duration, what);
  if (millis > 0 && Number.isInteger(millis)) return millis;
  const shown = JSON.stringify(duration);
  throw new SluiceError('bad-window', `${what} is ${shown}. A window needs at least 1ms, in whole milliseconds.`);
}
function positiveCount(what: string, n: unknown): number {
  if (Number.isSafeInteger(n) && (n as number) > 0) return n as number;
  throw new SluiceError('bad-window', `${what} is ${describe(n)}. It must be a whole number of elements, 1 or more.`);
}
function finite(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new SluiceError('bad-option', `${what} is ${describe(value)}. It must be a number.`);
}
function flag(what: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new SluiceError('bad-option', `${what} is ${describe(value)}. It is true or false.`);
}
function timeDomain(where: string, options: unknown): TimeDomain {
  const { time = 'event' } = readOptions(where, options, ['time']);
  return oneOf(`The time of ${where}`, time, ['event', 'processing'] as const);
}
function timeAndOffset(
  where: string,
  options: unknown,
  limit: number,
  limitName: string,
): { readonly offsetMillis: number; readonly time: TimeDomain } {
  const { time, offset = '0ms' } = readOptions(where, options, ['time', 'offset']);
  const offsetMillis = parseSignedDuration(offset, `${where} offset`);
  if (Math.abs(offsetMillis) >= limit || !Number.isInteger(offsetMillis))
    throw new SluiceError(
      'bad-window',
      `${where} offset is ${JSON.stringify(offset)}. It must be shorter than the ${limitName}, in whole milliseconds.`,
    );
  return { offsetMillis, time: timeDomain(where, { time }) };
}
