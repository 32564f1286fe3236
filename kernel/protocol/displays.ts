// What is shown under a cell, as data: a view is a cell, its parts are tables, charts, panels, values, logs and errors.
// A client says hello with what it last saw; it gets a snapshot, then deltas. Both are idempotent; a gap or another epoch gives a snapshot again.
//
//   client: hello {view, epoch, lastSeq} ──► kernel: snapshot {epoch, seq, parts} ──► delta {epoch, seq+1, changes} ──► …
//   client: hide {view}   the view is collapsed, scrolled away or in a hidden tab: nothing is sent until the next hello

/** JSON values; dates as {"$date": ms}, bigint as {"$bigint": "…"}, bytes as {"$bytes": base64}: see `values.ts`. */
export type Wire = unknown;
export interface WireRow {
  /** Grows by one per row of this part; a row with a `key` replaces the older row with the same key. */
  readonly n: number;
  readonly key?: string;
  /** Event time of the row, epoch milliseconds. */
  readonly t: number;
  readonly partition?: number;
  readonly offset?: number;
  readonly value: Wire;
  /** The window was already open when the cell came to a live source: the row counts only a part of it. */
  readonly partial?: boolean;
  /** The row with this key is there no more: it takes the row away. */
  readonly gone?: boolean;
}

export interface ErrorPart {
  readonly kind: 'error';
  readonly id: string;
  readonly code: string;
  /** First line of the box: "map lookup · cell enrich, line 3", or '' for errors of the cell itself. */
  readonly where: string;
  readonly message: string;
  /** Cell and 1-based line and column in it, when known; a helper module has `file` instead. */
  readonly location?: {
    readonly cell?: string;
    readonly file?: string;
    readonly line: number;
    readonly column: number;
  };
  /** The source line itself, for the little excerpt with the caret. */
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
  /** Lines left out by the rate limit since the start. */
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
  /** The inspected value as text; `wire` is there when it is small and is data, so that it can be unfolded. */
  readonly text: string;
  readonly wire?: Wire;
}
export interface Caption {
  /** "windows to 12:04:10 · watermark 12:04:12 · 4 Hz" or the reason why nothing can fire, as pieces so that the client can format times in the user's zone. */
  readonly pieces: readonly (string | { readonly time: number })[];
  /** The caption says what the display waits for. */
  readonly waiting: boolean;
}
export interface TablePart {
  readonly kind: 'table';
  readonly id: string;
  readonly title: string;
  /** How many rows are kept on screen. */
  readonly limit: number;
  readonly rows: readonly WireRow[];
  /** Records per second that reach the display, and 1 in n that is shown (1: all). */
  readonly rate: number;
  readonly sampled: number;
  /** All rows that have reached the display. */
  readonly total: number;
  readonly caption: Caption;
}
export interface ChartPart {
  readonly kind: 'chart';
  readonly id: string;
  readonly title: string;
  /** The complete Vega-Lite spec, without data; data is the inline dataset named "rows". */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Fields of the rows that are dates (Vega wants numbers). */
  readonly limit: number;
  /** Event time kept on screen, milliseconds; absent: rows only. */
  readonly lastMillis?: number;
  readonly rows: readonly WireRow[];
  readonly rate: number;
  readonly sampled: number;
  readonly total: number;
  readonly caption: Caption;
}
export interface BackpressurePart {
  readonly kind: 'backpressure';
  readonly id: string;
  readonly operators: readonly OperatorRow[];
  /** Backpressured share per operator, one point a second, newest last, at most 300. */
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
  /** Shares of the last second; they add up to 1. */
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
export type Part = TablePart | ChartPart | BackpressurePart | ValuePart | LogPart | ErrorPart;

export type PartChange =
  /** A part that is new, or whose spec changed: replaces the part with this id. */
  | { readonly kind: 'put'; readonly part: Part; readonly at: number }
  | { readonly kind: 'remove'; readonly id: string }
  /** Rows of a table or chart since the last frame, and the figures beside them. */
  | {
      readonly kind: 'rows';
      readonly id: string;
      readonly rows: readonly WireRow[];
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
/** What the one output item of a cell holds; mime type `application/vnd.sluice.view+json`. */
export interface ViewItem {
  readonly protocol: number;
  readonly session: string;
  readonly cell: string;
}
export const viewMime = 'application/vnd.sluice.view+json';
