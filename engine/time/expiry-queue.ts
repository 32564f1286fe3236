// When the values of keys expire. Each key with a time to live is queued at the earliest time at
// which one of its values may expire. So a look at what expires costs as much as what expires, not
// as much as the state:
//
//   a value is written ─► note(entry, at) ─► due? ─► look ─► removed, or queued at its next expiry
//
// A value that is written again expires later. Its key stays queued at the earlier time, and one
// look moves it on. So a key is looked at once in each time to live at most, however often it is
// written.
import { TimerQueue } from './timer-queue.ts';

export interface Expiring {
  /** When the key is looked at next; Infinity: it is not queued. */
  lookAt: number;
}

/** Keys that were forgotten are taken out of a queue that has more of them than others. */
const fewItems = 64;

export class ExpiryQueue<E extends Expiring> {
  readonly #queue = new TimerQueue<E>();
  /** Keys that are queued. The queue has more items: former times, and keys that are gone. */
  #queued = 0;
  /** Keys that were looked at since the start. */
  looked = 0;

  /** Items of the queue, former times and keys that are gone among them. */
  get size(): number {
    return this.#queue.size;
  }
  /** A value of the key may expire at this time. */
  note(entry: E, at: number): void {
    if (at >= entry.lookAt) return;
    if (entry.lookAt === Infinity) this.#queued++;
    entry.lookAt = at;
    this.#queue.add(at, entry);
    this.#sweep();
  }
  /** The key is removed from the state. */
  forget(entry: E): void {
    if (entry.lookAt === Infinity) return;
    entry.lookAt = Infinity;
    this.#queued--;
    this.#sweep();
  }
  /**
   * Looks at keys that are due, `most` of them. `look` removes what has expired and returns when
   * the key expires next: Infinity, if nothing of it does.
   */
  look(now: number, most: number, look: (entry: E) => number): void {
    for (let left = most; left > 0 && this.#queue.isDue(now);) {
      const time = this.#queue.nextTime;
      const entry = this.#queue.shift()!;
      if (entry.lookAt !== time) continue;
      entry.lookAt = Infinity;
      this.#queued--;
      this.looked++;
      left--;
      this.note(entry, look(entry));
    }
  }
  #sweep(): void {
    if (this.#queue.size > 2 * this.#queued + fewItems) this.#queue.retain((entry, time) => entry.lookAt === time);
  }
}
