// A figure of an exported job: its name, its meaning, and how its samples are read. The README of
// the job lists the same table that /metrics is made of.
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { Session } from '../session/state.ts';

export interface JobFigures {
  readonly application: string;
  readonly session: Session;
  readonly reports: readonly OperatorReport[];
  /** Since the start of the process. */
  readonly uptimeMillis: number;
  /** The job is being stopped, or its sources have ended. */
  readonly isEnding: boolean;
}

export type Labels = Readonly<Record<string, string>>;
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}
export interface JobMetric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  /** None: it is not known yet, or nothing in the job has it. */
  samples(figures: JobFigures): readonly Sample[];
}

/** A value that may not be known. */
export function sample(labels: Labels, value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ labels, value }];
}
