// What clients and the kernel say to each other: JSON-RPC 2.0 over a socket (VS Code, CLI) or a WebSocket (served page).
// Unknown fields are ignored; another major `protocol` is refused with a way out.
import type { ViewDelta, ViewHello, ViewSnapshot } from './displays.ts';

export const protocolVersion = 1;

export interface Hello {
  readonly protocol: number;
  readonly build: string;
  readonly token: string;
  readonly client: 'vscode' | 'page' | 'cli';
}
export interface Welcome {
  readonly protocol: number;
  readonly build: string;
  readonly session: string;
  /** Absolute path of the notebook. */
  readonly notebook: string;
  /** When the session began, epoch milliseconds. */
  readonly since: number;
  readonly state: SessionView;
  /** All cells in document order, as last synced: what the served page shows. */
  readonly cells: readonly CellText[];
}

/** A code cell as a client has it. Prose cells are sent too (kind 'markdown'), for the served page. */
export interface CellText {
  readonly id: string;
  readonly kind: 'code' | 'markdown' | 'test';
  readonly text: string;
}

/**
 *   not-run ─run─► running ─ok─► defined | connecting ─► waiting ─► live ─► finished
 *                    │ ▲            (any of these) ─edit─► edited ;  ─a value it uses was redefined─► stale ;  ─operator throws─► failed
 *                    └─┴─error─► failed
 */
export type Phase =
  | 'not-run'
  | 'starting'
  | 'running'
  | 'pulling'
  | 'defined'
  | 'connecting'
  | 'waiting'
  | 'live'
  | 'finished'
  | 'failed';

export interface CellState {
  readonly id: string;
  readonly phase: Phase;
  /** The text in the editor is not what runs. */
  readonly edited: boolean;
  /** Names whose definition changed since this cell captured them. */
  readonly stale: readonly string[];
  /** Sentences the user should know: "totals keeps what it counted with the former filter". */
  readonly notes: readonly string[];
  /** "waiting for 1 row of totals", "no window has closed: …" */
  readonly reason?: string;
  /** Name of the stream that the figures are about. */
  readonly stream?: string;
  readonly inPerSecond?: number;
  readonly outPerSecond?: number;
  readonly rows?: number;
  readonly late?: number;
  /** "held back by enrich (HIGH)" */
  readonly heldBack?: string;
  /** The cell holds a sink; whether it is armed; what arming it writes to. */
  readonly sink?: { readonly armed: boolean; readonly target: string };
  /** The cell has something to show. */
  readonly hasView: boolean;
  /** Operators of the cell that failed, for Problems. */
  readonly errors: readonly {
    readonly message: string;
    readonly line?: number;
    readonly column?: number;
    readonly code: string;
  }[];
}
export interface SessionView {
  readonly cells: readonly CellState[];
  readonly clients: number;
  readonly recordsPerSecond: number;
  /** The session could not be snapshotted for a while, a sentence: a crash would take it back by as much. */
  readonly warning?: string;
}

export interface RunResult {
  readonly cell: string;
  readonly ok: boolean;
  /** Cells that ran first because this one needs them and they had never run. */
  readonly ranFirst: readonly string[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly line?: number;
    readonly column?: number;
  };
  readonly millis: number;
}

/** Requests a client makes, by method name: parameters and result. */
export interface Requests {
  hello: { params: Hello; result: Welcome };
  /** All cells in document order; sent on open and after every edit (debounced by the client). */
  sync: { params: { cells: readonly CellText[] }; result: null };
  /** Runs cells one after the other and stops at the first that fails. Answers when they are attached. */
  run: { params: { cells: readonly string[] }; result: readonly RunResult[] };
  interrupt: { params: { cell?: string }; result: null };
  /** Takes back what the cell declared; its operators stay detached for 10 s, so that undo can bring them back. */
  delete: { params: { cell: string }; result: null };
  arm: { params: { cell: string; armed: boolean }; result: null };
  /** Answered by a `view` notification with a snapshot (or nothing new). */
  show: { params: ViewHello; result: null };
  hide: { params: { view: string }; result: null };
  /** Everything a display keeps, as JSON lines. */
  rows: { params: { view: string; part: string }; result: { readonly jsonl: string } };
  /** The notebook was renamed or moved: the session goes with it. */
  rename: { params: { notebook: string }; result: null };
  /** Ends the kernel process. */
  shutdown: { params: null; result: null };
}
/** Notifications from the kernel. */
export interface Notifications {
  state: SessionView;
  view: ViewSnapshot | ViewDelta;
  /** The cells' texts changed (a client synced): all of them, in document order. */
  cells: { readonly cells: readonly CellText[] };
  /** A run of any client begins or ends: every client sees it. */
  run: { readonly cell: string; readonly event: 'start' | 'end'; readonly result?: RunResult };
  /** The session ends (idle, shutdown, update): a sentence. */
  ending: { readonly reason: string };
}
