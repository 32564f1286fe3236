// What an operator may ask of its task: its name, its output, the clock, to be called again, to
// fail.
import type { Clock } from '../contract/clock.ts';
import type { OperatorContext } from '../contract/operator.ts';
import type { SourceContext } from '../contract/source.ts';
import type { Chain } from '../graph/chains.ts';
import type { BatchShare } from './batch-share.ts';
import type { Collector } from './collector.ts';
import type { WakeUps } from './wake-ups.ts';

/** What an operator and a source may ask. */
export type OpenContext = OperatorContext & Pick<SourceContext, 'inBatches' | 'failPartitions'>;

/** The part of a task that its context works on. */
export interface ContextTask {
  readonly chain: Chain;
  readonly output: Collector;
  readonly batchShare: BatchShare | undefined;
  late: number;
  lateDropped: number;
  interrupt(error: unknown): void;
  partsFailed(names: readonly string[], error: unknown): void;
}
/** The part of the runtime that a context asks. */
export interface ContextHost<T> {
  readonly clock: Clock;
  readonly freeze: boolean;
  wake(): void;
  barrierWaits(task: T): boolean;
}

export function contextOf<T extends ContextTask>(task: T, wakeUps: WakeUps, host: ContextHost<T>): OpenContext {
  const { id, uid, name } = task.chain.nodes[0]!;
  const { clock, freeze } = host;
  const { output, batchShare } = task;
  return {
    ...{ id, uid, name, clock, freeze, output, inBatches: batchShare?.batches !== undefined },
    wake: () => {
      wakeUps.wake();
      if (batchShare) batchShare.mayPoll = true;
      host.wake();
    },
    wakeAt: (millis) => {
      if (wakeUps.wakeAt(millis)) host.wake();
    },
    fail: (error) => task.interrupt(error),
    failPartitions: (names, error) => task.partsFailed(names, error),
    countLate: (isRead) => {
      task.late++;
      if (!isRead) task.lateDropped++;
    },
    barrierWaits: () => host.barrierWaits(task),
  };
}
