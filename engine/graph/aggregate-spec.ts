// Aggregates as plan data: a built-in by its name with the value it selects, or the functions of the user.
import type { FunctionRef, SelectorSpec } from './spec.ts';

/** One aggregate of `parameters.aggregates`. */
export type AggregateSpec =
  | {
      readonly name:
        | ('count' | 'sum' | 'avg' | 'min' | 'max')
        | ('minBy' | 'maxBy' | 'first' | 'last' | 'variance' | 'stddev' | 'collect');
      readonly value?: SelectorSpec;
    }
  | { readonly name: 'quantile'; readonly p: number; readonly value: SelectorSpec }
  | { readonly name: 'countDistinct'; readonly approximate: boolean; readonly value: SelectorSpec }
  | { readonly name: 'topN'; readonly n: number; readonly value: SelectorSpec }
  | {
      readonly name: 'aggregator';
      readonly create: FunctionRef;
      readonly add: FunctionRef;
      readonly merge?: FunctionRef;
      readonly result: FunctionRef;
    };
/** `parameters.aggregates` of a node, by the name of the result field. */
export type AggregatesSpec = Readonly<Record<string, AggregateSpec>>;
