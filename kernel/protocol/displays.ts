// The displays under a cell as data. Each cell has one view; its parts are tables, charts, panels,
// values, logs and errors.
// A client's hello names the last state that it saw. It gets a snapshot and then deltas. Both are
// idempotent. After a gap or in another epoch it gets a snapshot again.
//
//   client: hello {view, epoch, lastSeq} ─► kernel: snapshot {epoch, seq, parts}
//                                                   delta {epoch, seq+1, changes}, …
//   client: hide {view}    The view is collapsed, scrolled away or in a hidden tab.
//                          The kernel sends nothing until the next hello.

/**
 * JSON values. Types that JSON lacks have a tag, such as {"$date": ms}. The rule is in `values.ts`.
 */
export type Wire = unknown;
export interface WireRow {
  /**
   * Grows by one per row of this part. A row with a `key` replaces the older row with the same key.
   */
  readonly n: number;
  readonly key?: string;
  /** Event time of the row, epoch milliseconds. */
  readonly t: number;
  readonly partition?: number;
  readonly offset?: number;
  readonly value: Wire;
  /**
   * The window was already open when the cell attached to a live source, so the row contains only a
   * part of it.
   */
  readonly partial?: boolean;
  /** The window is still open, so the row has what came so far. */
  readonly open?: boolean;
  /** The row with this key is deleted. This row removes it from the display. */
  readonly gone?: boolean;
  /** Approximate size of a large row. It counts for the bytes that a display keeps. */
  readonly size?: number;
}

export interface ErrorPart {
  readonly kind: 'error';
  readonly id: string;
  readonly code: string;
  /**
   * First line of the box: "map lookup · cell enrich, line 3", or '' for errors of the cell itself.
   */
  readonly where: string;
  readonly message: string;
  /**
   * Cell, and one-based line and column in it, if known. For a helper module, `file` replaces the
   * cell.
   */
  readonly location?: {
    readonly cell?: string;
    readonly file?: string;
    readonly line: number;
    readonly column: number;
  };
  /** The source line, for the excerpt with the caret. */
  readonly excerpt?: string;
  /** "orders[3]@188204  { … }" */
  readonly record?: string;
  /** The way out: "Edit and run the cell to resume." */
  readonly hint?: string;
  readonly stack?: readonly string[];
}
export interface LogPart {
  readonly kind: 'log';
  readonly id: string;
  readonly lines: readonly LogLine[];
  /** Number of lines that the rate limit has omitted since the start. */
  readonly dropped: number;
}
export interface LogLine {
  readonly n: number;
  readonly level: 'log' | 'info' | 'warn' | 'error' | 'debug';
  readonly at: number;
  readonly text: string;
}
export interface ValuePart {
  readonly kind: 'value';
  readonly id: string;
  /**
   * The inspected value as text. `wire` is set if the value is small and is data; then the client
   * can unfold it.
   */
  readonly text: string;
  readonly wire?: Wire;
}
export interface Caption {
  /**
   * "windows to 12:04:10 · watermark 12:04:12 · 4 Hz", or the reason why no window can fire. The
   * pieces let the client format times in the user's time zone.
   */
  readonly pieces: readonly (string | { readonly time: number })[];
  /** The caption says what the display waits for. */
  readonly waiting: boolean;
}
/** The executor went on from an earlier state. Times in epoch milliseconds. */
export interface RestartMark {
  readonly at: number;
  /** The time of that state. */
  readonly from?: number;
  /** The first row after it: the mark of a chart stands there. Absent: the row is large. */
  readonly row?: WireRow;
}
export interface TablePart {
  readonly kind: 'table';
  readonly id: string;
  readonly title: string;
  /** Number of rows that are kept on screen. */
  readonly limit: number;
  readonly rows: readonly WireRow[];
  /**
   * What the open windows above would give now, in the order of their ends. They are no part of
   * `rows`. Absent: none.
   */
  readonly open?: readonly WireRow[];
  /**
   * Records per second that reach the display. `sampled` is n if one record in n is shown (1: all).
   */
  readonly rate: number;
  readonly sampled: number;
  /** Number of rows that have reached the display. */
  readonly total: number;
  readonly caption: Caption;
}
export interface ChartPart {
  readonly kind: 'chart';
  readonly id: string;
  readonly title: string;
  /** The complete Vega-Lite spec without data. The data is the inline dataset named "rows". */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Number of rows that are kept on screen. */
  readonly limit: number;
  /** Event time that is kept on screen, in milliseconds. Absent: only `limit` applies. */
  readonly lastMillis?: number;
  readonly rows: readonly WireRow[];
  /** As in a table. */
  readonly open?: readonly WireRow[];
  readonly rate: number;
  readonly sampled: number;
  readonly total: number;
  readonly caption: Caption;
  /** The newest last, at most ten. Absent: none. */
  readonly restarts?: readonly RestartMark[];
}
export interface BackpressurePart {
  readonly kind: 'backpressure';
  readonly id: string;
  readonly operators: readonly OperatorRow[];
  /** Backpressured share of each operator: one point a second, newest last, at most 300. */
  readonly history: readonly { readonly id: string; readonly name: string; readonly points: readonly number[] }[];
  /** Load of the executor's thread, 0…1. */
  readonly thread: number;
}
export interface OperatorRow {
  readonly id: string;
  readonly name: string;
  readonly cell: string;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** Shares of the last second. They add up to 1. */
  readonly busy: number;
  readonly idle: number;
  readonly backpressured: number;
  readonly level: 'OK' | 'LOW' | 'HIGH';
  /** "limits the flow: 54 µs a record" on the operator that holds the others back. */
  readonly culprit?: string;
  readonly watermark?: number;
  readonly late: number;
  readonly opened?: number;
}
/**
 * Measurements as tables: the panels `lag()`, `watermarks()` and `checkpoints()`. A `put` replaces
 * it.
 */
export interface FiguresPart {
  readonly kind: 'figures';
  readonly id: string;
  readonly title: string;
  readonly groups: readonly FigureGroup[];
  /** Says why there is no group. */
  readonly note?: string;
}
export interface FigureGroup {
  readonly id: string;
  /** "kafka orders · cell orders". It is the heading of the first column. */
  readonly name: string;
  /** Without the first column. */
  readonly columns: readonly string[];
  readonly rows: readonly FigureRow[];
  /** "100 of 1,000 partitions: those with the largest lag" */
  readonly note?: string;
}
export interface FigureRow {
  /** Unique in its group. */
  readonly id: string;
  /** The first is a name. */
  readonly figures: readonly Figure[];
  /**
   * `bad`: it has stopped; `slow`: others wait for it; `quiet`: it counts for nothing at present.
   */
  readonly tone?: 'bad' | 'slow' | 'quiet';
}
/** null: unknown, or nothing to say. Clients format it; times are in the user's zone. */
export type Figure =
  | null
  | string
  | { readonly count: number }
  | { readonly perSecond: number }
  | { readonly millis: number }
  | { readonly bytes: number }
  | { readonly time: number };
export type Part = FiguresPart | TablePart | ChartPart | BackpressurePart | ValuePart | LogPart | ErrorPart;

export type PartChange =
  /** A part that is new or has a new spec. It replaces the part with this id. */
  | { readonly kind: 'put'; readonly part: Part; readonly at: number }
  | { readonly kind: 'remove'; readonly id: string }
  /** Rows of a table or chart since the last frame, and its figures. */
  | {
      readonly kind: 'rows';
      readonly id: string;
      readonly rows: readonly WireRow[];
      /** Replaces all rows of open windows. Absent: they are the same. */
      readonly open?: readonly WireRow[];
      readonly rate: number;
      readonly sampled: number;
      readonly total: number;
      readonly caption: Caption;
    }
  | { readonly kind: 'lines'; readonly id: string; readonly lines: readonly LogLine[]; readonly dropped: number }
  | {
      readonly kind: 'backpressure';
      readonly id: string;
      readonly operators: readonly OperatorRow[];
      readonly points: Readonly<Record<string, number>>;
      readonly thread: number;
    };

export interface ViewSnapshot {
  readonly type: 'snapshot';
  /** Cell id. */
  readonly view: string;
  readonly epoch: string;
  readonly seq: number;
  readonly parts: readonly Part[];
}
export interface ViewDelta {
  readonly type: 'delta';
  readonly view: string;
  readonly epoch: string;
  readonly seq: number;
  readonly changes: readonly PartChange[];
}
export interface ViewHello {
  readonly view: string;
  readonly epoch?: string;
  readonly lastSeq?: number;
}
/** Content of the one output item of a cell, with mime type `application/vnd.sluice.view+json`. */
export interface ViewItem {
  readonly protocol: number;
  readonly session: string;
  readonly cell: string;
}
export const viewMime = 'application/vnd.sluice.view+json';
