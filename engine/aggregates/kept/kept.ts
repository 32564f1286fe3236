// What one aggregate keeps per key where a single number is not enough. It is a plain value, so that snapshots can hold it.
//
// `order` rises with every element that the operator sees, and is kept where it matters who came first: elements reach slices and sessions by event time, and what is
// merged there must be what it would be without.

/** `value` is what the selector gave; −1 as selector: there is none, and the value is the element. */
export interface Kept<S> {
  /** Throws when `add`, or `create` where nothing is kept, could not keep it. Called before anything is changed. */
  readonly check?: (kept: S | undefined, value: unknown, element: unknown) => void;
  readonly create: (value: unknown, element: unknown, order: number) => S;
  /** What is kept from now on: `kept` itself, changed, or another. */
  readonly add: (kept: S, value: unknown, element: unknown, order: number) => S;
  /** `into`, changed, or another; `from` stays as it is and shares nothing with it that either changes. */
  readonly merge?: (into: S, from: S) => S;
  /** Shares nothing that either changes. */
  readonly copy: (kept: S) => S;
  /** It will not grow by much. Absent: it may. */
  readonly isSmall?: (kept: S) => boolean;
  /** The highest order in it. */
  readonly order?: (kept: S) => number;
}
