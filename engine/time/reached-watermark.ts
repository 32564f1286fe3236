// The watermark that the records of a source have reached: the minimum over its active partitions.
// It is pending until it is emitted.
//
// Records of one partition come after one another. While they do, the other partitions do not
// change, so each record costs one comparison, however many partitions there are.
import { watermarkAfter } from './bounded-out-of-orderness.ts';

/** The part of a partition that decides about time. */
export interface TimedPartition {
  /** The highest timestamp so far. */
  newest: number;
  isIdle: boolean;
}

export class ReachedWatermark {
  /** Reached, but not emitted. −∞: everything is emitted. */
  pending = -Infinity;
  readonly #partitions: readonly TimedPartition[];
  readonly #boundMillis: number;
  /** The partition whose records are being read; −1: unknown, see `lookAgain`. */
  #reading = -1;
  /** The minimum of all other active partitions; Infinity: there is none. */
  #others = Infinity;
  #emitted = -Infinity;

  constructor(partitions: readonly TimedPartition[], boundMillis: number) {
    this.#partitions = partitions;
    this.#boundMillis = boundMillis;
  }
  /** Infinity: all partitions are idle. −∞: one of them has no record. */
  get now(): number {
    return this.#partitions.length === 0 ? -Infinity : this.#minimum(-1);
  }
  #minimum(without: number): number {
    let minimum = Infinity;
    for (let i = 0; i < this.#partitions.length; i++) {
      const { newest, isIdle } = this.#partitions[i]!;
      if (i !== without && !isIdle) minimum = Math.min(minimum, watermarkAfter(newest, this.#boundMillis));
    }
    return minimum;
  }

  isReading(partition: number): boolean {
    return this.#reading === partition;
  }
  /** The next records are of this partition. `emitted`: the last watermark of the source. */
  read(partition: number, emitted: number): void {
    this.#reading = partition;
    this.#emitted = emitted;
    this.#others = this.#minimum(partition);
    const { now } = this;
    this.pending = now > emitted && now < Infinity ? now : -Infinity;
  }
  /** Partitions have become idle or active, or a watermark was emitted. */
  lookAgain(): void {
    this.#reading = -1;
  }
  /** The pending watermark, which the caller emits. */
  take(): number {
    const { pending } = this;
    this.#emitted = pending;
    this.pending = -Infinity;
    return pending;
  }
  /** The partition that is being read has a newer record than before. */
  advance(newest: number): void {
    this.#partitions[this.#reading]!.newest = newest;
    this.pending = this.#after(newest);
  }
  /**
   * The first of these records is taken. Returns how many can be taken with it, itself
   * included: no other is up to the pending watermark plus `margin`, and only the last one brings
   * the partition above `limit`.
   */
  run(timestamps: Float64Array, count: number, margin: number, limit: number): number {
    let { newest } = this.#partitions[this.#reading]!;
    let needsTime = this.pending + margin;
    let i = 1;
    if (watermarkAfter(newest, this.#boundMillis) > limit) return i;
    while (i < count) {
      const timestamp = timestamps[i]!;
      if (timestamp <= needsTime) break;
      i++;
      if (timestamp <= newest) continue;
      newest = timestamp;
      needsTime = this.#after(newest) + margin;
      if (watermarkAfter(newest, this.#boundMillis) > limit) break;
    }
    this.advance(newest);
    return i;
  }
  /** What is pending when the partition that is being read has reached this timestamp. */
  #after(newest: number): number {
    const reached = Math.min(watermarkAfter(newest, this.#boundMillis), this.#others);
    return reached > this.#emitted ? reached : this.pending;
  }
}
