// A pattern as data: its stages in order, each with how it follows the one before and how often it occurs. What the builder makes and the plan carries.

/** How a stage follows the one before it, in Flink's words: strict (next), relaxed (followedBy), any (followedByAny); or must not. */
export type Contiguity = 'strict' | 'relaxed' | 'any' | 'not-next' | 'not-followed-by';
/** Between the elements of one stage that occurs several times. */
export type InnerContiguity = 'strict' | 'relaxed' | 'any';

/** `F` is what stands for a user's predicate: its reference in the plan, or the function itself. */
export type Stage<F> = {
  readonly name: string;
  readonly contiguity: Contiguity;
  /** `one`: exactly one element, `to` is 1. `times`: `from` to `to`. `loop`: `from` or more; `to` equals `from`. */
  readonly occurs: 'one' | 'times' | 'loop';
  readonly from: number;
  readonly to: number;
  readonly inner: InnerContiguity;
  readonly isOptional: boolean;
  readonly isGreedy: boolean;
  /** All of them must hold; none: every element matches. */
  readonly where: readonly F[];
  /** Ends a loop. */
  readonly until?: F;
};

/** What a match does to the other matches: see `skip.ts`. */
export type SkipStrategy =
  | { readonly kind: 'no-skip' | 'to-next' | 'past-last-event' }
  | { readonly kind: 'to-first' | 'to-last'; readonly stage: string };

export type PatternSpec<F> = {
  readonly stages: readonly Stage<F>[];
  /** From the first element on; absent: for ever. */
  readonly withinMillis?: number;
  readonly skip: SkipStrategy;
};

export function isNegated({ contiguity }: { readonly contiguity: Contiguity }): boolean {
  return contiguity === 'not-next' || contiguity === 'not-followed-by';
}
