// Timers of one clock for all keys. Each key has a set of times, and one queue orders them all. To
// delete a timer, its time is removed from the key's set. The queue skips such stale entries when
// it reaches them, and removes them when they are the larger part.
//
// While timers fire, the time of the pass is that of the firing timer. A timer that is set above
// this time fires in the same pass if it is due. A timer that is set at or below this time fires in
// the next pass. So a timer that sets itself again at its own time does not loop forever.
import { TimerQueue } from './timer-queue.ts';

export class TimerService<E> {
  readonly #timesOf: (entry: E) => Set<number>;
  readonly #willFire: ((entry: E) => void) | undefined;
  readonly #queue = new TimerQueue<E>();
  /** Timers that are set. */
  #live = 0;
  #isPassing = false;
  /** Time of the timer that is firing. */
  #moment = -Infinity;
  /** Timers that were set at or below the moment: they fire in the next pass. */
  #deferred = new Map<E, Set<number>>();

  /** `willFire` is told of an entry before a timer is taken out of its set to fire. */
  constructor(timesOf: (entry: E) => Set<number>, willFire?: (entry: E) => void) {
    this.#timesOf = timesOf;
    this.#willFire = willFire;
  }
  /** Infinity when no timer is set. May be the time of a deleted timer. */
  get nextTime(): number {
    return this.#queue.nextTime;
  }
  /** The earliest timer that is set. */
  get next(): { readonly entry: E; readonly time: number } | undefined {
    while (this.#queue.size > 0) {
      const time = this.#queue.nextTime;
      const entry = this.#queue.next!;
      if (this.#timesOf(entry).has(time) && !this.#deferred.get(entry)?.has(time)) return { entry, time };
      this.#queue.shift();
    }
    return undefined;
  }
  /** The entry with the earliest timer of those that `isWanted` accepts. Scans the whole queue. */
  earliest(isWanted: (entry: E) => boolean): E | undefined {
    let found: E | undefined;
    let earliest = Infinity;
    this.#queue.forEach((entry, time) => {
      if (time >= earliest || !this.#timesOf(entry).has(time) || !isWanted(entry)) return;
      earliest = time;
      found = entry;
    });
    return found;
  }
  /** A pass has begun and has not ended. */
  get isPassing(): boolean {
    return this.#isPassing;
  }
  set(entry: E, time: number): void {
    const times = this.#timesOf(entry);
    if (times.has(time)) return;
    times.add(time);
    this.#live++;
    if (!this.#isPassing || time > this.#moment) return this.#queue.add(time, entry);
    const deferred = this.#deferred.get(entry);
    if (deferred) deferred.add(time);
    else this.#deferred.set(entry, new Set([time]));
  }
  /** Returns whether there was one. */
  delete(entry: E, time: number): boolean {
    if (!this.#timesOf(entry).delete(time)) return false;
    this.#live--;
    if (this.#queue.size > 2 * this.#live + 64) this.#sweep();
    return true;
  }

  /**
   * Removes the next timer that is due from its key's set and returns it. A pass begins with the
   * first timer and ends when none is due.
   */
  take(now: number): { readonly entry: E; readonly time: number } | undefined {
    this.#isPassing = true;
    while (this.#queue.isDue(now)) {
      const time = this.#queue.nextTime;
      const entry = this.#queue.shift()!;
      // A stale queue entry must not fire a timer that was set again for the next pass.
      const times = this.#timesOf(entry);
      if (this.#deferred.get(entry)?.has(time) || !times.has(time)) continue;
      this.#willFire?.(entry);
      times.delete(time);
      this.#live--;
      this.#moment = time;
      return { entry, time };
    }
    this.#endPass();
    return undefined;
  }
  #endPass(): void {
    this.#isPassing = false;
    this.#moment = -Infinity;
    for (const [entry, times] of this.#deferred) for (const time of times) this.#queue.add(time, entry);
    this.#deferred = new Map();
  }
  #sweep(): void {
    const timesOf = this.#timesOf;
    const deferred = this.#deferred;
    this.#queue.retain((entry, time) => timesOf(entry).has(time) && !deferred.get(entry)?.has(time));
  }
}
