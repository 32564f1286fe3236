// One poll of a source: it emits the records at hand, as many as there is room for and its batch
// allows.
import type { Source } from '../contract/source.ts';
import type { BatchShare } from './batch-share.ts';
import type { Collector } from './collector.ts';
import type { WakeUps } from './wake-ups.ts';

/** The part of a task that a poll works on. */
export interface PolledTask {
  readonly source: Source | undefined;
  readonly output: Collector;
  readonly isRunning: boolean;
  watermark: number;
  recordsIn: number;
  /** Runs code of the source; undefined: it threw, and the task has failed. */
  guard<T>(run: () => T): T | undefined;
}

/** False: nothing happened. 'end': the source is exhausted, and its last watermark has gone out. */
export function pollSource(task: PolledTask, share: BatchShare, wakeUps: WakeUps, now: number): boolean | 'end' {
  const { output } = task;
  if (!share.mayRead || !output.hasRoom || !share.isItsTurn) return false;
  const { batches } = share;
  output.begin(now, batches?.left(share));
  const before = output.recordsOut;
  const answer = task.guard(() => task.source!.poll());
  if (answer === undefined || !task.isRunning) return true;
  output.flush();
  const records = output.recordsOut - before;
  task.recordsIn += records;
  task.watermark = output.lastWatermark;
  batches?.took(share, records, answer !== 'more');
  switch (answer) {
    case 'more':
      return true;
    case 'wait':
      // A wake that came during the poll must not get lost.
      share.mayPoll = wakeUps.takeWake();
      return records > 0;
    case 'end':
      output.active();
      output.watermark(Infinity);
      task.watermark = Infinity;
      return 'end';
  }
}
