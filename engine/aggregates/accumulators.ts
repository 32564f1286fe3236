// Accumulators of the built-in aggregates, one per key (and window). This is the plain form.
// `compileAccumulators` generates the form that runs; a test holds the two together.
//
// Aggregates share state: a selector is read once per element, count and avg share one count, sum
// and avg of one field share one sum.
import { SluiceError } from '../errors/error.ts';
import type { AggregatesSpec } from '../graph/aggregate-spec.ts';
import type { SelectorSpec } from '../graph/spec.ts';
import { FunctionTable } from '../graph/plan.ts';
import type { Keyed } from '../state/changed-groups.ts';
import { assertKeyValue } from '../state/key-value.ts';
import type { KeyRow } from '../state/keys.ts';
import { described, kindOf } from '../values/kind.ts';
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
import { compileSelector, type Select, selectorName } from '../state/selector.ts';

/**
 * How a keyed operator accumulates per key, and its result. An accumulator is created with its
 * first element, so it is never empty.
 */
export interface Contents<A extends Keyed> {
  readonly create: (this: void, row: KeyRow, touched: number, element: unknown) => A;
  /** If it throws, it has changed nothing. */
  readonly add: (this: void, accumulated: A, element: unknown) => void;
  /**
   * Adds the content of `from` to `into`. `from` is unchanged and can be merged again: the two
   * share nothing mutable. Both belong to the same key. Absent: merging is not possible.
   */
  readonly merge?: (this: void, into: A, from: A) => void;
  /** A separate accumulator with the same content, to merge into. */
  readonly copy: (this: void, accumulated: A, touched: number) => A;
  /** The accumulator stays small, so many of them may be kept. Absent: it may grow. */
  readonly isSmall?: (this: void, accumulated: A) => boolean;
  /** The result row, with the window's bounds if there is a window. */
  readonly result: (this: void, accumulated: A, windowStart?: Date, windowEnd?: Date) => unknown;
  /** Number of its columns in a snapshot. */
  readonly columns: number;
  pack(accumulated: A, columns: readonly unknown[][]): void;
  unpack(row: KeyRow, touched: number, columns: readonly (readonly unknown[])[], index: number): A;
}

/** What a selected value must be. */
type Needs = 'number' | 'finite' | 'ordered' | 'key' | 'value';
export type Slot =
  | { readonly kind: 'count' | 'sum' | 'min' | 'max'; readonly selector: number }
  | { readonly kind: 'kept'; readonly selector: number; readonly kept: Kept<unknown> };

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
  /** A result is a slot, a slot divided by another one, or `read` of a slot. */
  readonly results: readonly {
    readonly name: string;
    readonly slot: number;
    readonly by?: number;
    readonly read?: (kept: unknown) => unknown;
  }[];
  readonly canMerge: boolean;
  /** User code runs for every element. */
  readonly callsUser: boolean;
}

export function planAccumulators(aggregates: AggregatesSpec, functions: FunctionTable, label: string): AccumulatorPlan {
  const selectors: AccumulatorPlan['selectors'][number][] = [];
  const slots: Slot[] = [];
  const selectorsByName = new Map<string, number>();
  const slotsByName = new Map<string, number>();

  const selector = (aggregate: string, spec: SelectorSpec | undefined, needs: Needs): number => {
    if (!spec) throw new Error(`Aggregate "${aggregate}" of ${label} has no selector in the plan.`);
    const name = `${needs} ${'fn' in spec ? FunctionTable.key(spec.fn) : spec.field}`;
    const known = selectorsByName.get(name);
    if (known !== undefined) return known;
    selectorsByName.set(name, selectors.length);
    const select = compileSelector(spec, functions, `${label}/${aggregate}`);
    return selectors.push({ select, spec, needs, aggregate }) - 1;
  };
  const slotOf = (name: string, make: () => Slot): number => {
    const known = slotsByName.get(name);
    if (known !== undefined) return known;
    slotsByName.set(name, slots.length);
    return slots.push(make()) - 1;
  };
  const slot = (kind: 'count' | 'sum' | 'min' | 'max', of: number): number =>
    slotOf(`${kind} ${of}`, () => ({ kind, selector: of }));
  /** `name` distinguishes the slots of one selected value. */
  const kept = <S>(name: string, of: number, make: Kept<S>): number =>
    slotOf(`${name} ${of}`, () => ({ kind: 'kept', selector: of, kept: make as Kept<unknown> }));
  const result = <S>(name: string, of: number, read: (kept: S) => unknown) => ({
    name,
    slot: of,
    read: read as (kept: unknown) => unknown,
  });

  const results = Object.entries(aggregates).map(([name, spec]): AccumulatorPlan['results'][number] => {
    const what = `What aggregate "${name}" keeps`;
    switch (spec.name) {
      case 'count':
        return { name, slot: slot('count', -1) };
      case 'sum':
        return { name, slot: slot('sum', selector(name, spec.value, 'number')) };
      case 'avg':
        return { name, slot: slot('sum', selector(name, spec.value, 'number')), by: slot('count', -1) };
      case 'min':
      case 'max':
        return { name, slot: slot(spec.name, selector(name, spec.value, 'ordered')) };
      case 'minBy':
      case 'maxBy': {
        const of = selector(name, spec.value, 'number');
        const slot = kept(spec.name, of, extreme(spec.name === 'maxBy' ? 1 : -1, what));
        return result(name, slot, ({ element }: Extreme) => element);
      }
      case 'first':
      case 'last': {
        const of = selector(name, spec.value, 'value');
        return result(
          name,
          kept(spec.name, of, (spec.name === 'first' ? first : last)(what)),
          ({ value }: End) => value,
        );
      }
      case 'variance':
      case 'stddev':
        return result(
          name,
          kept('moments', selector(name, spec.value, 'finite'), moments),
          spec.name === 'variance' ? variance : stddev,
        );
      case 'quantile': {
        const { p } = spec;
        const slot = kept('quantile', selector(name, spec.value, 'finite'), quantileSketch);
        return result(name, slot, (sketch: QuantileSketch) => quantileOf(sketch, p));
      }
      case 'countDistinct': {
        const of = selector(name, spec.value, 'key');
        return spec.approximate
          ? result(name, kept('approximate', of, hyperLogLog), estimatedCount)
          : result(name, kept('distinct', of, distinct), distinctCount);
      }
      case 'topN': {
        const slot = kept(`top ${spec.n}`, selector(name, spec.value, 'number'), top(spec.n, what));
        return result(name, slot, ranking);
      }
      case 'collect': {
        const of = spec.value ? selector(name, spec.value, 'value') : -1;
        return result(name, kept('collect', of, collected(what)), ({ values }: Collected) => values.slice());
      }
      case 'aggregator': {
        const user: CustomFunctions = {
          create: functions.get(spec.create),
          add: functions.get(spec.add),
          merge: spec.merge && functions.get(spec.merge),
          result: functions.get(spec.result),
        };
        return result(name, kept(`aggregator ${name}`, -1, custom(user, name)), customResult(user));
      }
    }
  });
  return {
    selectors,
    slots,
    results,
    canMerge: slots.every((slot) => slot.kind !== 'kept' || slot.kept.merge !== undefined),
    callsUser:
      selectors.some(({ spec }) => 'fn' in spec) || Object.values(aggregates).some(({ name }) => name === 'aggregator'),
  };
}

/**
 * Checks a selected value before it is used. `compared` is the kept value that it will be compared
 * with.
 */
export function assertUsable(plan: AccumulatorPlan, selector: number, value: unknown, compared?: unknown): void {
  switch (plan.selectors[selector]!.needs) {
    case 'number':
      if (typeof value === 'number' && !Number.isNaN(value)) return;
      throw unusable(plan, selector, value, 'a number');
    case 'finite':
      if (Number.isFinite(value)) return;
      throw unusable(plan, selector, value, 'a finite number');
    case 'ordered':
      return assertOrdered(plan, selector, value, compared);
    case 'key':
      try {
        return assertKeyValue(value);
      } catch {
        throw unusable(
          plan,
          selector,
          value,
          'a string, finite number, bigint, boolean, null, Date, bytes, or arrays and plain objects of these',
        );
      }
    case 'value':
      if (value !== undefined) return;
      throw unusable(plan, selector, value, 'a value');
  }
}
/** For values that are compared. */
function assertOrdered(plan: AccumulatorPlan, selector: number, value: unknown, kept: unknown): void {
  const kind = kindOf(value);
  const isOrdered =
    (kind === 'number' && !Number.isNaN(value)) ||
    kind === 'string' ||
    kind === 'bigint' ||
    (kind === 'Date' && !Number.isNaN((value as Date).getTime()));
  if (!isOrdered) throw unusable(plan, selector, value, 'a number, bigint, string or Date');
  if (kept !== undefined && kindOf(kept) !== kind)
    throw unusable(plan, selector, value, `a ${kindOf(kept)} to compare with ${described(kept)}`);
}
function unusable({ selectors }: AccumulatorPlan, selector: number, value: unknown, wanted: string): SluiceError {
  const { aggregate, spec } = selectors[selector]!;
  return new SluiceError(
    'bad-value',
    `Aggregate "${aggregate}" needs ${wanted} from ${selectorName(spec)}, but the record gives ${described(value)}. ` +
      'Filter such records out, or give them a value with map().',
    { aggregate },
  );
}

/** If a function makes the key, its field names are known only with its first element. */
export function assertNamesFree({ results }: AccumulatorPlan, row: KeyRow): void {
  const taken = results.find(({ name }) => Object.hasOwn(row, name));
  if (taken)
    throw new SluiceError(
      'name-taken',
      `Aggregate "${taken.name}" has the name of the key field "${taken.name}": a row cannot hold both. Rename the aggregate.`,
      { aggregate: taken.name },
    );
}

interface PlainAccumulator extends Keyed {
  readonly kept: unknown[];
}

export function plainAccumulators(plan: AccumulatorPlan): Contents<PlainAccumulator> {
  const { selectors, slots, results } = plan;
  let order = 0;
  const read = (element: unknown, kept?: readonly unknown[]): unknown[] => {
    const values = selectors.map(({ select }) => select(element));
    values.forEach((value, index) => {
      assertUsable(plan, index, value);
      slots.forEach(({ kind, selector }, at) => {
        if (selector === index && (kind === 'min' || kind === 'max')) assertUsable(plan, index, value, kept?.[at]);
      });
    });
    slots.forEach((slot, at) => {
      if (slot.kind === 'kept') slot.kept.check?.(kept?.[at], valueOf(slot, values, element), element);
    });
    return values;
  };
  const valueOf = ({ selector }: Slot, values: readonly unknown[], element: unknown): unknown =>
    selector < 0 ? element : values[selector];
  const update = (kept: unknown[], { kind }: Slot, at: number, value: unknown): void => {
    if (kind === 'count') kept[at] = (kept[at] as number) + (value as number);
    else if (kind === 'sum') kept[at] = (kept[at] as number) + (value as number);
    else if (kind === 'min' ? (value as number) < (kept[at] as number) : (value as number) > (kept[at] as number))
      kept[at] = value;
  };
  const copy = (kept: readonly unknown[]): unknown[] =>
    slots.map((slot, at) => (slot.kind === 'kept' ? slot.kept.copy(kept[at]) : kept[at]));
  return {
    columns: slots.length,
    create(row, touched, element) {
      assertNamesFree(plan, row);
      const values = read(element);
      order++;
      const kept = slots.map((slot) => {
        if (slot.kind === 'kept') return slot.kept.create(valueOf(slot, values, element), element, order);
        return slot.kind === 'count' ? 1 : values[slot.selector];
      });
      return { row, group: -1, touched, kept };
    },
    add({ kept }, element) {
      const values = read(element, kept);
      order++;
      slots.forEach((slot, at) => {
        if (slot.kind === 'kept') kept[at] = slot.kept.add(kept[at], valueOf(slot, values, element), element, order);
      });
      slots.forEach((slot, at) => {
        if (slot.kind !== 'kept') update(kept, slot, at, slot.kind === 'count' ? 1 : values[slot.selector]);
      });
    },
    ...(plan.canMerge && {
      merge({ kept }: PlainAccumulator, from: PlainAccumulator) {
        slots.forEach(({ kind, selector }, at) => {
          if (kind === 'min' || kind === 'max') assertUsable(plan, selector, from.kept[at], kept[at]);
        });
        slots.forEach((slot, at) => {
          if (slot.kind === 'kept') kept[at] = slot.kept.merge!(kept[at], from.kept[at]);
          else update(kept, slot, at, from.kept[at]);
        });
      },
    }),
    copy: ({ row, kept }, touched) => ({ row, group: -1, touched, kept: copy(kept) }),
    isSmall: ({ kept }) => slots.every((slot, at) => slot.kind !== 'kept' || (slot.kept.isSmall?.(kept[at]) ?? false)),
    result({ row, kept }, windowStart, windowEnd) {
      const bounds = windowStart && { windowStart, windowEnd };
      const values = results.map(({ name, slot, by, read }) => {
        if (read) return [name, read(kept[slot])];
        return [name, by === undefined ? kept[slot] : (kept[slot] as number) / (kept[by] as number)];
      });
      return { ...row, ...bounds, ...(Object.fromEntries(values) as object) };
    },
    pack({ kept }, columns) {
      copy(kept).forEach((value, at) => columns[at]!.push(value));
    },
    unpack(row, touched, columns, index) {
      const kept = copy(columns.map((column) => column[index]));
      slots.forEach((slot, at) => {
        if (slot.kind === 'kept') order = Math.max(order, slot.kept.order?.(kept[at]) ?? 0);
      });
      return { row, group: -1, touched, kept };
    },
  };
}
