// What the parameters of many kinds are made of: references to functions, selectors, keys,
// watermarks and rates. Type aliases, not interfaces: TypeScript takes no interface for JSON.

/** JSON data; what `parameters` of a node are made of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * A user's function, named instead of contained. Every executor evaluates the same cells and finds
 * the function by (uid, slot); `textHash` covers its text and the values it captures, so two
 * versions of one function can live side by side during a change.
 */
export type FunctionRef = {
  readonly uid: string;
  readonly slot: string;
  readonly textHash: string;
};

/** A value selected from an element: a field by name, or a function of the element. */
export type SelectorSpec<F = FunctionRef> = { readonly field: string } | { readonly fn: F };

/**
 * A key is the tuple of its values. `constant` is the one key of `windowAll`; the changes of a
 * table carry theirs.
 */
export type KeySpec<F = FunctionRef> =
  | { readonly fields: readonly string[] }
  | { readonly fn: F }
  | { readonly constant: true }
  | { readonly carried: true };

/**
 * A source pauses while it is further than `maxDriftMillis` ahead of the slowest source of the
 * group.
 */
export type AlignmentSpec = {
  readonly group: string;
  readonly maxDriftMillis: number;
};
/** Times in milliseconds. */
export type WatermarkSpec = {
  readonly alignment?: AlignmentSpec;
  readonly outOfOrdernessMillis: number;
  /** A silent partition is taken out after this; absent: never. */
  readonly idlenessMillis?: number;
};

/**
 * Coefficients of Spark's PID estimator and its least rate in records/s; what is absent is Spark's
 * default.
 */
export type PidSpec = {
  readonly proportional?: number;
  readonly integral?: number;
  readonly derived?: number;
  readonly minRate?: number;
};
