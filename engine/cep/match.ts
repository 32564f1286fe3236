// A match as user code sees it: the elements of each stage of the pattern, by the name of the
// stage.

/** Elements by stage name. Stages are in the order in which they took their first elements. */
export type Match = Record<string, unknown[]>;

/** The same, read-only, for predicates. */
export type Matched = Readonly<Record<string, readonly unknown[]>>;
