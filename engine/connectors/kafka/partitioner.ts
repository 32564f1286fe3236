// The partition of a row, as Java's producer chooses it: by the key's hash over the present number
// of partitions, or, without a key, one partition for a whole batch.
import { partitionOf } from './murmur2.ts';
import type { TopicPartition } from './topic-partition.ts';

export class Partitioner {
  #partitions: readonly TopicPartition[];
  /** The partition that takes the rows without key; undefined: the next row chooses one. */
  #sticky: TopicPartition | undefined;
  #last = -1;

  constructor(partitions: readonly TopicPartition[]) {
    this.#partitions = partitions;
  }

  withKey(key: Uint8Array): TopicPartition {
    return this.#partitions[partitionOf(key, this.#partitions.length)]!;
  }
  withoutKey(isAvailable: (partition: TopicPartition) => boolean): TopicPartition {
    return (this.#sticky ??= this.#choose(isAvailable));
  }
  /** A batch of this partition has been sealed: rows without key go to another one. */
  hasSealed(partition: TopicPartition): void {
    if (partition === this.#sticky) this.#sticky = undefined;
  }

  /**
   * The next partition with the fewest bytes, so that a slow broker gets less. Partitions that
   * cannot be written now are chosen only when there is no other one.
   */
  #choose(isAvailable: (partition: TopicPartition) => boolean): TopicPartition {
    const count = this.#partitions.length;
    const inTurn = Array.from({ length: count }, (_, i) => this.#partitions[(this.#last + 1 + i) % count]!);
    const available = inTurn.filter(isAvailable);
    const candidates = available.length > 0 ? available : inTurn;
    const chosen = candidates.reduce((best, one) => (one.bytes < best.bytes ? one : best));
    this.#last = chosen.partition;
    return chosen;
  }
}
