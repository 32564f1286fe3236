// Joins as plan data: the kind of a join, and the time bounds between partners.

/** `left`: also left rows without a partner. `outer`: also rows without a partner of both sides. */
export type JoinKind = 'inner' | 'left' | 'outer';

export type IntervalBounds = {
  readonly lowerMillis: number;
  readonly upperMillis: number;
};
