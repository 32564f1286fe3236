// How a task spent the last second: busy, idle or backpressured.
// Time in which it was ready and waited for its thread does not count.

export type TaskState = 'busy' | 'idle' | 'backpressured' | 'ready';

const bucketMillis = 100;
const buckets = 10;

export class Accounting {
  #state: TaskState = 'idle';
  #since: number;
  /** Milliseconds per state, in rings of ten buckets of 100 ms. */
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
  /**
   * Milliseconds of the last second in which the task had something to do, with or without its
   * thread.
   */
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

const rateBuckets = 50;
/** With fewer records in the last second, the rate of the last five seconds is used. */
const fewRecords = 10;

/**
 * Records per second: of the last second, or of the last five when there are few. `count` is a
 * counter that only grows.
 */
export class Rate {
  /** What the counter was at the end of each 100 ms. */
  readonly #counts = new Float64Array(rateBuckets);
  readonly #startedAt: number;
  /** Buckets since the start. */
  #bucket = 0;
  #lastCount = 0;

  constructor(now: number) {
    this.#startedAt = now;
  }
  /** Called before the counter grows. */
  sample(count: number, now: number): void {
    const bucket = Math.floor((now - this.#startedAt) / bucketMillis);
    // The counter did not grow in buckets without a sample.
    for (let past = Math.max(this.#bucket, bucket - rateBuckets); past < bucket; past++)
      this.#counts[past % rateBuckets] = this.#lastCount;
    this.#bucket = bucket;
    this.#lastCount = count;
  }
  perSecond(count: number, now: number): number {
    this.sample(count, now);
    const recent = this.#since(count, now, buckets);
    return recent.records >= fewRecords ? recent.perSecond : this.#since(count, now, rateBuckets - 1).perSecond;
  }
  #since(count: number, now: number, back: number): { records: number; perSecond: number } {
    const from = this.#bucket - back;
    const before = from <= 0 ? 0 : this.#counts[(from - 1) % rateBuckets]!;
    const records = count - before;
    const millis = now - this.#startedAt - Math.max(0, from) * bucketMillis;
    return { records, perSecond: (records * 1000) / Math.max(bucketMillis, millis) };
  }
}

function sum(ring: Float64Array): number {
  let total = 0;
  for (const value of ring) total += value;
  return total;
}
