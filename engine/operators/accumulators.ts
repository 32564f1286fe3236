// Accumulators of the built-in aggregates, one per key (and window). This is the plain form; `compileAccumulators` is what runs, and a test holds them together.
//
// Aggregates share what they can: a selector is read once per element, count and avg share one count, sum and avg of one field share one sum.
import { SluiceError } from '../error.ts';
import { FunctionTable, type SelectorSpec } from '../graph/plan.ts';
import type { Keyed } from '../state/changed-groups.ts';
import type { KeyRow } from '../state/keys.ts';
import { described, kindOf } from '../state/kind.ts';
import { compileSelector, type Select, selectorName } from './selector.ts';

/** `parameters.aggregates` of a node, by the name of the result field. */
export type AggregatesSpec = Readonly<
  Record<string, { readonly name: 'count' | 'sum' | 'avg' | 'min' | 'max'; readonly value?: SelectorSpec }>
>;

/** What a keyed operator keeps per key, and what comes of it. Created with its first element, so that nothing is ever empty. */
export interface Contents<A extends Keyed> {
  readonly create: (this: void, row: KeyRow, touched: number, element: unknown) => A;
  /** Throws without having changed anything. */
  readonly add: (this: void, accumulated: A, element: unknown) => void;
  /**
   * Adds to `into` what has been added to `from`, which stays as it is and can be merged again: the two share nothing that either changes later.
   * `from` is of the same key. Absent: cannot be merged.
   */
  readonly merge?: (this: void, into: A, from: A) => void;
  /** An accumulator of its own with the same content, to be merged into. */
  readonly copy: (this: void, accumulated: A, touched: number) => A;
  /** The result row; with the window's bounds where there are any. */
  readonly result: (this: void, accumulated: A, windowStart?: Date, windowEnd?: Date) => unknown;
  /** How many columns it takes in a snapshot. */
  readonly columns: number;
  pack(accumulated: A, columns: readonly unknown[][]): void;
  unpack(row: KeyRow, touched: number, columns: readonly (readonly unknown[])[], index: number): A;
}

export interface AccumulatorPlan {
  readonly selectors: readonly {
    readonly select: Select;
    readonly spec: SelectorSpec;
    readonly needs: 'number' | 'ordered';
    /** The aggregate that it is for, in errors. */
    readonly aggregate: string;
  }[];
  /** What is kept, in the order of the columns. */
  readonly slots: readonly { readonly kind: 'count' | 'sum' | 'min' | 'max'; readonly selector: number }[];
  /** A result is a slot, or a slot divided by another one. */
  readonly results: readonly { readonly name: string; readonly slot: number; readonly by?: number }[];
}

export function planAccumulators(aggregates: AggregatesSpec, functions: FunctionTable, label: string): AccumulatorPlan {
  const selectors: AccumulatorPlan['selectors'][number][] = [];
  const slots: AccumulatorPlan['slots'][number][] = [];
  const selectorsByName = new Map<string, number>();
  const slotsByName = new Map<string, number>();

  const selector = (aggregate: string, spec: SelectorSpec | undefined, needs: 'number' | 'ordered'): number => {
    if (!spec) throw new Error(`Aggregate "${aggregate}" of ${label} has no selector in the plan.`);
    const name = `${needs} ${'fn' in spec ? FunctionTable.key(spec.fn) : spec.field}`;
    const known = selectorsByName.get(name);
    if (known !== undefined) return known;
    selectorsByName.set(name, selectors.length);
    const select = compileSelector(spec, functions, `${label}/${aggregate}`);
    return selectors.push({ select, spec, needs, aggregate }) - 1;
  };
  const slot = (kind: 'count' | 'sum' | 'min' | 'max', of: number): number => {
    const name = `${kind} ${of}`;
    const known = slotsByName.get(name);
    if (known !== undefined) return known;
    slotsByName.set(name, slots.length);
    return slots.push({ kind, selector: of }) - 1;
  };

  const results = Object.entries(aggregates).map(([name, { name: kind, value }]) => {
    switch (kind) {
      case 'count':
        return { name, slot: slot('count', -1) };
      case 'sum':
        return { name, slot: slot('sum', selector(name, value, 'number')) };
      case 'avg':
        return { name, slot: slot('sum', selector(name, value, 'number')), by: slot('count', -1) };
      case 'min':
      case 'max':
        return { name, slot: slot(kind, selector(name, value, 'ordered')) };
    }
  });
  return { selectors, slots, results };
}

/** A number to be summed. */
export function assertNumber(plan: AccumulatorPlan, selector: number, value: unknown): void {
  if (typeof value === 'number' && !Number.isNaN(value)) return;
  throw unusable(plan, selector, value, 'a number');
}
/** A value to be compared; with what is kept already, when there is something. */
export function assertOrdered(plan: AccumulatorPlan, selector: number, value: unknown, kept?: unknown): void {
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

export interface PlainAccumulator extends Keyed {
  readonly kept: unknown[];
}

export function plainAccumulators(plan: AccumulatorPlan): Contents<PlainAccumulator> {
  const { selectors, slots, results } = plan;
  const read = (element: unknown, kept?: readonly unknown[]): unknown[] => {
    const values = selectors.map(({ select }) => select(element));
    values.forEach((value, index) => {
      if (selectors[index]!.needs === 'number') assertNumber(plan, index, value);
      else
        slots.forEach(({ selector }, at) => {
          if (selector === index) assertOrdered(plan, index, value, kept?.[at]);
        });
    });
    return values;
  };
  return {
    columns: slots.length,
    create(row, touched, element) {
      const values = read(element);
      const kept = slots.map(({ kind, selector }) => (kind === 'count' ? 1 : values[selector]));
      return { row, group: -1, touched, kept };
    },
    add({ kept }, element) {
      const values = read(element, kept);
      slots.forEach(({ kind, selector }, at) => {
        const value = values[selector];
        if (kind === 'count') kept[at] = (kept[at] as number) + 1;
        else if (kind === 'sum') kept[at] = (kept[at] as number) + (value as number);
        else if (kind === 'min' ? (value as number) < (kept[at] as number) : (value as number) > (kept[at] as number))
          kept[at] = value;
      });
    },
    merge({ kept }, from) {
      slots.forEach(({ kind, selector }, at) => {
        if (kind === 'min' || kind === 'max') assertOrdered(plan, selector, from.kept[at], kept[at]);
      });
      slots.forEach(({ kind }, at) => {
        const value = from.kept[at];
        if (kind === 'count' || kind === 'sum') kept[at] = (kept[at] as number) + (value as number);
        else if (kind === 'min' ? (value as number) < (kept[at] as number) : (value as number) > (kept[at] as number))
          kept[at] = value;
      });
    },
    copy: ({ row, kept }, touched) => ({ row, group: -1, touched, kept: kept.slice() }),
    result({ row, kept }, windowStart, windowEnd) {
      const bounds = windowStart && { windowStart, windowEnd };
      const values = results.map(({ name, slot, by }) => [
        name,
        by === undefined ? kept[slot] : (kept[slot] as number) / (kept[by] as number),
      ]);
      return { ...row, ...bounds, ...(Object.fromEntries(values) as object) };
    },
    pack({ kept }, columns) {
      kept.forEach((value, at) => columns[at]!.push(value));
    },
    unpack: (row, touched, columns, index) => ({
      row,
      group: -1,
      touched,
      kept: columns.map((column) => column[index]),
    }),
  };
}
