// The data that the first evaluation of a cell left in its top-level constants. A restored executor
// returns it to the cell.

/**
 * Values by name, of the kinds that a structured clone can carry. Functions, classes, streams and
 * other values that cannot be cloned are left out.
 */
export interface KeptData {
  readonly values: Readonly<Record<string, unknown>>;
}
