// Aggregates as plan data: a built-in by its name with its selector, or the user's functions.
import type { FunctionRef, SelectorSpec } from './spec.ts';

/** One aggregate of `parameters.aggregates`. */
export type AggregateSpec<F = FunctionRef> =
  | {
      readonly name:
        | ('count' | 'sum' | 'avg' | 'min' | 'max')
        | ('minBy' | 'maxBy' | 'first' | 'last' | 'variance' | 'stddev' | 'collect');
      readonly value?: SelectorSpec<F>;
    }
  | { readonly name: 'quantile'; readonly p: number; readonly value: SelectorSpec<F> }
  | { readonly name: 'countDistinct'; readonly approximate: boolean; readonly value: SelectorSpec<F> }
  | { readonly name: 'topN'; readonly n: number; readonly value: SelectorSpec<F> }
  | {
      readonly name: 'aggregator';
      readonly create: F;
      readonly add: F;
      readonly merge?: F;
      readonly subtract?: F;
      readonly result: F;
    };
/** `parameters.aggregates` of a node, by the name of the result field. */
export type AggregatesSpec<F = FunctionRef> = { readonly [name: string]: AggregateSpec<F> };

/** The built-in aggregates that can subtract a row, so that groups of a table can use them. */
export const subtractable: readonly string[] = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'countDistinct',
  'topN',
  'collect',
];

/** Why the aggregate cannot subtract a row; undefined: it can. */
export function cannotSubtract<F>(spec: AggregateSpec<F>): string | undefined {
  if (spec.name === 'aggregator') return spec.subtract === undefined ? 'aggregator() without subtract' : undefined;
  if (spec.name === 'countDistinct' && spec.approximate) return 'countDistinct() with approximate';
  return subtractable.includes(spec.name) ? undefined : `${spec.name}()`;
}
