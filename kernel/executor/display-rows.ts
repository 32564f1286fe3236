// The rows of displays on their way from the executor to the control thread. Types only.

/** A row of a display. `n` counts them from 1 and is part of the display's snapshot. */
export interface DisplayRow {
  readonly n: number;
  readonly timestamp: number;
  /** Structured clone of the element, cut for a display. In lossless mode it is not cut. */
  readonly value: unknown;
  /** Approximate size of a large row. */
  readonly size?: number;
  readonly partition?: number;
  readonly offset?: number;
  readonly partial?: boolean;
  /** The key of a table's row: the tuple of its values. */
  readonly key?: readonly unknown[];
  /** The table has no row of this key any more. */
  readonly gone?: boolean;
}

/** Rows that open windows would give now. They replace those of the last frame. */
export interface OpenFrame {
  /** `n` counts from 1 in each frame. */
  readonly rows: readonly DisplayRow[];
  /** Time until the next window closes. Absent: not known. */
  readonly closesInMillis?: number;
  /** The windows have more rows than these. Absent: no. */
  readonly isCut?: boolean;
}
