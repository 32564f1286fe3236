// The silence of partitions as the time that their source has waited for records: for a source that
// does not know whether it has read everything that is there. While the downstream had no room, the
// source could not read, and of such a time only a little counts.
import { emitEveryMillis } from './bounded-out-of-orderness.ts';

const countedWhileHeldBack = 2 * emitEveryMillis;

/** true: there was no room. 'by its rate': a record is at hand, and may not go yet. */
export type HeldBack = boolean | 'by its rate';

export class MeasuredSilence {
  /** Time spent waiting for records. */
  waited = 0;
  /** How the last poll ended. */
  isHeldBack: HeldBack = false;
  /** Start of the present silence, by partition, in `waited` time. */
  readonly #since: number[] = [];

  pass(millis: number, isHeldBack: HeldBack): void {
    if (!this.standsStill) this.waited += this.isHeldBack ? Math.min(millis, countedWhileHeldBack) : millis;
    this.isHeldBack = isHeldBack;
  }
  /** No time counts until the next poll. */
  get standsStill(): boolean {
    return this.isHeldBack === 'by its rate';
  }
  /** The partition is new, or had a record. */
  end(partition: number): void {
    this.#since[partition] = this.waited;
  }
  millis(partition: number): number {
    return this.waited - (this.#since[partition] ?? this.waited);
  }
  /** When the next of the partitions becomes idle, if none has a record; in `waited` time. */
  nextIdle(partitions: readonly { readonly isIdle: boolean }[], idlenessMillis: number): number {
    const ends = partitions.map(({ isIdle }, index) => (isIdle ? Infinity : this.#since[index]! + idlenessMillis));
    return ends.reduce((a, b) => Math.min(a, b), Infinity);
  }
}
