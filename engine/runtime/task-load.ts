// The load of a task: how it spends its time, its rates, and how many records may wait for it.
import { Accounting, Rate } from './accounting.ts';
import { maxCapacity, targetMillis } from './channel.ts';
import type { Slot } from './input-gate.ts';

export class TaskLoad {
  readonly accounting: Accounting;
  readonly inRate: Rate;
  readonly outRate: Rate;

  constructor(now: number) {
    this.accounting = new Accounting(now);
    this.inRate = new Rate(now);
    this.outRate = new Rate(now);
  }
  beginTurn(recordsIn: number, recordsOut: number, now: number): void {
    this.inRate.sample(recordsIn, now);
    this.outRate.sample(recordsOut, now);
    this.accounting.enter('busy', now);
  }
  /**
   * Channels hold about 100 ms of the task's work: by what a record cost in this turn, and by the
   * records that really got through in the last second.
   */
  adaptChannels(slots: readonly Slot[], taken: number, recordsIn: number, startedAt: number): void {
    const now = performance.now();
    const byCost = (taken / Math.max(now - startedAt, 1e-3)) * targetMillis;
    const occupied = this.accounting.occupiedMillis(now);
    const throughput = occupied > 500 ? (this.inRate.perSecond(recordsIn, now) / occupied) * targetMillis : Infinity;
    const wanted = Math.max(1, Math.min(maxCapacity, byCost, throughput));
    for (const { channel } of slots) channel?.adapt(wanted);
  }
}
