// The aggregates of a group of a table: rows are added and subtracted, and the results are read.
import { SluiceError } from '../../errors/error.ts';
import type { AggregateSpec, AggregatesSpec } from '../../graph/aggregate-spec.ts';
import type { FunctionTable } from '../../graph/plan.ts';
import { type AccumulatorPlan, customFunctions, planAccumulators } from '../accumulator-plan.ts';
import { assertNamesFree, usableValue } from '../accumulators.ts';
import { accumulatorCheck, type CustomFunctions, resultOf } from '../kept/custom.ts';
import type { KeyRow } from '../../state/keys.ts';
import { copied } from '../../values/copied.ts';
import { distinctValues, extremeValue } from './counted-values.ts';
import { addTo, emptySum, type ExactSum, meanOfSum, subtractFrom, totalOf } from './exact-sum.ts';
import { collectedValues, topRows } from './kept-rows.ts';
import type { GroupRow, Subtractable } from './subtractable.ts';

/** By the aggregate, in the order of the spec. */
type Accumulators = unknown[];
/** A row with its selected values, which are checked. */
export interface ReadRow extends GroupRow {
  readonly values: readonly unknown[];
}

export class GroupAccumulators {
  readonly names: readonly string[];
  readonly #plan: AccumulatorPlan;
  readonly #aggregates: readonly Subtractable<unknown>[];
  /** The selector of each aggregate; −1: the row itself. */
  readonly #selectors: readonly number[];

  constructor(aggregates: AggregatesSpec, functions: FunctionTable, label: string) {
    this.#plan = planAccumulators(aggregates, functions, label);
    const { results, slots } = this.#plan;
    this.names = results.map(({ name }) => name);
    this.#selectors = results.map(({ slot }) => slots[slot]!.selector);
    this.#aggregates = Object.entries(aggregates).map(([name, spec]) => subtractableOf(name, spec, functions));
  }

  /** `row` has the fields of the group's key. */
  assertNamesFree(row: KeyRow): void {
    assertNamesFree(this.#plan, row);
  }
  create(): Accumulators {
    return this.#aggregates.map(({ create }) => create());
  }
  /** Throws when an aggregate cannot use a value. `isAdded`: the row will be kept. */
  read({ id, row }: GroupRow, kept: Accumulators | undefined, isAdded: boolean): ReadRow {
    const { selectors } = this.#plan;
    const selected = selectors.map(({ select }, index) => usableValue(this.#plan, index, select(row)));
    const values = this.#selectors.map((selector) => (selector < 0 ? row : selected[selector]));
    if (isAdded)
      this.#aggregates.forEach(({ check, read }, at) => {
        const selector = this.#selectors[at]!;
        check?.(values[at], row);
        // Values of two kinds cannot be compared.
        if (selector >= 0 && kept && selectors[selector]!.needs === 'ordered')
          usableValue(this.#plan, selector, values[at], read(kept[at]));
      });
    return { id, row, values };
  }
  add(kept: Accumulators, row: ReadRow): void {
    this.#aggregates.forEach((aggregate, at) => (kept[at] = aggregate.add(kept[at], row.values[at], row)));
  }
  subtract(kept: Accumulators, row: ReadRow): void {
    this.#aggregates.forEach((aggregate, at) => (kept[at] = aggregate.subtract(kept[at], row.values[at], row)));
  }
  results(kept: Accumulators): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#aggregates.map(({ read }, at) => [this.names[at]!, read(kept[at])]));
  }
}

function subtractableOf(name: string, spec: AggregateSpec, functions: FunctionTable): Subtractable<unknown> {
  const what = `What aggregate "${name}" keeps`;
  return made(name, spec, what, functions) as Subtractable<unknown>;
}
function made(name: string, spec: AggregateSpec, what: string, functions: FunctionTable): unknown {
  switch (spec.name) {
    case 'count':
      return rowCount;
    case 'sum':
      return sumOfValues(totalOf);
    case 'avg':
      return sumOfValues(meanOfSum);
    case 'min':
      return extremeValue(0);
    case 'max':
      return extremeValue(-1);
    case 'countDistinct':
      return distinctValues;
    case 'topN':
      return topRows(spec.n, what);
    case 'collect':
      return collectedValues(what);
    case 'aggregator':
      return customGroup(name, customFunctions(spec, functions));
    default:
      throw new SluiceError('cannot-subtract', `Aggregate "${name}" cannot subtract a row.`);
  }
}

const rowCount: Subtractable<number> = {
  create: () => 0,
  add: (kept) => kept + 1,
  subtract: (kept) => kept - 1,
  read: (kept) => kept,
};

function sumOfValues(read: (sum: ExactSum) => number | null): Subtractable<ExactSum> {
  return {
    create: emptySum,
    add(kept, value) {
      if (value !== null) addTo(kept, value as number);
      return kept;
    },
    subtract(kept, value) {
      if (value !== null) subtractFrom(kept, value as number);
      return kept;
    },
    read,
  };
}

function customGroup(name: string, functions: CustomFunctions): Subtractable<unknown> {
  const { create, add, subtract } = functions;
  const checked = accumulatorCheck(name);
  return {
    // Copied, because `create` may always return the same object.
    create: () => copied(checked(create(), 'create')),
    add: (kept, row) => checked(add(kept, row), 'add'),
    subtract: (kept, row) => checked(subtract!(kept, row), 'subtract'),
    read: resultOf(functions, name),
  };
}
