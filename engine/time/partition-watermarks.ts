// Combines the watermarks of the partitions of a source, or of the two inputs of an operator: the
// minimum over the active ones. When all are idle, the output is idle and nothing is flushed. A
// partition that becomes active counts at once. The combined watermark never decreases.
import type { Emitted } from './emitted.ts';

const nothing: Emitted[] = [];

export interface PartitionWatermarksState {
  /** By partition. */
  readonly watermarks: readonly number[];
  readonly idle: readonly boolean[];
  /** What was emitted. */
  readonly combined: number;
  readonly isIdle: boolean;
}

export class PartitionWatermarks {
  readonly #watermarks: number[] = [];
  readonly #idle: boolean[] = [];
  #combined = -Infinity;
  #isIdle = false;

  constructor(partitions: number) {
    for (let i = 0; i < partitions; i++) this.add();
  }
  /** Adds a partition, by default active and without a watermark. Returns its number. */
  add(watermark = -Infinity, isIdle = false): number {
    this.#watermarks.push(watermark);
    return this.#idle.push(isIdle) - 1;
  }
  /** For partitions from a snapshot: what was emitted before. Nothing below it is emitted again. */
  resume(combined: number, isIdle: boolean): void {
    this.#combined = combined;
    this.#isIdle = isIdle;
  }
  /**
   * After `resume`: the watermark that the partitions had reached, where it was not emitted before
   * the snapshot.
   */
  catchUp(): Emitted[] {
    return this.#idle.every(Boolean) ? nothing : this.#advance();
  }
  /** The caller knows what the partitions have reached, and emits it. */
  raise(combined: number): void {
    this.resume(combined, false);
  }
  snapshot(): PartitionWatermarksState {
    return {
      watermarks: [...this.#watermarks],
      idle: [...this.#idle],
      combined: this.#combined,
      isIdle: this.#isIdle,
    };
  }
  /** Right after construction, with as many partitions as the snapshot has. */
  restore({ watermarks, idle, combined, isIdle }: PartitionWatermarksState): void {
    for (const [partition, watermark] of watermarks.entries()) {
      this.#watermarks[partition] = watermark;
      this.#idle[partition] = idle[partition] ?? false;
    }
    this.resume(combined, isIdle);
  }
  get combined(): number {
    return this.#combined;
  }
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /**
   * A watermark makes its partition active. If all were idle, the emitted watermark alone makes the
   * output active.
   */
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
  /** Together: none of them advances time before all of them count. */
  active(...partitions: readonly number[]): Emitted[] {
    partitions.forEach((partition) => this.#check(partition));
    if (!partitions.some((partition) => this.#idle[partition])) return nothing;
    for (const partition of partitions) this.#idle[partition] = false;
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
