// Which key the watermark wakes next: for its first element that waits, or for its first match that times out.
//
// A key stands in each queue once at a time. A time-out only moves further away, so it is looked at when the earlier one is reached, not with every element; what a
// key that is gone has left behind is cleared away when it is the larger part.
import { TimerQueue } from '../time/timer-queue.ts';

/** When the key stands in the queues; Infinity: it does not. */
export interface Sleeper {
  elementAt: number;
  timeoutAt: number;
}

export class WakeUps<S extends Sleeper> {
  readonly #elements = new TimerQueue<S>();
  #timeouts = new TimerQueue<S>();
  /** Sleepers that stand in the queue of time-outs. */
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
  /** The next that is due; whoever takes it says anew when it is to be woken. */
  take(now: number): S | undefined {
    for (;;) {
      const isTimeout = this.#timeouts.nextTime < this.#elements.nextTime;
      const queue = isTimeout ? this.#timeouts : this.#elements;
      if (!queue.isDue(now)) return undefined;
      const time = queue.nextTime;
      const sleeper = queue.shift()!;
      // An element that came later but is earlier has put it in once more; or the key is gone.
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
