// The queue of keys that the watermark wakes: for their first waiting element, or for their first
// match that times out.
//
// Each queue holds a key once at a time. A time-out only moves to a later time. So it is checked
// when its old time is reached, not with every element. Entries of removed keys are removed when
// they are the larger part of the queue.
import { TimerQueue } from '../time/timer-queue.ts';

/** The time of the key in each queue. Infinity: it is not in the queue. */
export interface Sleeper {
  elementAt: number;
  timeoutAt: number;
}

export class WakeUps<S extends Sleeper> {
  readonly #elements = new TimerQueue<S>();
  #timeouts = new TimerQueue<S>();
  /** Number of sleepers in the queue of time-outs. */
  #timed = 0;

  forElement(sleeper: S, time: number): void {
    if (time >= sleeper.elementAt) return;
    sleeper.elementAt = time;
    this.#elements.add(time, sleeper);
  }
  forTimeout(sleeper: S, time: number): void {
    if (time >= sleeper.timeoutAt) return;
    if (sleeper.timeoutAt === Infinity) this.#timed++;
    sleeper.timeoutAt = time;
    this.#timeouts.add(time, sleeper);
  }
  /** The next key that is due. The caller schedules it again. */
  take(now: number): S | undefined {
    for (;;) {
      const isTimeout = this.#timeouts.nextTime < this.#elements.nextTime;
      const queue = isTimeout ? this.#timeouts : this.#elements;
      if (!queue.isDue(now)) return undefined;
      const time = queue.nextTime;
      const sleeper = queue.shift()!;
      // Stale: an earlier element has added the key again, or the key was removed.
      if (time !== (isTimeout ? sleeper.timeoutAt : sleeper.elementAt)) continue;
      if (isTimeout) {
        sleeper.timeoutAt = Infinity;
        this.#timed--;
      } else sleeper.elementAt = Infinity;
      return sleeper;
    }
  }
  forget(sleeper: S): void {
    sleeper.elementAt = Infinity;
    if (sleeper.timeoutAt === Infinity) return;
    sleeper.timeoutAt = Infinity;
    this.#timed--;
    if (this.#timeouts.size > 2 * this.#timed + 64) this.#sweep();
  }
  #sweep(): void {
    const swept = new TimerQueue<S>();
    while (this.#timeouts.size > 0) {
      const time = this.#timeouts.nextTime;
      const sleeper = this.#timeouts.shift()!;
      if (sleeper.timeoutAt === time) swept.add(time, sleeper);
    }
    this.#timeouts = swept;
  }
}
