// How a task spent the last second: busy, idle or backpressured. Time in which it was ready but waited for its thread is not counted.

export type TaskState = 'busy' | 'idle' | 'backpressured' | 'ready';

const bucketMillis = 100;
const buckets = 10;

export class Accounting {
  #state: TaskState = 'idle';
  #since: number;
  /** Rings of ten buckets of 100 ms: what happened in each. */
  readonly #millis: Record<TaskState, Float64Array> = {
    busy: new Float64Array(buckets),
    idle: new Float64Array(buckets),
    backpressured: new Float64Array(buckets),
    ready: new Float64Array(buckets),
  };
  #bucket = 0;
  #bucketEnds: number;

  constructor(now: number) {
    this.#since = now;
    this.#bucketEnds = now + bucketMillis;
  }

  enter(state: TaskState, now: number): void {
    this.#settle(now);
    this.#state = state;
  }
  get state(): TaskState {
    return this.#state;
  }
  /** Shares of the last second; they add up to 1. An interval that is still open counts. */
  shares(now: number): { busy: number; idle: number; backpressured: number } {
    this.#settle(now);
    const busy = sum(this.#millis.busy);
    const idle = sum(this.#millis.idle);
    const backpressured = sum(this.#millis.backpressured);
    const all = busy + idle + backpressured;
    if (all === 0) return { busy: 0, idle: 1, backpressured: 0 };
    return {
      busy: busy / all,
      idle: Math.max(0, 1 - (busy + backpressured) / all),
      backpressured: backpressured / all,
    };
  }
  /** Milliseconds of the last second in which the task had something to do, thread or no thread. */
  occupiedMillis(now: number): number {
    this.#settle(now);
    return sum(this.#millis.busy) + sum(this.#millis.backpressured) + sum(this.#millis.ready);
  }

  #settle(now: number): void {
    let from = this.#since;
    if (now - from > buckets * bucketMillis) {
      // Longer than the ring: only the last second matters.
      for (const ring of Object.values(this.#millis)) ring.fill(0);
      this.#millis[this.#state].fill(bucketMillis);
      this.#bucketEnds = now + bucketMillis;
      this.#since = now;
      return;
    }
    while (now >= this.#bucketEnds) {
      this.#millis[this.#state][this.#bucket]! += this.#bucketEnds - from;
      from = this.#bucketEnds;
      this.#bucket = (this.#bucket + 1) % buckets;
      this.#bucketEnds += bucketMillis;
      for (const ring of Object.values(this.#millis)) ring[this.#bucket] = 0;
    }
    this.#millis[this.#state][this.#bucket]! += now - from;
    this.#since = now;
  }
}

/** Records per second over the last second, from a counter that only grows. */
export class Rate {
  readonly #counts = new Float64Array(buckets + 1);
  readonly #times = new Float64Array(buckets + 1);
  #next = 0;
  #filled = 0;

  /** Called now and then; at most one sample per bucket is kept. */
  sample(count: number, now: number): void {
    const last = (this.#next + buckets) % (buckets + 1);
    if (this.#filled > 0 && now - this.#times[last]! < bucketMillis) return;
    this.#counts[this.#next] = count;
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % (buckets + 1);
    this.#filled = Math.min(buckets + 1, this.#filled + 1);
  }
  perSecond(count: number, now: number): number {
    if (this.#filled === 0) return 0;
    const oldest = this.#filled <= buckets ? 0 : this.#next;
    const elapsed = now - this.#times[oldest]!;
    return elapsed <= 0 ? 0 : ((count - this.#counts[oldest]!) * 1000) / elapsed;
  }
}

function sum(ring: Float64Array): number {
  let total = 0;
  for (const value of ring) total += value;
  return total;
}
