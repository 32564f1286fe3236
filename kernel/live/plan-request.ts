// Request and answer of the planner: what the cells declare, and the plan, the handovers and the
// notes made from it.
import type { Endpoint } from '../../engine/api/fragment.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import type { Displayed, DisplayInstall, Export, FragmentData, PullId, RunId } from '../executor/executor-protocol.ts';

/** What the last successful run of a cell declared, or the run that is being committed. */
export interface DeclaredCell {
  readonly cell: string;
  readonly run: RunId;
  readonly fragment: FragmentData;
  readonly exports: readonly Export[];
  readonly displayed: Displayed;
  /** Its sinks write. Otherwise they are previews. */
  readonly armed: boolean;
  /** Targets that its sinks have written to, also if they do not run any more. */
  readonly wrote: readonly string[];
  /**
   * The cell was deleted less than ten seconds ago, and may come back: see deleted-cells.ts.
   */
  readonly detached: boolean;
}
export interface DeclaredPull {
  readonly pull: PullId;
  readonly cell: string;
  readonly from: Endpoint;
  /** What the cell had declared when it pulled. Nodes of the branch get uids of their own. */
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
  /** The wanted displays. `instance` is empty and `keep` is false: the planner fills both in. */
  readonly displays: readonly DisplayInstall[];
  /** Instances that ended with an error. A run of their cell makes them anew. */
  readonly failed: readonly string[];
  /**
   * A sink that has written does not write old rows again unasked: its cell is planned as a
   * preview.
   */
  readonly mayDisarm?: boolean;
  /** The cell whose run this mutation commits. */
  readonly committing?: string;
}
export interface DisarmedSink {
  readonly cell: string;
  readonly target: string;
}
export interface Planned {
  readonly plan: Plan;
  readonly handover: Readonly<Record<string, string>>;
  readonly displays: readonly DisplayInstall[];
  /** Sinks that wrote, and would have read a source from its start again: previews from now on. */
  readonly disarmed?: readonly DisarmedSink[];
  /** Cell → sentences: "totals keeps what it counted with the former filter". */
  readonly notes: Readonly<Record<string, readonly string[]>>;
}
/**
 * A pure function. It throws a SluiceError (a cycle, for example): nothing changes and the run
 * fails.
 */
export type LivePlanner = (request: PlanRequest) => Planned;
