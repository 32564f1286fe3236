// The data that a cell's first evaluation left in its top-level constants: what a restored executor gives back to the cell.

/**
 * Values by name, of the kinds that a structured clone can carry. Functions, classes, streams and
 * other values that cannot be cloned are left out.
 */
export interface KeptData {
  readonly values: Readonly<Record<string, unknown>>;
}
