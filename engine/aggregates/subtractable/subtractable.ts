// The state of one aggregate of a table's group. A row that leaves the group, or changes in it, is
// subtracted again.
//
// The state is a plain value, because snapshots hold it. It depends only on the rows that are in
// the group and on the order in which they came, not on rows that have left. Floating-point sums
// are therefore exact (exact-sum.ts).

/** A row of the group. */
export interface GroupRow {
  readonly row: unknown;
  /** The identity of the row in its table, as a text. It is in the group at most once. */
  readonly id: string;
}

export interface Subtractable<S> {
  /** Of a group without rows. */
  readonly create: () => S;
  /** Throws when `add` could not keep the value. Called before anything is changed. */
  readonly check?: (value: unknown, row: unknown) => void;
  /**
   * `value` is the selected value, null for none; without a selector it is the row. Returns the new
   * state: `kept` itself, changed, or another value.
   */
  readonly add: (kept: S, value: unknown, of: GroupRow) => S;
  /** The same value was added before. */
  readonly subtract: (kept: S, value: unknown, of: GroupRow) => S;
  /** The result shares nothing mutable with `kept`. */
  readonly read: (kept: S) => unknown;
}
