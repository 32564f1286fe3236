// The parts that the parameters of many kinds share: references to functions, selectors, keys,
// watermarks and rates. They are type aliases, because TypeScript does not accept an interface as
// JSON.

/** JSON data, the type of the `parameters` of a node. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * A user's function by reference. Every executor evaluates the same cells and finds the function by
 * (uid, slot). `textHash` covers its text and its captured values, so two versions of one function
 * can exist at the same time during a change.
 */
export type FunctionRef = {
  readonly uid: string;
  readonly slot: string;
  readonly textHash: string;
};

/** A value selected from an element: a field by name, or a function of the element. */
export type SelectorSpec<F = FunctionRef> = { readonly field: string } | { readonly fn: F };

/**
 * A key is the tuple of its values. `constant` is the single key of `windowAll`. `carried`: the
 * changes of a table carry their key.
 */
export type KeySpec<F = FunctionRef> = GroupKeySpec<F> | { readonly constant: true } | { readonly carried: true };
/** The key of a group of a table's rows. */
export type GroupKeySpec<F = FunctionRef> = { readonly fields: readonly string[] } | { readonly fn: F };

/**
 * A source pauses while it is further than `maxDriftMillis` ahead of the slowest source of the
 * group.
 */
export type AlignmentSpec = {
  readonly group: string;
  readonly maxDriftMillis: number;
};
export type TimeUnit = 's' | 'ms' | 'us' | 'ns';
/** How a source's timestamps are meant: the unit of numbers, the zone of texts that have none. */
export type TimeReading = {
  readonly unit?: TimeUnit;
  /** A name that Intl knows. */
  readonly zone?: string;
};

/** Durations are in milliseconds. */
export type WatermarkSpec = {
  readonly alignment?: AlignmentSpec;
  readonly outOfOrdernessMillis: number;
  /**
   * A partition without records for this time no longer holds the watermark back; absent: it always
   * does.
   */
  readonly idlenessMillis?: number;
};

/**
 * Coefficients of Spark's PID estimator, and its least rate in records/s. Absent ones have Spark's
 * defaults.
 */
export type PidSpec = {
  readonly proportional?: number;
  readonly integral?: number;
  readonly derived?: number;
  readonly minRate?: number;
};
