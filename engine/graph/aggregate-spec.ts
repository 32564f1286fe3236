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
      readonly result: F;
    };
/** `parameters.aggregates` of a node, by the name of the result field. */
export type AggregatesSpec<F = FunctionRef> = { readonly [name: string]: AggregateSpec<F> };
