// Joins as plan data: which rows without a partner a join gives, and how far apart in time partners
// may be.

/** `left`: left rows without a partner as well; `outer`: those of both sides. */
export type JoinKind = 'inner' | 'left' | 'outer';

export type IntervalBounds = {
  readonly lowerMillis: number;
  readonly upperMillis: number;
};
