// The user's trigger: `trigger.custom({ onElement, … })`. Its state is a Map for each key and
// window.
import type * as S from '../api/surface.ts';
import { SluiceError } from '../errors/error.ts';
import { deepFreeze } from '../state/freeze.ts';
import { described } from '../values/kind.ts';
import { assertStorable } from '../values/storable.ts';
import { fire, fireAndPurge, goOn, purge, type Trigger, type TriggerContext, type TriggerResult } from './trigger.ts';
import type { TriggerPlace } from './trigger-place.ts';
import type { TriggerSpec } from '../graph/window-spec.ts';

type Custom = Extract<TriggerSpec, { kind: 'custom' }>;
type OnTime = (time: number, context: UserContext) => unknown;
type State = Map<string, unknown>;

/** The context of user code. It always refers to the current window. */
class UserContext implements S.TriggerContext {
  readonly timers: S.Timers;
  readonly #name: string;
  readonly #freeze: boolean;
  #context!: TriggerContext;
  /** During a merge: the state of each merged window, in the order of their starts. */
  merged: readonly ReadonlyMap<string, unknown>[] = [];

  constructor(name: string, freeze: boolean) {
    this.#name = name;
    this.#freeze = freeze;
    this.timers = {
      eventTime: (at) => this.#context.setEventTimer(this.#checked('event', at)),
      processingTime: (at) => this.#context.setProcessingTimer(this.#checked('processing', at)),
      deleteEventTime: (at) => this.#context.deleteEventTimer(at),
      deleteProcessingTime: (at) => this.#context.deleteProcessingTimer(at),
    };
  }
  about(context: TriggerContext): this {
    this.#context = context;
    return this;
  }
  get window(): S.WindowBounds {
    return { windowStart: this.#context.windowStart, windowEnd: this.#context.windowEnd };
  }
  get watermark(): number {
    return this.#context.watermark;
  }
  get state(): State {
    const context = this.#context;
    const kept = context.state as State | undefined;
    // After a restore it is a plain Map.
    if (kept instanceof CheckedMap) return kept;
    return (context.state = new CheckedMap(kept ?? [], this.#name, this.#freeze));
  }

  #checked(domain: string, at: unknown): number {
    if (Number.isInteger(at)) return at as number;
    throw new SluiceError(
      'bad-timer',
      `The trigger of "${this.#name}" sets a timer of ${domain} time at ${described(at)}. A timer is set at a whole number of epoch milliseconds.`,
    );
  }
}

/** A Map that accepts only values that a snapshot can hold. */
class CheckedMap extends Map<string, unknown> {
  readonly #name: string;
  readonly #freeze: boolean;
  constructor(entries: Iterable<readonly [string, unknown]>, name: string, freeze: boolean) {
    super();
    this.#name = name;
    this.#freeze = freeze;
    for (const [key, value] of entries) super.set(key, value);
  }
  override set(key: string, value: unknown): this {
    assertStorable(value, `State "${key}" of the trigger of "${this.#name}"`);
    if (this.#freeze) deepFreeze(value);
    return super.set(key, value);
  }
}

const resultByName: Readonly<Record<S.TriggerResult, TriggerResult>> = {
  continue: goOn,
  fire,
  purge,
  'fire-and-purge': fireAndPurge,
};

export function customTrigger(spec: Custom, { resolve, name, freeze }: TriggerPlace): Trigger {
  const context = new UserContext(name, freeze);
  const onElement = resolve(spec.onElement) as (element: unknown, timestamp: number, context: UserContext) => unknown;
  const onEventTime = spec.onEventTime && (resolve(spec.onEventTime) as OnTime);
  const onProcessingTime = spec.onProcessingTime && (resolve(spec.onProcessingTime) as OnTime);
  const onMerge = spec.onMerge && (resolve(spec.onMerge) as (context: UserContext) => void);
  const resultOf = (result: unknown, method: string): TriggerResult => {
    if (typeof result === 'string' && Object.hasOwn(resultByName, result))
      return resultByName[result as S.TriggerResult];
    throw new SluiceError(
      'bad-trigger-result',
      `${method} of the trigger of "${name}" gave ${described(result)}. It must return "continue", "fire", "purge" or "fire-and-purge".`,
    );
  };
  return {
    onElement: (element, timestamp, window) =>
      resultOf(onElement(element, timestamp, context.about(window)), 'onElement'),
    onEventTime: (time, window) =>
      onEventTime ? resultOf(onEventTime(time, context.about(window)), 'onEventTime') : goOn,
    onProcessingTime: (time, window) =>
      onProcessingTime ? resultOf(onProcessingTime(time, context.about(window)), 'onProcessingTime') : goOn,
    onMerge(states, window) {
      const merged = states.map((state) => (state as State | undefined) ?? new Map<string, unknown>());
      const { state } = context.about(window);
      // If several windows have state under one name, the first window's value wins. `merged` has
      // all values.
      for (const one of merged.toReversed()) for (const [key, value] of one) state.set(key, value);
      context.merged = merged;
      onMerge?.(context);
      context.merged = [];
    },
  };
}
