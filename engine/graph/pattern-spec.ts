// A pattern as plan data: its stages in order, each with its contiguity to the stage before and its
// quantifier.

/**
 * How a stage follows the one before it, in Flink's terms: strict (next), relaxed (followedBy) or
 * any (followedByAny). A negated stage must not follow.
 */
export type Contiguity = 'strict' | 'relaxed' | 'any' | 'not-next' | 'not-followed-by';
/** Contiguity between the elements of one stage that occurs several times. */
export type InnerContiguity = 'strict' | 'relaxed' | 'any';

/** `F` is the type of a predicate: a reference in the plan, or the function itself. */
export type Stage<F> = {
  readonly name: string;
  readonly contiguity: Contiguity;
  /**
   * `one`: exactly one element, and `to` is 1. `times`: `from` to `to` elements. `loop`: `from` or
   * more elements, and `to` equals `from`.
   */
  readonly occurs: 'one' | 'times' | 'loop';
  readonly from: number;
  readonly to: number;
  readonly inner: InnerContiguity;
  readonly isOptional: boolean;
  readonly isGreedy: boolean;
  /** All of them must hold. Without any, every element matches. */
  readonly where: readonly F[];
  /** The condition that ends a loop. */
  readonly until?: F;
};

/** The other matches that a match discards: see `skip.ts`. */
export type SkipStrategy =
  | { readonly kind: 'no-skip' | 'to-next' | 'past-last-event' }
  | { readonly kind: 'to-first' | 'to-last'; readonly stage: string };

export type PatternSpec<F> = {
  readonly stages: readonly Stage<F>[];
  /** The maximum time since the first element; absent: no limit. */
  readonly withinMillis?: number;
  readonly skip: SkipStrategy;
};

export function isNegated({ contiguity }: { readonly contiguity: Contiguity }): boolean {
  return contiguity === 'not-next' || contiguity === 'not-followed-by';
}
