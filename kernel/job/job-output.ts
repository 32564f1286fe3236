// Where a job says what happens: a terminal, JSON lines, or the log of an exported job.
import type { PlanNode } from '../../engine/graph/plan.ts';
import type { RowLabel } from '../session/state.ts';
import type { Control } from '../server/control.ts';
import type { PulledRows, RowFrame } from '../server/observer.ts';
import type { Failures } from './failures.ts';
import type { JobFailure } from './job-failure.ts';
import type { JobReports } from './job-metrics.ts';

export interface JobOutput {
  rows?(frame: RowFrame, label: RowLabel, failures: Failures): Promise<void> | undefined;
  pulled?(event: PulledRows, failures: Failures): Promise<void> | undefined;
  console(cell: string, lines: readonly string[]): void;
  error(cell: string | undefined, error: JobFailure): void;
  /** A sentence that is no error. */
  warning(text: string): void;
  /** Nothing has run yet. */
  watch(control: Control, reports: JobReports): void;
  /** A job without a checkpoint has evaluated its cells: these operators begin. */
  declared?(nodes: readonly PlanNode[]): void;
  /** Nothing runs any more. */
  end(control: Control, reports: JobReports): void;
  /** Resolves when all of it has left the process. */
  drained(): Promise<void>;
}
