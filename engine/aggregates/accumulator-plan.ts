// The plan of an operator's accumulators: what is read of each element, the slots that an
// accumulator has, and how a result comes out of them.
//
// Aggregates share state: a selector is read once per element, count and avg of one field share one
// count of its values, sum and avg of one field share one sum.
import type { AggregateSpec, AggregatesSpec } from '../graph/aggregate-spec.ts';
import { FunctionTable } from '../graph/plan.ts';
import type { SelectorSpec } from '../graph/spec.ts';
import { compileSelector, type Select } from '../state/selector.ts';
import { type Collected, collected } from './kept/collected.ts';
import { custom, type CustomFunctions, customResult } from './kept/custom.ts';
import { distinct, distinctCount } from './kept/distinct.ts';
import { type End, first, last } from './kept/end.ts';
import { extreme, type Extreme } from './kept/extreme.ts';
import { estimatedCount, hyperLogLog } from './kept/hyper-log-log.ts';
import type { Kept } from './kept/kept.ts';
import { moments, stddev, variance } from './kept/moments.ts';
import { quantileOf, quantileSketch, type QuantileSketch } from './kept/quantile-sketch.ts';
import { ranking, top } from './kept/top.ts';
import { sumOf } from './sums.ts';

/**
 * What a selected value must be. null and undefined are no value: they are skipped (null after the
 * check), except by `value`, which keeps them as null.
 */
type Needs = 'number' | 'finite' | 'ordered' | 'key' | 'value';
/**
 * A count without a selector counts rows, with one it counts values. A sum, min or max without any
 * value is null.
 */
export type Slot =
  | { readonly kind: 'count' | 'sum' | 'min' | 'max'; readonly selector: number }
  | { readonly kind: 'kept'; readonly selector: number; readonly name: string; readonly kept: Kept<unknown> };

export interface AccumulatorPlan {
  readonly selectors: readonly {
    readonly select: Select;
    readonly spec: SelectorSpec;
    readonly needs: Needs;
    /** Name of the aggregate, for errors. */
    readonly aggregate: string;
  }[];
  /**
   * The parts of an accumulator, in the order of the columns. Without a value to select, the
   * selector is −1.
   */
  readonly slots: readonly Slot[];
  /** A result is a slot, a sum divided by a count, or `read` of a slot. */
  readonly results: readonly {
    readonly name: string;
    readonly slot: number;
    readonly by?: number;
    readonly read?: (kept: unknown) => unknown;
  }[];
  readonly canMerge: boolean;
  /** User code runs for every element. */
  readonly callsUser: boolean;
  /** User code makes a result. */
  readonly resultCallsUser: boolean;
}

/** Names of the slots, for the schema of saved state. */
export function columnsOf({ slots }: AccumulatorPlan): readonly string[] {
  return slots.map((slot) => (slot.kind === 'kept' ? slot.name : slot.kind));
}

type Result = AccumulatorPlan['results'][number];

export function planAccumulators(aggregates: AggregatesSpec, functions: FunctionTable, label: string): AccumulatorPlan {
  const parts = new Parts(functions, label);
  const results = Object.entries(aggregates).map(([name, spec]) => resultOf(name, spec, parts));
  const { selectors, slots } = parts;
  const resultCallsUser = Object.values(aggregates).some(({ name }) => name === 'aggregator');
  return {
    selectors,
    slots,
    results,
    resultCallsUser,
    canMerge: slots.every((slot) => slot.kind !== 'kept' || slot.kept.merge !== undefined),
    callsUser: resultCallsUser || selectors.some(({ spec }) => 'fn' in spec),
  };
}

/** The selectors and slots so far. A part that is there already is shared. */
class Parts {
  readonly selectors: AccumulatorPlan['selectors'][number][] = [];
  readonly slots: Slot[] = [];
  readonly functions: FunctionTable;
  readonly #label: string;
  readonly #selectorsByName = new Map<string, number>();
  readonly #slotsByName = new Map<string, number>();

  constructor(functions: FunctionTable, label: string) {
    this.functions = functions;
    this.#label = label;
  }

  selector(aggregate: string, spec: SelectorSpec | undefined, needs: Needs): number {
    if (!spec) throw new Error(`Aggregate "${aggregate}" of ${this.#label} has no selector in the plan.`);
    const name = `${needs} ${'fn' in spec ? FunctionTable.key(spec.fn) : spec.field}`;
    const known = this.#selectorsByName.get(name);
    if (known !== undefined) return known;
    this.#selectorsByName.set(name, this.selectors.length);
    const select = compileSelector(spec, this.functions, `${this.#label}/${aggregate}`);
    return this.selectors.push({ select, spec, needs, aggregate }) - 1;
  }
  slot(kind: 'count' | 'sum' | 'min' | 'max', of: number): number {
    return this.#slot(`${kind} ${of}`, () => ({ kind, selector: of }));
  }
  /** `name` distinguishes the slots of one selected value. */
  kept<S>(name: string, of: number, make: Kept<S>): number {
    return this.#slot(`${name} ${of}`, () => ({ kind: 'kept', selector: of, name, kept: make as Kept<unknown> }));
  }
  #slot(name: string, make: () => Slot): number {
    const known = this.#slotsByName.get(name);
    if (known !== undefined) return known;
    this.#slotsByName.set(name, this.slots.length);
    return this.slots.push(make()) - 1;
  }
}

function resultOf(name: string, spec: AggregateSpec, parts: Parts): Result {
  const what = `What aggregate "${name}" keeps`;
  const value = 'value' in spec ? spec.value : undefined;
  const select = (needs: Needs): number => parts.selector(name, value, needs);
  switch (spec.name) {
    case 'count':
      return { name, slot: parts.slot('count', -1) };
    case 'sum':
      return readOf(name, parts.slot('sum', select('number')), sumOf);
    case 'avg':
      return { name, slot: parts.slot('sum', select('number')), by: parts.slot('count', select('number')) };
    case 'min':
    case 'max':
      return { name, slot: parts.slot(spec.name, select('ordered')) };
    case 'minBy':
    case 'maxBy': {
      const slot = parts.kept(spec.name, select('number'), extreme(spec.name === 'maxBy' ? 1 : -1, what));
      return readOf(name, slot, (kept: Extreme | null) => kept && kept.element);
    }
    case 'first':
    case 'last': {
      const slot = parts.kept(spec.name, select('value'), (spec.name === 'first' ? first : last)(what));
      return readOf(name, slot, ({ value: end }: End) => end);
    }
    case 'variance':
    case 'stddev': {
      const slot = parts.kept('moments', select('finite'), moments);
      return readOf(name, slot, spec.name === 'variance' ? variance : stddev);
    }
    case 'quantile': {
      const { p } = spec;
      const slot = parts.kept('quantile', select('finite'), quantileSketch);
      return readOf(name, slot, (sketch: QuantileSketch) => quantileOf(sketch, p));
    }
    case 'countDistinct': {
      const of = select('key');
      return spec.approximate
        ? readOf(name, parts.kept('approximate', of, hyperLogLog), estimatedCount)
        : readOf(name, parts.kept('distinct', of, distinct), distinctCount);
    }
    case 'topN':
      return readOf(name, parts.kept(`top ${spec.n}`, select('number'), top(spec.n, what)), ranking);
    case 'collect': {
      const slot = parts.kept('collect', value ? select('value') : -1, collected(what));
      return readOf(name, slot, ({ values }: Collected) => values.slice());
    }
    case 'aggregator': {
      const user = customFunctions(spec, parts.functions);
      return readOf(name, parts.kept(`aggregator ${name}`, -1, custom(user, name)), customResult(user, name));
    }
  }
}

function readOf<S>(name: string, slot: number, read: (kept: S) => unknown): Result {
  return { name, slot, read: read as (kept: unknown) => unknown };
}
export function customFunctions(
  spec: Extract<AggregateSpec, { name: 'aggregator' }>,
  functions: FunctionTable,
): CustomFunctions {
  return {
    create: functions.get(spec.create),
    add: functions.get(spec.add),
    merge: spec.merge && functions.get(spec.merge),
    subtract: spec.subtract && functions.get(spec.subtract),
    result: functions.get(spec.result),
  };
}
