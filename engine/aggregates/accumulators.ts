// Accumulators of the built-in aggregates, one per key (and window). This is the plain form.
// `compileAccumulators` generates the form that runs; a test holds the two together.
import { SluiceError } from '../errors/error.ts';
import type { Keyed } from '../state/keyed.ts';
import { assertKeyValue } from '../state/key-value.ts';
import type { KeyRow } from '../state/keys.ts';
import { selectorName } from '../state/selector.ts';
import { described, kindOf } from '../values/kind.ts';
import { added, meanOf, type Sum } from './sums.ts';
import { type AccumulatorPlan, columnsOf, type Slot } from './accumulator-plan.ts';

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
  /** Names of the parts that a snapshot holds. */
  readonly columns: readonly string[];
  /** The parts themselves, not copies: they are written at once. */
  readonly pack: (this: void, accumulated: A) => readonly unknown[];
  /** The content is the accumulator's own from now on. */
  readonly unpack: (this: void, row: KeyRow, touched: number, content: readonly unknown[]) => A;
}

/**
 * A selected value as it is used: null for no value, and a bigint as a double where a number is
 * needed. Throws if it cannot be used. `compared` is the kept value that it will be compared with.
 */
export function usableValue(plan: AccumulatorPlan, selector: number, value: unknown, compared?: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (plan.selectors[selector]!.needs) {
    case 'number':
      if (typeof value === 'bigint') return Number(value);
      if (typeof value === 'number' && !Number.isNaN(value)) return value;
      throw unusable(plan, selector, value, 'a number');
    case 'finite': {
      const number = typeof value === 'bigint' ? Number(value) : value;
      if (Number.isFinite(number)) return number;
      throw unusable(plan, selector, value, 'a finite number');
    }
    case 'ordered':
      assertOrdered(plan, selector, value, compared);
      return value;
    case 'key':
      try {
        assertKeyValue(value);
        return value;
      } catch {
        throw unusable(
          plan,
          selector,
          value,
          'a string, finite number, bigint, boolean, null, Date, bytes, or arrays and plain objects of these',
        );
      }
    case 'value':
      return value;
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
  if (kept === undefined || kept === null || kindOf(kept) === kind) return;
  // An integer that a double cannot hold is a bigint, and smaller ones are numbers.
  if (!(isNumeric(kept) && isNumeric(value)))
    throw unusable(plan, selector, value, `a ${kindOf(kept)} to compare with ${described(kept)}`);
}
function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
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
  const { slots } = plan;
  let order = 0;
  return {
    columns: columnsOf(plan),
    create(row, touched, element) {
      assertNamesFree(plan, row);
      const values = readValues(plan, element);
      order++;
      const kept = slots.map((slot) => {
        if (slot.kind === 'kept') return slot.kept.create(valueOf(slot, values, element), element, order);
        return slot.kind === 'count' ? counted(slot, values) : values[slot.selector];
      });
      return { row, written: 0, savedBytes: 0, touched, kept };
    },
    add({ kept }, element) {
      const values = readValues(plan, element, kept);
      order++;
      // Slots with objects come first, because only they may throw.
      slots.forEach((slot, at) => {
        if (slot.kind === 'kept') kept[at] = slot.kept.add(kept[at], valueOf(slot, values, element), element, order);
      });
      slots.forEach((slot, at) => {
        if (slot.kind !== 'kept')
          update(kept, slot, at, slot.kind === 'count' ? counted(slot, values) : values[slot.selector]);
      });
    },
    ...(plan.canMerge && {
      merge: ({ kept }: PlainAccumulator, from: PlainAccumulator): void => mergeKept(plan, kept, from.kept),
    }),
    copy: ({ row, kept }, touched) => ({ row, written: 0, savedBytes: 0, touched, kept: copyOf(slots, kept) }),
    isSmall: ({ kept }) => slots.every((slot, at) => slot.kind !== 'kept' || (slot.kept.isSmall?.(kept[at]) ?? false)),
    result({ row, kept }, windowStart, windowEnd) {
      const bounds = windowStart && { windowStart, windowEnd };
      return { ...row, ...bounds, ...resultsOf(plan, kept) };
    },
    pack: ({ kept }) => kept,
    unpack(row, touched, content) {
      const kept = [...content];
      slots.forEach((slot, at) => {
        if (slot.kind === 'kept') order = Math.max(order, slot.kept.order?.(kept[at]) ?? 0);
      });
      return { row, written: 0, savedBytes: 0, touched, kept };
    },
  };
}

/** The selected values of an element. All of them are checked before anything changes. */
function readValues(plan: AccumulatorPlan, element: unknown, kept?: readonly unknown[]): unknown[] {
  const { selectors, slots } = plan;
  const selected = selectors.map(({ select }) => select(element));
  const values = selected.map((value, index) => {
    const usable = usableValue(plan, index, value);
    slots.forEach(({ kind, selector }, at) => {
      if (selector === index && (kind === 'min' || kind === 'max')) usableValue(plan, index, value, kept?.[at]);
    });
    return usable;
  });
  slots.forEach((slot, at) => {
    if (slot.kind === 'kept') slot.kept.check?.(kept?.[at], valueOf(slot, values, element), element);
  });
  return values;
}
function valueOf({ selector }: Slot, values: readonly unknown[], element: unknown): unknown {
  return selector < 0 ? element : values[selector];
}
/** What an element adds to a count. */
function counted({ selector }: Slot, values: readonly unknown[]): number {
  return selector < 0 || values[selector] !== null ? 1 : 0;
}
function update(kept: unknown[], { kind }: Slot, at: number, value: unknown): void {
  if (kind === 'count') kept[at] = (kept[at] as number) + (value as number);
  else if (kind === 'sum') kept[at] = added(kept[at] as Sum, value as Sum);
  else if (value === null) return;
  else if (kept[at] === null) kept[at] = value;
  else if (kind === 'min' ? isBelow(value, kept[at]) : isBelow(kept[at], value)) kept[at] = value;
}
/**
 * A number comes before an equal bigint, so that the least and the greatest value do not depend on
 * the order of the elements.
 */
function isBelow(a: unknown, b: unknown): boolean {
  if ((a as number) < (b as number)) return true;
  return typeof b === 'bigint' && typeof a === 'number' && !(a > b);
}
function mergeKept(plan: AccumulatorPlan, kept: unknown[], from: readonly unknown[]): void {
  plan.slots.forEach(({ kind, selector }, at) => {
    if (kind === 'min' || kind === 'max') usableValue(plan, selector, from[at], kept[at]);
  });
  plan.slots.forEach((slot, at) => {
    if (slot.kind === 'kept') kept[at] = slot.kept.merge!(kept[at], from[at]);
    else update(kept, slot, at, from[at]);
  });
}
function copyOf(slots: readonly Slot[], kept: readonly unknown[]): unknown[] {
  return slots.map((slot, at) => (slot.kind === 'kept' ? slot.kept.copy(kept[at]) : kept[at]));
}
function resultsOf({ results }: AccumulatorPlan, kept: readonly unknown[]): object {
  const values = results.map(({ name, slot, by, read }) => {
    if (read) return [name, read(kept[slot])];
    return [name, by === undefined ? kept[slot] : meanOf(kept[slot] as Sum, kept[by] as number)];
  });
  return Object.fromEntries(values) as object;
}
