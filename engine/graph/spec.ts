// What the parameters of many kinds are made of: references to functions, selectors, keys, watermarks and rates.

/**
 * A user's function, named instead of contained. Every executor evaluates the same cells and finds the function by (uid, slot);
 * `textHash` covers its text and the values it captures, so two versions of one function can live side by side during a change.
 */
export interface FunctionRef {
  readonly uid: string;
  readonly slot: string;
  readonly textHash: string;
}

/** A value selected from an element: a field by name, or a function of the element. */
export type SelectorSpec = { readonly field: string } | { readonly fn: FunctionRef };

/** A key is the tuple of its values. `constant` is the one key of `windowAll`; the changes of a table carry theirs. */
export type KeySpec =
  | { readonly fields: readonly string[] }
  | { readonly fn: FunctionRef }
  | { readonly constant: true }
  | { readonly carried: true };

/** A source pauses while it is further than `maxDriftMillis` ahead of the slowest source of the group. */
export interface AlignmentSpec {
  readonly group: string;
  readonly maxDriftMillis: number;
}
/** Times in milliseconds. */
export interface WatermarkSpec {
  readonly alignment?: AlignmentSpec;
  readonly outOfOrdernessMillis: number;
  /** A silent partition is taken out after this; absent: never. */
  readonly idlenessMillis?: number;
}

/** Coefficients of Spark's PID estimator and its least rate in records/s; what is absent is Spark's default. */
export interface PidSpec {
  readonly proportional?: number;
  readonly integral?: number;
  readonly derived?: number;
  readonly minRate?: number;
}
