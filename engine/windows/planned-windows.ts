// Chooses the operator of a window node: a fast one if it supports the window, otherwise the
// general one.
import { SluiceError } from '../errors/error.ts';
import type { FunctionRef } from '../graph/spec.ts';
import type { FunctionTable } from '../graph/plan.ts';
import type { Operator, OperatorContext } from '../contract/operator.ts';
import type { Keyed } from '../state/keyed.ts';
import type { Keys } from '../state/keys.ts';
import type { WindowParameters } from '../graph/parameters.ts';
import { assignerOf } from './assigner.ts';
import { assignmentOf } from './assignment.ts';
import { evictingContents, type FunctionContents, type WindowContents } from './evicting-contents.ts';
import { evictorOf } from './evictor.ts';
import { isSliced, SlicedWindowOperator } from './sliced-window-operator.ts';
import { TriggeredWindowOperator, type TriggeredWindowSettings } from './triggered-window-operator.ts';
import { triggerOf } from './triggers.ts';
import { WindowOperator } from './window-operator.ts';
import { isPlain, type TriggerSpec, type WindowSpec } from '../graph/window-spec.ts';

/** The function of a window, with the keys of its stream. */
interface WindowFunction<A extends Keyed> {
  readonly keys: Keys;
  readonly contents: (context: OperatorContext) => FunctionContents<A>;
  /** The function returns an iterable of rows, not one row. */
  readonly givesMany: boolean;
  /** User code runs for every element. */
  readonly mayBeSlow: boolean;
  /** A result calls no function of the user's. */
  readonly canPreview: boolean;
  /**
   * Elements may be added in any order, and parts may be merged. So overlapping windows can share
   * slices.
   */
  readonly canSlice?: boolean;
}

/** Reads `parameters.window`, `.trigger`, `.evictor` and `.allowedLatenessMillis` of the node. */
export function windowOperator<A extends Keyed>(
  { parameters, name }: { readonly parameters: WindowParameters; readonly name: string },
  functions: FunctionTable,
  windowFunction: WindowFunction<A>,
): Operator {
  const { window, trigger, evictor, allowedLatenessMillis } = parameters;
  if (!(allowedLatenessMillis >= 0))
    throw new SluiceError(
      'bad-window',
      `Allowed lateness of "${name}" is ${allowedLatenessMillis} ms. It must not be negative.`,
    );
  if (isPlain(window, trigger, evictor)) {
    const settings = { ...windowFunction, assigner: assignerOf(window), allowedLatenessMillis };
    return windowFunction.canSlice && isSliced(settings.assigner)
      ? new SlicedWindowOperator<A>(settings)
      : new WindowOperator<A>(settings);
  }

  const { keys, contents, givesMany } = windowFunction;
  const resolve = (fn: FunctionRef): ((...given: never[]) => unknown) => functions.get(fn);
  const settings = {
    keys,
    assignment: assignmentOf(window, resolve, name),
    allowedLatenessMillis,
    trigger: ({ freeze }: OperatorContext) => triggerOf(trigger, { window, resolve, name, freeze }),
    givesMany,
    // Early results and triggers of the user decide themselves when a row comes.
    canPreview: windowFunction.canPreview && trigger === undefined && evictor === undefined && window.kind !== 'global',
    slideMillis: slideOf(parameters.window),
    waiting: whyNothingFires(window, trigger, name),
  };
  const general = <C extends Keyed>(kept: (context: OperatorContext) => WindowContents<C>): Operator =>
    new TriggeredWindowOperator<C>({ ...settings, contents: kept } satisfies TriggeredWindowSettings<C>);
  if (!evictor) return general(contents);
  return general((context) => evictingContents(contents(context), evictorOf(evictor, resolve, name), name));
}

function slideOf(window: WindowSpec): number {
  return window.kind === 'sliding' ? window.slideMillis : Infinity;
}

/** Why no window has fired yet, for windows that do not wait for the watermark. */
function whyNothingFires(window: WindowSpec, trigger: TriggerSpec | undefined, name: string): string | undefined {
  const inner = trigger?.kind === 'purging' ? trigger.trigger : trigger;
  if (inner?.kind === 'count') return `no window of "${name}" has ${inner.n} elements yet`;
  if (inner?.kind === 'delta') return `no element of "${name}" differs by more than ${inner.threshold} from the first`;
  if (window.kind === 'global' && !inner)
    return `"${name}" has a global window without a trigger, so it never fires: add .trigger(trigger.count(n))`;
  if (window.kind !== 'global' && window.time === 'processing' && !inner)
    return `the first window of "${name}" fires when processing time reaches its end`;
  return undefined;
}
