// What the session wants to run, as data, and what `kernel/live` makes of it: a plan, who takes over whose state, and what to tell the user.
import type { Endpoint } from '../../engine/api/fragment.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import type {
  Displayed,
  DisplayInstall,
  Export,
  FragmentData,
  PullId,
  PullInstall,
  RunId,
} from '../executor/executor-protocol.ts';

/** What the last successful run of a cell (or the run that is being committed) declared. */
export interface DeclaredCell {
  readonly cell: string;
  readonly run: RunId;
  readonly fragment: FragmentData;
  readonly exports: readonly Export[];
  readonly displayed: Displayed;
  /** Its sinks write; else they are previews. */
  readonly armed: boolean;
  /** Deleted less than 10 s ago: its operators keep their state and get no input, its displays and sinks are gone. */
  readonly detached: boolean;
}
export interface DeclaredPull {
  readonly pull: PullId;
  readonly cell: string;
  readonly from: Endpoint;
  /** What the cell had declared when it pulled; nodes of the branch get uids of their own. */
  readonly fragment: FragmentData;
}
/** Everything that should run, in document order. */
export interface GraphDeclaration {
  readonly cells: readonly DeclaredCell[];
  readonly pulls: readonly DeclaredPull[];
}

export interface PlanRequest {
  readonly graph: GraphDeclaration;
  /** What runs now. */
  readonly running: Plan;
  /** What is to be displayed, with `instance` empty and `keep` false: the plan says better. */
  readonly displays: readonly DisplayInstall[];
  /** Instances that ended with an error: they are made anew, whatever their fingerprints say, when their cell was run again. */
  readonly failed: readonly string[];
  /** The executor is new and empty: everything that stays comes back under its old instance and display ids. */
  readonly restoring: boolean;
  /** The cell whose run this mutation commits. */
  readonly committing?: string;
}
export interface Planned {
  readonly plan: Plan;
  readonly handover: Readonly<Record<string, string>>;
  readonly displays: readonly DisplayInstall[];
  readonly pulls: readonly PullInstall[];
  /** Cell → sentences: "totals keeps what it counted with the former filter". */
  readonly notes: Readonly<Record<string, readonly string[]>>;
}
/** `kernel/live`. Throws a SluiceError (a cycle, a shape that cannot be kept): then nothing changes and the run fails. */
export type LivePlanner = (request: PlanRequest) => Planned;
