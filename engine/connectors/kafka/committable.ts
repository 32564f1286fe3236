// A transaction that is finished and not committed, as snapshots have it.

export interface Committable {
  readonly transactionalId: string;
  readonly producer: bigint;
  readonly epoch: number;
  /** Epoch milliseconds. */
  readonly begunAt: number;
  readonly rows: number;
  /** Of the topic that got the rows. undefined: the broker, or an earlier version, gave none. */
  readonly topicId?: string | undefined;
  /** What it has written: the offsets of the first and the last row of each partition. */
  readonly partitions: readonly (readonly [partition: number, first: number, last: number])[];
}
