// A match as user code sees it: the elements that each stage of the pattern took, by the name of the stage.

/** Elements by stage name. Stages stand in the order in which each took its first element. */
export type Match = Record<string, unknown[]>;

/** The same, for a predicate to read. */
export type Matched = Readonly<Record<string, readonly unknown[]>>;
