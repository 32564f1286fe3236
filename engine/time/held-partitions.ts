// The partitions of an aligned source that are not read at present, because they are ahead of the
// slowest source of the group by more than the allowed drift (watermark-alignment.ts).
import { watermarkAfter } from './bounded-out-of-orderness.ts';
import type { TimedPartition } from './reached-watermark.ts';
import type { AlignedSource } from './watermark-alignment.ts';

export interface HeldPartition extends TimedPartition {
  /** It is ahead, so it is not read. */
  isHeld: boolean;
}

export class HeldPartitions<P extends HeldPartition> {
  readonly #alignment: AlignedSource;
  readonly #partitions: readonly P[];
  readonly #boundMillis: number;
  /** A partition with a watermark up to this is not ahead. Updated by each check. */
  #alignedUpTo = -Infinity;

  constructor(alignment: AlignedSource, partitions: readonly P[], boundMillis: number) {
    this.#alignment = alignment;
    this.#partitions = partitions;
    this.#boundMillis = boundMillis;
  }

  isAhead(partition: number): boolean {
    const state = this.#partitions[partition]!;
    const watermark = watermarkAfter(state.newest, this.#boundMillis);
    if (watermark <= this.#alignedUpTo) return false;
    this.#alignedUpTo = this.#alignment.limit();
    return (state.isHeld = watermark > this.#alignedUpTo);
  }

  /** After a poll: tells the group about the progress. Returns the partitions that still wait. */
  align(): number[] {
    this.#alignedUpTo = this.#alignment.limit();
    this.#alignment.pausedAt = Infinity;
    const held: number[] = [];
    for (const [partition, state] of this.#partitions.entries()) {
      if (!state.isHeld) continue;
      const watermark = watermarkAfter(state.newest, this.#boundMillis);
      state.isHeld = watermark > this.#alignedUpTo;
      if (!state.isHeld) continue;
      this.#alignment.pausedAt = Math.min(this.#alignment.pausedAt, watermark);
      held.push(partition);
    }
    this.#alignment.moved();
    return held;
  }
}
