// The watermark of things that are read side by side, the partitions of a source or the two inputs of an operator: the minimum over the active ones. When
// all are idle the whole is idle and nothing is flushed; one that comes back counts at once; it never goes back.
import type { Emitted } from './emitted.ts';

const nothing: Emitted[] = [];

export class PartitionWatermarks {
  readonly #watermarks: number[] = [];
  readonly #idle: boolean[] = [];
  #combined = -Infinity;
  #isIdle = false;

  constructor(partitions: number) {
    for (let i = 0; i < partitions; i++) this.add();
  }
  /** A further partition, active and without a watermark. Returns its number. */
  add(watermark = -Infinity, isIdle = false): number {
    this.#watermarks.push(watermark);
    return this.#idle.push(isIdle) - 1;
  }
  /** What is out already when the partitions come from a snapshot: nothing below it is emitted. */
  resume(combined: number, isIdle: boolean): void {
    this.#combined = combined;
    this.#isIdle = isIdle;
  }
  get combined(): number {
    return this.#combined;
  }
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** A partition with a watermark is active; when all were idle, the watermark that goes out says so by itself. */
  watermark(partition: number, timestamp: number): Emitted[] {
    this.#check(partition);
    this.#idle[partition] = false;
    this.#isIdle = false;
    if (!(timestamp > this.#watermarks[partition]!)) return nothing;
    this.#watermarks[partition] = timestamp;
    return timestamp > this.#combined ? this.#advance() : nothing;
  }
  idle(partition: number): Emitted[] {
    this.#check(partition);
    if (this.#idle[partition]) return nothing;
    this.#idle[partition] = true;
    if (!this.#idle.every(Boolean)) return this.#advance();
    this.#isIdle = true;
    return ['idle'];
  }
  active(partition: number): Emitted[] {
    this.#check(partition);
    if (!this.#idle[partition]) return nothing;
    this.#idle[partition] = false;
    if (!this.#isIdle) return this.#advance();
    this.#isIdle = false;
    return ['active', ...this.#advance()];
  }

  #check(partition: number): void {
    if (this.#watermarks[partition] === undefined) throw new RangeError(`There is no partition ${partition}.`);
  }
  #advance(): Emitted[] {
    let minimum = Infinity;
    for (let i = 0; i < this.#watermarks.length; i++)
      if (!this.#idle[i] && this.#watermarks[i]! < minimum) minimum = this.#watermarks[i]!;
    if (minimum <= this.#combined) return nothing;
    this.#combined = minimum;
    return [{ watermark: minimum }];
  }
}
