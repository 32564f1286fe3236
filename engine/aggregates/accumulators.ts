// Accumulators of the built-in aggregates, one per key (and window). This is the plain form.
// `compileAccumulators` generates the form that runs; a test holds the two together.
import { SluiceError } from '../errors/error.ts';
import type { Keyed } from '../state/changed-groups.ts';
import { assertKeyValue } from '../state/key-value.ts';
import type { KeyRow } from '../state/keys.ts';
import { selectorName } from '../state/selector.ts';
import { described, kindOf } from '../values/kind.ts';
import type { AccumulatorPlan, Slot } from './accumulator-plan.ts';

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
  const { slots } = plan;
  let order = 0;
  return {
    columns: slots.length,
    create(row, touched, element) {
      assertNamesFree(plan, row);
      const values = readValues(plan, element);
      order++;
      const kept = slots.map((slot) => {
        if (slot.kind === 'kept') return slot.kept.create(valueOf(slot, values, element), element, order);
        return slot.kind === 'count' ? 1 : values[slot.selector];
      });
      return { row, group: -1, touched, kept };
    },
    add({ kept }, element) {
      const values = readValues(plan, element, kept);
      order++;
      // Slots with objects come first, because only they may throw.
      slots.forEach((slot, at) => {
        if (slot.kind === 'kept') kept[at] = slot.kept.add(kept[at], valueOf(slot, values, element), element, order);
      });
      slots.forEach((slot, at) => {
        if (slot.kind !== 'kept') update(kept, slot, at, slot.kind === 'count' ? 1 : values[slot.selector]);
      });
    },
    ...(plan.canMerge && {
      merge: ({ kept }: PlainAccumulator, from: PlainAccumulator): void => mergeKept(plan, kept, from.kept),
    }),
    copy: ({ row, kept }, touched) => ({ row, group: -1, touched, kept: copyOf(slots, kept) }),
    isSmall: ({ kept }) => slots.every((slot, at) => slot.kind !== 'kept' || (slot.kept.isSmall?.(kept[at]) ?? false)),
    result({ row, kept }, windowStart, windowEnd) {
      const bounds = windowStart && { windowStart, windowEnd };
      return { ...row, ...bounds, ...resultsOf(plan, kept) };
    },
    pack({ kept }, columns) {
      copyOf(slots, kept).forEach((value, at) => columns[at]!.push(value));
    },
    unpack(row, touched, columns, index) {
      const kept = copyOf(
        slots,
        columns.map((column) => column[index]),
      );
      slots.forEach((slot, at) => {
        if (slot.kind === 'kept') order = Math.max(order, slot.kept.order?.(kept[at]) ?? 0);
      });
      return { row, group: -1, touched, kept };
    },
  };
}

/** The selected values of an element. All of them are checked before anything changes. */
function readValues(plan: AccumulatorPlan, element: unknown, kept?: readonly unknown[]): unknown[] {
  const { selectors, slots } = plan;
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
}
function valueOf({ selector }: Slot, values: readonly unknown[], element: unknown): unknown {
  return selector < 0 ? element : values[selector];
}
function update(kept: unknown[], { kind }: Slot, at: number, value: unknown): void {
  if (kind === 'count') kept[at] = (kept[at] as number) + (value as number);
  else if (kind === 'sum') kept[at] = (kept[at] as number) + (value as number);
  else if (kind === 'min' ? (value as number) < (kept[at] as number) : (value as number) > (kept[at] as number))
    kept[at] = value;
}
function mergeKept(plan: AccumulatorPlan, kept: unknown[], from: readonly unknown[]): void {
  plan.slots.forEach(({ kind, selector }, at) => {
    if (kind === 'min' || kind === 'max') assertUsable(plan, selector, from[at], kept[at]);
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
    return [name, by === undefined ? kept[slot] : (kept[slot] as number) / (kept[by] as number)];
  });
  return Object.fromEntries(values) as object;
}
