// The state of a session, all of it: cells, runs, pulls, the mutation in flight, the executor,
// clients.
//
// A run:
//   queued ─turn─► compiling ─► compiled ─executor ready─► evaluating ─► evaluated ─turn─► committing
//     ▲               │ needs a cell that never ran            │ ▲                             │
//     └───────────────┘                                        ▼ │                          (ended)
//                                                            pulling   (gives up its turn)
//
// Each of them ends early by an error, an interrupt or the end of the executor.
// At most one run holds the turn.
//
// The executor:
//   starting ─ready─► restoring ─mutated─► ready ─no answer, died─► ending ─ended─► starting
//      └──ready, nothing ran───────────────► ▲
//
// Restoring evaluates the cells that ran, then one mutation brings their operators back.
// An executor that ends while it is restored, or again and again, without a cell that caused it, is
// broken.
// Only a restart of the session helps then.
import type { KeptData } from '../cells/kept-data.ts';
import type { UsedModules } from '../cells/used-modules.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import { emptyPlan } from '../../engine/graph/plan.ts';
import type {
  Displayed,
  DisplayInstall,
  Export,
  FragmentData,
  LocatedError,
  OperatorReport,
  PullId,
  RunId,
  Whereabouts,
} from '../executor/executor-protocol.ts';
import { checkpointDefaults, type RestartStrategy } from '../../engine/api/fault-tolerance.ts';
import type { RetiredSink } from '../../engine/runtime/retired-tasks.ts';
import type { ReadBySource } from '../../engine/runtime/source-progress.ts';
import type { LeavingSink, SnapshotWaits } from '../executor/waits.ts';
import type { RestartMark, WireRow } from '../protocol/displays.ts';
import type { CellText, RunResult } from '../protocol/messages.ts';
import type { DeclaredPull } from '../live/plan-request.ts';
import { type Checkpoints, type KnownParts, noCheckpoints, type Restarts } from './checkpoint-state.ts';

/** Names by resolved symbols, as `kernel/cells` finds them. */
export interface CellScope {
  readonly declares: readonly string[];
  /**
   * Names of other cells that this one reads. When they have run, each is an edge (a stream) or a
   * captured value.
   */
  readonly uses: readonly string[];
}
export interface Compiled {
  readonly code: string;
  readonly scope: CellScope;
  /** The scopes of all other code cells, by id. */
  readonly others: Readonly<Record<string, CellScope>>;
  /** Relative modules that it imports, directly or not: real paths. */
  readonly modules: readonly string[];
}

export interface OperatorFailure {
  /** Absent: it ended with its executor. */
  readonly instance?: string;
  readonly name: string;
  readonly error: LocatedError;
  readonly record?: string;
  /** Only these partitions of a source have stopped. The instance goes on with the others. */
  readonly partitions?: readonly string[];
}

/** Rows of a display that cannot leave the executor's thread. */
export interface LeftOutRows {
  readonly display: string;
  /** Absent: rows of a pull. */
  readonly instance?: string;
  readonly count: number;
  /** Of the first row. */
  readonly error: LocatedError;
  readonly record: string;
}

/** What the last successful run of a cell left behind. */
export interface Active {
  readonly run: RunId;
  readonly version: number;
  readonly text: string;
  readonly compiled: Compiled;
  readonly fragment: FragmentData;
  readonly exports: readonly Export[];
  readonly displayed: Displayed;
  readonly kept: KeptData;
  /**
   * The modules with which it ran. Absent: it imported none, or an older version did not keep them.
   */
  readonly used?: UsedModules;
  /**
   * Names of other cells → what they were when this cell captured them: a value's hash, or
   * 'stream'.
   */
  readonly captured: Readonly<Record<string, string>>;
  /** Interrupted: its values stay, its operators do not run. */
  readonly stopped: boolean;
  readonly failures: readonly OperatorFailure[];
  /** Absent: none. */
  readonly leftOut?: readonly LeftOutRows[];
  readonly notes: readonly string[];
  readonly changedModules: readonly string[];
}

/** At least so many. */
export interface WrittenRows {
  readonly target: string;
  readonly rows: number;
}

export interface Cell {
  readonly id: string;
  readonly text: string;
  /** How many texts were run. */
  readonly version: number;
  readonly active?: Active;
  /** Of the last run, until the next one begins. */
  readonly error?: LocatedError;
  /** Targets that the user has armed. */
  readonly armed: readonly string[];
  /** Since they were armed. Absent: not known to have written. */
  readonly wrote?: readonly WrittenRows[];
  /** No longer in the document: its operators wait for an undo. */
  readonly deleted: boolean;
  /** How often its operators were at work when the executor ended, since it was edited or run. */
  readonly ends?: number;
}

export type RunStatus = 'queued' | 'compiling' | 'compiled' | 'evaluating' | 'pulling' | 'evaluated' | 'committing';
export interface Run {
  readonly id: RunId;
  readonly request: number;
  readonly cell: string;
  readonly status: RunStatus;
  readonly startedAt?: number;
  /** A client asked for it; else it runs because another one needs it. */
  readonly asked: boolean;
  /** The run that waits for this one. */
  readonly neededBy?: RunId;
  readonly ranFirst: readonly string[];
  readonly text: string;
  readonly compiled?: Compiled;
  readonly candidate?: Active;
}
export interface RunRequest {
  readonly id: number;
  readonly results: readonly RunResult[];
}

export interface Pull {
  readonly declared: DeclaredPull;
  readonly run: RunId;
  readonly label: string;
  readonly wants?: number;
}

/** The cell and the stream that rows belong to. */
export interface RowLabel {
  readonly cell: string;
  /** The user's name for the stream: "counts.late". */
  readonly stream: string;
  readonly isOneOfSeveral: boolean;
}
export interface RunningDisplay {
  readonly install: DisplayInstall;
  readonly label: RowLabel;
}

/** The rows that a generation of a display showed at a snapshot. */
export interface SavedRows {
  readonly installed: number;
  readonly rows: readonly WireRow[];
  readonly total: number;
  /** Absent: none. */
  readonly restarts?: readonly RestartMark[];
}
/** Display → its rows at a snapshot. The session keeps them and never reads them. */
export type SavedViews = ReadonlyMap<string, SavedRows>;

/** What a new executor starts from, and when the next snapshot is due: see `recovery.ts`. */
export interface Recovery {
  readonly parts: KnownParts;
  /** Removed sinks that have still to commit. Their state is among the parts. */
  readonly retired: readonly RetiredSink[];
  /** When they were known; epoch milliseconds, 0: never. */
  readonly takenAt: number;
  /** The executor's clock at that time; 0: never. Its state has the times of this clock. */
  readonly clock: number;
  /** The rows on screen at the last snapshot. After a restore the later ones come again. */
  readonly views: SavedViews;
  /** Successor → the instance under whose name its state is known. */
  readonly successors: ReadonlyMap<string, string>;
  /** Number of the last snapshot that was asked for. */
  readonly asked: number;
  /** The executor owes a snapshot. */
  readonly isAwaited: boolean;
  /** Epoch milliseconds before which no snapshot is asked for. */
  readonly notBefore: number;
}

/** What the executor was told and has not answered yet. */
export interface Mutation {
  /** Cells whose sinks are previews from now on. */
  readonly disarmed?: readonly string[];
  readonly epoch: number;
  readonly run?: RunId;
  readonly pulls: readonly PullId[];
  readonly plan: Plan;
  readonly handover: Readonly<Record<string, string>>;
  readonly displays: readonly RunningDisplay[];
  readonly notes: Readonly<Record<string, readonly string[]>>;
}

/** See `waiting-change.ts`. */
export interface WaitingChange {
  /** What the last snapshot has. */
  readonly before: Pick<Session, 'cells' | 'plan' | 'displays' | 'endedDisplays' | 'recovery'>;
  /** At the barrier of the last change that waits. Of several, all are made again there. */
  readonly read: ReadBySource;
}
export interface ChangeAgain {
  readonly cells: readonly CellAgain[];
  readonly read: ReadBySource;
}
interface CellAgain {
  readonly cell: string;
  /** It runs again. Absent: only its sinks are armed as they were. */
  readonly text?: string | undefined;
  readonly armed: readonly string[];
}

export interface Metrics {
  readonly at: number;
  readonly operators: readonly OperatorReport[];
  readonly thread: number;
  readonly snapshotWaits?: SnapshotWaits;
  /** Absent: none. */
  readonly leavingSinks?: readonly LeavingSink[];
}

export interface Settings {
  /**
   * `all`: sinks write at once (`sluice run`); `none`: never (`--dry`); `ask`: when the user arms
   * them.
   */
  readonly arming: 'ask' | 'all' | 'none';
  /**
   * `each`: a run is done when its operators are attached, and a late cell reads from the start by
   * itself.
   * `together`: a job has no late cells. All operators of a request join the graph at once, when no
   * more cell can be evaluated.
   */
  readonly attach: 'each' | 'together';
  readonly graceMillis: number;
  /** The session ends this long after its last client; Infinity: never. */
  readonly idleMillis: number;
  readonly interruptMillis: number;
  /** So many ends of the executor within a minute, with no cell at work, break the session. */
  readonly endsWithoutCause: number;
  /** Every row of a display is sent and waits for its reader: `sluice run --json`. */
  readonly lossless: boolean;
  /** Parameters of the notebook. */
  readonly params: Readonly<Record<string, string>>;
  /** Time between checkpoints, when the notebook does not say. Milliseconds. */
  readonly checkpointMillis: number;
  /** What follows a failure, when the notebook does not say. */
  readonly restart: RestartStrategy;
}
const defaultSettings: Settings = {
  arming: 'ask',
  attach: 'each',
  graceMillis: 10_000,
  idleMillis: 600_000,
  interruptMillis: 500,
  endsWithoutCause: 3,
  lossless: false,
  params: {},
  checkpointMillis: checkpointDefaults.intervalMillis,
  restart: { kind: 'none' },
};

export interface Session {
  readonly settings: Settings;
  /**
   * Every cell of the document, with prose and duplicates, in the order of the last sync.
   * Cells that only another client has come at the end.
   */
  readonly document: readonly CellText[];
  /** Client → its own document. */
  readonly documents: ReadonlyMap<string, readonly CellText[]>;
  /** Code cells by id: those of the document, and deleted ones in their time of grace. */
  readonly cells: ReadonlyMap<string, Cell>;
  /** In the order in which they get their turn. */
  readonly runs: readonly Run[];
  readonly requests: ReadonlyMap<number, RunRequest>;
  readonly nextRun: RunId;
  readonly pulls: ReadonlyMap<PullId, Pull>;
  /** Pulls that are part of the running plan. */
  readonly attachedPulls: ReadonlySet<PullId>;
  readonly epoch: number;
  /** What runs, as of the last mutation that was done. */
  readonly plan: Plan;
  readonly mutation?: Mutation;
  /** Changes that no snapshot has, because a sink of before them waits for its target. */
  readonly waitingChange?: WaitingChange;
  /** They are made again when the sources have read as far as they had. */
  readonly changeAgain?: ChangeAgain;
  /** The displays of that plan. */
  readonly displays: readonly RunningDisplay[];
  /** Generations of displays whose rows have all come. */
  readonly endedDisplays: ReadonlySet<string>;
  readonly recovery: Recovery;
  readonly checkpoints: Checkpoints;
  readonly restarts: Restarts;
  /** A deletion, a pull or arming changed what should run. */
  readonly graphChanged: boolean;
  readonly executor: 'starting' | 'restoring' | 'ready' | 'ending' | 'broken';
  /** Why it is broken. */
  readonly brokenBy?: string;
  /** When the executor ended with no cell at work, within the last minute; epoch milliseconds. */
  readonly endsWithoutCause: readonly number[];
  /**
   * Runs that a new executor has still to evaluate again, in the order in which they were
   * committed.
   */
  readonly restoring: readonly RunId[];
  readonly interrupt?: { readonly id: number; readonly cell?: string };
  readonly nextInterrupt: number;
  readonly metrics?: Metrics;
  /** User code that has not returned for a while. */
  readonly stuck?: Whereabouts;
  readonly clients: ReadonlySet<string>;
}

export function createSession(settings: Partial<Settings> = {}, checkpoints: Partial<Checkpoints> = {}): Session {
  return {
    settings: { ...defaultSettings, ...settings },
    document: [],
    documents: new Map(),
    cells: new Map(),
    runs: [],
    requests: new Map(),
    nextRun: 1,
    pulls: new Map(),
    attachedPulls: new Set(),
    epoch: 0,
    plan: emptyPlan,
    displays: [],
    endedDisplays: new Set(),
    recovery: {
      parts: new Map(),
      retired: [],
      takenAt: 0,
      clock: 0,
      views: new Map(),
      successors: new Map(),
      asked: 0,
      isAwaited: false,
      notBefore: 0,
    },
    checkpoints: { ...noCheckpoints, ...checkpoints },
    restarts: { failures: [], count: 0, at: [] },
    graphChanged: false,
    executor: 'starting',
    endsWithoutCause: [],
    restoring: [],
    nextInterrupt: 1,
    clients: new Set(),
  };
}

export function withCell(session: Session, id: string, change: Partial<Cell>): Session {
  const cell = session.cells.get(id);
  if (!cell) return session;
  return { ...session, cells: new Map(session.cells).set(id, { ...cell, ...change }) };
}
export function withActive(session: Session, id: string, change: Partial<Active>): Session {
  const active = session.cells.get(id)?.active;
  return active ? withCell(session, id, { active: { ...active, ...change } }) : session;
}
export function withRun(session: Session, id: RunId, change: Partial<Run>): Session {
  return { ...session, runs: session.runs.map((run) => (run.id === id ? { ...run, ...change } : run)) };
}
export function withoutPullsOf(session: Session, run: RunId): Session {
  const pulls = new Map([...session.pulls].filter(([, pull]) => pull.run !== run));
  return pulls.size === session.pulls.size ? session : { ...session, pulls, graphChanged: true };
}
