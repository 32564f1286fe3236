// An observer sees what happens in a session without being a client: the command line.
import type { ExecutorEvent, LocatedError, Whereabouts } from '../executor/executor-protocol.ts';
import type { MemoryEnd } from '../executor/memory-limit.ts';
import type { RunResult } from '../protocol/messages.ts';
import type { RowLabel } from '../session/state.ts';

export interface Observer {
  /** Every row of every display. A promise holds the stream back until it is done. */
  rows?(frame: RowFrame, label: RowLabel): Promise<void> | undefined;
  /** Rows that a cell has pulled. They come in lossless sessions only. */
  pulled?(event: PulledRows): Promise<void> | undefined;
  console?(event: Extract<ExecutorEvent, { kind: 'console' }>): void;
  operatorFailed?(event: Extract<ExecutorEvent, { kind: 'operator-failed' }>): void;
  /** Rows of a display were left out, because they cannot leave their thread. */
  rowRefused?(event: Extract<ExecutorEvent, { kind: 'row-refused' }>): void;
  /** A sentence about state that was restored. */
  warned?(text: string): void;
  /** A change of the graph without a run has failed. */
  graphFailed?(error: LocatedError): void;
  /** The thread of the cells has ended. A session starts another one; a job is over. */
  executorEnded?(reason: string, whereabouts: Whereabouts | undefined, memory: MemoryEnd | undefined): void;
  /** A cell has left a promise or a timer behind, which has failed. */
  uncaught?(event: Extract<ExecutorEvent, { kind: 'uncaught' }>): void;
  runEnded?(cell: string, result: RunResult): void;
  /**
   * The graph has changed, and each source stood at its place in `positions`.
   * The change belongs to a run of `cell`; a deletion, an undo or a pull has no cell.
   */
  mutated?(event: Extract<ExecutorEvent, { kind: 'mutated' }>, cell: string | undefined): void;
  /** The figures of all operators, once a second. */
  measured?(event: Extract<ExecutorEvent, { kind: 'metrics' }>): void;
  changed?(): void;
}
export type PulledRows = Extract<ExecutorEvent, { kind: 'pull-rows' }>;
export type RowFrame = Extract<ExecutorEvent, { kind: 'display-rows' }>;
