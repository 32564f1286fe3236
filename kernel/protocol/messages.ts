// The messages between clients and the kernel: JSON-RPC 2.0 over a socket (VS Code, CLI) or a
// WebSocket (served page).
// Unknown fields are ignored. Another major `protocol` is refused with an error that names the way
// out.
import type { ConnectionDefinition, ConnectionDefinitions, ConnectionReport } from './connections.ts';
import type { LastCall } from './last-call.ts';
import type { ViewDelta, ViewHello, ViewSnapshot } from './displays.ts';

export const protocolVersion = 2;

export interface Hello {
  readonly protocol: number;
  readonly build: string;
  readonly token: string;
  readonly client: 'vscode' | 'page' | 'cli';
  /**
   * It only looks, or ends the session: it is no client of the session, and gets no notification.
   */
  readonly looks?: boolean;
}
export interface Welcome {
  readonly protocol: number;
  readonly build: string;
  readonly session: string;
  /** Absolute path of the notebook. */
  readonly notebook: string;
  /** Start of the session, epoch milliseconds. */
  readonly since: number;
  readonly state: SessionView;
  /** Memory of the kernel's process. */
  readonly memoryBytes?: number;
  /** All cells in document order, as last synced. The served page shows them. */
  readonly cells: readonly CellText[];
}

/** A cell as a client has it. Prose cells (kind 'markdown') are included for the served page. */
export interface CellText {
  readonly id: string;
  readonly kind: 'code' | 'markdown' | 'test';
  readonly text: string;
}

/**
 * not-run ─run─► running ─ok─► defined | connecting ─► waiting ─► live ─► finished
 *                   │ ▲      in each of these: operator throws ─► failed
 *                   └─┴─error─► failed         what it reads fails or stops ─► stopped
 *
 * `edited` and `stale` are flags beside the phase. An edit sets the first. A new definition of a
 * value that the cell uses sets the second.
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
  | 'stopped'
  | 'finished'
  | 'failed';

export interface CellState {
  readonly id: string;
  readonly phase: Phase;
  /** The text in the editor differs from the text that runs. */
  readonly edited: boolean;
  /** Names whose definition changed since this cell captured their values. */
  readonly stale: readonly string[];
  /** Notes for the user: "totals keeps what it counted with the former filter". */
  readonly notes: readonly string[];
  /** "waiting for 1 row of totals", "no window has closed: …" */
  readonly reason?: string;
  /**
   * What keeps records away from the sources of this cell, or what its sinks cannot write, and
   * since when: "orders[2] has no leader; its rows are sent again; since 12:03:10".
   */
  readonly trouble?: string;
  /** Name of the stream that the figures belong to. */
  readonly stream?: string;
  readonly inPerSecond?: number;
  readonly outPerSecond?: number;
  readonly rows?: number;
  readonly late?: number;
  /** "lag 10.9 k (4 min 36 s)": its topics have records that the cell has not read. */
  readonly lag?: string;
  /** "orders[3]: 8.2 k (4 min 36 s)", the largest first. Empty: one partition lags alone. */
  readonly lagByPartition?: readonly string[];
  /**
   * Sources of the cell that have rejected records, whether or not anybody reads their `errors`.
   */
  readonly rejected?: readonly RejectedText[];
  /** "3 rows were left out": they cannot leave their thread. `errors` has the first one. */
  readonly leftOut?: string;
  /** "held back by enrich (HIGH)" */
  readonly heldBack?: string;
  /**
   * A checkpoint has something of this cell: positions of a source, state of an operator, what an
   * armed sink has to commit.
   */
  readonly isKept?: boolean;
  /** Set if the cell contains a sink. */
  readonly sink?: SinkState;
  /** The cell has at least one display. */
  readonly hasView: boolean;
  /** Failed operators of the cell, for the Problems view. */
  readonly errors: readonly {
    readonly message: string;
    readonly line?: number;
    readonly column?: number;
    readonly code: string;
  }[];
}
export interface SinkState {
  readonly armed: boolean;
  /** It writes to this when it is armed. */
  readonly target: string;
  /** Armed: rows that the target has taken since the sink runs. */
  readonly written?: number;
  /** Armed: the time of the last acknowledgement. Absent: there was none. */
  readonly acknowledged?: string;
  /** Of a sink with transactions: the rows of those that are committed. */
  readonly committed?: number;
  /** The time at which the oldest transaction began that is not committed. */
  readonly uncommittedSince?: string;
  /** Not armed: what would keep it from writing, such as a topic that is missing. */
  readonly obstacle?: string;
}
export interface RejectedText {
  /** "2 of 4 records of orders were rejected"; "… so far" while the source reads. */
  readonly text: string;
  /** Where and why the first one was: "orders.jsonl line 2: It is not JSON: …." */
  readonly first?: string;
}
export interface SessionView {
  readonly cells: readonly CellState[];
  readonly clients: number;
  readonly recordsPerSecond: number;
  /**
   * A sentence, if the session could not be snapshotted for a while. A crash would lose the changes
   * since its last snapshot.
   */
  readonly warning?: string;
  /** A savepoint has not come for a while: what it waits for, and since when. */
  readonly savepoint?: string;
  /** Absent: no checkpoint outlives the kernel. */
  readonly checkpoints?: CheckpointsState;
  /**
   * An earlier kernel has left a checkpoint, and the user has not chosen. Until `choose` nothing
   * can run.
   */
  readonly offered?: OfferedState;
  /** When this session went on from the checkpoint of an earlier kernel: the time of that. */
  readonly resumedFrom?: number;
  /** A failure has ended the executor, and the next one starts after a delay. */
  readonly restarting?: RestartingState;
}
/** Times in epoch milliseconds, sizes in bytes. */
export interface CheckpointsState {
  readonly completed: number;
  readonly failed: number;
  /** The last complete one. */
  readonly last?: { readonly id: number; readonly takenAt: number; readonly bytes: number; readonly millis: number };
  /** Why the newest one failed: a sentence. Absent: the newest one is complete. */
  readonly problem?: string;
}
export interface OfferedState {
  /** Epoch milliseconds. */
  readonly takenAt: number;
  /** Names of sources that cannot be read again. Their cells go on without them. */
  readonly lost: readonly string[];
  /** Newer checkpoints that cannot be used, and why: sentences. */
  readonly skipped: readonly string[];
}
export interface RestartingState {
  readonly startsAt: number;
  /** How many restarts there were, with this one. */
  readonly attempt: number;
  /** Cell and message of the first failure of this outage. */
  readonly cell: string;
  readonly cause: string;
}

export interface RunResult {
  readonly cell: string;
  readonly ok: boolean;
  /** Cells that had never run and ran first, because this cell uses their values. */
  readonly ranFirst: readonly string[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly line?: number;
    readonly column?: number;
  };
  readonly millis: number;
}

/** Requests of clients by method name: parameters and result. */
export interface Requests {
  hello: { params: Hello; result: Welcome };
  /**
   * All cells in document order. Sent when a notebook opens and after every edit (debounced by the
   * client).
   */
  sync: { params: { cells: readonly CellText[] }; result: null };
  /**
   * Runs cells one after the other and stops at the first failure. The answer comes when they are
   * attached.
   */
  run: { params: { cells: readonly string[] }; result: readonly RunResult[] };
  interrupt: { params: { cell?: string }; result: null };
  /**
   * Removes the cell's definitions. Its operators stay detached for 10 s, so that an undo can
   * resume them.
   */
  delete: { params: { cell: string }; result: null };
  arm: { params: { cell: string; armed: boolean }; result: null };
  /**
   * A `view` notification follows, with a snapshot or with missing deltas, or nothing if the client
   * is up to date.
   */
  show: { params: ViewHello; result: null };
  hide: { params: { view: string }; result: null };
  /** All rows that a display keeps, as JSON lines. */
  rows: { params: { view: string; part: string }; result: { readonly jsonl: string } };
  /** The notebook was renamed or moved. The session continues under its new path. */
  rename: { params: { notebook: string }; result: null };
  /**
   * Replaces the connections that the client has handed over, so that a changed password needs no
   * restart. What is connected stays so; the next log-in takes the new ones. A wrong definition is
   * an error of the cell that uses it.
   */
  connections: { params: { connections: ConnectionDefinitions }; result: null };
  /**
   * Connects to each broker, logs in, and looks at what this user may see. Writes nothing. `name`
   * is a connection of the session, absent: the default one. With `definition` that one is tried.
   */
  testConnection: { params: { name?: string; definition?: ConnectionDefinition }; result: ConnectionReport };
  /**
   * The answer to the checkpoint that an earlier kernel has left. `fresh` removes it. `lastCall`:
   * that kernel ended in this call, so its cell is failed and stays out.
   */
  choose: { params: { choice: 'resume' | 'fresh'; lastCall?: LastCall }; result: null };
  /**
   * A session in which nothing has run goes on from the savepoint in this folder, as from a
   * checkpoint. Checkpoints of an earlier kernel are removed. The answer has sentences for the
   * user: what is left out, and what cannot be read again.
   */
  fromSavepoint: { params: { savepoint: string }; result: { readonly warnings: readonly string[] } };
  /** Writes a savepoint into a new folder inside `directory`. The answer has its path. */
  savepoint: { params: { directory: string }; result: { readonly path: string } };
  /**
   * Gives up the savepoints that this client has asked for, unless they are being written. Their
   * answers are the error `savepoint-given-up`.
   */
  giveUpSavepoint: { params: null; result: null };
  /**
   * Ends the kernel process. Its last checkpoint stays and is offered when the notebook is opened
   * again; with `discard` it is removed.
   */
  shutdown: { params: { discard?: boolean } | null; result: null };
}
/** Notifications of the kernel. */
export interface Notifications {
  state: SessionView;
  view: ViewSnapshot | ViewDelta;
  /** A client has synced changed texts. Contains all cells in document order. */
  cells: { readonly cells: readonly CellText[] };
  /** A run by any client starts or ends. Every client gets this. */
  run: { readonly cell: string; readonly event: 'start' | 'end'; readonly result?: RunResult };
  /** The session ends (idle, shutdown, update). `reason` is a sentence. */
  ending: { readonly reason: string };
}
