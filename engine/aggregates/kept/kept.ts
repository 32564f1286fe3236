// The state of one aggregate per key, if a single number is not enough. It is a plain value, so
// that a snapshot can hold it.
//
// `order` increases with every element of the operator. It is kept where the order of arrival
// matters: slices and sessions merge elements by event time, and the merged result must be the same
// as without merging.

/**
 * `value` is the selected value. If the selector is −1, it is the element. An aggregate that skips
 * null must do so itself: without a value it keeps an empty state.
 */
export interface Kept<S> {
  /**
   * Throws when `add` could not keep the value (`create`, if nothing is kept yet). Called before
   * anything is changed.
   */
  readonly check?: (kept: S | undefined, value: unknown, element: unknown) => void;
  readonly create: (value: unknown, element: unknown, order: number) => S;
  /** Returns the new state: `kept` itself, changed, or another value. */
  readonly add: (kept: S, value: unknown, element: unknown, order: number) => S;
  /**
   * Returns `into`, changed, or another value. `from` is unchanged; the two share nothing mutable.
   */
  readonly merge?: (into: S, from: S) => S;
  /** The copy shares nothing mutable with `kept`. */
  readonly copy: (kept: S) => S;
  /** The state stays small. Absent: it may grow. */
  readonly isSmall?: (kept: S) => boolean;
  /** The highest `order` in `kept`. */
  readonly order?: (kept: S) => number;
}
